import { setTimeout as sleep } from 'node:timers/promises'
import { ConfigurationError, ConnectionError, createDatabase, PoolClosedError } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { poolRegistry } from '../../lib/pool/pool-registry.js'
import { forEachEngine } from '../support/engines.js'
import { mariadbBinaries } from '../support/mariadb-program.js'
import { embeddedPostgres, postgresBinaries } from '../support/postgres-program.js'
import { freePort, startThrowawayServer } from '../support/throwaway-server.js'
import { TIMED } from '../support/timed.js'
import { runFixture } from './fixture-process.js'
import { Member, models } from './members.js'
import { countSessions, rejectionOf, useDatabase } from './use-database.js'

describe('createDatabase', () => {
  const url = 'sqlite::memory:'
  it.each([
    ['no options', undefined, 'options', /expected an object/],
    ['an unknown option', { url, models, pools: {} }, 'pools', /known are .*pool/],
    ['models in a list', { url, models: [Member] }, 'models', /expected an object of classes/],
    ['no models', { url }, 'models', /expected an object of classes/],
    ['neither url nor connection', { models }, 'url', /either url or connection/],
    ['both url and connection', { url, connection: { engine: 'sqlite', file: ':memory:' }, models }, 'url', /either url or connection/],
    ['a url that is no text', { url: new URL('postgres://host/db'), models }, 'url', /expected a string/],
    ['a url without a scheme', { url: 'shop.db', models }, 'url', /unknown scheme \(none\); known are .*sqlite:/],
    ['an unknown scheme', { url: 'oracle://host/db', models }, 'url', /unknown scheme "oracle:"; known are .*postgres:/],
    ['an unknown parameter', { url: 'postgres://host/db?sslmod=require', models }, 'url', /unknown parameter "sslmod"; known are sslmode/],
    ['a / in a password', { url: 'postgres://ann:12/s3cret@host/db', models }, 'url', /^(?!.*s3cret).*\/ as %2F/],
    ['a ? in a password', { url: 'mysql://ann:12?s3cret@host/db', models }, 'url', /^(?!.*s3cret).*\? as %3F/],
    ['an unknown part', { connection: { engine: 'postgres', hots: 'x' }, models }, 'connection.hots', /known are .*host/],
    ['an unknown engine', { connection: { engine: 'oracle' }, models }, 'connection.engine', /expected postgres, mysql or sqlite/],
    ['a port out of range', { connection: { engine: 'mysql', port: 99_999 }, models }, 'connection.port', /1 to 65535/],
    ['an unknown pool option', { url, models, pool: { max: 5 } }, 'pool.max', /known are .*maxConnections/],
    ['a pool option out of bounds', { url, models, pool: { maxConnections: 0 } }, 'pool.maxConnections', /from 1 to 10000, got 0/],
    ['a pool option of the wrong type', { url, models, pool: { acquireTimeoutMs: '5' } }, 'pool.acquireTimeoutMs', /got (?:string|text)/],
    ['pool options that contradict each other', { url, models, pool: { minConnections: 20 } }, 'pool.minConnections', /more than maxConn/],
    ['a logger that cannot log', { url, models, logger: {} }, 'logger', /debug and warn/],
    ['a clock that is no function', { url, models, now: new Date() }, 'now', /a function/],
  ])('refuses %s, naming the option', (_, options, option, message) => {
    const create = () => createDatabase(options as never)
    expect(create).toThrow(ConfigurationError)
    expect(create).toThrow(message)
    expect(create).toThrow(expect.objectContaining({ option, code: 'CONFIGURATION' }))
  })

  it('refuses a class that is no model, and two models of one name', () => {
    expect(() => createDatabase({ url, models: { dates: Date as never } })).toThrow('model Date: has no definition')
    expect(() => createDatabase({ url, models: { members: Member, people: Member } })).toThrow(/model Member: /)
  })

  it('loads no driver and connects to nothing', () => {
    expect(createDatabase({ url: 'postgres://192.0.2.1:1/nowhere', models }).nodes.members.create.name).toBe('MemberCreateNode')
  })

  it('names the package to install where a driver is missing', async () => {
    const { output } = await runFixture('driver-missing.ts')
    const error = (driver: string) => ({
      name: 'DriverMissingError',
      code: 'DRIVER_MISSING',
      driver,
      message: `the driver package "${driver}" is not installed; run: npm install ${driver}`,
    })
    expect(JSON.parse(output)).toEqual(['pg', 'mysql2', 'better-sqlite3'].map(error))
  })
})

