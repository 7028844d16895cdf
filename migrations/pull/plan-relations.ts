import { definitionOf } from '../../lib/model/define-model.js'
import { databaseNameProblem } from '../../lib/model/names.js'
import { type ForeignKeySchema, storageOf, type TableSchema } from '../../lib/model/schema.js'
import { factName } from '../../lib/model/schema-change.js'
import { objectName } from '../../lib/model/schema-names.js'
import { propertyName, relationName } from './code-names.js'
import type { KeptModel, ModelName, PlannedRelation } from './model-plan.js'
import type { Find } from './plan-fields.js'
import type { TakenNames } from './plan-keys.js'

/** An end of a relation: a model that is planned, or one that is there and stays as it is. */
export interface RelationEnd extends ModelName {
  readonly table: TableSchema
  readonly propertyOf: ReadonlyMap<string, string>
  /** Lower case, of all its properties. */
  readonly taken: Set<string>
  readonly relations: PlannedRelation[]
  /** Undefined: it is planned. */
  readonly kept: KeptModel | undefined
}

/** A model that a person wrote, as an end. */
export function keptEnd(kept: KeptModel, table: TableSchema): RelationEnd {
  const { fields } = definitionOf(kept.model)
  const propertyOf = new Map(fields.map(({ name, column }) => [column, name]))
  return { name: kept.name, file: kept.file, table, propertyOf, taken: new Set(), relations: [], kept }
}

/** Each foreign key as a relation both ways. */
export function planRelations(ends: readonly RelationEnd[], taken: TakenNames, findIn: (table: TableSchema) => Find): void {
  const byTable = new Map(ends.map((end) => [factName(end.table), end]))
  for (const end of ends) {
    for (const foreignKey of end.table.foreignKeys) planOne(end, foreignKey, byTable, taken, findIn(end.table))
  }
}

function planOne(
  end: RelationEnd,
  foreignKey: ForeignKeySchema,
  ends: ReadonlyMap<string, RelationEnd>,
  taken: TakenNames,
  find: Find,
): void {
  const { name, columns, target, onDelete, onUpdate } = foreignKey
  const other = ends.get(factName({ ...target, name: target.table }))
  const problem = other === undefined ? `refers to ${target.table}, which has no model here` : misfit(end, foreignKey, other)
  if (other === undefined || problem !== undefined) {
    if (end.kept === undefined) find(name, problem!)
    return
  }
  const key = columns.map((column) => end.propertyOf.get(column)!)
  const references = target.columns.map((column) => other.propertyOf.get(column)!)
  const isPrimary = sameList(target.columns, other.table.primaryKey.columns)
  const link = { foreignKey: key, ...(isPrimary ? {} : { references }) }
  const own = ownName(columns, other.name)
  if (end.kept === undefined) {
    end.relations.push({
      property: propertyName(own, end.taken),
      spec: {
        kind: 'belongsTo',
        target: NEVER,
        ...link,
        ...(onDelete === 'noAction' ? {} : { onDelete }),
        ...(onUpdate === 'noAction' ? {} : { onUpdate }),
        ...constraintName(foreignKey, end.table, taken, find),
      },
      target: other,
      isOptional: columns.some((column) => end.table.columns.find((each) => each.name === column)!.nullable),
    })
  }
  if (other.kept !== undefined) return
  const isSole = [end.table.primaryKey, ...end.table.uniques.filter(({ where }) => where === undefined)].some((each) =>
    sameList(each.columns, columns),
  )
  const plain = relationName(end.name, !isSole)
  // of several, each is called by the column that makes it
  const isOne = end.table.foreignKeys.filter((each) => sameTarget(each, foreignKey)).length === 1 && end !== other
  other.relations.push({
    property: propertyName(isOne ? plain : `${plain}_by_${own}`, other.taken),
    spec: { kind: isSole ? 'hasOne' : 'hasMany', target: NEVER, ...link },
    target: end,
    isOptional: isSole,
  })
}

/** Said where it is not what the model would call it. */
function constraintName(
  { name, columns }: ForeignKeySchema,
  { name: table, schema }: TableSchema,
  taken: TakenNames,
  find: Find,
): { readonly constraintName?: string } {
  const problem = databaseNameProblem(name)
  const isFree = problem === undefined && taken.take(schema, 'foreign key', name)
  if (!isFree) find(name, `its name cannot stay: ${problem ?? 'something of another table has it, and models want it once'}`)
  return isFree && name !== objectName(table, columns, 'fkey') ? { constraintName: name } : {}
}

/** The models are classes when all are planned. */
const NEVER = (): never => {
  throw new Error('a planned relation has its target by name')
}

/** `author_id` → `author`; else after the model. */
function ownName([column, another]: readonly string[], model: string): string {
  const stem = another === undefined ? column!.replace(/_?id$/i, '') : ''
  return stem === '' || stem === column ? relationName(model, false) : stem
}

/** Why a model refuses what the database has. */
function misfit(
  { table, propertyOf }: RelationEnd,
  { columns, target, onDelete, onUpdate }: ForeignKeySchema,
  other: RelationEnd,
): string | undefined {
  const lost = columns.find((column) => !propertyOf.has(column)) ?? target.columns.find((column) => !other.propertyOf.has(column))
  if (lost !== undefined) return `is on "${lost}", which is left out`
  const keys = [other.table.primaryKey, ...other.table.uniques.filter(({ where }) => where === undefined)]
  if (!keys.some((key) => sameList(key.columns, target.columns)))
    return `refers to ${target.columns.join(', ')}, which is no key there in this order`
  const typeIn = (end: TableSchema, column: string) => end.columns.find(({ name }) => name === column)!.type
  const unlike = columns.find((column, at) => storageOf(typeIn(table, column)) !== storageOf(typeIn(other.table, target.columns[at]!)))
  if (unlike !== undefined) return `is on "${unlike}", which is of another kind than what it refers to`
  const required = columns.find((column) => !table.columns.find(({ name }) => name === column)!.nullable)
  if ((onDelete === 'setNull' || onUpdate === 'setNull') && required !== undefined) return `sets "${required}" to null, which takes none`
  return undefined
}

function sameTarget({ target: one }: ForeignKeySchema, { target: other }: ForeignKeySchema): boolean {
  return one.table === other.table && one.schema === other.schema
}

function sameList(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((each, at) => each === other[at])
}
