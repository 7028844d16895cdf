import { ModelError } from '../errors.js'
import type { ColumnType } from './column-type.js'
import { definitionOf } from './define-model.js'
import { frozenCopy } from './frozen-copy.js'
import type { FieldDefinition, ModelDefinition, ReferentialAction, RelationDefinition, StaticCondition } from './model-definition.js'
import { snakeCase } from './names.js'
import { polymorphicCondition } from './polymorphic-keys.js'
import { schemaConstant } from './schema-constant.js'
import { objectName, type SchemaObjectKind } from './schema-names.js'
import { columnCondition, conditionColumns, keyCondition } from './static-condition.js'

/**
 * The canonical schema of a set of models: frozen JSON, logical types, an explicit name for every object.
 * Conditions speak of columns. The order of tables, columns and objects is that of the models and is never a difference.
 */
export interface Schema {
  readonly version: 1
  readonly tables: readonly TableSchema[]
}

export interface TableSchema {
  readonly name: string
  readonly schema?: string
  readonly columns: readonly ColumnSchema[]
  readonly primaryKey: PrimaryKeySchema
  readonly uniques: readonly UniqueSchema[]
  readonly indexes: readonly IndexSchema[]
  readonly foreignKeys: readonly ForeignKeySchema[]
  readonly checks: readonly CheckSchema[]
  readonly comment?: string
  /** Former name, in the same schema. It is no part of what the table is: see {@link withoutFormerNames}. */
  readonly renamedFrom?: string
}

export interface ColumnSchema {
  readonly name: string
  readonly type: ColumnType
  readonly nullable: boolean
  readonly default?: ColumnDefault
  readonly comment?: string
  /** Former name. It is no part of what the column is. */
  readonly renamedFrom?: string
}

/** `value`: JSON of the logical type (decimal, bigint, date, time, uuid as strings; bytes as base64); `now`: the current instant. */
export type ColumnDefault =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'sql'; readonly sql: string }
  | { readonly kind: 'increment' }
  | { readonly kind: 'now' }

export interface PrimaryKeySchema {
  readonly name: string
  readonly columns: readonly string[]
}

export interface UniqueSchema {
  readonly name: string
  readonly columns: readonly string[]
  readonly where?: StaticCondition
}

export interface IndexSchema {
  readonly name: string
  readonly columns: readonly string[]
  readonly expression?: string
  readonly where?: StaticCondition
}

export interface ForeignKeySchema {
  readonly name: string
  readonly columns: readonly string[]
  readonly target: { readonly schema?: string; readonly table: string; readonly columns: readonly string[] }
  readonly onDelete: ReferentialAction
  readonly onUpdate: ReferentialAction
}

/** One of `condition` and `sql` is set. */
export interface CheckSchema {
  readonly name: string
  /** The columns it speaks of; empty where that is not known. */
  readonly columns: readonly string[]
  readonly condition?: StaticCondition
  readonly sql?: string
}

/** The type of a column that holds one of a fixed list. */
type EnumType = Extract<ColumnType, { kind: 'enum' }>

/**
 * The schema that a set of models describes. Pure, and the same for the same models.
 *
 * Every foreign key has an index of its own unless a key or index of the table starts with its columns. An enum that is not
 * native has a check, and so has a polymorphic relation, by its name: `comments_subject_check`. Views are left out: what makes them is their own. A default that is a function leaves nothing: it runs in this process, not in the database.
 *
 * @throws {ModelError} two models or objects share a name, a foreign key does not fit its target, or a condition or default does not fit its field
 */
export function schemaOf(definitions: readonly ModelDefinition[]): Schema {
  const models = definitions.filter(({ isView }) => !isView)
  const tables = models.map((definition) => tableOf(definition, models))
  refuseNameClashes(models, tables)
  return frozenCopy<Schema>({ version: 1, tables })
}

