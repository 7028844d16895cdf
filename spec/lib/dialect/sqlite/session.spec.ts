import Database from 'better-sqlite3'
import { describe, expect, it } from 'vitest'
import { deadlineAfter } from '../../../../lib/deadline.js'
import { AbortedError, LockTimeoutError, ScopeClosedError } from '../../../../lib/errors.js'
import { openSqlite, otherProcess } from './sqlite-fixture.js'

const LOCK = `database.exec('begin immediate'); say('locked');`

describe('SqliteSession.run', () => {
  it('gives a result, not a promise, with rows as lists', async () => {
    const database = await openSqlite()
    await database.use('read', (connection) => {
      const result = connection.run({ sql: 'select ? as a, ? as b union all select 3, null', parameters: [1, 'x'] })
      expect(result).not.toBeInstanceOf(Promise)
      expect(result).toMatchObject({ affectedRows: 0 })
      expect('rows' in result && result.rows).toEqual([
        [1, 'x'],
        [3, null],
      ])
    })
  })

  it('counts what was written, and gives the key that the counter made', async () => {
    const database = await openSqlite()
    await database.run('write', 'create table t (id integer primary key, n int)')
    expect(await database.run('write', 'insert into t (n) values (1), (2)')).toMatchObject({ affectedRows: 2, insertId: 2 })
    expect(await database.run('write', 'update t set n = 9')).toMatchObject({ affectedRows: 2, insertId: undefined })
    expect(await database.run('write', 'insert into t (n) values (3) returning id')).toMatchObject({ affectedRows: 1, rows: [[3]] })
    expect(await database.run('write', 'delete from t where id > 7')).toMatchObject({ affectedRows: 0 })
  })

  it('gives every integer as a bigint when it is asked for exact ones, and numbers again when not', async () => {
    const database = await openSqlite()
    await database.use('read', (connection) => {
      const rows = (exactIntegers: boolean) => connection.run({ sql: 'select 9007199254740993, 1.5', parameters: [], exactIntegers })
      expect(rows(true)).toMatchObject({ rows: [[9007199254740993n, 1.5]] })
      expect(rows(false)).toMatchObject({ rows: [[9007199254740992, 1.5]] })
    })
  })

  it('says where each column comes from, through views and joins; expressions come as a plain driver gives them', async () => {
    const database = await openSqlite()
    await database.run('write', 'create table users (id integer primary key, full_name text)')
    await database.run('write', 'create view people as select id as person, full_name from users')
    await database.run('write', "insert into users values (1, 'Ada')")
    const { columns } = await database.use('read', async (connection) => {
      const result = await connection.run({
        sql: 'select p.person, u.full_name as name, count(*) as many from people p join users u',
        parameters: [],
      })
      return { columns: await result.columns() }
    })
    expect(columns.slice(0, 2)).toMatchObject([
      { name: 'person', table: 'users', column: 'id' },
      { name: 'name', table: 'users', column: 'full_name' },
    ])
    expect(columns[2]).toMatchObject({ name: 'many', table: undefined, column: undefined })
    expect([1n, 2n ** 60n, 'x', null].map((value) => columns[2]?.decode?.(value))).toEqual([1, 2n ** 60n, 'x', null])
  })

  it('sees a table that was changed after its statement was prepared', async () => {
    const database = await openSqlite()
    await database.run('write', 'create table t (a)')
    await database.run('write', 'insert into t values (1)')
    expect((await database.run('read', 'select * from t')).rows).toEqual([[1]])
    await database.run('write', 'alter table t add column b default 2')
    expect((await database.run('read', 'select * from t')).rows).toEqual([[1, 2]])
  })

  it('takes no object among the values for named parameters', async () => {
    const database = await openSqlite()
    await expect(database.run('read', 'select $name', { name: 'x' })).rejects.toThrow(/can only bind/)
  })
})

describe('SqliteSession.run with repeat', () => {
  it('runs once for each list and counts each', async () => {
    const database = await openSqlite()
    await database.run('write', 'create table t (id integer primary key, n int unique)')
    const result = await database.use('write', (connection) =>
      connection.run({ sql: 'insert into t (n) values (?) on conflict do nothing returning id', parameters: [], repeat: [[5], [5], [6]] }),
    )
    expect(result).toMatchObject({ rows: [[1], [2]], affectedRows: 2, affectedEach: [1, 0, 1] })
    expect(await result.columns()).toMatchObject([{ name: 'id', table: 't', column: 'id' }])
  })

  it('counts without RETURNING too, and takes an empty list', async () => {
    const database = await openSqlite()
    await database.run('write', 'create table t (n)')
    await database.use('write', (connection) => {
      const insert = (repeat: readonly (readonly unknown[])[]) =>
        connection.run({ sql: 'insert into t values (?)', parameters: [], repeat })
      expect(insert([[1], [2]])).toMatchObject({ rows: [], affectedRows: 2, affectedEach: [1, 1] })
      expect(insert([])).toMatchObject({ rows: [], affectedRows: 0, affectedEach: [] })
    })
  })
})

