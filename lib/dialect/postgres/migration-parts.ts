import type { Leftover, MigrationParts, StepError } from '../migration-parts.js'
import { leadingWords } from '../migration-parts.js'
import { toDataError } from './errors.js'
import { examine } from './examine.js'
import { openMigrationSession, saysNoDatabase } from './migration-session.js'
import { recreateDatabase } from './recreate-database.js'
import type { PostgresServer } from './server.js'
import { isServerError, type ServerError } from './server-error.js'

/**
 * By their first words. Source: PostgreSQL 18 manual, the pages of these commands; `PreventInTransactionBlock` in utility.c.
 */
const ALONE =
  /^(?:(?:create (?:unique )?|drop )index concurrently|reindex (?:\(.*concurrently.*\)|(?:index|table|schema) concurrently|(?:\(.*?\) )?(?:database|system))|vacuum|(?:create|drop) (?:database|tablespace)|alter (?:system|database \S+ set tablespace)|(?:create|drop) subscription|alter subscription|cluster(?: verbose| \(.*\))?;?$|commit prepared|rollback prepared)/

export function migrationParts(server: PostgresServer): MigrationParts {
  return {
    isTransactional,
    limitLockWait,
    leftoverOf,
    inScript: (statement) => `${statement};`,
    describe,
    // outside of a transaction these may commit on the way
    isAtomic: (statement) => !/^(?:call|do)\b/.test(leadingWords(statement, 1)),
    isDoneAlready: (error, statement) => isServerError(error) && (DONE[leadingWords(statement, 1)]?.includes(error.code) ?? false),
    endsHolders: true,
    driver: { name: 'pg', smallest: '8.16.0' },
    examine: (connection) => examine(connection),
    open: (opening) => openMigrationSession(server, opening),
    saysNoDatabase,
    target: () => ({ name: server.database, host: server.host }),
    recreate: (opening, terminate) => recreateDatabase(server, opening, terminate),
  }
}

function isTransactional(statement: string): boolean {
  return !ALONE.test(leadingWords(statement, 8)) && !isConcurrentDetach(statement)
}

function isConcurrentDetach(statement: string): boolean {
  return (
    leadingWords(statement, 2) === 'alter table' && /\bdetach\s+partition\b[\s\S]*\b(?:concurrently|finalize)\s*;?\s*$/i.test(statement)
  )
}

/**
 * None for what goes on concurrently: it waits for transactions on other tables too, and one that gave up would leave an invalid index.
 */
function limitLockWait(ms: number, statement?: string): readonly string[] {
  if (statement === undefined) return [`set local lock_timeout = ${ms}`]
  return [`set lock_timeout = ${/\bconcurrently\b/i.test(leadingWords(statement, 8)) ? 0 : ms}`]
}

const NAME = String.raw`(?:"(?:[^"]|"")+"|[\w$\u0080-\uffff]+)`
const CREATES = new RegExp(
  String.raw`^\s*create\s+(?:unique\s+)?index\s+concurrently\s+(?:if\s+not\s+exists\s+)?(${NAME})\s+on\s+(?:only\s+)?(?:(${NAME})\s*\.\s*)?${NAME}`,
  'i',
)

/** An index that could not be finished stays, is of no use and slows down writes. */
function leftoverOf(statement: string): Leftover | undefined {
  const created = CREATES.exec(statement.replace(/\/\*[\s\S]*?\*\/|--[^\n]*/g, ' '))
  if (created === null) return undefined
  const [, index = '', schema] = created
  const name = plain(index)
  return {
    find: {
      sql: `select 1 from pg_catalog.pg_index i join pg_catalog.pg_class c on c.oid = i.indexrelid join pg_catalog.pg_namespace n on n.oid = c.relnamespace
        where not i.indisvalid and c.relname = $1 and n.nspname = coalesce($2, pg_catalog.current_schema())`,
      parameters: [name, schema === undefined ? null : plain(schema)],
    },
    remove: `drop index concurrently if exists ${schema === undefined ? '' : `${schema}.`}${index}`,
    what: `invalid index "${name}"`,
  }
}

function plain(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name.toLowerCase()
}

/** What is there already, or is there no more, by the first word of the statement. */
const DONE: Readonly<Record<string, readonly string[]>> = { create: ['42P07', '42710', '42P04'], drop: ['42704', '42P01', '3D000'] }

/** Classes of errors whose message speaks of the schema: syntax aside, which quotes the text. */
const OF_THE_SCHEMA = new Set(['0A', '23', '25', '2B', '3D', '3F', '42', '55', '53', '54'])

function describe(error: unknown): StepError {
  const plainError = toDataError(error, { byName: () => undefined, byColumns: () => undefined })
  if (!isServerError(error)) return { code: undefined, message: plainError.message, offset: undefined, needsNoTransaction: false }
  const offset = error.position === undefined ? undefined : Number(error.position) - 1
  return { code: error.code, message: messageOf(error) ?? plainError.message, offset, needsNoTransaction: error.code === '25001' }
}

function messageOf(error: ServerError): string | undefined {
  if (error.code === '42601' || !OF_THE_SCHEMA.has(error.code.slice(0, 2))) return undefined
  return `${error.message} (SQLSTATE ${error.code})`
}
