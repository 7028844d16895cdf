import type { StaticCondition } from '../../lib/model/model-definition.js'
import type { TableOptions } from '../../lib/model/model-options.js'
import { databaseNameProblem } from '../../lib/model/names.js'
import type { CheckSchema, ColumnSchema, IndexSchema, TableSchema, UniqueSchema } from '../../lib/model/schema.js'
import { fitName, objectName } from '../../lib/model/schema-names.js'
import { type Find, isNamedKey } from './plan-fields.js'
import { javascriptValue } from './read-constant.js'

/** Names of keys, indexes, checks and foreign keys that are in use in a schema: models want each once, and not every engine does. */
export class TakenNames {
  readonly #names = new Set<string>()

  /** False: it is taken. */
  take(schema: string | undefined, space: 'index' | 'check' | 'foreign key', name: string): boolean {
    const key = JSON.stringify([schema, space, name.toLowerCase()])
    if (this.#names.has(key)) return false
    this.#names.add(key)
    return true
  }
}

/** The keys, indexes and checks of a table that are not said on its fields. */
export class KeyPlan {
  /** Of what stands on the same columns, a model has one. */
  readonly #bodies = new Set<string>()

  constructor(
    readonly table: TableSchema,
    readonly propertyOf: ReadonlyMap<string, string>,
    readonly names: TakenNames,
    readonly find: Find,
  ) {
    this.#bodies.add(bodyOf({ columns: table.primaryKey.columns }))
  }

  uniques(): NonNullable<TableOptions['uniques']> {
    return this.table.uniques.flatMap((unique) => {
      const { columns, name } = unique
      const isOnField = columns.length === 1 && isNamedKey([unique], columns[0]!, objectName(this.table.name, columns, 'key'))
      const said = this.#said(unique)
      return said === undefined || (isOnField && said.name === name) ? [] : [{ on: this.#on(columns), ...said }]
    })
  }

  /** @param ofForeignKeys names of those that a model makes for its foreign keys */
  indexes(ofForeignKeys: ReadonlySet<string>): NonNullable<TableOptions['indexes']> {
    return this.table.indexes.flatMap((index): NonNullable<TableOptions['indexes']> => {
      const { columns, name, expression } = index
      const isOnField = columns.length === 1 && isNamedKey([index], columns[0]!, objectName(this.table.name, columns, 'idx'))
      const said = this.#said(index)
      if (said === undefined || ((isOnField || ofForeignKeys.has(name)) && said.name === name)) return []
      if (expression === undefined) return [{ on: this.#on(columns), ...said }]
      return [{ expression, ...said, name: said.name ?? fitName(`${this.table.name}_${name}`) }]
    })
  }

  checks(): NonNullable<TableOptions['checks']> {
    return this.table.checks.flatMap((check): NonNullable<TableOptions['checks']> => {
      if (this.#isOfEnum(check)) return []
      const { name, condition, sql } = check
      const said = this.#name('check', name)
      const kept = said ?? fitName(`${this.table.name}_${name}`)
      if (sql !== undefined) return [{ name: kept, sql }]
      const where = this.#where(condition!, name)
      return where === undefined ? [] : [{ name: kept, where }]
    })
  }

  #said(key: UniqueSchema | IndexSchema): { readonly name?: string; readonly where?: StaticCondition } | undefined {
    const unknown = key.columns.find((column) => !this.propertyOf.has(column))
    const unkept = key.columns.find((name) => ['json', 'array'].includes(this.#column(name)?.type.kind ?? ''))
    if (unknown !== undefined || unkept !== undefined) {
      this.find(
        key.name,
        unknown === undefined ? `is on "${unkept}", whose kind no index of a model is on` : `is on "${unknown}", which is left out`,
      )
      return undefined
    }
    if (this.#bodies.has(bodyOf(key))) {
      this.find(key.name, 'stands on the same columns as another, and a model has one')
      return undefined
    }
    this.#bodies.add(bodyOf(key))
    const where = key.where === undefined ? undefined : this.#where(key.where, key.name)
    if (key.where !== undefined && where === undefined) return undefined
    const name = this.#name('index', key.name)
    return { ...(name === undefined ? {} : { name }), ...(where === undefined ? {} : { where }) }
  }

  /** Undefined: it has to be called otherwise. */
  #name(space: 'index' | 'check', name: string): string | undefined {
    const problem = databaseNameProblem(name)
    if (problem === undefined && this.names.take(this.table.schema, space, name)) return name
    this.find(name, `its name cannot stay: ${problem ?? 'something of another table has it, and models want it once'}`)
    return undefined
  }

  #isOfEnum({ columns: [column], condition }: CheckSchema): boolean {
    const type = condition === undefined || column === undefined ? undefined : this.#column(column)?.type
    return type?.kind === 'enum' && !type.native && JSON.stringify(condition) === JSON.stringify({ [column!]: { $in: type.values } })
  }

  #on(columns: readonly string[]): readonly string[] {
    return columns.map((column) => this.propertyOf.get(column)!)
  }

  #column(name: string): ColumnSchema | undefined {
    return this.table.columns.find((column) => column.name === name)
  }

  /** A condition on columns as one on properties, with values as code has them. */
  #where(condition: StaticCondition, object: string): StaticCondition | undefined {
    const unknown = columnsIn(condition).find((column) => !this.propertyOf.has(column) || column.startsWith('$'))
    if (unknown === undefined) return this.#inCode(condition)
    this.find(object, `its condition speaks of "${unknown}", which is left out`)
    return undefined
  }

  #inCode(condition: StaticCondition): StaticCondition {
    return Object.fromEntries(
      Object.entries(condition).map(([key, value]) => {
        if (key === '$not') return [key, this.#inCode(value as StaticCondition)]
        if (key.startsWith('$')) return [key, (value as readonly StaticCondition[]).map((part) => this.#inCode(part))]
        return [this.propertyOf.get(key)!, this.#operators(value as StaticCondition, this.#column(key)!)]
      }),
    )
  }

  #operators(operators: StaticCondition, column: ColumnSchema): StaticCondition {
    return Object.fromEntries(
      Object.entries(operators).map(([key, operand]) => {
        if (key === '$null') return [key, operand]
        if (key === '$not') return [key, this.#operators(operand as StaticCondition, column)]
        const isList = key === '$in' || key === '$nin' || key === '$between'
        return [
          key,
          isList
            ? (operand as readonly unknown[]).map((each) => javascriptValue(each, column.type))
            : javascriptValue(operand, column.type),
        ]
      }),
    )
  }
}

function bodyOf({ columns, where, expression }: Pick<IndexSchema, 'columns' | 'where' | 'expression'>): string {
  return JSON.stringify([columns, expression, where])
}

function columnsIn(condition: StaticCondition): readonly string[] {
  return Object.entries(condition).flatMap(([key, value]) => {
    if (key === '$not') return columnsIn(value as StaticCondition)
    return key === '$and' || key === '$or' ? (value as readonly StaticCondition[]).flatMap(columnsIn) : [key]
  })
}