describe('a lock that another process holds', () => {
  it('does not freeze the event loop, and the write goes through once it is free', async () => {
    const database = await openSqlite()
    await database.run('write', 'create table t (n)')
    const other = otherProcess(database.file, `${LOCK} await pause(400); database.exec('commit'); say('free')`)
    await other.hear('locked')
    let ticks = 0
    const ticking = setInterval(() => ticks++, 5)
    const startedAt = performance.now()
    expect(await database.run('write', 'insert into t values (1)')).toMatchObject({ affectedRows: 1 })
    clearInterval(ticking)
    expect(performance.now() - startedAt).toBeGreaterThan(200)
    // a frozen loop would tick once
    expect(ticks).toBeGreaterThan(5)
    expect(await database.read('select n from t')).toEqual([1])
  })

  it('does not stop reads', async () => {
    const database = await openSqlite()
    await database.run('write', 'create table t (n)')
    const other = otherProcess(database.file, `${LOCK} await pause(60_000)`)
    await other.hear('locked')
    const connection = await database.acquire('read')
    expect(connection.run({ sql: 'select count(*) from t', parameters: [] })).toMatchObject({ rows: [[0]] })
    database.pool.release(connection, 'clean')
  })

  it('is a LockTimeoutError at the deadline of the statement, and leaves the connection usable', async () => {
    const database = await openSqlite()
    await database.run('write', 'create table t (n)')
    const other = otherProcess(database.file, `${LOCK} await pause(60_000)`)
    await other.hear('locked')
    const connection = await database.acquire('write')
    const startedAt = performance.now()
    const waiting = connection.run({ sql: 'insert into t values (1)', parameters: [], deadline: deadlineAfter(150) })
    await expect(waiting).rejects.toBeInstanceOf(LockTimeoutError)
    const waitedMs = performance.now() - startedAt
    expect(waitedMs).toBeGreaterThan(140)
    expect(waitedMs).toBeLessThan(1_000)
    await other.end()
    expect(await connection.run({ sql: 'insert into t values (1)', parameters: [] })).toMatchObject({ affectedRows: 1 })
    database.pool.release(connection, 'clean')
  })

  it('is no longer waited for when the statement is cancelled', async () => {
    const database = await openSqlite()
    await database.run('write', 'create table t (n)')
    const other = otherProcess(database.file, `${LOCK} await pause(60_000)`)
    await other.hear('locked')
    const connection = await database.acquire('write')
    const waiting = connection.run({ sql: 'begin immediate', parameters: [] })
    await connection.cancel()
    await expect(waiting).rejects.toBeInstanceOf(AbortedError)
    database.pool.release(connection, 'broken')
    await other.end()
  })

  it('repeats only what has not run, when it comes in the middle of a repeated statement', async () => {
    const database = await openSqlite()
    await database.run('write', 'create table t (n)')
    const rival = new Database(database.file, { timeout: 0 })
    const lists: (readonly unknown[])[] = [[1], [2]]
    let readings = 0
    Object.defineProperty(lists, 2, {
      get: () => {
        if (readings++ === 0) {
          rival.exec('begin immediate')
          setTimeout(() => rival.exec('commit'), 30)
        }
        return [3]
      },
    })
    const connection = await database.acquire('write')
    const running = connection.run({ sql: 'insert into t values (?)', parameters: [], repeat: lists })
    expect(running).toBeInstanceOf(Promise)
    expect(await running).toMatchObject({ affectedRows: 3, affectedEach: [1, 1, 1] })
    database.pool.release(connection, 'clean')
    rival.close()
    expect(await database.read('select n from t order by rowid')).toEqual([1, 2, 3])
  })

  it('costs no write of four processes that write at once', async () => {
    const database = await openSqlite()
    await database.run('write', 'create table t (writer, n)')
    const writing = (writer: number) => `
      for (let n = 0; n < 100; n++) for (;;) {
        try { database.prepare('insert into t values (?, ?)').run(${writer}, n); break } catch { await pause(1) }
      }
      say('done')`
    const others = [1, 2, 3].map((writer) => otherProcess(database.file, writing(writer)))
    for (let n = 0; n < 100; n++) await database.run('write', 'insert into t values (0, ?)', n)
    await Promise.all(others.map((other) => other.hear('done')))
    expect((await database.run('read', 'select writer, count(*) from t group by 1')).rows).toEqual(
      [0, 1, 2, 3].map((writer) => [writer, 100]),
    )
  })
})

describe('a transaction that the database itself rolled back', () => {
  it('runs nothing more, until it is ended', async () => {
    const database = await openSqlite()
    await database.run('write', 'create table t (n unique on conflict rollback)')
    await database.run('write', 'insert into t values (1)')
    const connection = await database.acquire('write')
    const run = (sql: string) => connection.run({ sql, parameters: [] })
    run('begin immediate')
    run('insert into t values (2)')
    expect(() => run('insert into t values (1)')).toThrow(/UNIQUE/)
    expect(() => run('insert into t values (3)')).toThrow(ScopeClosedError)
    expect(() => run('commit')).toThrow(ScopeClosedError)
    run('rollback')
    run('insert into t values (4)')
    database.pool.release(connection, 'clean')
    expect(await database.read('select n from t order by n')).toEqual([1, 4])
  })
})
