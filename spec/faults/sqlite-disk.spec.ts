import { execFile } from 'node:child_process'
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import BetterSqlite3 from 'better-sqlite3'
import {
  ConnectionError,
  ConnectionLostError,
  createDatabase,
  type Database,
  LatchworkError,
  type PoolOptions,
  QueryError,
} from 'latchwork'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { poolRegistry } from '../../lib/pool/pool-registry.js'
import { rejectionOf } from '../contract/use-database.js'
import { Page, pages } from '../fixtures/sqlite/page.js'
import { freshFolder } from '../lib/dialect/sqlite/sqlite-fixture.js'
import { onlyPool } from '../stress/ground.js'

const models = { pages: Page }

describe('a SQLite file in trouble', { timeout: 30_000 }, () => {
  let file: string
  let opened: Database<typeof models>[] = []

  beforeEach(async () => {
    file = `${freshFolder()}/shop.db`
    await using db = open()
    await db.createTables()
  })

  afterEach(async () => {
    await Promise.all(opened.map((db) => db.close({ timeoutMs: 1_000 })))
    opened = []
    expect(poolRegistry().stats()).toMatchObject({ pools: [], dedicated: 0, budget: { taken: 0 } })
  })

  function open(pool: Partial<PoolOptions> = {}): Database<typeof models> {
    const db = createDatabase({ url: `sqlite:${file}`, models, pool })
    opened.push(db)
    return db
  }

  describe('that has no more room', () => {
    const full = () => open({ initSql: ['pragma max_page_count = 60'] })

    it('refuses what does not fit with a typed error, keeps the rest, and takes writes when there is room', async () => {
      const db = full()
      for (let n = 0; ; n++) {
        const outcome = await db.nodes.pages.create(pages(1)[0]!).catch((error: unknown) => error)
        if (!(outcome instanceof Error)) continue
        expect(n).toBeGreaterThan(10)
        expect(outcome).toBeInstanceOf(QueryError)
        expect(outcome).toMatchObject({ databaseCode: 'SQLITE_FULL' })
        expect(await db.nodes.pages.count()).toBe(n)
        break
      }
      for (let id = 1; id <= 5; id++) await db.nodes.pages.delete({ where: { id } })
      await db.nodes.pages.create(pages(1)[0]!)
    })

    it('rolls a whole transaction back, and nothing more of it runs', async () => {
      const db = full()
      await db.nodes.pages.create(pages(1)[0]!)
      const later: unknown[] = []
      const error = await rejectionOf(
        db.transaction(async () => {
          await db.nodes.pages.create(pages(1)[0]!)
          // row by row: SQLite gives up the transaction with a lone row that has no room, and of a list of rows the list alone
          const fill = async () => {
            for (const page of pages(100)) await db.nodes.pages.bulkCreate({ rows: [page] })
          }
          const failed = await rejectionOf(fill())
          later.push(await rejectionOf(db.nodes.pages.create(pages(1)[0]!)))
          throw failed
        }),
      )
      expect(error).toMatchObject({ code: 'QUERY', databaseCode: 'SQLITE_FULL' })
      expect(later[0]).toBeInstanceOf(LatchworkError)
      expect(await db.nodes.pages.count()).toBe(1)
      expect(await rejectionOf(db.nodes.pages.bulkCreate({ rows: pages(100) }))).toMatchObject({ databaseCode: 'SQLITE_FULL' })
      expect(await db.nodes.pages.count()).toBe(1)
      await db.transaction(() => db.nodes.pages.create(pages(1)[0]!))
      expect(await db.nodes.pages.count()).toBe(2)
    })

    it('costs a bulk create its own rows, and not the transaction that it is in', async () => {
      const db = full()
      await db.transaction(async () => {
        await db.nodes.pages.create(pages(1)[0]!)
        expect(await rejectionOf(db.nodes.pages.bulkCreate({ rows: pages(100) }))).toMatchObject({ databaseCode: 'SQLITE_FULL' })
        await db.nodes.pages.create(pages(1)[0]!)
      })
      expect(await db.nodes.pages.count()).toBe(2)
    })
  })

  describe('that cannot be written', () => {
    it('costs the call and its connection, keeps what is whole, and says so where a COMMIT was under way', async () => {
      const program = fileURLToPath(new URL('../fixtures/sqlite/no-room.ts', import.meta.url))
      // in units of 1,024 bytes
      const limited = `ulimit -f 600; exec "$0" --import tsx "$1" "$2"`
      const parameters = ['-c', limited, process.execPath, program, `sqlite:${file}-limited`]
      const { stdout } = await promisify(execFile)('bash', parameters, { env: { ...process.env, NODE_OPTIONS: '' } })
      expect(JSON.parse(stdout)).toEqual({ inCommit: 'COMMIT_UNKNOWN', afterCommit: 0, single: 'CONNECTION_LOST', isWhole: true })
    })
  })

  describe('that is damaged while it is open', () => {
    /** What was in the file before it was damaged: to be put back. */
    async function damage(db: Database<typeof models>, start: number, end: number): Promise<() => void> {
      await db.nodes.pages.bulkCreate({ rows: pages(50) })
      const plain = new BetterSqlite3(file)
      plain.pragma('wal_checkpoint(truncate)')
      plain.close()
      const whole = readFileSync(file)
      // in place: it stays the same file
      writeFileSync(file, Buffer.from(whole).fill(0xff, start, end || whole.length), { flag: 'r+' })
      return () => writeFileSync(file, whole, { flag: 'r+' })
    }

    it('costs the calls that meet the damage and their connections, and serves again once it was put back', async () => {
      const db = open()
      const repair = await damage(db, 4 * 4096, 0)
      for (let n = 0; n < 5; n++) {
        const error = await rejectionOf(db.nodes.pages.list({ where: { text: { $contains: 'x' } } }))
        expect(error).toBeInstanceOf(ConnectionLostError)
        expect(error.message).toMatch(/damaged.*SQLITE_CORRUPT/)
      }
      expect(onlyPool().destroyed.broken).toBeGreaterThanOrEqual(5)
      repair()
      expect(await db.nodes.pages.count({ where: { text: { $contains: 'x' } } })).toBe(50)
      await db.nodes.pages.create(pages(1)[0]!)
    })

    it('is a ConnectionError where it is no database any more, and serves again once it was put back', async () => {
      // one that goes is replaced by a new connection, which has to read the file's head
      const db = open({ validateAfterIdleMs: 0, idleTimeoutMs: 10 })
      const repair = await damage(db, 0, 100)
      await sleep(100)
      const outcomes = await Promise.all([db.nodes.pages.count(), db.nodes.pages.create(pages(1)[0]!)].map(rejectionOf))
      for (const error of outcomes) {
        expect(error).toBeInstanceOf(ConnectionError)
        expect(error.message).toMatch(/is not a SQLite database \(SQLITE_NOTADB\)/)
      }
      repair()
      expect(await db.nodes.pages.count()).toBe(50)
      await db.nodes.pages.create(pages(1)[0]!)
    })
  })

  describe('that is taken away while it is open', () => {
    const remove = () => {
      for (const suffix of ['', '-wal', '-shm']) rmSync(`${file}${suffix}`, { force: true })
    }

    it('is noticed within a second or so, busy or idle: nothing is written for long where nobody will find it', async () => {
      const db = open()
      await db.nodes.pages.create(pages(1)[0]!)
      remove()
      const startedMs = performance.now()
      let error: unknown
      while (error === undefined && performance.now() - startedMs < 10_000) {
        await db.nodes.pages.create(pages(1)[0]!).catch((thrown: unknown) => {
          error = thrown
        })
        await sleep(5)
      }
      expect(performance.now() - startedMs).toBeLessThan(3_000)
      expect(error).toBeInstanceOf(QueryError)
      expect(error).toHaveProperty('message', expect.stringMatching(/no such table/))
      await db.createTables()
      await db.nodes.pages.create(pages(1)[0]!)
      expect(await db.nodes.pages.count()).toBe(1)
      const plain = new BetterSqlite3(file, { fileMustExist: true })
      expect(plain.prepare('select count(*) from pages').pluck().get()).toBe(1)
      plain.close()
    })

    it('is followed where another database was put in its place', async () => {
      const db = open()
      await db.nodes.pages.bulkCreate({ rows: pages(3) })
      await db.nodes.pages.count()
      const other = `${file}-other`
      copyFileSync(file, other)
      const plain = new BetterSqlite3(other)
      plain.exec(`${CREATE}; delete from pages; insert into pages (text) values ('from elsewhere')`)
      plain.close()
      remove()
      copyFileSync(other, file)
      await sleep(1_100)
      expect((await db.nodes.pages.list({})).rows.map(({ text }) => text.slice(0, 20))).toEqual(['from elsewhere'])
      await db.nodes.pages.create(pages(1)[0]!)
      const found = new BetterSqlite3(file, { readonly: true })
      expect(found.prepare('select count(*) from pages').pluck().get()).toBe(2)
      found.close()
    })
  })
})

const CREATE = 'create table if not exists pages (id integer primary key autoincrement, text text not null)'
