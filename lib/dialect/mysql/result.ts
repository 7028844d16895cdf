import type { FieldPacket, ResultSetHeader } from 'mysql2'
import type { ResultColumn, RowBatch, StatementResult } from '../dialect.js'
import { dateOf, type Instant } from './types.js'

/** Of what had nothing to do. */
export const NOTHING: StatementResult = Object.freeze({ rows: [], affectedRows: 0, columns: () => [] })

/** What the driver gives: one result, or a list of them where a procedure was called. */
export type DriverRows = ResultSetHeader | unknown[][] | (ResultSetHeader | unknown[][])[]
type DriverFields = FieldPacket[] | (FieldPacket[] | undefined)[] | undefined

const NO_COLUMNS: readonly ResultColumn[] = Object.freeze([])
const NO_ROWS: readonly (readonly unknown[])[] = Object.freeze([])

/** A result in the words of the contract. Of a procedure that gives several, the first with columns. */
export function statementResult(sql: string, rows: DriverRows, fields: DriverFields): StatementResult {
  if (!Array.isArray(rows)) return outcome(rows)
  if (isOneResult(fields)) return rowsOf(rows as unknown[][], fields, RETURNING.test(sql) ? rows.length : 0)
  const first = fields?.findIndex((columns) => columns !== undefined) ?? -1
  if (first === -1) return outcome(rows.at(-1) as ResultSetHeader)
  return rowsOf(rows[first] as unknown[][], fields?.[first] as FieldPacket[], 0)
}

/** Rows of a statement that go on. */
export function rowBatch(rows: readonly (readonly unknown[])[], fields: readonly FieldPacket[], isLast: boolean): RowBatch {
  return { ...rowsOf(rows, fields, 0), isLast }
}

function isOneResult(fields: DriverFields): fields is FieldPacket[] {
  const first = fields?.[0]
  return first !== undefined && !Array.isArray(first)
}

// the server sends no count beside rows
const RETURNING = /^\s*(?:insert|replace|delete)\b/i

function rowsOf(rows: readonly (readonly unknown[])[], fields: readonly FieldPacket[], affectedRows: number): StatementResult {
  return { rows, affectedRows, columns: () => fields.map(resultColumn) }
}

function outcome(header: ResultSetHeader): StatementResult {
  const { insertId, info } = header
  return {
    rows: NO_ROWS,
    affectedRows: matchedRows(info) ?? header.affectedRows,
    ...(insertId === 0 ? undefined : { insertId: exactId(insertId) }),
    ...(info === '' ? undefined : { info }),
    columns: () => NO_COLUMNS,
  }
}

const MATCHED = 'Rows matched: '

// the affected rows of an UPDATE are those it changed, since the count of rows found would hide what an upsert did
function matchedRows(info: string): number | undefined {
  return info.startsWith(MATCHED) ? Number.parseInt(info.slice(MATCHED.length), 10) : undefined
}

// the driver gives a string where a number would be rounded
function exactId(insertId: number | string): number | bigint {
  return typeof insertId === 'number' ? insertId : BigInt(insertId)
}

function resultColumn(field: FieldPacket): ResultColumn {
  return {
    name: field.name,
    table: field.orgTable === '' ? undefined : field.orgTable,
    column: field.orgName === '' ? undefined : field.orgName,
    decode: plainDecoder(field),
  }
}

/** Protocol types that we read as text, where a plain connection would not. */
const DATE = 10
const DATETIME = 12
const TIMESTAMP = 7
const JSON_TYPE = 245

function plainDecoder(field: FieldPacket): ((value: unknown) => unknown) | undefined {
  // MariaDB's JSON is text of which only the extended metadata tells what it is
  if (field.columnType === JSON_TYPE || field.extendedFormat === 'json') return (text) => JSON.parse(text as string)
  if (field.columnType === DATE) return (text) => new Date(text as string)
  if (field.columnType === DATETIME || field.columnType === TIMESTAMP) return (value) => dateOf(value as Instant)
  return undefined
}
