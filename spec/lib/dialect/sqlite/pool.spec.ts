import { closeSync, existsSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { join, relative } from 'node:path'
import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { deadlineAfter } from '../../../../lib/deadline.js'
import { FileConnector } from '../../../../lib/dialect/sqlite/connectors.js'
import { sqliteDialect } from '../../../../lib/dialect/sqlite/index.js'
import { ConnectionError, PoolTimeoutError, ReadOnlyError } from '../../../../lib/errors.js'
import { ConnectionBudget } from '../../../../lib/pool/connection-budget.js'
import { poolOptions } from '../../../../lib/pool/pool-options.js'
import { endedBy } from '../../pool/fake-connector.js'
import { freshFolder, openSqlite, otherProcess } from './sqlite-fixture.js'

const pragma = async (database: Awaited<ReturnType<typeof openSqlite>>, access: 'read' | 'write', name: string) =>
  (await database.run(access, `pragma ${name}`)).rows[0]?.[0]

describe('the pool of a SQLite file', () => {
  it('gives every connection a write-ahead log, foreign keys, and no busy timeout that would stop the event loop', async () => {
    const database = await openSqlite()
    expect(await pragma(database, 'write', 'journal_mode')).toBe('wal')
    for (const access of ['read', 'write'] as const) {
      expect(await pragma(database, access, 'foreign_keys')).toBe(1)
      expect(await pragma(database, access, 'synchronous')).toBe(1)
      expect(await pragma(database, access, 'busy_timeout')).toBe(0)
      expect(await pragma(database, access, 'journal_size_limit')).toBe(64 * 1024 * 1024)
    }
  })

  it('gives an idle connection at once, not as a promise', async () => {
    const { pool } = await openSqlite({ minConnections: 2 })
    for (const access of ['read', 'write'] as const) {
      const connection = pool.acquire({ access, deadline: deadlineAfter(1_000), label: 'spec' })
      expect(connection).not.toBeInstanceOf(Promise)
      pool.release(await connection, 'clean')
    }
  })

  it('keeps reading, the old rows, while a transaction writes', async () => {
    const database = await openSqlite()
    await database.run('write', 'create table t (n)')
    const writer = await database.acquire('write')
    await writer.run({ sql: 'begin immediate', parameters: [] })
    await writer.run({ sql: 'insert into t values (1)', parameters: [] })
    expect(await database.read('select count(*) from t')).toEqual([0])
    await writer.run({ sql: 'commit', parameters: [] })
    database.pool.release(writer, 'clean')
    expect(await database.read('select count(*) from t')).toEqual([1])
  })

  it('lends its one writer in the order of the callers', async () => {
    const database = await openSqlite()
    const first = await database.acquire('write')
    const order: number[] = []
    const others = Array.from({ length: 50 }, (_, index) => database.use('write', () => void order.push(index)))
    expect(order).toEqual([])
    database.pool.release(first, 'clean')
    await Promise.all(others)
    expect(order).toEqual(Array.from({ length: 50 }, (_, index) => index))
  })

  it('opens as many readers as maxConnections says, and counts them with the writer', async () => {
    const database = await openSqlite({ maxConnections: 3 })
    expect(database.pool.stats()).toMatchObject({ open: 1, idle: 1, leased: 0 })
    const readers = await Promise.all([1, 2, 3].map(() => database.acquire('read')))
    await expect(database.acquire('read', 20)).rejects.toBeInstanceOf(PoolTimeoutError)
    expect(database.pool.stats()).toMatchObject({ capacity: 4, open: 4, idle: 1, leased: 3 })
    for (const reader of readers) database.pool.release(reader, 'clean')
    expect(database.pool.stats()).toMatchObject({ open: 4, idle: 4, leased: 0 })
  })

  it('refuses to write on a connection taken to read, even if its pragmas were changed', async () => {
    const database = await openSqlite()
    await database.run('write', 'create table t (n)')
    await database.use('read', async (reader) => {
      await reader.run({ sql: 'pragma query_only = off', parameters: [] })
      expect(() => reader.run({ sql: 'insert into t values (1)', parameters: [] })).toThrow(ReadOnlyError)
      expect(() => reader.run({ sql: 'begin immediate', parameters: [] })).toThrow(ReadOnlyError)
    })
  })

  it('runs init SQL on the writer and on each reader', async () => {
    const database = await openSqlite({ initSql: ['create table if not exists t (n)', 'pragma cache_size = -4321'] })
    expect(await pragma(database, 'read', 'cache_size')).toBe(-4321)
    expect(await pragma(database, 'write', 'cache_size')).toBe(-4321)
    expect(await database.read('select count(*) from t')).toEqual([0])
  })

  it('says which init SQL failed, without its text', async () => {
    const opening = openSqlite({ initSql: ['select 1', "select 'hunter2' from nowhere"] })
    await expect(opening).rejects.toThrow(/pool\.initSql\[1\] failed/)
    await expect(opening).rejects.not.toThrow(/hunter2/)
  })

  it('replaces a connection that met a damaged page', async () => {
    const { file, pool } = await openSqlite()
    await pool.close(1_000)
    const plain = new Database(file)
    plain.exec('create table t (b); insert into t select zeroblob(3000) from (values (1), (2), (3), (4), (5))')
    plain.close()
    const damaged = openSync(file, 'r+')
    writeSync(damaged, Buffer.alloc(3 * 4096, 0xff), 0, 3 * 4096, 2 * 4096)
    closeSync(damaged)
    const database = await openSqlite({}, file)
    await expect(database.read('select length(b) from t')).rejects.toThrow(/malformed/)
    expect(endedBy(database.pool)).toBe(1)
    expect(await database.read('select 1')).toEqual([1])
  })

  it('leaves no log behind when it is closed', async () => {
    const database = await openSqlite()
    await database.run('write', 'create table t (n)')
    await database.read('select * from t')
    expect(existsSync(`${database.file}-wal`)).toBe(true)
    await database.pool.close(1_000)
    expect(existsSync(`${database.file}-wal`)).toBe(false)
  })

  it('opens while another process has the file locked, once that ends', async () => {
    const file = join(freshFolder(), 'shop.db')
    const other = otherProcess(
      file,
      `database.exec('create table t (n); begin exclusive'); say('locked'); await pause(150); database.exec('commit')`,
    )
    await other.hear('locked')
    const database = await openSqlite({}, file)
    expect(await database.read('select count(*) from t')).toEqual([0])
  })
})

describe('a session that the SQL of a user has altered', () => {
  it.each(['a file', 'memory'])('is as new for the next caller, on %s', async (place) => {
    const database = await (place === 'memory' ? openSqlite({}, ':memory:') : openSqlite())
    const run = (sql: string) => database.use('write', (connection) => connection.run({ sql, parameters: [] }), 'tainted')
    await run('create table t (n)')
    await run('insert into t values (7)')
    await database.use(
      'write',
      (connection) => {
        const altering = [
          'pragma foreign_keys = off',
          'pragma case_sensitive_like = on',
          'create temp table t (n)',
          "attach ':memory:' as other",
        ]
        for (const sql of altering) connection.run({ sql, parameters: [] })
      },
      'tainted',
    )
    expect(await pragma(database, 'write', 'foreign_keys')).toBe(1)
    expect((await run("select 'A' like 'a'")).rows).toEqual([[1]])
    expect((await run('select n from t')).rows).toEqual([[7]])
    expect((await run('select name from pragma_database_list')).rows).not.toContainEqual(['other'])
  })

  it('leaves nothing open where it is closed while it waits to be made as new', async () => {
    const file = join(freshFolder(), 'shop.db')
    const other = new Database(file)
    other.exec('create table log (n)')
    const connector = new FileConnector({ driver: Database, file, initSql: ['insert into log values (1)'] }, 'write')
    const session = await connector.open(deadlineAfter(1_000), new AbortController().signal)
    session.run({ sql: 'pragma cache_size = 7', parameters: [] })
    other.exec('begin immediate')
    const resetting = connector.reset(session)
    await connector.close(session)
    other.exec('commit')
    await resetting
    other.close()
    // the last connection takes the log with it
    expect(existsSync(`${file}-wal`)).toBe(false)
  })

  it('keeps its connection and prepared statements where nothing but rows was touched', async () => {
    const database = await openSqlite()
    await database.run('write', 'create table t (n)')
    const run = (sql: string) => database.use('write', (connection) => connection.run({ sql, parameters: [] }), 'tainted')
    await run('select 1')
    await run('/* a comment */ insert into t values (1) -- and another')
    await run('with x as (select 1) insert into t select * from x')
    // counted by connection
    expect((await run('select total_changes()')).rows).toEqual([[2]])
    await run('pragma cache_size')
    expect((await run('select total_changes()')).rows).toEqual([[0]])
  })

  it('is replaced when it comes back in a transaction', async () => {
    const database = await openSqlite()
    await database.run('write', 'create table t (n)')
    await database.use('write', (connection) => {
      connection.run({ sql: 'begin immediate', parameters: [] })
      connection.run({ sql: 'insert into t values (1)', parameters: [] })
    })
    await database.use('write', (connection) => connection.run({ sql: 'begin immediate', parameters: [] }))
    expect(await database.read('select count(*) from t')).toEqual([0])
  })
})

describe('the pool of an in-memory database', () => {
  it('has one connection, for reads and writes', async () => {
    const database = await openSqlite({ maxConnections: 5 }, ':memory:')
    await database.run('write', 'create table t (n)')
    expect(await database.read('select count(*) from t')).toEqual([0])
    const held = await database.acquire('read')
    await expect(database.acquire('write', 20)).rejects.toBeInstanceOf(PoolTimeoutError)
    database.pool.release(held, 'clean')
    expect(database.pool.stats()).toMatchObject({ capacity: 1, open: 1, leased: 0 })
  })

  it('refuses to write on a connection taken to read, as a file does', async () => {
    const database = await openSqlite({}, ':memory:')
    await database.run('write', 'create table t (n)')
    await expect(database.run('read', 'insert into t values (1)')).rejects.toBeInstanceOf(ReadOnlyError)
    expect((await database.run('write', 'insert into t values (1)')).affectedRows).toBe(1)
  })

  it('keeps its rows when its connection is idle, old, or broken in a transaction', async () => {
    const database = await openSqlite({ idleTimeoutMs: 10, maxLifetimeMs: 100, validateAfterIdleMs: 0 }, ':memory:')
    await database.run('write', 'create table t (n)')
    await database.run('write', 'insert into t values (1)')
    await new Promise((resolve) => setTimeout(resolve, 250))
    expect(await database.read('select n from t')).toEqual([1])
    await database.use(
      'write',
      (connection) => {
        connection.run({ sql: 'begin immediate', parameters: [] })
        connection.run({ sql: 'insert into t values (2)', parameters: [] })
      },
      'broken',
    )
    expect(await database.read('select n from t')).toEqual([1])
    expect(endedBy(database.pool)).toBeGreaterThan(0)
  })

  describe('runs init SQL', () => {
    const tainted = (database: Awaited<ReturnType<typeof openSqlite>>, sql: string) =>
      database.use('write', (connection) => connection.run({ sql, parameters: [] }), 'tainted')

    it('for the session again, and for the database once', async () => {
      const initSql = [
        'create table t (n)',
        'insert into t values (1)',
        'pragma cache_size = -4321',
        'create temp table scratch (n)',
        "attach ':memory:' as beside",
      ]
      const database = await openSqlite({ initSql }, ':memory:')
      await tainted(database, 'insert into t values (2)')
      for (const sql of ['pragma foreign_keys = off', 'drop table scratch', 'detach beside', 'pragma cache_size = 7']) {
        await tainted(database, sql)
        expect(await pragma(database, 'write', 'foreign_keys')).toBe(1)
        expect(await pragma(database, 'write', 'cache_size')).toBe(-4321)
        expect(await database.read('select count(*) from scratch')).toEqual([0])
        expect(await database.read('select name from pragma_database_list order by name')).toEqual(['beside', 'main', 'temp'])
        expect(await database.read('select n from t')).toEqual([1, 2])
      }
    })

    it('and lends nothing altered where that fails, until it goes well', async () => {
      const attached = join(freshFolder(), 'beside.db')
      new Database(attached).close()
      const database = await openSqlite({ initSql: ['create table t (n)', `attach '${attached}' as beside`] }, ':memory:')
      await tainted(database, 'insert into t values (1)')
      rmSync(attached)
      mkdirSync(attached)
      await tainted(database, 'pragma foreign_keys = off')
      for (let round = 0; round < 2; round++) {
        await expect(database.read('pragma foreign_keys')).rejects.toThrow(/pool\.initSql\[1\] failed/)
      }
      rmSync(attached, { recursive: true })
      expect(await database.read('pragma foreign_keys')).toEqual([1])
      expect(await database.read('select n from t')).toEqual([1])
    })
  })

  it('is another database for each dialect', async () => {
    const [one, other] = [await openSqlite({}, ':memory:'), await openSqlite({}, ':memory:')]
    await one.run('write', 'create table t (n)')
    await expect(other.read('select * from t')).rejects.toThrow(/no such table/)
    const identities = [1, 2].map(() => sqliteDialect({ engine: 'sqlite', file: ':memory:' }).identity)
    expect(identities[0]).not.toEqual(identities[1])
  })
})

describe('sqliteDialect', () => {
  it('takes a path for one database however it is spelled', () => {
    const file = join(freshFolder(), 'shop.db')
    const [absolute, spelled] = [file, relative(process.cwd(), file)].map((path) => sqliteDialect({ engine: 'sqlite', file: path }))
    expect(spelled?.identity).toEqual(absolute?.identity)
    expect(spelled?.target).toBe(`sqlite:${file}`)
  })

  const openAt = (file: string) => sqliteDialect({ engine: 'sqlite', file }).openPool('sqlite:x#00000000', poolOptions(), {})

  it('says that memory has no second connection, and a file has', () => {
    const canDedicate = (file: string) => sqliteDialect({ engine: 'sqlite', file }).capabilities.dedicatedConnections
    expect([canDedicate(':memory:'), canDedicate('shop.db')]).toEqual([false, true])
  })

  it('counts the writer and the readers in the budget of the process', async () => {
    const budget = new ConnectionBudget()
    budget.limitTo(2)
    const dialect = sqliteDialect({ engine: 'sqlite', file: join(freshFolder(), 'shop.db') })
    const pool = await dialect.openPool('sqlite:shop#00000000', poolOptions({ minConnections: 2 }), { budget })
    expect(budget.taken).toBe(2)
    const held = await pool.acquire({ access: 'read', deadline: deadlineAfter(1_000), label: 'spec' })
    await expect(pool.acquire({ access: 'read', deadline: deadlineAfter(20), label: 'spec' })).rejects.toBeInstanceOf(PoolTimeoutError)
    pool.release(held, 'clean')
    await pool.close(1_000)
    expect(budget.taken).toBe(0)
  })

  it('finds a table or view by its name, as SQLite compares names', async () => {
    const database = await openSqlite({}, ':memory:')
    await database.run('write', 'create table Users (id)')
    await database.run('write', 'create index posts on Users (id)')
    const find = (name: string) => {
      const { sql, parameters } = sqliteDialect({ engine: 'sqlite', file: ':memory:' }).tableExists({ name })
      return database.run('read', sql, ...parameters)
    }
    expect((await find('users')).rows).toHaveLength(1)
    expect((await find('posts')).rows).toHaveLength(0)
  })

  it('begins a transaction as the writer at once, unless it only reads', () => {
    const { begin } = sqliteDialect({ engine: 'sqlite', file: 'shop.db' })
    expect(begin({})).toEqual(['begin immediate'])
    expect(begin({ readOnly: true, isolation: 'serializable' })).toEqual(['begin'])
  })

  it('refuses a path into a folder that is not there with a ConnectionError that names it', async () => {
    const file = join(freshFolder(), 'missing', 'shop.db')
    const error = await openAt(file).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(ConnectionError)
    expect(error).toHaveProperty('message', `cannot open the SQLite database "${file}": its folder does not exist`)
  })

  it('refuses a file that is no database', async () => {
    const file = join(freshFolder(), 'notes.txt')
    writeFileSync(file, 'not a database, but long enough to look like one'.repeat(40))
    await expect(openAt(file)).rejects.toThrow(ConnectionError)
    await expect(openAt(file)).rejects.toThrow(/is not a SQLite database \(SQLITE_NOTADB\)/)
  })

  it('refuses a folder', async () => {
    const folder = join(freshFolder(), 'shop.db')
    mkdirSync(folder)
    await expect(openAt(folder)).rejects.toThrow(/cannot be opened as a file.*SQLITE_CANTOPEN/)
  })
})
