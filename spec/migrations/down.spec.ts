import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createMigrator } from 'latchwork/migrations'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FreshDatabase, forEachEngine } from '../support/engines.js'
import { type Draft, FIVE, folderOf, idOf } from './draft.js'
import { shapeOf } from './look.js'

const ids = FIVE.map(({ slug }) => idOf(FIVE, slug))

forEachEngine((engine) => {
  let database: FreshDatabase

  beforeEach(async () => {
    database = await engine.freshDatabase()
  })

  afterEach(() => database.drop())

  const migratorOf = (folder: string) => createMigrator({ url: database.url, folder })

  describe('down', () => {
    it('reverts the last ones, and everything leaves what was there before', async () => {
      const before = await shapeOf(database.url)
      const migrator = migratorOf(await folderOf(FIVE))
      await migrator.up()
      expect((await migrator.down({ steps: 2 })).reverted.map(({ id }) => id)).toEqual([ids[4], ids[3]])
      const rest = await migrator.down({ to: ids[0]! })
      expect(rest.reverted.map(({ id }) => id)).toEqual([ids[2], ids[1]])
      expect(rest.pending).toEqual(ids.slice(1))
      await migrator.down({ steps: 1 })
      expect(await shapeOf(database.url)).toEqual(before)
      expect((await migrator.up()).applied).toHaveLength(5)
    })

    it('asks before it loses data, and wants to know how far', async () => {
      const drafts: readonly Draft[] = [
        { slug: 'one', up: ['create table a (id integer primary key)'], down: ['drop table a'], lossyDown: true },
      ]
      const migrator = migratorOf(await folderOf(drafts))
      await migrator.up()
      await expect(migrator.down({})).rejects.toMatchObject({ exitCode: 2 })
      await expect(migrator.down({ steps: 1 })).rejects.toMatchObject({ exitCode: 3, document: { command: 'down', reverted: [] } })
      await expect(migrator.down({ steps: 1, allowLossy: true })).resolves.toMatchObject({ reverted: [{ id: idOf(drafts, 'one') }] })
    })

    it('refuses one without a down file before it reverts another', async () => {
      const drafts: readonly Draft[] = [
        { slug: 'one', up: ['create table a (id integer primary key)'] },
        { slug: 'two', up: ['create table b (id integer primary key)'], down: ['drop table b'] },
      ]
      const migrator = migratorOf(await folderOf(drafts))
      await migrator.up()
      await expect(migrator.down({ steps: 2 })).rejects.toMatchObject({ exitCode: 2 })
      expect((await migrator.status()).applied).toHaveLength(2)
    })
  })

  it('redo reverts the last one and applies it again', async () => {
    const migrator = migratorOf(await folderOf(FIVE))
    await migrator.up()
    expect(await migrator.redo()).toMatchObject({ command: 'redo', reverted: [{ id: ids[4] }], applied: [{ id: ids[4] }], pending: [] })
  })

  if (engine.name === 'mysql')
    it('resume undoes what is done of one that failed, and goes on with no step that was changed', async () => {
      const drafts: readonly Draft[] = [
        { slug: 'good', up: ['create table good (id integer primary key)'] },
        {
          slug: 'bad',
          up: ['create table one (id integer primary key)', 'create table good (id integer primary key)'],
          down: ['drop table good', 'drop table one'],
        },
      ]
      const folder = await folderOf(drafts)
      const migrator = migratorOf(folder)
      const [good, bad] = [idOf(drafts, 'good'), idOf(drafts, 'bad')]
      await expect(migrator.up()).rejects.toMatchObject({ exitCode: 9, failed: { id: bad, stepsDone: 1 } })
      const file = join(folder, bad, 'up.mysql.sql')
      const text = await readFile(file, 'utf8')
      await writeFile(file, text.replace('table one', 'table other'))
      await expect(migrator.resume(bad)).rejects.toMatchObject({ exitCode: 6, problems: [{ kind: 'modified' }] })
      await writeFile(file, text)
      expect(await migrator.resume(bad, { rollback: true })).toMatchObject({ reverted: [{ id: bad }], pending: [bad] })
      expect((await migrator.status()).applied).toEqual([good])
      const left = JSON.stringify(await shapeOf(database.url))
      expect([left.includes('"good"'), left.includes('"one"')]).toEqual([true, false])
    })

  describe('mark', () => {
    it('says what state a migration is in, with a reason', async () => {
      const migrator = migratorOf(await folderOf(FIVE))
      expect(await migrator.mark(ids[0]!, 'applied', { reason: 'made by hand' })).toMatchObject({ ok: true, pending: ids.slice(1) })
      await expect(migrator.mark(ids[1]!, 'applied', { reason: ' ' })).rejects.toMatchObject({ exitCode: 2 })
      await migrator.mark(ids[0]!, 'pending', { reason: 'it was not' })
      expect((await migrator.status()).pending).toEqual(ids)
      const log = await engine.admin(database.url, 'select reason from _latchwork_migration_log order by id')
      expect(log).toEqual([{ reason: 'applied: made by hand' }, { reason: 'pending: it was not' }])
    })
  })

  describe('script', () => {
    it('is what up runs, state included', async () => {
      const folder = await folderOf(FIVE)
      const { sql, ids: scripted } = await migratorOf(folder).script()
      expect(scripted).toEqual(ids)
      await engine.admin(database.url, sql)
      expect(await migratorOf(folder).status()).toMatchObject({ applied: ids, pending: [], modified: [] })
      expect(await migratorOf(folder).up()).toMatchObject({ ok: true, applied: [] })
    })
  })
})
