import { createMigrator, type Migrator } from 'latchwork/migrations'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { MysqlConnection } from '../../lib/dialect/mysql/connection.js'
import { PostgresConnection } from '../../lib/dialect/postgres/connection.js'
import { SqliteSession } from '../../lib/dialect/sqlite/session.js'
import { type FreshDatabase, forEachEngine } from '../support/engines.js'
import { TIMED } from '../support/timed.js'
import { type Draft, folderOf } from './draft.js'

const DRAFTS: readonly Draft[] = Array.from({ length: 1_000 }, (_, at) => ({
  slug: `m${at}`,
  up: [`update things set n = ${at}`],
  down: ['update things set n = 0'],
}))
const FIRST: Draft = { slug: 'things', up: ['create table things (n integer)'] }

/** On a machine of two cores that does nothing else each takes a fifth of a second. */
const MOST_MS = 1_000
/** The least of so many is what the work takes; the others are what else the machine has to do. */
const TRIES = 5

const CONNECTIONS = { postgres: PostgresConnection, mysql: MysqlConnection, sqlite: SqliteSession } as const

forEachEngine((engine) => {
  let database: FreshDatabase

  beforeEach(async () => {
    database = await engine.freshDatabase()
  })

  afterEach(async () => {
    vi.restoreAllMocks()
    await database.drop()
  })

  /** A migrator of a database to which all of so many are applied. */
  async function applied(count: number): Promise<Migrator> {
    const migrator = createMigrator({ url: database.url, folder: await folderOf([FIRST, ...DRAFTS.slice(0, count)]) })
    await engine.admin(database.url, (await migrator.script()).sql)
    return migrator
  }

  const asks = (migrator: Migrator) => [() => migrator.status(), () => migrator.up()]

  it('asks the database no more often of 1,000 applied migrations than of 10', async () => {
    const counts: number[][] = []
    for (const count of [10, 1_000]) {
      const migrator = await applied(count)
      const run = vi.spyOn(CONNECTIONS[engine.name].prototype, 'run')
      const its: number[] = []
      for (const ask of asks(migrator)) {
        run.mockClear()
        await ask()
        its.push(run.mock.calls.length)
      }
      counts.push(its)
      run.mockRestore()
      await database.drop()
      database = await engine.freshDatabase()
    }
    expect(counts[1]).toEqual(counts[0])
    expect(Math.min(...counts[0]!)).toBeGreaterThan(0)
  }, 60_000)

  it('says of 1,000 applied migrations within a second that there is nothing to do', { ...TIMED, timeout: 60_000 }, async () => {
    const migrator = await applied(1_000)
    const took: number[] = []
    for (const ask of asks(migrator)) {
      const tries: number[] = []
      while (tries.length < TRIES) {
        const sinceMs = performance.now()
        expect(await ask()).toMatchObject({ ok: true, pending: [] })
        tries.push(performance.now() - sinceMs)
      }
      took.push(Math.round(Math.min(...tries)))
    }
    console.log(`${engine.name}: status ${took[0]} ms, up ${took[1]} ms`)
    expect(Math.max(...took)).toBeLessThan(MOST_MS)
  })
})
