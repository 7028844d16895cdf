import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createMigrator, type MigrationProgress } from 'latchwork/migrations'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FreshDatabase, forEachEngine } from '../support/engines.js'
import { type Draft, folderOf, idOf } from './draft.js'

const values = Array.from({ length: 95 }, (_, at) => `(${at + 1}, 0)`).join(', ')

/** Counts each row up, ten at a time; throws at the row of the environment's choice. */
const DATA = `
export async function up({ db, batch, log }) {
  log('begins')
  await batch({ table: 'rows_', key: 'id', size: 10 }, async ({ db, keys, first, last }) => {
    await db.updateTable('rows_').set((eb) => ({ n: eb('n', '+', 1) })).where('id', 'in', keys).execute()
    if (globalThis.failAt !== undefined && first <= globalThis.failAt && globalThis.failAt <= last) throw new Error('row ' + globalThis.failAt + ' is wrong')
  })
}
export async function down({ db }) {
  await db.updateTable('rows_').set({ n: 0 }).execute()
}
`

const DRAFTS: readonly Draft[] = [
  {
    slug: 'rows',
    up: ['create table rows_ (id integer primary key, n integer not null)', `insert into rows_ values ${values}`],
    down: ['drop table rows_'],
  },
  { slug: 'count', data: DATA },
]
const count = idOf(DRAFTS, 'count')

/** As {@link DATA}, and the way back in batches under the same name. */
const BOTH_WAYS = `${DATA.slice(0, DATA.indexOf('export async function down'))}
export async function down({ db, batch }) {
  await batch({ table: 'rows_', key: 'id', size: 10, where: (query) => query.where('n', '>', 0) }, async ({ db, keys, first, last }) => {
    await db.updateTable('rows_').set((eb) => ({ n: eb('n', '-', 1) })).where('id', 'in', keys).execute()
    if (globalThis.failAt !== undefined && first <= globalThis.failAt && globalThis.failAt <= last) throw new Error('row ' + globalThis.failAt + ' stays')
  })
}
`
const REVERTIBLE: readonly Draft[] = [DRAFTS[0]!, { slug: 'count', data: BOTH_WAYS }]

forEachEngine((engine) => {
  let database: FreshDatabase
  const choice = globalThis as { failAt?: number | undefined }

  beforeEach(async () => {
    database = await engine.freshDatabase()
  })

  afterEach(() => {
    choice.failAt = undefined
    return database.drop()
  })

  const counts = () =>
    engine
      .admin(database.url, 'select n, count(*) as c from rows_ group by n order by n')
      .then((rows) => rows.map(({ n, c }) => [Number(n), Number(c)]))

  describe('a data migration', () => {
    it('goes through a table in batches, and says how far it is', async () => {
      const seen: MigrationProgress[] = []
      const migrator = createMigrator({ url: database.url, folder: await folderOf(DRAFTS), onProgress: (progress) => seen.push(progress) })
      expect(await migrator.up()).toMatchObject({ ok: true, applied: [{}, { id: count, steps: 1 }] })
      expect(await counts()).toEqual([[1, 95]])
      expect(seen.filter(({ type }) => type === 'batch').map((progress) => (progress as { done: number }).done)).toEqual([
        10, 20, 30, 40, 50, 60, 70, 80, 90, 95,
      ])
      expect(seen).toContainEqual({ type: 'log', id: count, message: 'begins' })
      await migrator.down({ steps: 1 })
      expect(await counts()).toEqual([[0, 95]])
    })

    it('goes on behind the last batch when it is resumed: no row twice, none left out', async () => {
      const migrator = createMigrator({ url: database.url, folder: await folderOf(DRAFTS) })
      choice.failAt = 57
      const error = await migrator.up().catch((reason: unknown) => reason)
      expect(error).toMatchObject({ exitCode: 9, failed: { id: count, databaseUnchanged: false, message: 'row 57 is wrong' } })
      expect(await counts()).toEqual([
        [0, 45],
        [1, 50],
      ])
      await expect(migrator.up()).rejects.toMatchObject({ exitCode: 9 })
      choice.failAt = undefined
      expect(await migrator.resume(count)).toMatchObject({ ok: true, applied: [{ id: count }] })
      expect(await counts()).toEqual([[1, 95]])
    })

    it('is undone where it had come to, and nowhere else', async () => {
      const migrator = createMigrator({ url: database.url, folder: await folderOf(REVERTIBLE) })
      choice.failAt = 57
      await expect(migrator.up()).rejects.toMatchObject({ exitCode: 9 })
      choice.failAt = undefined
      expect(await migrator.resume(count, { rollback: true })).toMatchObject({ ok: true, reverted: [{ id: count }], pending: [count] })
      expect(await counts()).toEqual([[0, 95]])
      expect(await migrator.up()).toMatchObject({ ok: true, applied: [{ id: count }] })
      expect(await counts()).toEqual([[1, 95]])
    })

    it('goes on behind the last batch on its way back, too', async () => {
      const folder = await folderOf([
        REVERTIBLE[0]!,
        { slug: 'count', data: BOTH_WAYS.replace("where: (query) => query.where('n', '>', 0) ", '') },
      ])
      const migrator = createMigrator({ url: database.url, folder })
      await migrator.up()
      choice.failAt = 57
      await expect(migrator.down({ steps: 1 })).rejects.toMatchObject({ exitCode: 9, failed: { direction: 'down' } })
      choice.failAt = undefined
      expect(await migrator.resume(count)).toMatchObject({ ok: true, reverted: [{ id: count }] })
      expect(await counts()).toEqual([[0, 95]])
    })

    it('has no steps to go on from', async () => {
      const migrator = createMigrator({ url: database.url, folder: await folderOf(DRAFTS) })
      choice.failAt = 57
      await expect(migrator.up()).rejects.toMatchObject({ exitCode: 9 })
      choice.failAt = undefined
      await expect(migrator.resume(count, { fromStep: 2 })).rejects.toMatchObject({ exitCode: 2 })
      expect(await counts()).toEqual([
        [0, 45],
        [1, 50],
      ])
    })

    it('that fails in its first batch has changed nothing', async () => {
      const migrator = createMigrator({ url: database.url, folder: await folderOf(DRAFTS) })
      choice.failAt = 3
      await expect(migrator.up()).rejects.toMatchObject({ exitCode: 8, failed: { databaseUnchanged: true } })
      expect((await migrator.status()).pending).toEqual([count])
    })

    it('is no module and SQL at once, and has what it is asked for', async () => {
      const both = await folderOf(DRAFTS)
      await writeFile(join(both, count, `up.${engine.name}.sql`), 'select 1')
      await expect(createMigrator({ url: database.url, folder: both }).up()).rejects.toMatchObject({ exitCode: 2 })
      const without = await folderOf([{ slug: 'none', data: 'export const nothing = 1' }])
      await expect(createMigrator({ url: database.url, folder: without }).up()).rejects.toMatchObject({ exitCode: 2 })
    })
  })
})
