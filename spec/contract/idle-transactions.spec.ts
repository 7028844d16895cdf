import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'latchwork'
import { sandbox } from 'latchwork/testing'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type TransactionEvent, transactionEvents } from '../../lib/events.js'
import { forEachEngine } from '../support/engines.js'
import { TIMED } from '../support/timed.js'
import { models } from './members.js'
import { rejectionOf, useDatabase } from './use-database.js'

const warnings: string[] = []
const logger: Logger = { debug: () => undefined, warn: (_, message) => warnings.push(message) }

forEachEngine((engine) => {
  describe('a transaction that waits for its application', () => {
    const use = useDatabase(engine, models, { logger })
    const events: TransactionEvent[] = []
    const listen = (event: TransactionEvent) => events.push(event)

    beforeEach(() => {
      warnings.length = 0
      transactionEvents.subscribe(listen)
    })

    afterEach(() => {
      transactionEvents.unsubscribe(listen)
      events.length = 0
    })

    it('for more than 200 ms is told of once, with where it was begun', async () => {
      const { tickets } = use.nodes
      await use.db.transaction(async () => {
        await tickets.create({})
        await use.db.transaction(() => tickets.count())
        await sleep(250)
        await tickets.count()
        await sleep(250)
        await tickets.create({})
      })
      expect(events).toMatchObject([{ type: 'idle', label: 'TicketCountNode', stack: expect.stringContaining('idle-transactions.spec') }])
      expect((events[0] as { readonly idleMs: number }).idleMs).toBeGreaterThan(200)
      expect(warnings).toEqual([expect.stringMatching(/^a transaction had nothing to do for [\d.]+ ms before TicketCountNode/)])
    })

    it.each([
      ['before its first statement', () => sleep(250).then(() => use.nodes.tickets.count())],
      ['before its commit', () => use.nodes.tickets.count().then(() => sleep(250))],
      ['in a nested one', () => use.db.transaction(() => sleep(250).then(() => use.nodes.tickets.count()))],
      ['after a call that was refused', () => rejectionOf(use.nodes.tickets.list({ limit: -1 })).then(() => sleep(250))],
    ])('%s is told of', async (_, fn: () => Promise<unknown>) => {
      await use.db.transaction(fn)
      expect(events).toMatchObject([{ type: 'idle' }])
    })

    it('for less, or in a sandbox, is not', TIMED, async () => {
      const { tickets } = use.nodes
      await use.db.transaction(async () => {
        for (let call = 0; call < 5; call++) await sleep(60).then(() => tickets.count())
        await Promise.all([1, 2, 3].map(() => tickets.count()))
      })
      await sandbox(use.db, () => sleep(250).then(() => tickets.count()))
      expect([...events, ...warnings]).toEqual([])
    })
  })
})
