import { setTimeout as sleep } from 'node:timers/promises'
import { createMigrator, type MigrationLockError, type MigrationProgress } from 'latchwork/migrations'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FreshDatabase, forEachEngine } from '../support/engines.js'
import { type Draft, FIVE, folderOf, idOf } from './draft.js'
import { Holder } from './holder.js'
import { shapeOf } from './look.js'
import { MigratingProcess } from './worker.js'

forEachEngine((engine) => {
  let database: FreshDatabase
  const processes: MigratingProcess[] = []
  const holders: Holder[] = []

  beforeEach(async () => {
    database = await engine.freshDatabase()
  })

  afterEach(async () => {
    await Promise.all(processes.splice(0).map((each) => each.kill()))
    await Promise.all(holders.splice(0).map((each) => each.end()))
    await database.drop()
  })

  /** In a process of its own, as far as its first migration. */
  async function migrating(folder: string): Promise<MigratingProcess> {
    const process = new MigratingProcess()
    processes.push(process)
    process.tell({ url: database.url, folder })
    await process.started()
    return process
  }

  describe('the lock of migrations', () => {
    const slow: readonly Draft[] = [
      {
        slug: 'slow',
        up: {
          postgres: ['create table slow (id integer primary key)', 'select pg_sleep(30)'],
          mysql: ['create table slow (id integer primary key)', 'do sleep(30)'],
        },
      },
    ]
    // SQLite has no statement that waits
    const waits: readonly Draft[] = [
      { slug: 'slow', data: 'export const up = () => new Promise((resolve) => setTimeout(resolve, 30_000))' },
    ]
    const drafts = engine.name === 'sqlite' ? waits : slow

    it('is waited for, not for long, and the message says who has it', async () => {
      const folder = await folderOf(drafts)
      await migrating(folder)
      const seen: MigrationProgress[] = []
      const migrator = createMigrator({ url: database.url, folder, lockTimeoutMs: 300, onProgress: (progress) => seen.push(progress) })
      const error = await migrator.up().catch((reason: unknown) => reason)
      expect(error).toMatchObject({
        code: 'MIGRATION_LOCK',
        exitCode: 7,
        holder: { id: expect.any(String) },
        document: { ok: false, exitCode: 7 },
      })
      expect(seen.map(({ type }) => type)).toEqual(['waiting'])
      expect((await migrator.lock()).holder!.id).toBe((error as MigrationLockError).holder!.id)
      await expect(migrator.unlock()).rejects.toMatchObject({ exitCode: 7 })
    })

    it('has an end that is offered where the engine has it', async () => {
      const folder = await folderOf(drafts)
      await migrating(folder)
      const migrator = createMigrator({ url: database.url, folder })
      const isEndable = engine.name !== 'sqlite'
      const end = isEndable ? ['latchwork migrate unlock --terminate'] : []
      expect(await migrator.lock()).toMatchObject({
        next: end,
        warnings: isEndable ? [] : [expect.stringContaining('end it on its machine')],
      })
      const refusal = await migrator.unlock().catch((reason: unknown) => reason)
      expect(refusal).toMatchObject({ exitCode: 7, next: isEndable ? end : ['latchwork migrate lock'] })
      const { checks } = await migrator.doctor()
      const advice = checks.find(({ name }) => name === 'lock')?.advice
      if (isEndable) expect(advice).toContain('unlock --terminate')
      else expect(advice).toBe('wait for that process, or end it on its machine; the lock is free with it')
    })

    it('is free soon after its holder was killed', async () => {
      const folder = await folderOf(drafts)
      const process = await migrating(folder)
      await process.kill()
      const migrator = createMigrator({ url: database.url, folder, lockTimeoutMs: 5_000 })
      const free = async () => {
        while ((await migrator.lock()).holder !== null) await sleep(50)
      }
      // MySQL and MariaDB notice when the statement ends, where one has begun
      if (engine.name === 'mysql') await migrator.unlock({ terminate: true })
      await free()
      expect((await migrator.lock()).holder).toBeNull()
    })

    if (engine.name !== 'sqlite')
      it('is free when its holder is ended, which then says so', async () => {
        const folder = await folderOf(drafts)
        const process = await migrating(folder)
        const migrator = createMigrator({ url: database.url, folder })
        expect(await migrator.unlock({ terminate: true })).toMatchObject({ ok: true, terminated: true, holder: { id: expect.any(String) } })
        expect(await process.document()).toMatchObject({ ok: false, failed: { id: idOf(drafts, 'slow') } })
      })
  })

  if (engine.name !== 'sqlite')
    it('a reader that holds a table keeps others from it no longer than the DDL lock timeout', async () => {
      const drafts: readonly Draft[] = [
        { slug: 'table', up: ['create table busy (id integer primary key)', 'insert into busy values (1)'] },
        { slug: 'change', up: ['alter table busy add column note varchar(20)'] },
      ]
      const folder = await folderOf(drafts)
      await createMigrator({ url: database.url, folder }).up({ steps: 1 })
      const holder = await Holder.reading(database.url, 'busy')
      holders.push(holder)
      const retries: MigrationProgress[] = []
      const onProgress = (progress: MigrationProgress) => void (progress.type === 'retry' && retries.push(progress))
      const up = createMigrator({ url: database.url, folder, ddlLockTimeoutMs: 1_000, ddlRetries: 20, onProgress }).up()
      let longestMs = 0
      while (retries.length < 2) {
        const sinceMs = performance.now()
        await engine.admin(database.url, 'select count(*) as n from busy')
        longestMs = Math.max(longestMs, performance.now() - sinceMs)
      }
      await holder.end()
      expect(await up).toMatchObject({ ok: true })
      for (const { attempt, delayMs } of retries as Extract<MigrationProgress, { type: 'retry' }>[])
        expect([attempt >= 1, Number.isInteger(delayMs)]).toEqual([true, true])
      // in the queue behind the change, until that gives up
      expect(longestMs).toBeLessThan(1_000 + 1_500)
    })

  if (engine.name !== 'sqlite')
    it('a migration that never gets its table leaves it as it was', async () => {
      const drafts: readonly Draft[] = [
        { slug: 'table', up: ['create table busy (id integer primary key)', 'insert into busy values (1)'] },
        { slug: 'change', up: ['alter table busy add column note varchar(20)'] },
      ]
      const folder = await folderOf(drafts)
      await createMigrator({ url: database.url, folder }).up({ steps: 1 })
      holders.push(await Holder.reading(database.url, 'busy'))
      const up = createMigrator({ url: database.url, folder, ddlLockTimeoutMs: 1_000, ddlRetries: 1 }).up()
      await expect(up).rejects.toMatchObject({
        exitCode: 8,
        failed: { databaseUnchanged: true, code: engine.name === 'mysql' ? '1205' : '55P03' },
      })
    })

  if (engine.name === 'postgres')
    it('an index is built concurrently while another migrator waits, and neither stands in the way of the other', async () => {
      const drafts: readonly Draft[] = [
        {
          slug: 'table',
          up: ['create table big (id integer primary key, v integer)', 'insert into big select n, n from generate_series(1, 20000) n'],
        },
        { slug: 'index', up: ['create index concurrently big_v_idx on big (v)'] },
      ]
      const folder = await folderOf(drafts)
      await createMigrator({ url: database.url, folder }).up({ steps: 1 })
      // a transaction on the table keeps the index from being finished
      const holder = await Holder.writing(database.url, 'big')
      holders.push(holder)
      const first = await migrating(folder)
      const waiting: MigrationProgress[] = []
      const second = createMigrator({ url: database.url, folder, onProgress: (progress) => waiting.push(progress) }).up()
      while (!waiting.some(({ type }) => type === 'waiting')) await sleep(20)
      await sleep(1_000)
      await holder.end()
      expect(await first.document()).toMatchObject({ ok: true, applied: [{ id: idOf(drafts, 'index') }] })
      expect(await second).toMatchObject({ ok: true, applied: [] })
      expect(JSON.stringify(await shapeOf(database.url))).toContain('big_v_idx')
    })

  it('an aborted run stops, and what it says is true', async () => {
    const waits =
      'export const up = ({ signal }) => new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))'
    const slow: Draft = { slug: 'slow', up: { postgres: ['select pg_sleep(20)'], mysql: ['do sleep(20)'] } }
    // SQLite has no statement that waits
    const drafts = [FIVE[0]!, engine.name === 'sqlite' ? { slug: 'slow', data: waits } : slow]
    const folder = await folderOf(drafts)
    const stop = new AbortController()
    const onProgress = (progress: MigrationProgress) => {
      if (progress.type === 'step' && progress.id.endsWith('_slow')) setTimeout(() => stop.abort(), 100)
    }
    const sinceMs = performance.now()
    const error = await createMigrator({ url: database.url, folder, onProgress })
      .up({ signal: stop.signal })
      .catch((reason: unknown) => reason)
    expect(error).toMatchObject({
      code: 'MIGRATION_INTERRUPTED',
      exitCode: 130,
      failed: { id: idOf(drafts, 'slow'), databaseUnchanged: true },
    })
    expect(performance.now() - sinceMs).toBeLessThan(10_000)
    const { applied, pending, failed } = await createMigrator({ url: database.url, folder }).status()
    expect([applied, pending, failed]).toEqual([[idOf(drafts, 'marks')], [idOf(drafts, 'slow')], []])
  })
})
