import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createDatabase, type DatabaseOptions, sqlNode } from 'latchwork'
import { beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type NodeEvent, nodeEvents, type QueryEvent, queryEvents } from '../../lib/events.js'
import { forEachEngine, type SpecEngine } from '../support/engines.js'
import { noteWhatIsThere } from '../support/nothing-left.js'
import { models } from './members.js'
import { rejectionOf, useDatabase } from './use-database.js'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

const ROWS = 100_000
const EACH = 'select item, amount from stocks where amount >= :least order by item'
const row = z.object({ item: z.string(), amount: z.number() })

/** Text that fails at one of its rows, not at the first. */
const FAILING: Readonly<Record<SpecEngine['name'], string>> = {
  postgres: "select 1 / (amount - 60000) as n, item from stocks where warehouse = 'w'",
  mysql: "select if(amount = 60000, (select 1 union select 2), 1) as n, item from stocks where warehouse = 'w'",
  sqlite: "select abs(case when amount = 60000 then -9223372036854775808 else 1 end) as n, item from stocks where warehouse = 'w'",
}

/** Text that takes its time for each row. */
const SLOW: Readonly<Record<'postgres' | 'mysql', string>> = {
  postgres: 'select amount, pg_sleep(0.02) from stocks where amount >= 0',
  mysql: 'select amount, benchmark(200000, sha2(item, 512)) as n from stocks where amount >= 0',
}

