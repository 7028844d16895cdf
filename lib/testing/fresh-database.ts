import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sql } from 'kysely'
import { createDatabase, type Database, type DatabaseOptions, type Models } from '../database.js'
import { ConfigurationError } from '../errors.js'

/** A database that belongs to one test, and goes with it. */
export interface FreshDatabase<M extends Models> extends AsyncDisposable {
  readonly db: Database<M>
  /** Of the database that was made. */
  readonly url: string
  /** Closes `db` and removes the database. Once; every further call is the same. */
  drop(): Promise<void>
}

/**
 * Makes an empty database of a random name on the server of `url`, or a SQLite file in a temporary folder, with the tables of the models.
 * The user of `url` must be allowed to create databases.
 *
 * ```ts
 * await using fresh = await freshDatabase({ url: 'postgres://postgres@127.0.0.1:5432/postgres', models: { users: User } })
 * await fresh.db.nodes.users.create({ email: 'ada@example.com' })
 * ```
 *
 * @throws {ConfigurationError} there is no `url`
 * @throws what making the database or its tables throws; then nothing is left of it
 */
export async function freshDatabase<const M extends Models>(options: DatabaseOptions<M>): Promise<FreshDatabase<M>> {
  const { url } = options
  if (url === undefined) throw new ConfigurationError('url', 'expected the URL of the server to make a database on')
  const place = await (url.startsWith('sqlite:') ? freshFile() : freshOnServer(url))
  const db = createDatabase<M>({ ...options, url: place.url })
  let dropped: Promise<void> | undefined
  const drop = () => {
    dropped ??= db.close({ timeoutMs: CLOSE_TIMEOUT_MS }).finally(place.remove)
    return dropped
  }
  try {
    await db.createTables()
  } catch (error) {
    await drop()
    throw error
  }
  return { db, url: place.url, drop, [Symbol.asyncDispose]: drop }
}

/** A call that a test left running does not keep its database. */
const CLOSE_TIMEOUT_MS = 1_000

interface Place {
  readonly url: string
  readonly remove: () => Promise<void>
}

async function freshFile(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), 'latchwork-test-'))
  return { url: `sqlite:${join(folder, 'test.db')}`, remove: () => rm(folder, { recursive: true, force: true }) }
}

async function freshOnServer(serverUrl: string): Promise<Place> {
  const name = `lw_test_${randomBytes(8).toString('hex')}`
  // whatever the server's own templates and character sets are
  const isPostgres = serverUrl.startsWith('postgres')
  await onServer(serverUrl, `create database ${name} ${isPostgres ? "template template0 encoding 'UTF8'" : 'character set utf8mb4'}`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return { url: url.href, remove: () => onServer(serverUrl, `drop database if exists ${name}${isPostgres ? ' with (force)' : ''}`) }
}

async function onServer(url: string, statement: string): Promise<void> {
  const db = createDatabase({ url, models: {}, pool: { maxConnections: 1, share: false } })
  try {
    await sql.raw(statement).execute(db.kysely)
  } finally {
    await db.close()
  }
}
