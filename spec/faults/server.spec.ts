import { setTimeout as sleep } from 'node:timers/promises'
import { CommitUnknownError, LatchworkError, ReadOnlyError } from 'latchwork'
import { afterEach, describe, expect, it } from 'vitest'
import { poolEvents } from '../../lib/events.js'
import { rejectionOf } from '../contract/use-database.js'
import { borrowAll } from '../support/borrow-all.js'
import { ROUNDS, roundsTimeoutMs } from '../support/rounds.js'
import { TIMED } from '../support/timed.js'
import { forEachOwnServer } from './own-server.js'
import { type ShopDatabase, useShop } from './shop.js'

const TIMEOUT_MS = 400
/** On top of a limit, for a machine that has other things to do. */
const SLACK_MS = 600
const MAX_CONNECTIONS = 30

forEachOwnServer((server) => {
  const shop = useShop(server)

  /** Calls go on while `fault` happens, again and again: each ends in time, and the first goes well within a second of its end. */
  async function serveThrough(fault: (round: number) => Promise<void>): Promise<void> {
    const db = shop.open({ maxConnections: 4 })
    const traffic = shop.traffic(8, () => db.nodes.items.count({}, { timeoutMs: TIMEOUT_MS }))
    await sleep(200)
    expect(traffic.codesBetween(0)).toEqual([])
    let backMs = performance.now()
    for (let round = 0; round < ROUNDS; round++) {
      await fault(round)
      backMs = performance.now()
      await traffic.goesWellAgain(backMs)
      expect(traffic.firstSuccessAfter(backMs)).toBeLessThan(1_000)
    }
    await sleep(1_300)
    await traffic.stop()
    const codes = ['CONNECTION', 'CONNECTION_LOST', 'POOL_TIMEOUT', 'QUERY_TIMEOUT']
    expect(traffic.codesBetween(0).filter((code) => !codes.includes(code))).toEqual([])
    expect(traffic.longestMs).toBeLessThan(TIMEOUT_MS + SLACK_MS)
    expect(traffic.codesBetween(backMs + 1_000)).toEqual([])
  }

  describe(`calls end in time, and go well again within a second, ${ROUNDS} times over, when the server`, () => {
    // what a server takes to stop, start and recover is its own
    const timed = { ...TIMED, timeout: roundsTimeoutMs(10_000) }

    it('is restarted', timed, () =>
      serveThrough(async (round) => {
        await server.stop()
        await sleep(10 * round)
        await server.start()
      }),
    )

    it('is killed and started again', timed, () =>
      serveThrough(async (round) => {
        await server.stop('SIGKILL')
        await sleep(10 * round)
        await server.start()
      }),
    )

    it('is frozen for a while', timed, () =>
      serveThrough(async (round) => {
        await server.freeze()
        // past the time of the calls that it met
        await sleep(TIMEOUT_MS + 10 * round)
        server.thaw()
      }),
    )
  })

  it(`a frozen server does not keep a database from closing, nor a rollback its connection, ${ROUNDS} times over`, {
    ...TIMED,
    timeout: roundsTimeoutMs(3_000),
  }, async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const db = shop.open({ maxConnections: 2 })
      await db.nodes.items.count()
      const reason = new Error('changed my mind')
      let frozen = () => {}
      const isFrozen = new Promise<void>((resolve) => {
        frozen = resolve
      })
      const transaction = rejectionOf(
        db.transaction(async () => {
          await db.nodes.items.create({ name: 'never' })
          await server.freeze()
          frozen()
          throw reason
        }),
      )
      await isFrozen
      await sleep(5 * round)
      const startedMs = performance.now()
      await db.close({ timeoutMs: 50 })
      expect(performance.now() - startedMs).toBeLessThan(1_050 + SLACK_MS)
      server.thaw()
      expect(await transaction).toBe(reason)
    }
    expect(await shop.admin('select id from items')).toEqual([])
  })

  if (server.name === 'mysql') {
    it('the session of a connection, ended in COMMIT, leaves it unknown, and says so', { timeout: roundsTimeoutMs(2_000) }, async () => {
      const db = shop.open({ maxConnections: 1 })
      for (let round = 0; round < ROUNDS; round++) {
        let locked: Promise<unknown> | undefined
        const committing = rejectionOf(
          db.transaction(async () => {
            await db.nodes.items.create({ name: 'never' })
            // nothing is committed while somebody has the whole server locked for reading
            locked = rejectionOf(shop.admin("flush tables with read lock; select sleep(10), 'locked'"))
            await expect.poll(() => shop.running("'locked'"), { interval: 5 }).not.toEqual([])
          }),
        )
        await shop.killRunning('commit')
        expect(await committing).toBeInstanceOf(CommitUnknownError)
        await shop.killRunning("'locked'")
        await locked
      }
      expect(await db.nodes.items.count()).toBe(0)
    })
  }

  describe('a server that becomes read-only', () => {
    afterEach(() => setReadOnly(false))

    it('costs a connection at the first write that it refuses, and writes go well as soon as it takes them again', async () => {
      const db = shop.open({ maxConnections: 1 }, await ordinaryUrl())
      await db.nodes.items.create({ name: 'before' })
      const [id] = await shop.sessionIds()
      await setReadOnly(true)
      expect(await rejectionOf(db.nodes.items.create({ name: 'refused' }))).toBeInstanceOf(ReadOnlyError)
      await expect.poll(() => shop.sessionIds()).not.toContain(id)
      // reads go on
      expect(await db.nodes.items.count()).toBe(1)
      await setReadOnly(false)
      await db.nodes.items.create({ name: 'after' })
      expect(await db.nodes.items.count()).toBe(2)
    })

    it('costs it in a transaction too, also where the error was answered inside', async () => {
      const db = shop.open({ maxConnections: 1 }, await ordinaryUrl())
      for (const swallow of [false, true]) {
        await db.nodes.items.count()
        const [id] = await shop.sessionIds()
        await setReadOnly(true)
        const error = await db
          .transaction(async () => {
            const creating = db.nodes.items.create({ name: 'refused' })
            if (swallow) await rejectionOf(creating)
            else await creating
          })
          .then(
            () => undefined,
            (thrown: unknown) => thrown,
          )
        if (!swallow) expect(error).toBeInstanceOf(ReadOnlyError)
        await expect.poll(() => shop.sessionIds()).not.toContain(id)
        await setReadOnly(false)
        await db.transaction(() => db.nodes.items.create({ name: 'after' }))
      }
      expect(await db.nodes.items.count()).toBe(2)
    })
  })

  it('a server with room for fewer connections than the pool lets it grow no further, and 300 workflows all go well', async () => {
    // they go by themselves, so that there is room again for those who look afterwards
    const db = shop.open({ maxConnections: 60, idleTimeoutMs: 500 })
    let failedDials = 0
    const count = (event: { readonly type?: string }) => {
      if (event.type === 'connectFailed') failedDials++
    }
    const listener = (message: unknown) => count(message as { type?: string })
    poolEvents.subscribe(listener)
    const most = { sessions: 0 }
    const watch = setInterval(
      () =>
        void shop.sessionIds().then(
          (ids) => {
            most.sessions = Math.max(most.sessions, ids.length)
          },
          () => undefined,
        ),
      50,
    )
    try {
      await Promise.all(Array.from({ length: 300 }, (_, index) => workflow(db, index)))
    } finally {
      clearInterval(watch)
      poolEvents.unsubscribe(listener)
    }
    expect(most.sessions).toBeLessThanOrEqual(MAX_CONNECTIONS)
    // some of the first burst, then one at a time with growing pauses
    expect(failedDials).toBeGreaterThan(0)
    expect(failedDials).toBeLessThanOrEqual(60)
    expect(await db.nodes.items.count()).toBe(300)
  })

  it('a server without room for another connection still stops what runs past its timeoutMs', async () => {
    const db = shop.open({ maxConnections: MAX_CONNECTIONS - 1 })
    const another = shop.open({ maxConnections: 1 })
    // the time of the calls is for their statements
    await borrowAll(db, MAX_CONNECTIONS - 1, () => db.nodes.items.count())
    await another.transaction(async () => {
      await another.nodes.items.count()
      const errors = await Promise.all(
        Array.from({ length: MAX_CONNECTIONS - 1 }, () => rejectionOf(db.nodes.naps.list({}, { timeoutMs: 500 }))),
      )
      expect(new Set(errors.map(({ code }) => code))).toEqual(new Set(['QUERY_TIMEOUT']))
    })
    // the one connection that the server keeps for its administrator is what carries the kills: whoever looks would take it
    await sleep(1_600)
    // by themselves they would run for 10 s
    await expect.poll(() => shop.running('naps').catch(() => 'no room'), { timeout: 2_000, interval: 300 }).toEqual([])
  })

  /** The URL of a user who is bound by read-only; on MariaDB an administrator is not. */
  async function ordinaryUrl(): Promise<string> {
    const url = new URL(shop.url)
    if (server.name === 'postgres') return url.href
    await shop.admin(`create user if not exists clerk identified by ''; grant all on ${url.pathname.slice(1)}.* to clerk`)
    url.username = 'clerk'
    return url.href
  }

  async function setReadOnly(isReadOnly: boolean): Promise<void> {
    const value = isReadOnly ? 'on' : 'off'
    if (server.name === 'mysql') {
      await server.admin(server.url, `set global read_only = ${value}`)
      return
    }
    await server.admin(server.url, `alter system set default_transaction_read_only = ${value}`)
    await server.admin(server.url, 'select pg_reload_conf()')
    await expect
      .poll(async () => (await shop.admin("select current_setting('default_transaction_read_only') as value"))[0]!.value)
      .toBe(value)
    // sessions hear of it when they next have something to do
    await sleep(50)
  }
})

async function workflow(db: ShopDatabase, index: number): Promise<void> {
  try {
    const { id } = await db.nodes.items.create({ name: `item ${index}` })
    await db.nodes.items.readOrThrow({ where: { id } })
    await db.nodes.items.update({ where: { id }, set: { name: `changed ${index}` } })
    await db.nodes.items.count()
  } catch (error) {
    throw error instanceof LatchworkError ? new Error(`workflow ${index}: ${error.code}`, { cause: error }) : error
  }
}