/** The schema alone, without what the models say of the past: what is written down, and compared. */
export function withoutFormerNames(schema: Schema): Schema {
  const tables = schema.tables.map(({ renamedFrom: _, ...table }) => {
    return { ...table, columns: table.columns.map(({ renamedFrom: _former, ...column }) => column) }
  })
  return frozenCopy<Schema>({ ...schema, tables })
}

/** The native enum types of a table's columns, those of its arrays included, each once. */
export function nativeEnumsOf(table: TableSchema): readonly EnumType[] {
  const types = table.columns.map(({ type }) => (type.kind === 'array' ? type.of : type))
  const enums = types.filter((type): type is EnumType => type.kind === 'enum' && type.native)
  return enums.filter((type, position) => enums.findIndex(({ name }) => name === type.name) === position)
}

function tableOf(definition: ModelDefinition, models: readonly ModelDefinition[]): TableSchema {
  const nameOf = createNamer(definition.table)
  const primaryKey = columnsOf(definition, definition.primaryKey)
  const uniques = uniquesOf(definition, nameOf)
  const indexes = indexesOf(definition, nameOf)
  const foreignKeys = foreignKeysOf(definition, models, nameOf)
  return {
    name: definition.table,
    ...(definition.schema === undefined ? {} : { schema: definition.schema }),
    columns: definition.fields.map((field) => columnOf(definition, field)),
    primaryKey: { name: definition.primaryKeyName ?? nameOf([], 'pkey'), columns: primaryKey },
    uniques,
    indexes: [...indexes, ...foreignKeyIndexes(foreignKeys, [primaryKey, ...wholeColumns(uniques), ...wholeColumns(indexes)], nameOf)],
    foreignKeys,
    checks: [...enumChecksOf(definition, nameOf), ...polymorphicChecksOf(definition, nameOf), ...checksOf(definition, nameOf)],
    ...(definition.comment === undefined ? {} : { comment: definition.comment }),
    ...(definition.renamedFrom === undefined ? {} : { renamedFrom: definition.renamedFrom }),
  }
}

type Namer = (columns: readonly string[], kind: SchemaObjectKind) => string

/** Names in order of demand: the second check on a column is `…_check2`. */
function createNamer(table: string): Namer {
  const made = new Map<string, number>()
  return (columns, kind) => {
    const first = objectName(table, columns, kind)
    const nth = (made.get(first) ?? 0) + 1
    made.set(first, nth)
    return objectName(table, columns, kind, nth)
  }
}

function columnsOf(definition: ModelDefinition, fields: readonly string[]): readonly string[] {
  return fields.map((name) => fieldOf(definition, name).column)
}

function fieldOf(definition: ModelDefinition, name: string): FieldDefinition {
  const field = definition.fieldByName.get(name)
  if (field === undefined) throw new ModelError(definition.name, name, 'is named by a key, index or relation and is not a field')
  return field
}

function columnOf(definition: ModelDefinition, field: FieldDefinition): ColumnSchema {
  const value = defaultOf(definition, field)
  return {
    name: field.column,
    type: field.type,
    nullable: field.nullable,
    ...(value === undefined ? {} : { default: value }),
    ...(field.comment === undefined ? {} : { comment: field.comment }),
    ...(field.renamedFrom === undefined ? {} : { renamedFrom: field.renamedFrom }),
  }
}

function defaultOf(definition: ModelDefinition, field: FieldDefinition): ColumnDefault | undefined {
  if (field.role === 'createdAt' || field.role === 'updatedAt') return { kind: 'now' }
  if (field.role === 'version') return { kind: 'value', value: 1 }
  const given = field.default
  if (given === undefined || given.kind === 'function') return undefined
  if (given.kind !== 'value') return given
  return given.value === null ? undefined : { kind: 'value', value: schemaConstant(definition.name, field, given.value, 'default') }
}

function uniquesOf(definition: ModelDefinition, nameOf: Namer): readonly UniqueSchema[] {
  return definition.uniques.map((unique) => {
    const columns = columnsOf(definition, unique.fields)
    const where = keyCondition(definition, unique)
    return { name: unique.name ?? nameOf(columns, 'key'), columns, ...(where === undefined ? {} : { where }) }
  })
}

