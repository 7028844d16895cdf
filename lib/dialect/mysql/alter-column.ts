import { mentions } from '../../model/mentions.js'
import type { CheckSchema, IndexSchema, TableSchema, UniqueSchema } from '../../model/schema.js'
import type { TableChange } from '../../model/schema-change.js'
import { conditionColumns } from '../../model/static-condition.js'
import { checkClause, qualifiedName } from '../ddl-clauses.js'
import { columnLine, literal, quote, SYNTAX } from './column-ddl.js'
import { isHidden } from './hidden-column.js'
import { addIndexClauses, dropIndexClauses } from './index-ddl.js'

type Change<K extends TableChange['kind']> = Extract<TableChange, { kind: K }>

/** @param alter  `alter table …`, here and below */
export function addColumn(alter: string, { column, backfill, table }: Change<'addColumn'>): readonly string[] {
  if (backfill === undefined) return [`${alter} add column ${columnLine(column, table)}`]
  const filled = columnLine({ ...column, default: { kind: 'value', value: backfill } }, table)
  return [`${alter} add column ${filled}`, `${alter} modify column ${columnLine(column, table)}`]
}

/** MODIFY says all of a column anew. */
export function alterColumn(alter: string, { from, to, table, backfill }: Change<'alterColumn'>): readonly string[] {
  const name = quote(to.name)
  const value = backfill === undefined ? undefined : literal(backfill, to.type)
  const filled = value === undefined ? [] : [`update ${qualifiedName(table, SYNTAX)} set ${name} = ${value} where ${name} is null`]
  const line = columnLine(to, table)
  if (line === columnLine(from, table)) return filled
  return [...filled, ...aside(alter, table, table, to.name, [`${alter} modify column ${line}`])]
}

/** MySQL renames no column that a check or a generated column speaks of. */
export function renameColumn(alter: string, { before, table, from, to }: Change<'renameColumn'>): readonly string[] {
  const checks = before.checks
    .map((check, position) => [check, table.checks[position]!] as const)
    .filter(([check]) => speaksOf(check, from))
  return [
    ...checks.map(([check]) => `${alter} drop constraint ${quote(check.name)}`),
    ...aside(alter, before, table, from, [`${alter} rename column ${quote(from)} to ${quote(to)}`]),
    ...checks.map(([, check]) => `${alter} add ${checkClause(check, table, SYNTAX)}`),
  ]
}

/** Statements around which the hidden columns that speak of a column are gone. */
function aside(alter: string, before: TableSchema, after: TableSchema, column: string, statements: readonly string[]): readonly string[] {
  const found = [...before.uniques, ...before.indexes]
    .map((index, position) => [index, [...after.uniques, ...after.indexes][position]!, position < before.uniques.length] as const)
    .filter(([index]) => isHidden(index) && hidesOf(index, column))
  return [
    ...found.map(([index]) => `${alter} ${dropIndexClauses(index).join(', ')}`),
    ...statements,
    ...found.map(([, index, isUnique]) => `${alter} ${addIndexClauses(after, index, isUnique).join(', ')}`),
  ]
}

function hidesOf(index: IndexSchema | UniqueSchema, column: string): boolean {
  if (index.where !== undefined && conditionColumns(index.where).includes(column)) return true
  return 'expression' in index && index.expression !== undefined && mentions(index.expression, column)
}

function speaksOf({ columns, sql }: CheckSchema, column: string): boolean {
  return columns.includes(column) || (sql !== undefined && mentions(sql, column))
}
