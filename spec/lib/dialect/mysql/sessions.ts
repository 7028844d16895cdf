import { afterAll, beforeAll } from 'vitest'
import { deadlineAfter } from '../../../../lib/deadline.js'
import { connectionConfig, type ServerConnection } from '../../../../lib/dialect/connection-config.js'
import type { Connection, Dialect, StatementResult } from '../../../../lib/dialect/dialect.js'
import { mysqlDialect } from '../../../../lib/dialect/mysql/index.js'
import type { Pool } from '../../../../lib/pool/pool.js'
import { type PoolOptions, poolOptions } from '../../../../lib/pool/pool-options.js'
import type { FreshDatabase, SpecEngine } from '../../../support/engines.js'

/** What the specs of this engine work with: a database of their own, and sessions on it. */
export class Sessions {
  #database: FreshDatabase | undefined
  readonly #pools: Pool<Connection>[] = []

  constructor(readonly engine: SpecEngine) {
    beforeAll(async () => {
      this.#database = await engine.freshDatabase()
    })
    afterAll(async () => {
      await Promise.all(this.#pools.map((pool) => pool.close(1_000)))
      await this.#database?.drop()
    })
  }

  get url(): string {
    return this.#database!.url
  }

  /** The connection of {@link url} in parts, some of them replaced. */
  config(parts: Partial<ServerConnection> = {}): ServerConnection {
    return { ...(connectionConfig({ url: this.url }) as ServerConnection), ...parts }
  }

  dialect(parts: Partial<ServerConnection> = {}): Dialect {
    return mysqlDialect(this.config(parts))
  }

  async openPool(options: Partial<PoolOptions> = {}, parts: Partial<ServerConnection> = {}): Promise<Pool<Connection>> {
    const pool = await this.dialect(parts).openPool('spec', poolOptions(options), {})
    this.#pools.push(pool)
    return pool
  }

  /** A session of a pool of its own. */
  async open(options: Partial<PoolOptions> = {}, parts: Partial<ServerConnection> = {}): Promise<Session> {
    const pool = await this.openPool(options, parts)
    return new Session(pool, await acquire(pool))
  }

  admin(sql: string) {
    return this.engine.admin(this.url, sql)
  }
}

/** A connection that a spec has borrowed. */
export class Session {
  constructor(
    readonly pool: Pool<Connection>,
    readonly connection: Connection,
  ) {}

  async run(sql: string, ...parameters: unknown[]): Promise<StatementResult> {
    return await this.connection.run({ sql, parameters })
  }

  async rows(sql: string, ...parameters: unknown[]): Promise<readonly (readonly unknown[])[]> {
    return (await this.run(sql, ...parameters)).rows
  }

  async value(sql: string, ...parameters: unknown[]): Promise<unknown> {
    return (await this.rows(sql, ...parameters))[0]?.[0]
  }
}

export function acquire(pool: Pool<Connection>, timeoutMs = 5_000): Connection | Promise<Connection> {
  return pool.acquire({ access: 'write', deadline: deadlineAfter(timeoutMs), label: 'spec' })
}

/** The error a promise is rejected with; a failure when it is not. */
export async function rejection(work: Promise<unknown>): Promise<Error & Record<string, unknown>> {
  return await work.then(
    () => {
      throw new Error('expected a rejection')
    },
    (error) => error,
  )
}
