import { readFileSync } from 'node:fs'
import { cleanupUnusedLocks, createDatabase, lockMetrics, PoolClosedError, poolStats } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { type PoolEvent, poolEvents } from '../../lib/events.js'
import { expectedOf, workflows } from '../stress/workflow.js'
import { forEachEngine } from '../support/engines.js'
import { TIMED } from '../support/timed.js'
import { models } from './members.js'
import { useDatabase } from './use-database.js'

/** Scenarios that came after the first 35. */
const LATER = 12

/**
 * The scenarios of the release that per-pool locks were first made in, by their numbers there, and where each is a test here:
 * a file below `spec/` and the title of the test. What was said of event loops is said of scopes and of worker threads.
 */
const SCENARIOS: Readonly<Record<string, readonly [file: string, title: string]>> = {
  'unit 1, the registry exists': ['lib/pool/pool-registry.spec.ts', 'is one for all copies of the package, and cannot be replaced'],
  'unit 2, keyed by loop': ['lib/lock/ended-scopes.spec.ts', 'gives a scope with a registry of its own, and calls below it the same one'],
  'unit 3, then by pool': ['lib/pool/pool-registry.spec.ts', 'opens a pool for each key, side by side'],
  'unit 4, survives five threads': ['contract/worker-threads.spec.ts', 'have each their own pools and locks, five at once'],
  'unit 5, the getter gives a lock': ['lib/lock/keyed-lock.spec.ts', 'gives a free key at once and forgets it on release'],
  'unit 6, the same for the same key': ['lib/lock/keyed-lock.spec.ts', 'serves waiters in the order they came, one at a time'],
  'unit 7, another for another key': ['lib/lock/keyed-lock.spec.ts', 'lets different keys be held at the same time'],
  'unit 8, filed under the loop': ['contract/locks.spec.ts', 'excludes nobody outside a scope with a registry of its own'],
  'unit 9, works outside a loop': [
    'lib/lock/ended-scopes.spec.ts',
    'is none where a call holds nothing: a scope begins with the first hold',
  ],
  'unit 10, the same from the same place': [
    'contract/locks.spec.ts',
    'runs one at a time, in the order in which they came, also between database objects',
  ],
  'unit 11, three pools start together': ['lib/pool/pool-registry.spec.ts', 'starts three different pools within 50 ms of each other'],
  'unit 12, three operations on one pool': ['contract/shared-pools.spec.ts', 'complete three operations on one pool at once'],
  'unit 13, first use creates the entry': [
    'contract/lock-metrics.spec.ts',
    'counts a pool lock once for each of 300 callers who find the pool cold',
  ],
  'unit 14, clean-up goes through the lock': [
    'lib/pool/pool-registry.spec.ts',
    'lets a borrow during the close wait for its end, and opens another pool then',
  ],
  'unit 15, 3 → 2 → 1 → gone': ['lib/pool/pool-registry.spec.ts', 'counts 3 → 2 → 1 → gone, an idle time after the last'],
  'unit 16, five connects and clean-ups': [
    'lib/pool/pool-registry.spec.ts',
    'survives five connects and double clean-ups at once, round %i',
  ],
  'unit 17, 100 locks shrink': ['contract/shared-pools.spec.ts', 'shrink from 100 locks to none by a clean-up'],
  'unit 18, clean-up with few locks': ['lib/lock/lock-metrics.spec.ts', 'forgets on demand what nobody holds, waits for or has pinned'],
  'unit 19, unused locks go by themselves': [
    'lib/lock/lock-metrics.spec.ts',
    'keeps 256 keys at most, the last used among them, and all in the totals',
  ],
  'unit 20, clean-up from three threads': ['contract/worker-threads.spec.ts', 'clean up their own locks, three at once, and nobody else’s'],
  'unit 21, clean-up after a loop closed': ['contract/worker-threads.spec.ts', 'leave nothing behind in the others when one has ended'],
  'unit 22, three pools with 2, 3 and 1 users': [
    'contract/shared-pools.spec.ts',
    'show each of 2, 3 and 1 users the rows of their own database',
  ],
  'unit 23, plain :memory:': ['contract/shared-pools.spec.ts', 'creates, inserts and selects in plain :memory:'],
  'unit 24, four pools under 2 s': ['contract/shared-pools.spec.ts', 'work on four pools at once within two seconds'],
  'unit 25, re-acquiring a held lock': ['contract/locks.spec.ts', 'times out with the name of its holder'],
  'unit 26, five keys never time out': ['contract/shared-pools.spec.ts', 'never time out on five different keys'],
  'unit 27, the time-out is respected': ['lib/lock/keyed-lock.spec.ts', 'gives up at the deadline and says who holds the key'],
  'integration 1, five inserts': [
    'contract/shared-pools.spec.ts',
    'give five concurrent inserts five ids through one pool, which is gone after the last close',
  ],
  'integration 2, two configurations': ['contract/shared-pools.spec.ts', 'are two where the configurations differ'],
  'integration 3, an uncommitted transaction': [
    'contract/shared-pools.spec.ts',
    'hide an uncommitted transaction of one user from another, and roll it back',
  ],
  'integration 4, pool info and metrics': ['contract/lock-metrics.spec.ts', 'say what the pool has, and what became of it'],
  'integration 5, share: false': ['contract/shared-pools.spec.ts', 'are none with share: false'],
  'end to end 1 to 3, 100, 200, 300': ['contract/shared-pools.spec.ts', 'complete every one of %i concurrent workflows'],
  'deadlock, a circle of two': [
    'contract/locks.spec.ts',
    'fails the newest of two that hold what the other wants, at once, naming both chains',
  ],
  'deadlock, nested on one pool': [
    'contract/deadlocks.spec.ts',
    'is refused at once when every holder waits in the same way, and the others finish',
  ],
  'memory, 200,000 locks': ['lib/lock/lock-metrics.spec.ts', 'takes no more memory for 200,000 keys than for 20,000'],
  'memory, 1,000 pools': ['lib/pool/pool-registry.spec.ts', 'keeps nothing of 1,000 keys whose pools are gone'],
  'later: other errors are not swallowed': [
    'lib/pool/pool-registry.spec.ts',
    'gives the error of an opening to all who wait for it, without falling back, and tries anew for the next',
  ],
  'later: a typed error at the cap': [
    'lib/pool/pool-registry.spec.ts',
    'never has more dedicated connections than the budget allows: the rest get PoolExhaustedError, with the time-out as cause',
  ],
  'later: dedicated ones registered': [
    'lib/pool/pool-registry.spec.ts',
    'opens a dedicated connection when the wait for the pool runs out, and closes it on release',
  ],
  'later: idle pools reaped, active ones not': [
    'lib/pool/pool-registry.spec.ts',
    'keeps a pool that is borrowed again within the idle time, and measures that time anew',
  ],
  'later: concurrent closes drive one': ['contract/shared-pools.spec.ts', 'close once, however many ask for it at the same time'],
  'later: closes bounded, then forced': ['lib/pool/pool-registry.spec.ts', 'bounds that close by timeoutMs'],
  'later: a release after close': [
    'lib/pool/connection-pool.spec.ts',
    'ends what still runs after timeoutMs; its release is then taken once',
  ],
  'later: no new pool during shutdown': ['lib/pool/connection-pool.spec.ts', 'opens nothing more once it has begun'],
  'later: a failed commit': [
    'contract/transaction-faults.spec.ts',
    'never says that it was committed when the connection went before COMMIT',
  ],
  'later: a cancelled begin releases': [
    'contract/interruption.spec.ts',
    'leaves no connection behind, and no warning, for 100 aborts by one signal',
  ],
  'later: credentials on no surface': ['contract/secrets.spec.ts', 'that the server refuses is not in what it is refused with'],
  'later: no creator’s right': ['lib/pool/pool-registry.spec.ts', 'gives whoever opened the pool no right to close it under the others'],
}

