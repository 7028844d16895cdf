import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createMigrator, squashMigrations } from 'latchwork/migrations'
import { afterEach, describe, expect, it } from 'vitest'
import { type FreshDatabase, forEachEngine } from '../support/engines.js'
import { type Draft, FIVE, folderOf, idOf } from './draft.js'
import { shapeOf } from './look.js'

const DATA: Draft = { slug: 'rows', data: 'export const up = async () => undefined' }
const TABLES = ['marks', 'users', 'posts']
const id = (slug: string) => idOf(FIVE, slug)

forEachEngine((engine) => {
  const databases: FreshDatabase[] = []

  afterEach(() => Promise.all(databases.splice(0).map((each) => each.drop())))

  async function fresh(): Promise<string> {
    const database = await engine.freshDatabase()
    databases.push(database)
    return database.url
  }

  const squash = (folder: string, from: string, to: string, name = 'all') =>
    squashMigrations({ folder, engines: [engine.name], from, to, name })

  /** Drafts have the SQL of all engines; here they are a project of one. */
  async function ownFolder(drafts: readonly Draft[]): Promise<string> {
    const only = (sql: Draft['up']): Draft['up'] =>
      sql === undefined ? sql : { [engine.name]: typeof sql === 'string' || Array.isArray(sql) ? sql : (sql as never)[engine.name] }
    return folderOf(drafts.map((draft) => ({ ...draft, up: only(draft.up), down: only(draft.down) }) as Draft))
  }

  describe('a squashed migration', () => {
    it('in the middle leaves the last one the last, where no file says which that is', async () => {
      const folder = await ownFolder(FIVE)
      await rm(join(folder, 'HEAD'))
      await squash(folder, id('users'), id('emails'))
      expect(await readFile(join(folder, 'HEAD'), 'utf8')).toBe(`${id('seeds')}\n`)
      expect(await createMigrator({ url: await fresh(), folder }).verify({ offline: true })).toMatchObject({ ok: true, problems: [] })
    })

    it('is run where none of those that it replaces is, and counts as applied where all are', async () => {
      const folder = await ownFolder(FIVE)
      const [whole, none] = [await fresh(), await fresh()]
      const there = createMigrator({ url: whole, folder })
      await there.up()
      const all = `${id('seeds').slice(0, 16)}_all`
      const ids = FIVE.map(({ slug }) => id(slug))
      expect(await squash(folder, id('marks'), id('seeds'))).toMatchObject({ ok: true, ids: [all], replaced: ids, kept: [] })
      expect((await readdir(folder)).sort()).toEqual([all, 'HEAD'].sort())
      expect(await readFile(join(folder, 'HEAD'), 'utf8')).toBe(`${all}\n`)

      // looking changes nothing, and sees it already
      expect(await there.status()).toMatchObject({ applied: [all], pending: [], unknown: [] })
      expect(await there.verify()).toMatchObject({ ok: true, problems: [] })
      expect(await there.up()).toMatchObject({ ok: true, applied: [], pending: [] })
      const rows = await engine.admin(whole, 'select id, state from _latchwork_migrations')
      expect(Object.fromEntries(rows.map((row) => [row.id, row.state]))).toEqual({
        ...Object.fromEntries(ids.map((each) => [each, 'squashed'])),
        [all]: 'applied',
      })
      expect(await engine.admin(whole, "select migration, action from _latchwork_migration_log where action = 'squash'")).toEqual([
        { migration: all, action: 'squash' },
      ])

      expect(await createMigrator({ url: none, folder }).up()).toMatchObject({ applied: [{ id: all }] })
      expect(await shapeOf(none, ...TABLES)).toEqual(await shapeOf(whole, ...TABLES))

      // it is one like any other now: it goes back, and forth
      expect(await there.down({ steps: 1 })).toMatchObject({ reverted: [{ id: all }] })
      expect(await there.status()).toMatchObject({ pending: [all], applied: [] })
      expect(await there.up()).toMatchObject({ applied: [{ id: all }] })
      expect(await shapeOf(whole, ...TABLES)).toEqual(await shapeOf(none, ...TABLES))
    }, 60_000)

    it('cannot be marked pending where it would be taken as applied again, and can be marked reverted', async () => {
      const folder = await ownFolder(FIVE)
      const migrator = createMigrator({ url: await fresh(), folder })
      await migrator.up()
      const [all] = (await squash(folder, id('marks'), id('seeds'))).ids as [string]
      for (const isTaken of [false, true]) {
        if (isTaken) await migrator.up()
        await expect(migrator.mark(all, 'pending', { reason: 'again' })).rejects.toMatchObject({
          code: 'MIGRATION_USAGE',
          exitCode: 2,
          next: [`latchwork migrate mark ${all} reverted --reason …`],
        })
        expect(await migrator.status()).toMatchObject({ applied: [all], pending: [] })
      }
      expect(await migrator.mark(all, 'reverted', { reason: 'again' })).toMatchObject({ pending: [all] })
      expect(await migrator.status()).toMatchObject({ applied: [], pending: [all] })
      // without what it replaces it is one like any other
      const plain = createMigrator({ url: await fresh(), folder })
      await plain.up()
      expect(await plain.mark(all, 'pending', { reason: 'again' })).toMatchObject({ pending: [all] })
    }, 60_000)

    it('is refused by a database that has a part, which stays as it is', async () => {
      const folder = await ownFolder(FIVE)
      const url = await fresh()
      const migrator = createMigrator({ url, folder })
      await migrator.up({ steps: 2 })
      await squash(folder, id('marks'), id('seeds'))
      const before = await shapeOf(url)
      const error = await migrator.up().catch((reason: unknown) => reason)
      expect(error).toMatchObject({ code: 'MIGRATION_HISTORY', exitCode: 6, problems: [{ kind: 'partly-squashed' }] })
      expect(String(error)).toContain(`of which this database has ${id('marks')}, ${id('users')} and not all of ${id('emails')}`)
      expect(await migrator.verify()).toMatchObject({ ok: false, exitCode: 6, problems: [{ kind: 'partly-squashed' }] })
      expect(await shapeOf(url)).toEqual(before)
    }, 60_000)

    it('is followed by what followed them, and may be squashed again, whatever a database has of both', async () => {
      const folder = await ownFolder(FIVE)
      const [old, middle] = [await fresh(), await fresh()]
      await createMigrator({ url: old, folder }).up()
      const { ids } = await squash(folder, id('marks'), id('emails'), 'first')
      const parentsOf = async (each: string) => JSON.parse(await readFile(join(folder, each, 'migration.json'), 'utf8'))
      expect((await parentsOf(id('posts'))).parents).toEqual(ids)
      expect(await readFile(join(folder, 'HEAD'), 'utf8')).toBe(`${id('seeds')}\n`)
      await createMigrator({ url: middle, folder }).up()
      const { ids: again } = await squash(folder, ids[0]!, id('seeds'), 'again')
      expect((await parentsOf(again[0]!)).replaces).toEqual([
        { id: ids[0], replaces: [id('marks'), id('users'), id('emails')] },
        id('posts'),
        id('seeds'),
      ])
      for (const url of [old, middle])
        expect(await createMigrator({ url, folder }).up()).toMatchObject({ ok: true, applied: [], pending: [] })
    }, 60_000)
  })

  describe('squash', () => {
    it('refuses a data module between them, and leaves it where it is where that is wanted', async () => {
      const drafts = [FIVE[0]!, FIVE[1]!, DATA, FIVE[2]!, FIVE[3]!]
      const folder = await ownFolder(drafts)
      const [from, rows, to] = ['marks', 'rows', 'posts'].map((slug) => idOf(drafts, slug)) as [string, string, string]
      await expect(squash(folder, from, to)).rejects.toMatchObject({ code: 'MIGRATION_DECISION', exitCode: 3 })
      expect(await readdir(folder)).toHaveLength(6)
      const { ids, kept } = await squashMigrations({ folder, engines: [engine.name], from, to, keepData: true })
      expect([ids.length, kept]).toEqual([2, [rows]])
      expect(await createMigrator({ url: await fresh(), folder }).up()).toMatchObject({
        applied: [{ id: ids[0] }, { id: rows }, { id: ids[1] }],
      })
    }, 60_000)

    it('refuses what makes no sense, and writes nothing', async () => {
      const branch: Draft = { slug: 'branch', parents: ['users'], up: 'select 1' }
      const drafts = [...FIVE, branch, { slug: 'joined', parents: ['seeds', 'branch'], up: 'select 2' }]
      const folder = await ownFolder(drafts)
      const of = (slug: string) => idOf(drafts, slug)
      for (const [from, to, name] of [
        ['seeds', 'marks'],
        ['marks', 'marks'],
        ['marks', 'seeds', 'seeds'],
        // another branch begins in between
        ['marks', 'emails'],
      ] as const)
        await expect(squash(folder, of(from), of(to), name)).rejects.toMatchObject({ code: 'MIGRATION_USAGE', exitCode: 2 })
      await expect(squash(folder, 'nowhere', of('seeds'))).rejects.toMatchObject({ exitCode: 2 })
      expect(await readdir(folder)).toHaveLength(8)
      // up to where it is joined it is well
      expect(await squash(folder, of('marks'), of('joined'))).toMatchObject({ ok: true })
    })

    it('refuses to lose the SQL of another engine', async () => {
      const folder = await folderOf(FIVE)
      await expect(squash(folder, id('marks'), id('seeds'))).rejects.toMatchObject({ message: expect.stringContaining('name all engines') })
      const engines = ['postgres', 'mysql', 'sqlite'] as const
      expect(await squashMigrations({ folder, engines, from: id('marks'), to: id('seeds') })).toMatchObject({ ok: true })
    })
  })
})
