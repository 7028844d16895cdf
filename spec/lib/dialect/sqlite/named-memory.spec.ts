import { AsyncResource } from 'node:async_hooks'
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  ConfigurationError,
  createDatabase,
  type Database,
  type DatabaseOptions,
  defineModel,
  type Generated,
  PoolSelfDeadlockError,
  PoolTimeoutError,
} from 'latchwork'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { poolRegistry } from '../../../../lib/pool/pool-registry.js'
import { rejectionOf } from '../../../contract/use-database.js'

class Item {
  id!: Generated<number>
  name!: string
}
defineModel(Item, { fields: { id: { kind: 'integer', primary: true, increment: true }, name: { kind: 'text' } } })
const models = { items: Item }
type Options = Partial<DatabaseOptions<typeof models>>

describe('an in-memory database with a name', () => {
  const opened: Database<typeof models>[] = []
  const freshUrl = () => `sqlite::memory:spec-${randomUUID()}`

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((db) => db.close({ timeoutMs: 100 })))
    expect(poolRegistry().stats().pools).toEqual([])
    expect(poolRegistry().budget.taken).toBe(0)
  })

  function open(url: string, options: Options = {}): Database<typeof models> {
    const db = createDatabase({ url, models, ...options })
    opened.push(db)
    return db
  }

  async function openWithTables(url: string, options: Options = {}): Promise<Database<typeof models>> {
    const db = open(url, options)
    await db.createTables()
    return db
  }

  it('is one database for all who name it, by URL or in parts', async () => {
    const url = freshUrl()
    const one = await openWithTables(url)
    const { url: _, ...inParts } = { url, connection: { engine: 'sqlite', file: url.slice('sqlite:'.length) } as const, models }
    const other = createDatabase(inParts)
    opened.push(other)
    await one.nodes.items.create({ name: 'from one' })
    await other.nodes.items.create({ name: 'from the other' })
    const names = (await one.nodes.items.list({ orderBy: { id: 'asc' } })).rows.map(({ name }) => name)
    expect(names).toEqual(['from one', 'from the other'])
    expect(poolRegistry().stats().pools).toMatchObject([{ leases: 2 }])
  })

  it('is another one than that of another name, and than the one without a name', async () => {
    const one = await openWithTables(freshUrl())
    await one.nodes.items.create({ name: 'mine' })
    const other = await openWithTables(freshUrl())
    expect(await other.nodes.items.count()).toBe(0)
    const nameless = [await openWithTables('sqlite::memory:'), await openWithTables('sqlite::memory:')]
    await nameless[0]!.nodes.items.create({ name: 'alone' })
    expect(await Promise.all(nameless.map((db) => db.nodes.items.count()))).toEqual([1, 0])
  })

  it('is the same where two copies of the package are loaded', async () => {
    const url = freshUrl()
    const one = await openWithTables(url)
    vi.resetModules()
    const copy = await import('latchwork')
    expect(copy.createDatabase).not.toBe(createDatabase)
    const other = copy.createDatabase({ url, models })
    await other.nodes.items.create({ name: 'by the copy' })
    expect(await one.nodes.items.count()).toBe(1)
    const error = await rejectionOf(copy.createDatabase({ url, models, pool: { maxQueue: 5 } }).ping())
    expect(error).toBeInstanceOf(copy.ConfigurationError)
    await one.close()
    expect(await other.nodes.items.count()).toBe(1)
    await other.close()
  })

  it('lives until the last database object that used it is closed, and longer than idleTimeoutMs', async () => {
    const url = freshUrl()
    const options = { pool: { idleTimeoutMs: 20, maxLifetimeMs: 100 } }
    const one = await openWithTables(url, options)
    await one.nodes.items.create({ name: 'kept' })
    const other = open(url, options)
    // callers that come at once each borrow, and give what they have too much of back
    await Promise.all([1, 2, 3].map(() => other.nodes.items.count()))
    await one.close()
    await sleep(150)
    expect(await other.nodes.items.count()).toBe(1)
    await other.close()
    const later = open(url, options)
    expect((await rejectionOf(later.nodes.items.count())).message).toMatch(/no such table/)
  })

  it('makes one wait for the transaction of another, whose rows it never sees before the commit', async () => {
    const url = freshUrl()
    const [one, other] = [await openWithTables(url), open(url)]
    await other.ping()
    let counting: Promise<number> | undefined
    await one.transaction(async () => {
      await one.nodes.items.create({ name: 'not yet' })
      counting = countElsewhere(other)
      expect(await Promise.race([counting, sleep(30, 'waits')])).toBe('waits')
    })
    expect(await counting).toBe(1)
    const undone = rejectionOf(one.transaction(async () => Promise.reject(await one.nodes.items.create({ name: 'never' }))))
    expect(await Promise.all([undone, other.nodes.items.count()])).toMatchObject([{}, 1])
  })

  it('serves 200 callers of two database objects with one connection', async () => {
    const url = freshUrl()
    const both = [await openWithTables(url), open(url)]
    await Promise.all(Array.from({ length: 200 }, (_, index) => both[index % 2]!.nodes.items.create({ name: `item ${index}` })))
    expect(await both[1]!.nodes.items.count()).toBe(200)
    expect(poolRegistry().stats().pools).toMatchObject([{ leases: 2, stats: { open: 1, leased: 0, waiting: 0 } }])
  })

  it('never falls back to a connection of its own, which would be another database', async () => {
    const url = freshUrl()
    const options = { pool: { acquireTimeoutMs: 60, lockTimeoutMs: 1 } }
    const [one, other] = [await openWithTables(url, options), open(url, options)]
    await one.transaction(async () => {
      expect(await rejectionOf(countElsewhere(other))).toBeInstanceOf(PoolTimeoutError)
      expect(poolRegistry().stats().dedicated).toBe(0)
    })
  })

  it('tells at once who would wait for the transaction around it', async () => {
    const url = freshUrl()
    const [one, other] = [await openWithTables(url), open(url)]
    await other.ping()
    const error = await rejectionOf(one.transaction(() => other.nodes.items.count()))
    expect(error).toBeInstanceOf(PoolSelfDeadlockError)
  })

  it('refuses other pool options than those it is open with, by the name of the option, until it is closed', async () => {
    const url = freshUrl()
    const one = await openWithTables(url)
    const other = open(url, { pool: { initSql: ["select 'hunter2'"] } })
    const error = await rejectionOf(other.nodes.items.count())
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error).toMatchObject({ option: 'pool.initSql' })
    expect(error.message).toMatch(/^pool\.initSql: the in-memory database "spec-[^"]+" is open with another value/)
    expect(error.message).not.toContain('hunter2')
    await one.close()
    expect((await rejectionOf(other.nodes.items.count())).message).toMatch(/no such table/)
  })

  it('opens anew, with whatever options, for who comes while it is being closed', async () => {
    const url = freshUrl()
    const one = await openWithTables(url)
    let closing: Promise<void> | undefined
    const busy = one.transaction(async () => {
      await one.nodes.items.create({ name: 'last' })
      closing = one.close()
      await sleep(50)
      return 'finished'
    })
    await sleep(10)
    const later = open(url, { pool: { maxQueue: 7 } })
    await later.createTables()
    expect(await later.nodes.items.count()).toBe(0)
    expect(await busy).toBe('finished')
    await closing
  })

  it('can be opened again after it could not be opened', async () => {
    const url = freshUrl()
    await rejectionOf(open(url, { pool: { initSql: ['no sql'] } }).ping())
    const db = await openWithTables(url)
    expect(await db.nodes.items.count()).toBe(0)
  })

  it('cannot be kept from others: share: false with a name is refused before anything is opened', () => {
    const error = thrownBy(() => createDatabase({ url: freshUrl(), models, pool: { share: false } }))
    expect(error).toBeInstanceOf(ConfigurationError)
    expect(error).toMatchObject({ option: 'pool.share' })
    expect(() => createDatabase({ url: 'sqlite::memory:', models, pool: { share: false } })).not.toThrow()
  })

  it.each(['a', 'Shop_1.test-2', 'x'.repeat(100)])('takes the name %s', async (name) => {
    await expect(open(`sqlite::memory:${name}`).ping()).resolves.toBeUndefined()
  })

  it.each(['shop?mode=ro', 'a b', 'a/b', '../a', 'ä', 'a:b', 'a%00', 'x'.repeat(101)])('refuses the name %s', (name) => {
    expect(thrownBy(() => createDatabase({ url: `sqlite::memory:${name}`, models }))).toBeInstanceOf(ConfigurationError)
    const connection = { engine: 'sqlite', file: `:memory:${name}` } as const
    expect(thrownBy(() => createDatabase({ connection, models }))).toMatchObject({ option: 'connection.file' })
  })
})

/** Counts in the context of this module: as somebody else's call, not as one in the transaction. */
const countElsewhere = AsyncResource.bind((db: Database<typeof models>): Promise<number> => db.nodes.items.count())

function thrownBy(call: () => unknown): unknown {
  try {
    call()
  } catch (error) {
    return error
  }
  throw new Error('expected it to throw')
}
