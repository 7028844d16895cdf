import type { ModelDefinition } from '../model/model-definition.js'
import type { Schema, TableSchema } from '../model/schema.js'
import type { ConstraintCatalogue, ConstraintOrigin } from './dialect.js'
import { nativeEnumChecks } from './native-enum-checks.js'

/** What MySQL calls every primary key. */
const MYSQL_PRIMARY_KEY = 'PRIMARY'

/**
 * The words of the models for what a database says of their constraints.
 *
 * A name that two tables share is found by table only, and a table that two schemas share by schema only; where that is not said,
 * nothing is found rather than the wrong one.
 * Columns that make up a key are found as that key, any others as fields without a constraint.
 *
 * @param definitions  the models of `schema`, in any order
 */
export function constraintCatalogue(definitions: readonly ModelDefinition[], schema: Schema): ConstraintCatalogue {
  const named = new Map<string, ConstraintOrigin | undefined>()
  const models = new Map<string, CataloguedTable | undefined>()
  for (const definition of definitions) {
    const table = schema.tables.find(({ name, schema: space }) => name === definition.table && space === definition.schema)
    if (table === undefined) continue
    const catalogued = cataloguedTable(definition, table)
    addOnce(models, table.name, catalogued)
    models.set(keyOf(table.name, placeOf(table.schema)), catalogued)
    for (const [name, origin] of catalogued.constraints) {
      named.set(keyOf(name, table.name, placeOf(table.schema)), origin)
      addOnce(named, keyOf(name, table.name), origin)
      if (name !== MYSQL_PRIMARY_KEY) addOnce(named, keyOf(name), origin)
    }
  }
  const schemas = new Set(definitions.map((definition) => definition.schema))
  const placeIn = (schema: string) => placeOf(schemas.has(schema) ? schema : undefined)
  return {
    byName: (constraint, table, schema) =>
      named.get(schema === undefined ? keyOf(constraint, table) : keyOf(constraint, table, placeIn(schema))),
    byColumns: (table, columns, schema) => models.get(schema === undefined ? table : keyOf(table, placeIn(schema)))?.byColumns(columns),
  }
}

/** The connection's own schema has no name here, and no schema of the database is called so. */
function placeOf(schema: string | undefined): string {
  return schema ?? ''
}

interface CataloguedTable {
  readonly constraints: readonly (readonly [name: string, origin: ConstraintOrigin])[]
  byColumns(columns: readonly string[]): ConstraintOrigin
}

function cataloguedTable(definition: ModelDefinition, table: TableSchema): CataloguedTable {
  const properties = new Map(definition.fields.map(({ name, column }) => [column, name]))
  const originOf = (constraint: string | undefined, columns: readonly string[]): ConstraintOrigin =>
    Object.freeze({
      model: definition.name,
      fields: Object.freeze(columns.map((column) => properties.get(column) ?? column)),
      constraint,
    })
  const keys = [table.primaryKey, ...byCompleteness(table)]
  const others = [...table.indexes, ...table.foreignKeys, ...table.checks, ...nativeEnumChecks(table)]
  const origins = [...keys, ...others].map(({ name, columns }) => [name, originOf(name, columns)] as const)
  return {
    constraints: [...origins, [MYSQL_PRIMARY_KEY, origins[0]![1]]],
    byColumns: (columns) => originOf(keys.find((key) => sameColumns(key.columns, columns))?.name, columns),
  }
}

/** Of two keys over the same columns, the one that holds every row is meant. */
function byCompleteness({ uniques }: TableSchema): TableSchema['uniques'] {
  return [...uniques.filter(({ where }) => where === undefined), ...uniques.filter(({ where }) => where !== undefined)]
}

function sameColumns(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((column, position) => column === other[position])
}

function keyOf(...names: readonly (string | undefined)[]): string {
  return JSON.stringify(names.filter((name) => name !== undefined))
}

function addOnce<T>(map: Map<string, T | undefined>, key: string, value: T): void {
  map.set(key, map.has(key) ? undefined : value)
}
