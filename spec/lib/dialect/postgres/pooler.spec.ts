import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deadlineAfter } from '../../../../lib/deadline.js'
import type { PostgresConnector } from '../../../../lib/dialect/postgres/connector.js'
import { ConnectionError, PoolerModeError } from '../../../../lib/errors.js'
import { type FreshDatabase, forEachEngine } from '../../../support/engines.js'
import { type FrontOptions, type ServerFront, withFront } from './server-front.js'
import { connectorFor, firstValue, withConnection } from './session.js'

forEachEngine(
  (engine) => {
    let database: FreshDatabase

    beforeAll(async () => {
      database = await engine.freshDatabase()
    })
    afterAll(() => database?.drop())

    const open = (connector: PostgresConnector) => connector.open(deadlineAfter(5_000))
    const behind = (options: FrontOptions, body: (front: ServerFront) => Promise<void>) => withFront(database.url, options, body)

    describe('behind a pooler that refuses some settings', () => {
      it('asks for less, and sets the zone all the same', async () => {
        await behind({ refusesSettings: ['extra_float_digits', 'bytea_output'] }, async ({ port }) => {
          const connector = await connectorFor(database.url, { port })
          for (const _ of [1, 2]) {
            await withConnection(connector, async (connection) => expect(await firstValue(connection, 'show timezone')).toBe('UTC'))
          }
        })
      })

      it('takes that for every connection, those too that were dialled with the first one', async () => {
        await behind({ refusesSettings: ['extra_float_digits'] }, async ({ port }) => {
          const connector = await connectorFor(database.url, { port })
          const connections = await Promise.all([0, 1, 2, 3].map(() => open(connector)))
          expect(connections.map(({ poolerMode }) => poolerMode)).toEqual(['transaction', 'transaction', 'transaction', 'transaction'])
          await Promise.all(connections.map((connection) => connector.close(connection)))
        })
      })

      it('gives up when it refuses those as well', async () => {
        await behind({ refusesSettings: ['TimeZone'] }, async ({ port }) => {
          await expect(open(await connectorFor(database.url, { port }))).rejects.toThrow('unsupported startup parameter')
        })
      })
    })

    describe('a pooler', () => {
      const QUESTION = 'pg_backend_pid'
      const asked = (front: ServerFront) => front.sent().split(QUESTION).length - 1

      it('is asked after once, by the first connection, and there is none', async () => {
        await behind({}, async (front) => {
          const connector = await connectorFor(database.url, { port: front.port })
          for (const _ of [1, 2, 3]) await withConnection(connector, async ({ poolerMode }) => expect(poolerMode).toBe('session'))
          expect(asked(front)).toBe(1)
        })
      })

      it('is asked after once by connections that are dialled together', async () => {
        await behind({}, async (front) => {
          const connector = await connectorFor(database.url, { port: front.port })
          const connections = await Promise.all(Array.from({ length: 10 }, () => open(connector)))
          expect(new Set(connections.map(({ poolerMode }) => poolerMode))).toEqual(new Set(['session']))
          expect(asked(front)).toBe(1)
          await Promise.all(connections.map((connection) => connector.close(connection)))
        })
      })

      it('that is not known yet keeps nobody waiting who needs no session', async () => {
        await behind({ swallowsFirst: QUESTION }, async (front) => {
          const connector = await connectorFor(database.url, { port: front.port })
          const opening = [0, 1].map(() => connector.open(deadlineAfter(1_000)))
          const connection = await Promise.any(opening)
          const prepared = () => firstValue(connection, 'select count(*) from pg_prepared_statements')
          const named = () => connection.run({ name: 'lw_one', sql: 'select 1', parameters: [] })
          expect(connection.poolerMode).toBeUndefined()
          expect([(await named()).rows, await prepared()]).toEqual([[['1']], '0'])

          // whoever needs one asks
          await connection.run({ sql: `set lock_timeout = '7s'`, parameters: [] })
          expect([asked(front), connection.poolerMode]).toEqual([2, 'session'])
          expect([(await named()).rows, await prepared(), await firstValue(connection, 'show lock_timeout')]).toEqual([[['1']], '1', '7s'])
          expect((await Promise.allSettled(opening)).map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
          await connector.close(connection)
        })
      })

      it('is asked after before init SQL and before a reset', async () => {
        await behind({ swallowsFirst: QUESTION, renamesSessions: true }, async (front) => {
          const { port } = front
          const withInit = await connectorFor(database.url, { port }, ['select 1'])
          const outcomes = await Promise.allSettled([0, 1].map(() => withInit.open(deadlineAfter(1_000))))
          const reasons = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.constructor] : []))
          expect(new Set(reasons)).toEqual(new Set([ConnectionError, PoolerModeError]))
        })
        await behind({ swallowsFirst: QUESTION, renamesSessions: true }, async (front) => {
          const connector = await connectorFor(database.url, { port: front.port })
          const opening = [0, 1].map(() => connector.open(deadlineAfter(1_000)))
          const connection = await Promise.any(opening)
          await connector.reset(connection)
          expect(connection.poolerMode).toBe('transaction')
          expect(front.sent()).not.toContain('reset all')
          await Promise.allSettled(opening)
          await connector.close(connection)
        })
      })

      it('is not asked after where the option says what it is', async () => {
        await behind({}, async (front) => {
          for (const pooler of ['session', 'transaction'] as const) {
            const connector = await connectorFor(database.url, { port: front.port }, [], pooler)
            await withConnection(connector, async ({ poolerMode }) => expect(poolerMode).toBe(pooler))
          }
          expect(asked(front)).toBe(0)
        })
      })

      it('is there where the server calls the session by another name', async () => {
        await behind({ renamesSessions: true }, async ({ port }) => {
          await withConnection(await connectorFor(database.url, { port }), async ({ poolerMode }) => expect(poolerMode).toBe('transaction'))
        })
      })

      it('in transaction mode takes no init SQL, and leaves sessions as they are', async () => {
        await behind({}, async (front) => {
          const withInit = await connectorFor(database.url, { port: front.port }, ['select 1'], 'transaction')
          await expect(open(withInit)).rejects.toThrow(PoolerModeError)
          await expect.poll(front.connections).toBe(0)
          const connector = await connectorFor(database.url, { port: front.port }, [], 'transaction')
          await withConnection(connector, async (connection) => {
            const before = front.sent()
            await connector.reset(connection)
            expect(front.sent()).toBe(before)
            await connection.run({ sql: 'begin', parameters: [] })
            await expect(connector.reset(connection)).rejects.toThrow('in the middle of its work')
          })
        })
      })
    })
  },
  { engines: ['postgres'] },
)
