import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely'
import { UnsupportedError } from '../errors.js'
import type { Engine } from './dialect.js'

/** Runs one compiled query, wherever the call that asks for it belongs. */
type RunCompiled = (query: CompiledQuery) => Promise<QueryResult<unknown>>

/** What Kysely offers and is not its to decide here: by what, and what to use instead. */
const REFUSALS = {
  transaction: ['a transaction of db.kysely', 'use db.transaction(fn): every query in it joins'],
  connection: ['a kept connection of db.kysely', 'use db.transaction(fn), which keeps one for all calls in it'],
  stream: ['stream() of db.kysely', 'read pages: order by a key, set a limit, and begin each page after the last row before it'],
  destroy: ['destroy() of db.kysely', 'use db.close(): the pool is not its own'],
} as const

/** The error for what `db.kysely` leaves to the database object. */
export function refusal(what: keyof typeof REFUSALS, engine: Engine): UnsupportedError {
  const [feature, hint] = REFUSALS[what]
  return new UnsupportedError(feature, engine, hint)
}

/** Kysely's driver for all engines: each query finds a connection of its own, and nothing is held between two. */
export class LeasedDriver implements Driver {
  readonly #engine: Engine
  readonly #run: RunCompiled

  constructor(engine: Engine, run: RunCompiled) {
    this.#engine = engine
    this.#run = run
  }

  async init(): Promise<void> {}

  /** Takes nothing yet: where a query runs, and whether it writes, is known only with it. */
  async acquireConnection(): Promise<DatabaseConnection> {
    return new LeasedConnection(this.#engine, this.#run)
  }

  async releaseConnection(): Promise<void> {}

  async beginTransaction(): Promise<never> {
    throw refusal('transaction', this.#engine)
  }

  async commitTransaction(): Promise<never> {
    throw refusal('transaction', this.#engine)
  }

  async rollbackTransaction(): Promise<never> {
    throw refusal('transaction', this.#engine)
  }

  async destroy(): Promise<never> {
    throw refusal('destroy', this.#engine)
  }
}

class LeasedConnection implements DatabaseConnection {
  readonly #engine: Engine
  readonly #run: RunCompiled
  #isUsed = false

  constructor(engine: Engine, run: RunCompiled) {
    this.#engine = engine
    this.#run = run
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    // a second query would count on the session of the first
    if (this.#isUsed) throw refusal('connection', this.#engine)
    this.#isUsed = true
    // what the rows are is between the query and whoever wrote it
    return (await this.#run(query)) as QueryResult<R>
  }

  // biome-ignore lint/correctness/useYield: it gives nothing but the refusal
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw refusal('stream', this.#engine)
  }
}
