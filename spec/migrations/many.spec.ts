import { createMigrator } from 'latchwork/migrations'
import { afterEach, beforeEach, expect, it } from 'vitest'
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

forEachEngine((engine) => {
  let database: FreshDatabase

  beforeEach(async () => {
    database = await engine.freshDatabase()
  })

  afterEach(() => database.drop())

  it('says of 1,000 applied migrations within a second that there is nothing to do', { ...TIMED, timeout: 60_000 }, async () => {
    const migrator = createMigrator({ url: database.url, folder: await folderOf([FIRST, ...DRAFTS]) })
    await engine.admin(database.url, (await migrator.script()).sql)
    const took: number[] = []
    for (const ask of [() => migrator.status(), () => migrator.up()]) {
      const sinceMs = performance.now()
      expect(await ask()).toMatchObject({ ok: true, pending: [] })
      took.push(Math.round(performance.now() - sinceMs))
    }
    console.log(`${engine.name}: status ${took[0]} ms, up ${took[1]} ms`)
    expect(Math.max(...took)).toBeLessThan(MOST_MS)
  })
})