function indexesOf(definition: ModelDefinition, nameOf: Namer): readonly IndexSchema[] {
  return definition.indexes.map(({ on, expression, name, where }) => {
    const columns = columnsOf(definition, on)
    const indexed = expression === undefined ? { columns } : { columns, expression }
    return { name: name ?? nameOf(expression === undefined ? columns : ['expr'], 'idx'), ...indexed, ...whereOf(definition, where) }
  })
}

function whereOf(definition: ModelDefinition, where: StaticCondition | undefined): { readonly where?: StaticCondition } {
  return where === undefined ? {} : { where: columnCondition(definition, where) }
}

function enumChecksOf(definition: ModelDefinition, nameOf: Namer): readonly CheckSchema[] {
  return definition.fields.flatMap(({ column, type }) =>
    type.kind === 'enum' && !type.native
      ? [{ name: nameOf([column], 'check'), columns: [column], condition: { [column]: { $in: type.values } } }]
      : [],
  )
}

function polymorphicChecksOf(definition: ModelDefinition, nameOf: Namer): readonly CheckSchema[] {
  return definition.polymorphics.map((polymorphic) => {
    const condition = columnCondition(definition, polymorphicCondition(polymorphic))
    return { name: nameOf([snakeCase(polymorphic.name)], 'check'), columns: conditionColumns(condition), condition }
  })
}

function checksOf(definition: ModelDefinition, nameOf: Namer): readonly CheckSchema[] {
  return definition.checks.map(({ name, condition, sql, fields }) => {
    const known = columnsOf(definition, fields)
    if (condition === undefined) return { name: name ?? nameOf(known, 'check'), columns: known, sql: sql! }
    const byColumn = columnCondition(definition, condition)
    const columns = conditionColumns(byColumn)
    return { name: name ?? nameOf(columns, 'check'), columns, condition: byColumn }
  })
}

function foreignKeysOf(definition: ModelDefinition, models: readonly ModelDefinition[], nameOf: Namer): readonly ForeignKeySchema[] {
  return definition.relations
    .filter(({ kind, constraint }) => kind === 'belongsTo' && constraint)
    .map((relation) => {
      const target = targetOf(definition, relation, models)
      const from = relation.foreignKey.map((name) => fieldOf(definition, name))
      const references = relation.references.length === 0 ? target.primaryKey : relation.references
      const to = references.map((name) => fieldOf(target, name))
      refuseMisfit(definition, relation, from, target, to)
      const columns = from.map(({ column }) => column)
      return {
        name: relation.constraintName ?? nameOf(columns, 'fkey'),
        columns,
        target: {
          ...(target.schema === undefined ? {} : { schema: target.schema }),
          table: target.table,
          columns: to.map(({ column }) => column),
        },
        onDelete: relation.onDelete,
        onUpdate: relation.onUpdate,
      }
    })
}

function targetOf(definition: ModelDefinition, relation: RelationDefinition, models: readonly ModelDefinition[]): ModelDefinition {
  const target = definitionOf(relation.target())
  if (models.some(({ table, schema }) => table === target.table && schema === target.schema)) return target
  const advice = target.isView ? 'a view; set constraint: false' : 'not among the models; add it, or set constraint: false'
  throw new ModelError(definition.name, relation.name, `refers to ${target.name}, which is ${advice}`)
}