forEachEngine((engine) => {
  describe('the rows of a statement, as a stream', () => {
    const shop = useDatabase(engine, models)

    beforeAll(async () => {
      const rows = Array.from({ length: ROWS }, (_, amount) => ({ warehouse: 'w', item: String(amount).padStart(6, '0'), amount }))
      await shop.nodes.stocks.bulkCreate({ rows })
      // of what it has open nobody could tell what a test left
      await shop.db.close()
    }, 60_000)

    const open = (pool: Partial<NonNullable<DatabaseOptions<typeof models>['pool']>> = {}) =>
      createDatabase<typeof models>({ url: shop.url, models, pool: { share: false, ...pool } })
    type Shop = ReturnType<typeof open>

    /** Opens a database, and expects that nothing is left of what `test` does with it. */
    const leavingNothing = async (test: (db: Shop) => Promise<void>, pool = {}) => {
      const nothingIsLeft = noteWhatIsThere(engine, shop.url)
      const db = open(pool)
      const close = () => db.close({ timeoutMs: 1_000 })
      await test(db).catch(async (error: unknown) => {
        await close()
        throw error
      })
      await nothingIsLeft(close)
    }

    const eachOf = (db: Shop) =>
      db.register(sqlNode({ name: 'Each', sql: EACH, params: z.object({ least: z.number() }), result: row, fetch: 'stream' }))

    it('gives every row once, typed by its schema, in memory that stays flat', { timeout: 60_000 }, async () => {
      await leavingNothing(async (db) => {
        const each = eachOf(db)
        const heapBytes = () => {
          collectGarbage()
          return process.memoryUsage().heapUsed
        }
        let count = 0
        let mostBytes = 0
        const before = heapBytes()
        for await (const { item, amount } of each({ least: 0 })) {
          if (amount !== count || Number(item) !== count) throw new Error(`expected row ${count}, got ${item}`)
          if (++count % 20_000 === 0) mostBytes = Math.max(mostBytes, heapBytes() - before)
        }
        expect(count).toBe(ROWS)
        // as a list they take more than 15 MB
        expect(mostBytes).toBeLessThan(6 * 1024 * 1024)
        expect({ ...each, name: each.name }).toMatchObject({
          isStream: true,
          effect: 'read',
          operation: 'sql',
          outputSchema: { properties: { amount: { type: 'number' } } },
        })
      })
    })

    it('asks for no more rows than are taken', async () => {
      await leavingNothing(async (db) => {
        const rows = db.register(sqlNode({ name: 'Few', sql: EACH, fetch: 'stream' }))({ least: 0 })
        const statements: QueryEvent[] = []
        const listen = (event: QueryEvent) => void statements.push(event)
        queryEvents.subscribe(listen)
        for (let taken = 0; taken < 700; taken++) await rows.next()
        await rows.return()
        queryEvents.unsubscribe(listen)
        expect(statements).toMatchObject([{ label: 'Few', rowCount: 1_000, inTransaction: false, error: undefined }])
      })
    })

    it('ends by break, by throw and by return, and leaves nothing', async () => {
      await leavingNothing(async (db) => {
        const each = eachOf(db)
        for await (const _ of each({ least: 0 })) break
        expect(db.poolInfo()!.stats!.leased).toBe(0)
        const reason = new Error('mine')
        const failing = (async () => {
          for await (const _ of each({ least: 0 })) throw reason
        })()
        expect(await rejectionOf(failing)).toBe(reason)
        const rows = each({ least: 0 })
        await rows.next()
        expect(db.poolInfo()!.stats!.leased).toBe(1)
        expect(await rows.return()).toEqual({ done: true, value: undefined })
        expect(await rows.next()).toEqual({ done: true, value: undefined })
        expect(await db.nodes.stocks.count({ where: { amount: 5 } })).toBe(1)
      })
    })

    it('gives its connection back with the last rows, before those have been taken', async () => {
      await leavingNothing(
        async (db) => {
          const each = eachOf(db)
          let count = 0
          for await (const { amount } of each({ least: ROWS - 3 }))
            count += await db.nodes.stocks.count({ where: { amount } }, { timeoutMs: 2_000 })
          expect(count).toBe(3)
        },
        { maxConnections: 1 },
      )
    })

    it('tells what fails in the middle, and leaves nothing', async () => {
      await leavingNothing(async (db) => {
        const failing = db.register(sqlNode({ name: 'Failing', sql: FAILING[engine.name], fetch: 'stream' }))
        let count = 0
        const running = (async () => {
          for await (const _ of failing()) count++
        })()
        expect(await rejectionOf(running)).toMatchObject({ name: expect.stringMatching(/Error$/), code: expect.any(String) })
        expect(count).toBeGreaterThan(10_000)
        expect(count).toBeLessThanOrEqual(60_000)
        const refused = db.register(sqlNode({ name: 'Refused', sql: 'select nothing from stocks', fetch: 'stream' }))
        expect(await rejectionOf(refused().next())).toMatchObject({ code: 'QUERY' })
      })
    })

    it('tells of a row that its schema does not take', async () => {
      await leavingNothing(async (db) => {
        const short = db.register(
          sqlNode({ name: 'Short', sql: EACH, result: z.object({ amount: z.number().max(1_700) }), fetch: 'stream' }),
        )
        let count = 0
        const running = (async () => {
          for await (const _ of short({ least: 0 })) count++
        })()
        expect(await rejectionOf(running)).toMatchObject({ code: 'VALIDATION', operation: 'result', issues: [{ path: ['amount'] }] })
        expect(count).toBe(1_701)
        expect(db.poolInfo()!.stats!.leased).toBe(0)
      })
    })

    it('ends when its signal is aborted, or its time is over, also between rows, when nobody asks for more', async () => {
      await leavingNothing(async (db) => {
        const each = eachOf(db)
        const stop = new AbortController()
        const aborted = (async () => {
          for await (const { amount } of each({ least: 0 }, { signal: stop.signal })) if (amount === 1_200) stop.abort()
        })()
        expect(await rejectionOf(aborted)).toMatchObject({ code: 'ABORTED' })
        const rows = each({ least: 0 }, { timeoutMs: 1_500 })
        await rows.next()
        await expect.poll(() => db.poolInfo()!.stats!.leased, { timeout: 4_000 }).toBe(0)
        expect(await rejectionOf(rows.next())).toMatchObject({ code: 'QUERY_TIMEOUT' })
      })
    })

    if (engine.name !== 'sqlite') {
      it('is stopped on the server when it is aborted while rows are made', async () => {
        await leavingNothing(async (db) => {
          const slow = db.register(sqlNode({ name: 'Slow', sql: SLOW[engine.name as 'postgres' | 'mysql'], fetch: 'stream' }))
          const stop = new AbortController()
          const waiting = rejectionOf(slow({}, { signal: stop.signal }).next())
          await expect.poll(running).toBe(1)
          const startedMs = performance.now()
          stop.abort()
          expect(await waiting).toMatchObject({ code: 'ABORTED' })
          expect(performance.now() - startedMs).toBeLessThan(100)
          await expect.poll(running, { timeout: 2_000 }).toBe(0)
        })
      })
    }

    /** Slow statements that run. */
    async function running(): Promise<number> {
      const look =
        engine.name === 'postgres'
          ? "select count(*) as n from pg_stat_activity where datname = current_database() and state = 'active' and query like 'select amount, pg_sleep%'"
          : "select count(*) as n from information_schema.processlist where db = database() and info like 'select amount, benchmark%'"
      return Number((await engine.admin(shop.url, look))[0]!.n)
    }

    it('sees the transaction that it was asked for in, whose other calls go on between its rows', { timeout: 30_000 }, async () => {
      await leavingNothing(async (db) => {
        const each = eachOf(db)
        const { stocks } = db.nodes
        let left: AsyncGenerator<unknown, void, undefined> | undefined
        const outcome = db.transaction(async () => {
          await stocks.create({ warehouse: 'new', item: '999999', amount: ROWS })
          let count = 0
          let written = 0
          for await (const { item, amount } of each({ least: ROWS - 2_000 })) {
            if (amount !== ROWS - 2_000 + count++) throw new Error(`expected another row than ${amount}`)
            // at the first row, in the middle and at the last
            if (amount % 1_000 === 0) {
              await stocks.update({ where: { warehouse: item === '999999' ? 'new' : 'w', item }, set: { amount: { $increment: 5_000 } } })
              await db.transaction(() => stocks.count({ where: { amount: { $gt: ROWS } } }))
              written++
            }
          }
          expect([count, written]).toEqual([2_001, 3])
          for await (const _ of each({ least: ROWS - 1_000 })) break
          expect(await stocks.count({ where: { amount: { $gt: ROWS } } })).toBe(3)
          left = each({ least: 0 })
          await left.next()
          throw new Error('undo')
        })
        expect((await rejectionOf(outcome)).message).toBe('undo')
        expect(await rejectionOf(takeAll(left!))).toMatchObject({ code: 'SCOPE_CLOSED' })
        expect(await stocks.count({ where: { amount: { $gte: ROWS } } })).toBe(0)
      })
    })

    it('may be left in the middle by a transaction that is committed', async () => {
      await leavingNothing(async (db) => {
        const each = eachOf(db)
        const left = await db.transaction(async () => {
          const rows = each({ least: 0 })
          await rows.next()
          return { rows }
        })
        expect(await rejectionOf(takeAll(left.rows))).toMatchObject({ code: 'SCOPE_CLOSED' })
      })
    })

    it('costs its transaction what any statement costs that fails', async () => {
      await leavingNothing(async (db) => {
        const failing = db.register(sqlNode({ name: 'Failing', sql: FAILING[engine.name], fetch: 'stream' }))
        const outcome = db.transaction(async () => {
          await db.nodes.stocks.create({ warehouse: 'new', item: '1', amount: -1 })
          await takeAll(failing()).catch(() => undefined)
        })
        if (engine.name === 'postgres') expect(await rejectionOf(outcome)).toMatchObject({ code: 'TRANSACTION_ABORTED' })
        else await outcome
        const { count } = await db.nodes.stocks.bulkDelete({ where: { amount: -1 } })
        expect(count).toBe(engine.name === 'postgres' ? 0 : 1)
      })
    })

    it('goes beside others of its kind: two at once, alone and in one transaction', { timeout: 30_000 }, async () => {
      await leavingNothing(async (db) => {
        const each = eachOf(db)
        const both = async () => {
          const [one, other] = [each({ least: ROWS - 3_000 }), each({ least: ROWS - 3_000 })]
          for (let count = 0; count < 3_000; count++) {
            const [first, second] = [await one.next(), await other.next()]
            if (first.value!.amount !== second.value!.amount) throw new Error('they are mixed up')
          }
          expect([(await one.next()).done, (await other.next()).done]).toEqual([true, true])
        }
        await both()
        await db.transaction(both)
      })
    })

    it('waits for a slow reader, and lets others run meanwhile', { timeout: 30_000 }, async () => {
      await leavingNothing(async (db) => {
        const each = eachOf(db)
        const other = (async () => {
          for (let turn = 0; turn < 20; turn++) {
            await sleep(5)
            expect(await db.nodes.stocks.count({ where: { amount: turn } })).toBe(1)
          }
        })()
        let count = 0
        for await (const { amount } of each({ least: ROWS - 5_000 })) {
          count++
          if (amount % 500 === 0) await sleep(20)
        }
        await other
        expect(count).toBe(5_000)
      })
    })

    it('does not keep the event loop to itself', { timeout: 30_000 }, async () => {
      await leavingNothing(async (db) => {
        let turns = 0
        const count = setInterval(() => turns++, 1)
        await takeAll(db.register(sqlNode({ name: 'Beating', sql: EACH, fetch: 'stream' }))({ least: 0 }))
        clearInterval(count)
        expect(turns).toBeGreaterThan(10)
      })
    })

    it('belongs to the lock under which it was asked for', async () => {
      await leavingNothing(async (db) => {
        const each = eachOf(db)
        const left = await db.lock('stocks', async () => {
          const rows = each({ least: 0 })
          await rows.next()
          return { rows }
        })
        expect(await rejectionOf(takeAll(left.rows))).toMatchObject({ code: 'SCOPE_CLOSED' })
      })
    })

    it('is one event of its node, and one of its statement', async () => {
      await leavingNothing(async (db) => {
        const events: NodeEvent[] = []
        const statements: QueryEvent[] = []
        const listenNode = (event: NodeEvent) => void events.push(event)
        const listenStatement = (event: QueryEvent) => void statements.push(event)
        nodeEvents.subscribe(listenNode)
        queryEvents.subscribe(listenStatement)
        const told = db.register(sqlNode({ name: 'Told', sql: EACH, fetch: 'stream' }))
        const startedMs = performance.now()
        for await (const _ of told({ least: ROWS - 3 })) await sleep(300)
        const tookMs = performance.now() - startedMs
        await db.transaction(() => takeAll(told({ least: ROWS - 2_000 })))
        await rejectionOf(takeAll(told({ least: undefined })))
        nodeEvents.unsubscribe(listenNode)
        queryEvents.unsubscribe(listenStatement)
        expect(events.map(({ node, error }) => [node, error === undefined])).toEqual([
          ['Told', true],
          ['Told', true],
          ['Told', false],
        ])
        expect(events[0]!.durationMs).toBeLessThan(tookMs - 800)
        expect(statements).toMatchObject([
          { label: 'Told', rowCount: 3, inTransaction: false, error: undefined },
          { label: 'Told', rowCount: 2_000, inTransaction: true, error: undefined },
        ])
        expect(statements[0]!.durationMs).toBeLessThan(tookMs - 800)
      })
    })

    it('refuses bad input when the first row is asked for', async () => {
      await leavingNothing(async (db) => {
        const each = db.register(sqlNode({ name: 'Strict', sql: EACH, params: z.object({ least: z.number() }), fetch: 'stream' }))
        expect(await rejectionOf(each({ least: 'x' as never }).next())).toMatchObject({ code: 'VALIDATION', issues: [{ path: ['least'] }] })
        expect(await rejectionOf(each({ least: 1 }, { timeout: 1 } as never).next())).toMatchObject({ code: 'UNKNOWN_FIELD' })
      })
    })

    it('is for statements that read', async () => {
      await leavingNothing(async (db) => {
        const writing = sqlNode({ name: 'Writing', sql: 'delete from stocks where amount < :n', fetch: 'stream' })
        expect(() => db.register(writing)).toThrow(expect.objectContaining({ code: 'CONFIGURATION', option: 'sqlNode Writing' }))
      })
    })
  })

  if (engine.name !== 'sqlite') return

  describe('a stream on a database in memory', () => {
    it('leaves its only connection to others', async () => {
      const db = createDatabase({ url: 'sqlite::memory:', models })
      await db.createTables()
      await db.nodes.stocks.bulkCreate({
        rows: Array.from({ length: 2_000 }, (_, amount) => ({ warehouse: 'w', item: `${amount}`, amount })),
      })
      const each = db.register(sqlNode({ name: 'Each', sql: EACH, result: row, fetch: 'stream' }))
      let count = 0
      for await (const { amount } of each({ least: 0 }))
        if (amount % 500 === 0) count += await db.nodes.stocks.count({ where: { amount } }, { timeoutMs: 1_000 })
      expect(count).toBe(4)
      await db.close()
    })
  })
})

async function takeAll(rows: AsyncIterable<unknown>): Promise<number> {
  let count = 0
  for await (const _ of rows) count++
  return count
}
