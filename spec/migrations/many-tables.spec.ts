import 'reflect-metadata'
import { createMigrator } from 'latchwork/migrations'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { defineLooseModel } from '../../lib/model/define-model.js'
import { schemaOf } from '../../lib/model/schema.js'
import { generateMigration } from '../../migrations/generate.js'
import { writeMigration } from '../../migrations/write-migration.js'
import { type FreshDatabase, forEachEngine } from '../support/engines.js'
import { TIMED } from '../support/timed.js'
import { folderOf } from './draft.js'

/** For each of `generate` and `drift`. */
const MOST_MS = 5_000

/** 500 tables of ten columns, with a default, a check and two keys each. */
function fiveHundred() {
  const definitions = Array.from({ length: 500 }, (_, at) => {
    class Thing {}
    return defineLooseModel(Thing, {
      name: `Thing${at}`,
      table: `things_${at}`,
      fields: {
        id: { kind: 'integer', primary: true, increment: true },
        code: { kind: 'text', maxLength: 40, unique: true },
        rank: { kind: 'integer', default: at, check: { $gte: 0 } },
        kind: { kind: 'text', maxLength: 20, nullable: true },
        ...Object.fromEntries(Array.from({ length: 6 }, (_column, nth) => [`value${nth}`, { kind: 'integer', nullable: true }] as const)),
      },
    })
  })
  return schemaOf(definitions)
}

forEachEngine((engine) => {
  let database: FreshDatabase

  beforeEach(async () => {
    database = await engine.freshDatabase()
  })

  afterEach(() => database.drop())

  it('generates 500 tables of 5,000 columns, and finds the one thing that has drifted, within 5 s each', {
    ...TIMED,
    timeout: 300_000,
  }, async () => {
    const to = fiveHundred()
    const given = { name: 'many', now: new Date('2026-11-23T12:00:00Z'), ids: [], parents: [], facts: {}, engines: [engine.name] }
    const sinceMs = performance.now()
    const { draft } = generateMigration({ ...given, from: undefined, to })
    const nothing = generateMigration({ ...given, from: JSON.parse(draft!.files['snapshot.json']!), to })
    const generateMs = Math.round(performance.now() - sinceMs)
    expect(nothing).toMatchObject({ draft: undefined, decisions: [] })

    const folder = await folderOf([])
    await writeMigration(folder, draft!)
    const migrator = createMigrator({ url: database.url, folder })
    await engine.admin(database.url, (await migrator.script()).sql)
    await engine.admin(database.url, 'alter table things_321 add column extra integer')
    const driftedMs = performance.now()
    const drift = await migrator.drift()
    const driftMs = Math.round(performance.now() - driftedMs)
    expect(drift.differences).toMatchObject([{ kind: 'unexpected', table: 'things_321', name: 'extra' }])
    expect(drift.notCompared).toEqual([])
    console.log(`${engine.name}: generate twice ${generateMs} ms, drift ${driftMs} ms`)
    expect(Math.max(generateMs / 2, driftMs)).toBeLessThan(MOST_MS)
  })
})
