import { createMigrator } from 'latchwork/migrations'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type FreshDatabase, forEachEngine } from '../support/engines.js'
import { type Pgbouncer, startPgbouncer, whyNoPgbouncer } from '../support/pgbouncer.js'
import { FIVE, folderOf } from './draft.js'
import { shapeOf } from './look.js'

const missing = whyNoPgbouncer()

forEachEngine(
  (engine) => {
    describe.skipIf(missing !== undefined)(`behind PgBouncer${missing === undefined ? '' : ` (not there: ${missing})`}`, () => {
      let database: FreshDatabase
      const poolers: Partial<Record<'transaction' | 'session', Pgbouncer>> = {}

      beforeAll(async () => {
        for (const mode of ['transaction', 'session'] as const) poolers[mode] = await startPgbouncer({ mode, poolSize: 2 })
      })

      afterAll(async () => {
        for (const pooler of Object.values(poolers)) await pooler.stop()
      })

      beforeEach(async () => {
        database = await engine.freshDatabase()
      })

      afterEach(() => database.drop())

      it.each(['transaction', 'session'] as const)('in %s mode migrations are refused, and nothing was run', async (mode) => {
        const before = await shapeOf(database.url)
        const migrator = createMigrator({ url: poolers[mode]!.urlOf(database.url), folder: await folderOf(FIVE) })
        const error = await migrator.up().catch((reason: unknown) => reason)
        expect(error).toMatchObject({ code: 'POOLER_MODE', message: expect.stringContaining('direct URL') })
        const { documentOf, exitCodeOf } = await import('latchwork/migrations')
        expect([exitCodeOf(error), documentOf(error)]).toMatchObject([2, { ok: false, exitCode: 2, applied: [] }])
        expect(await shapeOf(database.url)).toEqual(before)
        expect(await engine.admin(database.url, "select 1 from pg_class where relname like '\\_latchwork%'")).toEqual([])
      })

      it('in session mode they run where somebody says that it is one', async () => {
        const url = poolers.session!.urlOf(database.url)
        const migrator = createMigrator({ url, folder: await folderOf(FIVE), allowSessionPooler: true })
        expect(await migrator.up()).toMatchObject({ ok: true, pending: [] })
      })
    })
  },
  { engines: ['postgres'] },
)
