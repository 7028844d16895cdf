import { createMigrator } from 'latchwork/migrations'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FreshDatabase, forEachEngine } from '../support/engines.js'
import { ConnectionCutter } from './connection-cutter.js'
import { type Draft, folderOf, idOf } from './draft.js'

const DRAFTS: readonly Draft[] = [
  { slug: 'first', up: ['create table a (id integer primary key)', 'create table cut_here (id integer primary key)'] },
]
const first = idOf(DRAFTS, 'first')

forEachEngine(
  (engine) => {
    let database: FreshDatabase
    let cutter: ConnectionCutter

    beforeEach(async () => {
      database = await engine.freshDatabase()
    })

    afterEach(async () => {
      cutter.close()
      await database.drop()
    })

    describe('a run that has lost its lock with its connection', () => {
      it('leaves alone what another process has written since', async () => {
        const folder = await folderOf(DRAFTS)
        const other = createMigrator({ url: database.url, folder, lockTimeoutMs: 10_000 })
        cutter = new ConnectionCutter(new URL(database.url), {
          isAt: (bytes) => bytes.includes('cut_here'),
          when: 'unsent',
          after: () => other.up(),
        })
        const error = await createMigrator({ url: await cutter.listen(database.url), folder })
          .up()
          .catch((reason: unknown) => reason)
        expect(error).toMatchObject({ exitCode: 8, failed: { id: first } })
        expect((error as { document: { warnings: string[] } }).document.warnings).toEqual([expect.stringContaining('another process')])
        expect(await other.status()).toMatchObject({ applied: [first], pending: [], failed: [] })
        expect(await other.up()).toMatchObject({ ok: true, applied: [] })
      })
    })
  },
  // on MySQL the first step stays, and the other process refuses what is partly applied; a file has no connection to lose
  { engines: ['postgres'] },
)
