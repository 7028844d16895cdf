import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deadlineAfter } from '../../../../lib/deadline.js'
import { connectionConfig, type ServerConnection } from '../../../../lib/dialect/connection-config.js'
import type { Connection } from '../../../../lib/dialect/dialect.js'
import { postgresDialect } from '../../../../lib/dialect/postgres/index.js'
import { ConnectionError, PoolExhaustedError } from '../../../../lib/errors.js'
import { ConnectionBudget } from '../../../../lib/pool/connection-budget.js'
import type { Pool } from '../../../../lib/pool/pool.js'
import { poolOptions } from '../../../../lib/pool/pool-options.js'
import { type FreshDatabase, forEachEngine } from '../../../support/engines.js'

describe('postgresDialect', () => {
  it('has a target to read, without user or secret', () => {
    const target = (config: Omit<ServerConnection, 'engine'>) => postgresDialect({ engine: 'postgres', ...config }).target
    expect(target({ user: 'ada', password: 'unguessable', host: 'db.test', port: 6000, database: 'shop' })).toBe(
      'postgres:db.test:6000/shop',
    )
    expect(target({ user: 'ada' })).toBe('postgres:127.0.0.1:5432/ada')
    expect(target({ user: 'ada', host: '::1' })).toBe('postgres:[::1]:5432/ada')
    expect(target({ user: 'ada', host: '/run/postgresql' })).toBe('postgres:/run/postgresql:5432/ada')
  })

  it('has an identity that says the same of a default and of its value, and differs with anything else', () => {
    const identity = (config: Omit<ServerConnection, 'engine'>) => postgresDialect({ engine: 'postgres', user: 'ada', ...config }).identity
    expect(identity({})).toStrictEqual(
      identity({ host: '127.0.0.1', port: 5432, database: 'ada', tls: false, applicationName: 'latchwork' }),
    )
    expect(identity({ password: 'a' })).not.toStrictEqual(identity({ password: 'b' }))
    expect(identity({ tls: true })).not.toStrictEqual(identity({}))
  })

  it('begins a transaction in one statement', () => {
    const { begin } = postgresDialect({ engine: 'postgres', user: 'ada' })
    expect(begin({})).toEqual(['begin'])
    expect(begin({ readOnly: true })).toEqual(['begin read only'])
    expect(begin({ isolation: 'repeatable read', readOnly: false })).toEqual(['begin isolation level repeatable read'])
    expect(begin({ isolation: 'serializable', readOnly: true })).toEqual(['begin isolation level serializable read only'])
  })
})

forEachEngine(
  (engine) => {
    let database: FreshDatabase

    beforeAll(async () => {
      database = await engine.freshDatabase()
    })
    afterAll(() => database?.drop())

    const dialect = (changed: Partial<ServerConnection> = {}) =>
      postgresDialect({ ...(connectionConfig({ url: database.url }) as ServerConnection), ...changed })

    async function withPool(body: (pool: Pool<Connection>) => Promise<void>): Promise<void> {
      const pool = await dialect({ applicationName: 'pooled' }).openPool('shop#12345678', poolOptions({ maxConnections: 3 }), {})
      try {
        await body(pool)
      } finally {
        await pool.close(1_000)
      }
    }

    const acquire = async (pool: Pool<Connection>) => pool.acquire({ access: 'write', label: 'spec', deadline: deadlineAfter(5_000) })
    const sessions = () => engine.admin(database.url, `select pid from pg_stat_activity where application_name = 'pooled'`)
    const pidOf = async (connection: Connection) => (await connection.run({ sql: 'select pg_backend_pid()', parameters: [] })).rows[0]![0]

    describe('tableExists', () => {
      it('gives a row for a table of that schema, or of the session’s own', async () => {
        await engine.admin(database.url, 'create schema other; create table other."Odd table" (); create table plain ()')
        await withPool(async (pool) => {
          const connection = await acquire(pool)
          const isThere = async (table: { schema?: string; name: string }) =>
            (await connection.run(dialect().tableExists(table))).rows.length === 1
          expect(await isThere({ schema: 'other', name: 'Odd table' })).toBe(true)
          expect(await isThere({ name: 'plain' })).toBe(true)
          expect(await isThere({ name: 'Odd table' })).toBe(false)
          pool.release(connection, 'clean')
        })
      })
    })

    describe('openPool', () => {
      it('gives a pool of that name with a connection in it, and leaves nothing behind', async () => {
        await withPool(async (pool) => {
          expect(pool.name).toBe('shop#12345678')
          expect(pool.stats()).toMatchObject({ open: 1, idle: 1 })
          const connection = await acquire(pool)
          expect((await connection.run({ sql: 'select $1::int', parameters: [1] })).rows).toEqual([['1']])
          pool.release(connection, 'clean')
        })
        await expect.poll(sessions).toEqual([])
      })

      it('takes its connections out of a budget', async () => {
        const budget = new ConnectionBudget()
        const open = () => dialect().openPool('budgeted', poolOptions(), { budget })
        await expect(open()).rejects.toBeInstanceOf(PoolExhaustedError)
        budget.limitTo(1)
        const pool = await open()
        expect(budget.taken).toBe(1)
        await pool.close(1_000)
        expect(budget.taken).toBe(0)
      })

      it('raises ConnectionError when no connection can be made', async () => {
        const opening = dialect({ database: 'not_there' }).openPool('none', poolOptions(), {})
        await expect(opening).rejects.toBeInstanceOf(ConnectionError)
      })

      it('lends another connection when the server has ended the one that was idle', async () => {
        await withPool(async (pool) => {
          const first = await acquire(pool)
          const pid = await pidOf(first)
          pool.release(first, 'clean')
          await engine.admin(database.url, `select pg_terminate_backend(${pid})`)
          await expect.poll(() => first.isBroken, { interval: 2 }).toBe(true)
          const second = await acquire(pool)
          expect(await pidOf(second)).not.toBe(pid)
          pool.release(second, 'clean')
        })
      })

      it('lends a tainted connection only after its session is as new', async () => {
        await withPool(async (pool) => {
          const first = await acquire(pool)
          const pid = await pidOf(first)
          await first.run({ sql: 'set search_path to nowhere', parameters: [] })
          pool.release(first, 'tainted')
          const second = await acquire(pool)
          expect(await pidOf(second)).toBe(pid)
          expect((await second.run({ sql: 'show search_path', parameters: [] })).rows).toEqual([['"$user", public']])
          await second.run({ sql: 'begin', parameters: [] })
          pool.release(second, 'tainted')
          const third = await acquire(pool)
          expect(await pidOf(third)).not.toBe(pid)
          pool.release(third, 'clean')
        })
      })
    })
  },
  { engines: ['postgres'] },
)
