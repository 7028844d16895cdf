import { existsSync } from 'node:fs'
import { describe, expect, it, vi } from 'vitest'
import { forEachEngine, type SpecEngine } from './engines.js'
import { runSql } from './plain-sql.js'

describe('forEachEngine', () => {
  forEachEngine((engine) => {
    it('gives an empty database, and takes it away again', async () => {
      const { url, drop } = await engine.freshDatabase()
      await engine.admin(url, 'create table notes (id integer)')
      await engine.admin(url, 'insert into notes values (1), (2)')
      expect(await engine.admin(url, 'select count(*) as n from notes').then(([row]) => Number(row?.n))).toBe(2)
      await drop()
      if (engine.name === 'sqlite') expect(existsSync(url.slice('sqlite:'.length))).toBe(false)
      else await expect(runSql(url, 'select 1')).rejects.toThrow(/does not exist|Unknown database/)
    })

    it('gives each caller a database of its own', async () => {
      const [first, second] = await Promise.all([engine.freshDatabase(), engine.freshDatabase()])
      expect(first.url).not.toBe(second.url)
      await engine.admin(first.url, 'create table notes (id integer)')
      await engine.admin(second.url, 'create table notes (id integer)')
      await Promise.all([first.drop(), second.drop()])
    })

    it('drops a database that a session still uses', async () => {
      const { url, drop } = await engine.freshDatabase()
      await engine.admin(url, 'create table notes (id integer)')
      if (engine.name === 'sqlite') return drop()
      const sleep = engine.name === 'postgres' ? 'pg_sleep(60)' : 'sleep(60)'
      const session = engine.admin(url, `begin; insert into notes values (1); select ${sleep}`).catch(() => 'cut')
      await vi.waitFor(async () => expect(await sessionsAsleep(engine, url)).toBe(1), { timeout: 10_000 })
      await drop()
      expect(await session).toBe('cut')
    })

    it('runs several statements and gives the rows of the last that has any', async () => {
      const { url, drop } = await engine.freshDatabase()
      expect(await engine.admin(url, 'select 1 as n; select 2 as n; create table notes (id integer)')).toEqual(
        engine.name === 'sqlite' ? [] : [{ n: 2 }],
      )
      await drop()
    })

    it('keeps text of any language', async () => {
      const { url, drop } = await engine.freshDatabase()
      await engine.admin(url, 'create table notes (body varchar(20))')
      await engine.admin(url, "insert into notes values ('日本 é 🦊')")
      expect(await engine.admin(url, 'select body from notes')).toEqual([{ body: '日本 é 🦊' }])
      await drop()
    })
  })
})

async function sessionsAsleep(engine: SpecEngine, url: string): Promise<number> {
  const database = new URL(url).pathname.slice(1)
  const [row] = await engine.admin(
    url,
    engine.name === 'postgres'
      ? `select count(*) as n from pg_stat_activity where wait_event = 'PgSleep' and datname = '${database}'`
      : `select count(*) as n from information_schema.processlist where info like 'select sleep%' and db = '${database}'`,
  )
  return Number(row?.n)
}
