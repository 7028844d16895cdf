import type { StaticCondition } from './model-definition.js'
import type { CheckSchema, ForeignKeySchema, IndexSchema, TableSchema, UniqueSchema } from './schema.js'
import type { TableStep } from './schema-change.js'

/** The table after one step. Pure; what the step takes away is found by name. */
export function alterTable(table: TableSchema, step: TableStep): TableSchema {
  switch (step.kind) {
    case 'renameTable': {
      const { schema: _, ...rest } = table
      return { ...rest, ...step.to }
    }
    case 'renameColumn':
      return renameColumns(table, (column) => (column === step.from ? step.to : column))
    case 'addColumn':
      return { ...table, columns: [...table.columns, step.column] }
    case 'dropColumn':
      return { ...table, columns: without(table.columns, step.column) }
    case 'alterColumn':
      return { ...table, columns: table.columns.map((column) => (column.name === step.from.name ? step.to : column)) }
    case 'changePrimaryKey':
      return { ...table, primaryKey: step.to }
    case 'addUnique':
      return { ...table, uniques: [...table.uniques, step.unique] }
    case 'dropUnique':
      return { ...table, uniques: without(table.uniques, step.unique) }
    case 'createIndex':
      return { ...table, indexes: [...table.indexes, step.index] }
    case 'dropIndex':
      return { ...table, indexes: without(table.indexes, step.index) }
    case 'addForeignKey':
      return { ...table, foreignKeys: [...table.foreignKeys, step.foreignKey] }
    case 'dropForeignKey':
      return { ...table, foreignKeys: without(table.foreignKeys, step.foreignKey) }
    case 'addCheck':
      return { ...table, checks: [...table.checks, step.check] }
    case 'dropCheck':
      return { ...table, checks: without(table.checks, step.check) }
    case 'comment':
      return step.column === undefined ? commented(table, step.comment) : withColumnComment(table, step.column, step.comment)
  }
}

/** The table with other names for its columns, in its own keys and conditions. SQL of the user's own stays as it is. */
export function renameColumns(table: TableSchema, nameOf: (column: string) => string): TableSchema {
  const rename = <T extends UniqueSchema | IndexSchema | ForeignKeySchema | CheckSchema>(part: T): T => ({
    ...part,
    columns: part.columns.map(nameOf),
    ...('where' in part && part.where !== undefined ? { where: renameInCondition(part.where, nameOf) } : {}),
    ...('condition' in part && part.condition !== undefined ? { condition: renameInCondition(part.condition, nameOf) } : {}),
  })
  return {
    ...table,
    columns: table.columns.map((column) => ({ ...column, name: nameOf(column.name) })),
    primaryKey: { ...table.primaryKey, columns: table.primaryKey.columns.map(nameOf) },
    uniques: table.uniques.map(rename),
    indexes: table.indexes.map(rename),
    foreignKeys: table.foreignKeys.map(rename),
    checks: table.checks.map(rename),
  }
}

function renameInCondition(condition: StaticCondition, nameOf: (column: string) => string): StaticCondition {
  const entries = Object.entries(condition).map(([key, value]): [string, unknown] => {
    if (!key.startsWith('$')) return [nameOf(key), value]
    const parts = (Array.isArray(value) ? value : [value]).map((part: StaticCondition) => renameInCondition(part, nameOf))
    return [key, Array.isArray(value) ? parts : parts[0]]
  })
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}

function without<T extends { readonly name: string }>(list: readonly T[], { name }: { readonly name: string }): readonly T[] {
  return list.filter((item) => item.name !== name)
}

function withColumnComment(table: TableSchema, name: string, comment: string | undefined): TableSchema {
  return { ...table, columns: table.columns.map((column) => (column.name === name ? commented(column, comment) : column)) }
}

function commented<T extends { readonly comment?: string }>(object: T, comment: string | undefined): T {
  const { comment: _, ...rest } = object
  return { ...rest, ...(comment === undefined ? {} : { comment }) } as T
}
