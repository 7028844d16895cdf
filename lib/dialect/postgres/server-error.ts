import type { DriverWords } from '../dialect.js'

/** What the server says of an error, as `pg` gives it. */
export interface ServerError extends Error {
  /** SQLSTATE. */
  readonly code: string
  readonly severity: string
  readonly constraint?: string
  readonly schema?: string
  readonly table?: string
  readonly column?: string
  /** Where in the SQL text, from 1. */
  readonly position?: string
  // these three may hold values
  readonly detail?: string
  readonly hint?: string
  /** Where in the server's work, from inside a function. */
  readonly where?: string
  /** The function of the server that raised it: unlike the message never translated. */
  readonly routine?: string
}

/** Whether the server raised this error; else the driver or the network did. */
export function isServerError(error: unknown): error is ServerError {
  return error instanceof Error && 'severity' in error && 'code' in error && typeof error.code === 'string'
}

/** Why the server refused, in words that hold no value and nothing of the row. */
export function refusalOf(error: ServerError): string {
  return `${reasonOf(error)} (SQLSTATE ${error.code})`
}

const REASONS: Readonly<Record<string, string>> = {
  '0A000': 'the server does not support this',
  '25P02': 'an earlier statement of the transaction failed, so that it takes no more',
  '42501': 'the user lacks a privilege that it needs',
  '53100': "the server's disk is full",
  '53200': 'the server is out of memory',
  '54001': 'the statement is too complex',
}

function reasonOf(error: ServerError): string {
  const { code, position } = error
  // "at or near" goes on with the SQL text, which may hold whatever a program has pasted into it
  if (code === '42601') return `syntax error at character ${position}`
  // with a position the server speaks of a name in the SQL text; without one it may speak of a bound value
  if (code.startsWith('42') && position !== undefined) return error.message
  return REASONS[code] ?? 'the server refused the statement'
}

/** What may be kept of a server's error: its code and the names of things. Its own message, detail and context may hold values. */
export function copyOf(error: ServerError): Error {
  const { code, constraint, table, column } = error
  return Object.assign(new Error(`PostgreSQL: ${refusalOf(error)}`), given({ code, constraint, table, column }))
}

/** All that the server, or the driver, says of an error. */
export function wordsOf(error: unknown): DriverWords {
  if (!isServerError(error)) return { message: error instanceof Error ? error.message : String(error) }
  const { message, detail, hint, where } = error
  return { message, ...given({ detail, hint, where }) }
}

/** The entries that are there: the driver has all of them on every error. */
function given<T extends object>(entries: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(entries).filter(([, value]) => value !== undefined)) as never
}