forEachEngine((engine) => {
  describe('a database object', () => {
    const shop = useDatabase(engine, models)
    const openPools = () =>
      poolRegistry()
        .stats()
        .pools.filter(({ name }) => name.includes(new URL(shop.url).pathname.slice(1)))

    it('shares one pool with others of the same configuration, and none with one that differs', async () => {
      await shop.db.ping()
      const same = shop.another()
      await same.ping()
      expect(openPools()).toHaveLength(1)
      const different = [
        shop.another({ pool: { maxConnections: 3 } }),
        shop.another({ pool: { initSql: ['select 1'] } }),
        shop.another({ pool: { share: false } }),
        shop.another({ pool: { share: false } }),
      ]
      await Promise.all(different.map((each) => each.ping()))
      expect(openPools()).toHaveLength(5)
      await Promise.all(different.map((each) => each.close()))
      await same.close()
      await shop.db.ping()
      expect(openPools()).toHaveLength(1)
    })

    it('answers a ping, and says why it cannot', TIMED, async () => {
      expect(await shop.db.ping()).toBeUndefined()
      const url = engine.name === 'sqlite' ? 'sqlite:/no/such/folder/shop.db' : shop.url.replace(/:\d+\//, `:${await freePort()}/`)
      const nowhere = createDatabase({ url, models })
      const startedMs = performance.now()
      const error = await rejectionOf(nowhere.ping())
      expect(error).toBeInstanceOf(ConnectionError)
      expect(error).toMatchObject({ code: 'CONNECTION', retryable: true })
      expect(performance.now() - startedMs).toBeLessThan(1_000)
      await nowhere.close()
    })

    it('lets calls that run finish when it is closed, and refuses later ones', async () => {
      const closing = shop.another({ pool: { share: false, maxConnections: 2 } })
      await closing.ping()
      const begun: number[] = []
      const calls = Array.from({ length: 2 }, (_, index) =>
        closing.transaction(async () => {
          begun.push(index)
          const { id } = await closing.nodes.tickets.create({})
          await sleep(100)
          return id
        }),
      )
      const settled = Promise.allSettled(calls)
      await expect.poll(() => begun.length, { interval: 5 }).toBe(engine.name === 'sqlite' ? 1 : 2)
      const queued = Promise.allSettled(Array.from({ length: 5 }, () => closing.nodes.tickets.create({})))
      await closing.close()
      const outcomes = await settled
      expect(outcomes[0]).toMatchObject({ status: 'fulfilled' })
      // the one writer of SQLite was not the second's yet
      expect(outcomes[1]).toMatchObject({ status: engine.name === 'sqlite' ? 'rejected' : 'fulfilled' })
      for (const outcome of await queued) expect(outcome).toMatchObject({ status: 'rejected', reason: { code: 'POOL_CLOSED' } })
      expect(await rejectionOf(closing.nodes.tickets.count())).toBeInstanceOf(PoolClosedError)
      expect(await rejectionOf(closing.transaction(async () => 1))).toBeInstanceOf(PoolClosedError)
      expect(await rejectionOf(closing.ping())).toBeInstanceOf(PoolClosedError)
    })

    it('waits for its own calls when it is closed, also where others keep the pool open', async () => {
      await shop.db.ping()
      const closing = shop.another()
      await closing.ping()
      const events: string[] = []
      const running = closing.transaction(() => sleep(60)).then(() => events.push('finished'))
      await sleep(10)
      await closing.close()
      events.push('closed')
      await closing.close()
      await running
      expect(events).toEqual(['finished', 'closed'])
      await shop.db.ping()
    })

    it('settles in time when it is closed under calls that do not end', async () => {
      const closing = shop.another({ pool: { share: false } })
      const running = rejectionOf(
        closing.transaction(() => closing.nodes.tickets.create({}).then(() => sleep(10_000, undefined, { ref: false }))),
      )
      await sleep(50)
      const startedMs = performance.now()
      await closing.close({ timeoutMs: 100 })
      expect(performance.now() - startedMs).toBeLessThan(1_500)
      if (engine.name !== 'sqlite') await expect.poll(() => countSessions(engine, shop.url)).toBeLessThanOrEqual(1)
      void running
    })

    it('may be closed twice, at once and unused', async () => {
      const closing = shop.another({ pool: { share: false } })
      await closing.ping()
      await Promise.all([closing.close(), closing.close()])
      await closing.close()
      await shop.another().close()
    })

    it('closes at the end of the block that it is used in', async () => {
      let used: ReturnType<typeof shop.another>
      {
        await using db = shop.another({ pool: { share: false } })
        await db.ping()
        used = db
      }
      expect(await rejectionOf(used.ping())).toBeInstanceOf(PoolClosedError)
    })

    it('does not make tables where one is there already, and changes nothing', async () => {
      const fresh = await engine.freshDatabase()
      await engine.admin(fresh.url, 'create table notes (kept integer)')
      const db = createDatabase({ url: fresh.url, models })
      const error = await rejectionOf(db.createTables())
      expect(error).toBeInstanceOf(ConfigurationError)
      expect(error.message).toContain('"notes"')
      expect(error.message).toContain('latchwork migrate baseline')
      expect(await rejectionOf(db.nodes.members.count())).toMatchObject({ code: 'QUERY' })
      expect(await engine.admin(fresh.url, 'select kept from notes')).toEqual([])
      await db.close()
      await fresh.drop()
    })

    it('makes no tables where migrations look after the database', async () => {
      const fresh = await engine.freshDatabase()
      await engine.admin(fresh.url, 'create table _latchwork_migrations (id integer)')
      const db = createDatabase({ url: fresh.url, models })
      const error = await rejectionOf(db.createTables())
      expect(error).toBeInstanceOf(ConfigurationError)
      expect(error.message).toContain('latchwork migrate up')
      expect(await rejectionOf(db.nodes.members.count())).toMatchObject({ code: 'QUERY' })
      await db.close()
      await fresh.drop()
    })

    it('lets the process end by itself once it is closed', async () => {
      const fresh = await engine.freshDatabase()
      const { output, exitCode, msAfterOutput } = await runFixture('exits.ts', fresh.url)
      expect({ output, exitCode }).toEqual({ output: 'closed', exitCode: 0 })
      expect(msAfterOutput).toBeLessThan(2_000)
      await fresh.drop()
    })

    it('makes 200,000 rows from a source without holding them', async () => {
      const fresh = await engine.freshDatabase()
      const { output } = await runFixture('memory.ts', fresh.url)
      const { count, grownBytes } = JSON.parse(output) as { count: number; grownBytes: number }
      expect(count).toBe(200_000)
      expect(grownBytes).toBeLessThan(8 * 1024 * 1024)
      await fresh.drop()
    })
  })
})

describe.each([
  ['PostgreSQL', postgresBinaries() ?? embeddedPostgres()],
  ['MariaDB', mariadbBinaries()],
])('a database object whose server goes away: %s', { timeout: 60_000 }, (_, program) => {
  it.skipIf(program === undefined)('fails with typed errors meanwhile, and works again without being made anew', async () => {
    const server = await startThrowawayServer(program!)
    const url = program!.engine === 'mysql' ? `${server.url}/mysql` : server.url
    const db = createDatabase({ url, models: { members: Member }, pool: { maxConnections: 4 } })
    try {
      await Promise.all(Array.from({ length: 8 }, () => db.ping()))
      await server.stop(program!.killSignal)
      const errors = await Promise.all(Array.from({ length: 8 }, () => rejectionOf(db.ping())))
      for (const { code } of errors) expect(['CONNECTION', 'CONNECTION_LOST']).toContain(code)
      await server.start()
      await expect.poll(() => db.ping(), { timeout: 1_000, interval: 50 }).toBeUndefined()
      await Promise.all(Array.from({ length: 20 }, () => db.ping()))
    } finally {
      await db.close()
      await server.remove()
    }
  })
})