function refuseMisfit(
  definition: ModelDefinition,
  relation: RelationDefinition,
  from: readonly FieldDefinition[],
  target: ModelDefinition,
  to: readonly FieldDefinition[],
): void {
  const names = to.map(({ name }) => name)
  const refuse = (message: string) => new ModelError(definition.name, relation.name, message)
  if (from.length !== to.length) {
    throw refuse(`has ${from.length} foreign key fields and ${target.name} has ${to.length} to refer to: ${names.join(', ')}`)
  }
  // InnoDB wants the order of the key as well
  const isReferred = (key: readonly string[]) => key.length === names.length && key.every((name, position) => name === names[position])
  const uniques = target.uniques.filter(({ where, fields }) => where === undefined && isReferred(fields))
  if (!isReferred(target.primaryKey) && uniques.length === 0) {
    throw refuse(`refers to ${target.name} by ${names.join(', ')}, which is not a key there, in this order`)
  }
  if (!isReferred(target.primaryKey) && !uniques.some(({ countsDeleted }) => countsDeleted)) {
    throw refuse(
      `refers to ${target.name} by ${names.join(', ')}, a key that does not count rows that are marked as deleted; ` +
        `say it there as { on: [${names.map((name) => `'${name}'`).join(', ')}], deleted: 'include' }`,
    )
  }
  const misfit = from.find((field, position) => storageOf(field.type) !== storageOf(to[position]!.type))
  if (misfit !== undefined) {
    const other = to[from.indexOf(misfit)]!
    throw refuse(`${misfit.name} is of type ${misfit.type.kind} and refers to ${target.name}.${other.name} of type ${other.type.kind}`)
  }
}

/** Types that a foreign key may pair are the same, up to the length of a text and the name of an enum that is text. */
export function storageOf(type: ColumnType): string {
  if (type.kind === 'varchar') return type.kind
  return JSON.stringify(type.kind === 'enum' && !type.native ? type.values : type)
}

/** The column lists of keys and indexes that hold every row. */
function wholeColumns(keys: readonly (UniqueSchema | IndexSchema)[]): readonly (readonly string[])[] {
  return keys.filter(({ where, columns }) => where === undefined && columns.length > 0).map(({ columns }) => columns)
}

function foreignKeyIndexes(
  foreignKeys: readonly ForeignKeySchema[],
  existing: readonly (readonly string[])[],
  nameOf: Namer,
): readonly IndexSchema[] {
  const covered = [...existing]
  return foreignKeys.flatMap(({ columns }) => {
    if (covered.some((key) => columns.every((column, position) => key[position] === column))) return []
    covered.push(columns)
    return [{ name: nameOf(columns, 'idx'), columns }]
  })
}

/** Tables, keys and indexes share their names on PostgreSQL and SQLite; checks and foreign keys each do on MySQL. */
function refuseNameClashes(definitions: readonly ModelDefinition[], tables: readonly TableSchema[]): void {
  const owners = new Map<string, string>()
  tables.forEach((table, position) => {
    const { name: model } = definitions[position]!
    for (const [space, name] of namesOf(table)) {
      // SQLite and MySQL take names that differ in case alone for one
      const key = JSON.stringify([table.schema, space, name.toLowerCase()])
      const owner = owners.get(key)
      if (owner !== undefined) throw new ModelError(model, undefined, `"${name}" is already the name of a ${space} of ${owner}`)
      owners.set(key, model)
    }
  })
  refuseEnumClashes(definitions, tables)
}

function namesOf(table: TableSchema): readonly (readonly [space: string, name: string])[] {
  const relations = [table, table.primaryKey, ...table.uniques, ...table.indexes]
  return [
    ...relations.map(({ name }) => ['table, key or index', name] as const),
    ...table.foreignKeys.map(({ name }) => ['foreign key', name] as const),
    ...table.checks.map(({ name }) => ['check', name] as const),
  ]
}

function refuseEnumClashes(definitions: readonly ModelDefinition[], tables: readonly TableSchema[]): void {
  const known = new Map<string, string>()
  tables.forEach((table, position) => {
    for (const { name, values } of nativeEnumsOf(table)) {
      const key = JSON.stringify([table.schema, name])
      const list = JSON.stringify(values)
      if ((known.get(key) ?? list) !== list || tables.some((other) => other.schema === table.schema && other.name === name)) {
        throw new ModelError(definitions[position]!.name, undefined, `"${name}" is already the name of another enum type or of a table`)
      }
      known.set(key, list)
    }
  })
}