describe('the scenarios', () => {
  it.each(Object.entries(SCENARIOS))('%s is a test', (_, [file, title]) => {
    const text = readFileSync(new URL(`../${file}`, import.meta.url), 'utf8')
    // the title of a test, and not this table's mention of it
    expect(text).toMatch(new RegExp(`(\\bit|\\]|\\[\\],?|\\))\\(?\\(\\s*'${escaped(title)}'`))
  })

  it('are all 27, 5 and 3, and what came later', () => {
    const numbersOf = (kind: string) => Object.keys(SCENARIOS).filter((name) => name.startsWith(kind)).length
    expect(['unit', 'integration', 'end to end', 'deadlock', 'memory', 'later'].map(numbersOf)).toEqual([27, 5, 1, 2, 2, LATER])
  })
})

forEachEngine((engine) => {
  describe('database objects of one configuration', () => {
    const shop = useDatabase(engine, models, { pool: { maxConnections: 4 } })

    it('give five concurrent inserts five ids through one pool, which is gone after the last close', async () => {
      const pool = { maxConnections: 5 }
      const users = [1, 2, 3, 4, 5].map(() => shop.another({ pool }))
      const rows = await Promise.all(users.map((user, index) => user.nodes.members.create({ email: `five${index}@example.com` })))
      expect(new Set(rows.map(({ id }) => id)).size).toBe(5)
      const { name, leases } = users[0]!.poolInfo()!
      expect(leases).toBe(5)
      expect(poolStats().pools.filter((each) => each.name === name)).toHaveLength(1)
      await Promise.all(users.map((user) => user.close()))
      expect(users.map((user) => user.poolInfo())).toEqual(users.map(() => undefined))
      expect(poolStats().pools.filter((each) => each.name === name)).toEqual([])
    })

    it('complete three operations on one pool at once', async () => {
      const { members } = shop.nodes
      const { id } = await members.create({ email: 'three@example.com' })
      const [counted, read, updated] = await Promise.all([
        members.count({ where: { id } }),
        members.readOrThrow({ where: { id } }),
        members.update({ where: { id }, set: { age: 3 }, version: 1 }),
      ])
      expect([counted, read.email, updated.age]).toEqual([1, 'three@example.com', 3])
    })

    it('close once, however many ask for it at the same time', async () => {
      const passing = shop.another({ pool: { maxConnections: 3 } })
      await passing.nodes.members.count()
      const closed: string[] = []
      const { name } = passing.poolInfo()!
      const listener = (event: PoolEvent): void => void (event.type === 'closed' && event.pool === name && closed.push(name))
      poolEvents.subscribe(listener)
      await Promise.all(Array.from({ length: 10 }, () => passing.close())).finally(() => poolEvents.unsubscribe(listener))
      expect(closed).toEqual([name])
      await expect(passing.nodes.members.count()).rejects.toThrow(PoolClosedError)
      expect(passing.poolInfo()).toBeUndefined()
    })

    it('are two where the configurations differ', async () => {
      const users = [6, 7, 7].map((maxConnections) => shop.another({ pool: { maxConnections } }))
      await Promise.all(users.map((user) => user.nodes.members.count()))
      expect(users.map((user) => user.poolInfo()!.leases)).toEqual([1, 2, 2])
      expect(new Set(users.map((user) => user.poolInfo()!.name)).size).toBe(2)
      await Promise.all(users.map((user) => user.close()))
    })

    it('are none with share: false', async () => {
      const users = [1, 2].map(() => shop.another({ pool: { share: false } }))
      await Promise.all(users.map((user) => user.nodes.members.count()))
      expect(users.map((user) => user.poolInfo()!.leases)).toEqual([1, 1])
      expect(new Set(users.map((user) => user.poolInfo()!.name)).size).toBe(2)
      await Promise.all(users.map((user) => user.close()))
    })

    it('hide an uncommitted transaction of one user from another, and roll it back', async () => {
      const other = shop.another()
      const where = { email: 'uncommitted@example.com' }
      const work = shop.db.transaction(async () => {
        await shop.nodes.members.create(where)
        expect(await shop.nodes.members.count({ where })).toBe(1)
        expect(await other.nodes.members.count({ where })).toBe(0)
        throw new Error('changed my mind')
      })
      await expect(work).rejects.toThrow('changed my mind')
      expect(await Promise.all([shop, other].map(({ nodes }) => nodes.members.count({ where })))).toEqual([0, 0])
      expect(shop.db.poolInfo()!.name).toBe(other.poolInfo()!.name)
    })

    it('never time out on five different keys', async () => {
      const keys = ['a', 'b', 'c', 'd', 'e']
      let together = 0
      const all = await Promise.all(
        keys.map((key) =>
          shop.db.lock(
            key,
            async () => {
              together++
              while (together < keys.length) await new Promise((resolve) => setImmediate(resolve))
              return key
            },
            { timeoutMs: 500 },
          ),
        ),
      )
      expect(all).toEqual(keys)
    })

    it('shrink from 100 locks to none by a clean-up', async () => {
      cleanupUnusedLocks()
      await Promise.all(Array.from({ length: 100 }, (_, key) => shop.db.lock(`key ${key}`, () => undefined)))
      const locks = () => Object.keys(lockMetrics().byKey).filter((name) => name.startsWith('key ')).length
      expect(locks()).toBe(100)
      expect(cleanupUnusedLocks()).toBe(100)
      expect(locks()).toBe(0)
    })

    it.each([100, 200, 300])('complete every one of %i concurrent workflows', { timeout: 30_000 }, async (count) => {
      const cold = shop.another({ pool: { maxConnections: 10, acquireTimeoutMs: 20_000 } })
      expect(await workflows(cold.nodes.members, count)).toEqual(expectedOf(count))
      expect(cold.poolInfo()!.stats).toMatchObject({ leased: 0, waiting: 0 })
      expect(cold.poolInfo()!.lock).toMatchObject({ held: 0, waiting: 0, timeouts: 0, fallbacks: 0, successRate: 1 })
      await cold.close()
    })
  })

  describe('pools of several databases', () => {
    const shops = [useDatabase(engine, models), useDatabase(engine, models), useDatabase(engine, models), useDatabase(engine, models)]

    it('show each of 2, 3 and 1 users the rows of their own database', async () => {
      const pool = { maxConnections: 3 }
      const users = [2, 3, 1].map((count, index) => Array.from({ length: count }, () => shops[index]!.another({ pool })))
      await Promise.all(
        users.flatMap((of, index) => of.map((user, each) => user.nodes.members.create({ email: `${index}.${each}@example.com` }))),
      )
      const seen = await Promise.all(users.flatMap((of) => of.map((user) => user.nodes.members.count())))
      expect(seen).toEqual([2, 2, 3, 3, 3, 1])
      expect(users.map(([user]) => user!.poolInfo()!.leases)).toEqual([2, 3, 1])
      await Promise.all(users.flat().map((user) => user.close()))
    })

    it('work on four pools at once within two seconds', TIMED, async () => {
      // a lifetime that nobody else has: pools that nobody has opened yet
      const cold = shops.map((shop) => shop.another({ pool: { maxLifetimeMs: 1_234_567 } }))
      expect(cold.map((db) => db.poolInfo())).toEqual(cold.map(() => undefined))
      const startedMs = performance.now()
      const work = cold.map(async ({ nodes }, index) => {
        const { id } = await nodes.members.create({ email: `four${index}@example.com` })
        return (await nodes.members.readOrThrow({ where: { id } })).email
      })
      expect(await Promise.all(work)).toEqual([0, 1, 2, 3].map((index) => `four${index}@example.com`))
      expect(performance.now() - startedMs).toBeLessThan(2_000)
      expect(new Set(cold.map((db) => db.poolInfo()!.name)).size).toBe(4)
      await Promise.all(cold.map((db) => db.close()))
    })
  })
})

describe('a database in memory', () => {
  it('creates, inserts and selects in plain :memory:', async () => {
    await using db = createDatabase({ url: 'sqlite::memory:', models })
    await db.createTables()
    const { id } = await db.nodes.members.create({ email: 'memory@example.com' })
    expect((await db.nodes.members.readOrThrow({ where: { id } })).email).toBe('memory@example.com')
    await using other = createDatabase({ url: 'sqlite::memory:', models })
    await other.createTables()
    expect(await other.nodes.members.count()).toBe(0)
  })
})

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
