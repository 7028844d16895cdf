import { setTimeout as sleep } from 'node:timers/promises'
import { AbortedError, type Generated, id, model, QueryTimeoutError, ScopeClosedError } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { Gate } from '../lib/pool/fake-connector.js'
import { statementsOnServer } from '../stress/ground.js'
import { forEachEngine } from '../support/engines.js'
import { napView } from '../support/naps.js'
import { TIMED } from '../support/timed.js'
import { models } from './members.js'
import { rejectionOf, useDatabase } from './use-database.js'

/** On a server a view with one row that takes ten seconds to come. */
@model()
class Nap {
  @id() id!: Generated<number>
}

forEachEngine((engine) => {
  describe('a transaction with a limit of time', () => {
    const use = useDatabase(engine, { ...models, naps: Nap })
    const tickets = () => use.nodes.tickets

    it('is undone at once when its time passes while the callback does something else, which finds it closed', async () => {
      const [isUndone, late] = [new Gate(), new Gate()]
      let lateError: Error | undefined
      const outcome = use.db.transaction(
        async () => {
          await tickets().create({})
          await isUndone.opened
          lateError = await rejectionOf(tickets().create({}))
          late.open()
        },
        { timeoutMs: 1_000 },
      )
      expect(await rejectionOf(outcome)).toBeInstanceOf(QueryTimeoutError)
      expect(await tickets().count()).toBe(0)
      expect(use.db.poolInfo()?.stats?.leased).toBe(0)
      isUndone.open()
      await late.opened
      expect(lateError).toBeInstanceOf(ScopeClosedError)
      expect(await tickets().count()).toBe(0)
    })

    it('is undone when its signal is aborted, with the reason', async () => {
      const controller = new AbortController()
      const reason = new Error('the client has gone')
      const outcome = use.db.transaction(
        async () => {
          await tickets().create({})
          controller.abort(reason)
          await sleep(50)
        },
        { signal: controller.signal },
      )
      const error = await rejectionOf(outcome)
      expect(error).toBeInstanceOf(AbortedError)
      expect(error.cause).toBe(reason)
      expect(await tickets().count()).toBe(0)
      expect(await rejectionOf(use.db.transaction(() => tickets().create({}), { signal: controller.signal }))).toBeInstanceOf(AbortedError)
    })

    it('is not committed when the callback ends too late without waiting for anything', async () => {
      const outcome = use.db.transaction(
        async () => {
          await tickets().create({})
          const untilMs = performance.now() + 60
          while (performance.now() < untilMs);
        },
        { timeoutMs: 40 },
      )
      expect(await rejectionOf(outcome)).toBeInstanceOf(QueryTimeoutError)
      expect(await tickets().count()).toBe(0)
    })

    it('bounds a savepoint, and leaves the transaction around it', async () => {
      await use.db.transaction(async () => {
        await tickets().create({})
        const inner = use.db.transaction(
          async () => {
            await tickets().create({})
            await sleep(300)
          },
          { timeoutMs: 50 },
        )
        expect(await rejectionOf(inner)).toBeInstanceOf(QueryTimeoutError)
        await tickets().create({})
      })
      expect(await tickets().count()).toBe(2)
      await use.clear()
    })

    it('takes no notice of a limit that is not reached', async () => {
      const { signal } = new AbortController()
      await use.db.transaction(() => tickets().create({}), { timeoutMs: 60_000, signal })
      expect(await tickets().count()).toBe(1)
      await use.clear()
    })

    it('counts the wait for a connection', TIMED, async () => {
      const db = use.another({ pool: { maxConnections: 1, share: false } })
      const first = db.transaction(() => sleep(400).then(() => db.nodes.tickets.count()))
      await sleep(20)
      const startedMs = performance.now()
      const error = await rejectionOf(db.transaction(() => db.nodes.tickets.count(), { timeoutMs: 60 }))
      expect(['POOL_TIMEOUT', 'QUERY_TIMEOUT']).toContain(error.code)
      expect(performance.now() - startedMs).toBeLessThan(350)
      await first
    })

    if (engine.name !== 'sqlite') {
      it('stops the statement that runs then on the server', async () => {
        await engine.admin(use.url, napView(engine, 'naps', 10))
        const startedMs = performance.now()
        const outcome = use.db.transaction(
          async () => {
            await tickets().create({})
            await use.nodes.naps.list()
          },
          { timeoutMs: 150 },
        )
        expect(await rejectionOf(outcome)).toBeInstanceOf(QueryTimeoutError)
        expect(performance.now() - startedMs).toBeLessThan(1_500)
        await expect.poll(() => statementsOnServer(engine, use.url), { timeout: 2_000 }).toBe(0)
        expect(await tickets().count()).toBe(0)
        // the nearer of the two limits holds
        const shorter = use.db.transaction(() => use.nodes.naps.list({}, { timeoutMs: 100 }), { timeoutMs: 60_000 })
        expect(await rejectionOf(shorter)).toBeInstanceOf(QueryTimeoutError)
      })
    }

    it.each([
      { timeoutMs: 0 },
      { timeoutMs: 1.5 },
      { timeoutMs: '5' },
      { signal: {} },
      { propagation: 'required' },
      { retry: true },
      { retry: 'always' },
      { isolation: 'snapshot' },
      { readOnly: 1 },
    ])('is refused with %o', async (options) => {
      const error = await rejectionOf(use.db.transaction(() => tickets().count(), options as never))
      expect(error).toMatchObject({ code: 'CONFIGURATION', option: Object.keys(options)[0] })
    })

    it('names the nearest option for one that is unknown', async () => {
      expect((await rejectionOf(use.db.transaction(() => tickets().count(), { timeout: 5 } as never))).message).toContain('timeoutMs')
    })
  })
})
