import { setTimeout as sleep } from 'node:timers/promises'
import { CommitUnknownError, ConnectionLostError } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { rejectionOf } from '../contract/use-database.js'
import { forEachEngine } from '../support/engines.js'
import { killSession } from '../support/plain-sql.js'
import { inLanes, ROUNDS, roundsTimeoutMs } from '../support/rounds.js'
import type { ProxyMode, TcpProxy } from '../support/tcp-proxy.js'
import { TIMED } from '../support/timed.js'
import { type ShopDatabase, useShop } from './shop.js'

const TIMEOUT_MS = 300
/** On top of a limit, for a machine that has other things to do. */
const SLACK_MS = 400

const FAULTS: readonly (readonly [name: string, mode: ProxyMode, maxConnections: number])[] = [
  ['swallows everything, with one connection', { kind: 'drop' }, 1],
  ['swallows everything', { kind: 'drop' }, 4],
  ['swallows answers', { kind: 'drop', direction: 'answers' }, 4],
  ['loses the server without a word, with one connection', 'half-open', 1],
  ['loses the server without a word', 'half-open', 4],
  ['lets answers trickle', { kind: 'trickle', bytes: 1, everyMs: 50 }, 4],
  ['cuts every connection after a few bytes', { kind: 'cut', afterBytes: 40 }, 4],
]

/** Networks that fail at once, each with a pool of its own: so many rounds in the time of one. More would have to make too many connections at once. */
const LINES = 2

/** What a call may fail with while the network is away. */
const NETWORK_CODES = ['CONNECTION', 'CONNECTION_LOST', 'POOL_TIMEOUT', 'QUERY_TIMEOUT']

