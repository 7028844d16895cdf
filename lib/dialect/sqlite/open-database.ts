import type Sqlite from 'better-sqlite3'
import type { Deadline } from '../../deadline.js'
import { ConnectionError, LatchworkError, ReadOnlyError } from '../../errors.js'
import type { AcquireRequest } from '../../pool/pool.js'
import type { Driver } from './driver.js'
import { driverCode, withoutValues } from './errors.js'
import { registerFunctions } from './functions.js'
import { isBusy, retryWhileBusy } from './lock-wait.js'

/** What it takes to open connections to one database. */
export interface DatabaseSource {
  readonly driver: Driver
  /** Absolute path, or `:memory:`. */
  readonly file: string
  readonly initSql: readonly string[]
}

/** A write-ahead log that grew beyond this is cut back after it was carried over. */
const JOURNAL_SIZE_LIMIT_BYTES = 64 * 1024 * 1024

/**
 * A connection to the database file, set up for its work. One that writes makes the file where there is none.
 *
 * @throws {ConnectionError} the path cannot be opened, holds no SQLite database, stayed locked until `deadline`, or refuses the log or init SQL
 * @throws {ReadOnlyError} the file or its file system takes no writes
 */
export async function openFile(
  source: DatabaseSource,
  access: AcquireRequest['access'],
  deadline: Deadline,
  signal?: AbortSignal,
): Promise<Sqlite.Database> {
  const open = () => openNow(source, access)
  try {
    try {
      return open()
    } catch (error) {
      if (!isBusy(error)) throw error
      const wait = {
        get isCancelled() {
          return signal?.aborted === true
        },
      }
      return await retryWhileBusy(open, deadline, wait)
    }
  } catch (error) {
    throw openingError(source.file, error)
  }
}

function openNow({ driver, file, initSql }: DatabaseSource, access: AcquireRequest['access']): Sqlite.Database {
  const database = new driver(file, { timeout: 0, fileMustExist: access === 'read' })
  try {
    if (access === 'write') useWriteAheadLog(database)
    configure(database)
    for (const [index, sql] of initSql.entries()) runInitSql(database, index, sql)
    // not a read-only handle: whichever connection is closed last must be able to carry the log over
    if (access === 'read') database.pragma('query_only = on')
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

function useWriteAheadLog(database: Sqlite.Database): void {
  const mode = database.pragma('journal_mode = wal', { simple: true })
  if (mode === 'wal') return
  throw new ConnectionError(
    `the SQLite database "${database.name}" cannot keep a write-ahead log where it is (its journal stays "${mode}"); move it to a local disk`,
  )
}

/** Gives a new connection the settings and functions that all have. */
export function configure(database: Sqlite.Database): void {
  database.pragma('foreign_keys = on')
  database.pragma('synchronous = normal')
  database.pragma(`journal_size_limit = ${JOURNAL_SIZE_LIMIT_BYTES}`)
  registerFunctions(database)
}

/** @throws {ConnectionError} it fails; without its text, since that may hold a secret */
export function runInitSql(database: Sqlite.Database, index: number, sql: string): void {
  try {
    database.exec(sql)
  } catch (error) {
    if (isBusy(error)) throw error
    throw new ConnectionError(
      `pool.initSql[${index}] failed on the SQLite database "${database.name}" (${driverCode(error) ?? 'no code'})`,
      {
        cause: withoutValues(error),
      },
    )
  }
}

/** The typed error for what kept a database from being opened. */
export function openingError(file: string, error: unknown): LatchworkError {
  if (error instanceof ReadOnlyError || error instanceof ConnectionError) return error
  const code = driverCode(error)
  const cause = error instanceof LatchworkError ? error : withoutValues(error)
  if (code?.startsWith('SQLITE_READONLY')) return new ReadOnlyError(`the SQLite database "${file}" takes no writes (${code})`, { cause })
  return new ConnectionError(`cannot open the SQLite database "${file}": ${reasonOf(error, code)}`, { cause })
}

function reasonOf(error: unknown, code: string | undefined): string {
  if (error instanceof LatchworkError) return error.message
  if (code === 'SQLITE_NOTADB') return 'the file is not a SQLite database (SQLITE_NOTADB)'
  if (code?.startsWith('SQLITE_CANTOPEN')) return `the path cannot be opened as a file; look at its permissions (${code})`
  if (code !== undefined) return code
  return error instanceof Error && /directory does not exist/.test(error.message) ? 'its folder does not exist' : 'the driver refused it'
}
