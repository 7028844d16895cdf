import { createMigrator } from 'latchwork/migrations'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FreshDatabase, forEachEngine } from '../support/engines.js'
import { ConnectionCutter, type Cut } from './connection-cutter.js'
import { type Draft, FIVE, folderOf, idOf } from './draft.js'

const ids = FIVE.map(({ slug }) => idOf(FIVE, slug))

/** Cuts a connection at the nth COMMIT. */
function commitCutter(target: URL, nth: number, when: Cut['when']): ConnectionCutter {
  let commits = 0
  const isAt = (bytes: Buffer) => bytes.includes('commit') && !bytes.includes('autocommit') && ++commits === nth
  return new ConnectionCutter(target, { isAt, when })
}

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

    async function migratorThrough(nth: number, when: Cut['when'], drafts = FIVE) {
      cutter = commitCutter(new URL(database.url), nth, when)
      return createMigrator({ url: await cutter.listen(database.url), folder: await folderOf(drafts) })
    }

    // where DDL can be undone, the first COMMIT is that of the state tables, and each migration has one
    const isUndone = engine.name === 'postgres'

    describe('a COMMIT at the end of a migration', () => {
      it.each(isUndone ? [2, 3, 6] : [1])(
        'whose answer is lost is found to have come through, and the run goes on: the one of number %i',
        async (nth) => {
          const migrator = await migratorThrough(nth, 'unanswered')
          const done = await migrator.up()
          expect(done).toMatchObject({ ok: true, pending: [], warnings: [expect.stringContaining('which had come through')] })
          expect(done.applied.map(({ id }) => id)).toEqual(ids)
          expect(await engine.admin(database.url, 'select id from marks order by id')).toEqual([2, 3, 4, 5].map((id) => ({ id })))
        },
      )

      it('that never reached the server is said to have failed, and what is done is known', async () => {
        const migrator = await migratorThrough(isUndone ? 3 : 1, 'unsent')
        const error = await migrator.up().catch((reason: unknown) => reason)
        const id = isUndone ? ids[1]! : ids[0]!
        expect(error).toMatchObject({ exitCode: isUndone ? 8 : 9, failed: { id, databaseUnchanged: isUndone } })
        if (!isUndone) expect(await migrator.resume(id)).toMatchObject({ ok: true, warnings: [expect.stringContaining('had run')] })
        expect(await migrator.up()).toMatchObject({ ok: true, pending: [] })
        expect(await engine.admin(database.url, 'select id from marks order by id')).toEqual([2, 3, 4, 5].map((id) => ({ id })))
      })
    })

    describe('a COMMIT in a data migration', () => {
      const drafts: readonly Draft[] = [
        {
          slug: 'rows',
          up: ['create table rows_ (id integer primary key, n integer not null)', 'insert into rows_ values (1, 0), (2, 0), (3, 0)'],
        },
        {
          slug: 'count',
          data: `export const up = ({ batch }) => batch({ table: 'rows_', key: 'id', size: 2 }, ({ db, keys }) =>
            db.updateTable('rows_').set((eb) => ({ n: eb('n', '+', 1) })).where('id', 'in', keys).execute())`,
        },
      ]
      const count = idOf(drafts, 'count')
      const rows = () =>
        engine
          .admin(database.url, 'select n, count(*) as c from rows_ group by n')
          .then((all) => all.map(({ n, c }) => [Number(n), Number(c)]))

      it.each(['unsent', 'unanswered'] as const)(
        'of its first batch that is %s leaves it in part, and no row is missed or changed twice',
        async (when) => {
          const migrator = await migratorThrough(3, when, drafts)
          await expect(migrator.up()).rejects.toMatchObject({ exitCode: 9, failed: { id: count, databaseUnchanged: false } })
          expect(await migrator.resume(count)).toMatchObject({ ok: true, applied: [{ id: count }] })
          expect(await rows()).toEqual([[1, 3]])
        },
      )

      it('at its end whose answer is lost is found to have come through', async () => {
        const migrator = await migratorThrough(5, 'unanswered', drafts)
        expect(await migrator.up()).toMatchObject({ ok: true, pending: [], warnings: [expect.stringContaining('which had come through')] })
        expect(await rows()).toEqual([[1, 3]])
      })
    })
  },
  { engines: ['postgres', 'mysql'] },
)