forEachEngine(
  (engine) => {
    const shop = useShop(engine)

    describe('a network that', () => {
      it.each(FAULTS)(
        `%s, ${ROUNDS} times over: every call ends in time, and the first goes well within a second of its end`,
        { ...TIMED, timeout: roundsTimeoutMs(2_000) },
        async (_, mode, maxConnections) => {
          const lines = await Promise.all(
            Array.from({ length: LINES }, async () => {
              const proxy = await shop.proxy()
              const db = shop.open({ maxConnections }, proxy.url)
              return { proxy, traffic: shop.traffic(8, () => db.nodes.items.count({}, { timeoutMs: TIMEOUT_MS })) }
            }),
          )
          await sleep(200)
          for (const { traffic } of lines) expect(traffic.codesBetween(0)).toEqual([])
          const startedMs = performance.now()
          let endedMs = startedMs
          for (let round = 0; round < ROUNDS; round += LINES) {
            for (const { proxy } of lines) proxy.set(mode)
            // what is half-open is over at once for who connects anew; elsewhere it lasts past the time of the calls that it met
            if (mode !== 'half-open') await sleep(TIMEOUT_MS + 20 * (round % 20))
            endedMs = performance.now()
            for (const { proxy } of lines) proxy.set('pass')
            await Promise.all(lines.map(({ traffic }) => traffic.goesWellAgain(endedMs)))
            for (const { traffic } of lines) expect(traffic.firstSuccessAfter(endedMs)).toBeLessThan(1_000)
          }
          await sleep(1_200)
          for (const { traffic } of lines) {
            await traffic.stop()
            expect(traffic.codesBetween(startedMs).filter((code) => !NETWORK_CODES.includes(code))).toEqual([])
            expect(traffic.longestMs).toBeLessThan(TIMEOUT_MS + SLACK_MS)
            expect(traffic.codesBetween(endedMs + 1_000)).toEqual([])
          }
        },
      )

      it('is slow delays calls, and fails none', async () => {
        const proxy = await shop.proxy()
        const db = shop.open({ maxConnections: 4 }, proxy.url)
        proxy.set({ kind: 'delay', delayMs: 50 })
        const startedMs = performance.now()
        expect(await Promise.all([1, 2, 3, 4].map(() => db.nodes.items.count()))).toEqual([0, 0, 0, 0])
        expect(performance.now() - startedMs).toBeGreaterThan(200)
      })

      it(
        `lost the idle connections without a word costs no call more than its check, ${ROUNDS} times over`,
        { ...TIMED, timeout: roundsTimeoutMs(1_000) },
        () =>
          inLanes(async () => {
            const proxy = await shop.proxy()
            const db = shop.open({ maxConnections: 2, validateAfterIdleMs: 50 }, proxy.url)
            await Promise.all([db.nodes.items.count(), db.nodes.items.count()])
            await sleep(100)
            proxy.set('half-open')
            const startedMs = performance.now()
            expect(await Promise.all([1, 2, 3].map(() => db.nodes.items.count()))).toEqual([0, 0, 0])
            expect(performance.now() - startedMs).toBeLessThan(1_000 + SLACK_MS)
            await db.close()
          }),
      )

      it(
        `keeps a connection from being made is a ConnectionError or PoolTimeoutError at acquireTimeoutMs, ${ROUNDS} times over`,
        { ...TIMED, timeout: roundsTimeoutMs(1_000) },
        () =>
          inLanes(async () => {
            const proxy = await shop.proxy()
            proxy.set({ kind: 'drop' })
            const db = shop.open({ acquireTimeoutMs: 300 }, proxy.url)
            const startedMs = performance.now()
            const errors = await Promise.all([1, 2, 3].map(() => rejectionOf(db.nodes.items.count())))
            expect(performance.now() - startedMs).toBeLessThan(300 + SLACK_MS)
            expect(errors.filter(({ code }) => !['CONNECTION', 'POOL_TIMEOUT', 'LOCK_TIMEOUT'].includes(String(code)))).toEqual([])
          }),
      )
    })

    it(
      `close() does not wait for connections that are being made, nor leaves them, ${ROUNDS} times over`,
      { ...TIMED, timeout: roundsTimeoutMs(1_000) },
      () =>
        inLanes(async () => {
          const proxy = await shop.proxy()
          const db = shop.open({ maxConnections: 2 }, proxy.url)
          await db.nodes.items.count()
          proxy.set({ kind: 'drop' })
          const waiting = [1, 2, 3].map(() => rejectionOf(db.nodes.items.count({}, { timeoutMs: 30_000 })))
          await expect.poll(() => proxy.connections, { timeout: 3_000, interval: 10 }).toBeGreaterThan(1)
          const startedMs = performance.now()
          await db.close({ timeoutMs: 100 })
          expect(performance.now() - startedMs).toBeLessThan(1_100 + SLACK_MS)
          const codes = (await Promise.all(waiting)).map(({ code }) => code)
          expect(codes.filter((code) => code !== 'POOL_CLOSED' && code !== 'CONNECTION_LOST')).toEqual([])
          await expect.poll(() => proxy.connections).toBe(0)
        }),
    )

    describe('a connection that is cut in the middle of', () => {
      it('a result never gives part of it as the whole, at twenty points', { timeout: roundsTimeoutMs(1_000) }, async () => {
        const proxy = await shop.proxy()
        const db = shop.open({ maxConnections: 1 }, proxy.url)
        await db.nodes.items.bulkCreate({ rows: Array.from({ length: 400 }, (_, index) => ({ name: `item ${index} ${'x'.repeat(60)}` })) })
        const list = () => db.nodes.items.list({ limit: 400 })
        expect((await list()).rows).toHaveLength(400)
        for (let point = 0; point < ROUNDS; point++) {
          proxy.set({ kind: 'cut', afterBytes: (point * 1_300) % 26_000 })
          expect(await rejectionOf(list())).toBeInstanceOf(ConnectionLostError)
          proxy.set('pass')
          expect((await list()).rows).toHaveLength(400)
        }
      })

      it(`the answer to COMMIT leaves it unknown, and says so, at ten points, ${ROUNDS} times over`, {
        timeout: roundsTimeoutMs(1_000),
      }, async () => {
        const proxy = await shop.proxy()
        const db = shop.open({ maxConnections: 1 }, proxy.url)
        for (let round = 0; round < ROUNDS; round++) {
          const error = await rejectionOf(
            db.transaction(async () => {
              await db.nodes.items.create({ name: `item ${round}` })
              // the whole answer has 11 bytes on MySQL, 18 on PostgreSQL
              proxy.set({ kind: 'cut', afterBytes: round % 10 })
            }),
          )
          proxy.set('pass')
          expect(error).toBeInstanceOf(CommitUnknownError)
          expect(error).toMatchObject({ code: 'COMMIT_UNKNOWN', retryable: false })
        }
        // it had taken effect each time, which nobody here could know
        expect(await db.nodes.items.count()).toBe(ROUNDS)
      })

      it(`the way of COMMIT leaves it unknown, and says so, ${ROUNDS} times over`, { timeout: roundsTimeoutMs(1_000) }, async () => {
        const proxy = await shop.proxy()
        const db = shop.open({ maxConnections: 1 }, proxy.url)
        for (let round = 0; round < ROUNDS; round++) await loseCommit(proxy, db)
      })

      async function loseCommit(proxy: TcpProxy, db: ShopDatabase): Promise<void> {
        const committing = rejectionOf(
          db.transaction(async () => {
            await db.nodes.items.create({ name: 'never' })
            proxy.set({ kind: 'drop' })
          }),
        )
        await expect.poll(() => proxy.mode, { timeout: 10_000 }).toEqual({ kind: 'drop' })
        await sleep(50)
        // the network comes back without the connection
        proxy.set({ kind: 'cut', afterBytes: 0 })
        for (const id of await shop.sessionIds()) await killSession(shop.url, id)
        expect(await committing).toBeInstanceOf(CommitUnknownError)
        proxy.set('pass')
        expect(await db.nodes.items.count()).toBe(0)
      }
    })
  },
  { engines: ['postgres', 'mysql'] },
)
