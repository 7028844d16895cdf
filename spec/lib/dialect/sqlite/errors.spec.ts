import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { ConstraintCatalogue } from '../../../../lib/dialect/dialect.js'
import { evicts, toDataError } from '../../../../lib/dialect/sqlite/errors.js'
import {
  CheckViolationError,
  ConnectionError,
  ConnectionLostError,
  ForeignKeyViolationError,
  InvalidValueError,
  type LatchworkError,
  LockTimeoutError,
  NotFoundError,
  NotNullViolationError,
  QueryError,
  ReadOnlyError,
  SerializationError,
  UniqueViolationError,
} from '../../../../lib/errors.js'
import { openSqlite, type SqliteFixture } from './sqlite-fixture.js'

/** Knows two constraints of users, by the names in the table of {@link withTables}. */
const catalogue: ConstraintCatalogue = {
  byName: (constraint) => (constraint === 'users_age_check' ? { model: 'User', fields: ['age'], constraint } : undefined),
  byColumns: (table, columns) =>
    table === 'us.ers' && columns.join('|') === 'e.mail|na, us.me'
      ? { model: 'User', fields: ['email', 'name'], constraint: 'users_key' }
      : undefined,
}

async function withTables(): Promise<SqliteFixture> {
  const database = await openSqlite({}, ':memory:')
  for (const sql of [
    'create table users (id integer primary key, email text not null unique, age int check (age < 200), constraint users_age_check check (age > 0))',
    'create unique index users_lower on users (lower(email))',
    `create table "us.ers" ("e.mail" text, "na, us.me" text, unique ("e.mail", "na, us.me"))`,
    `create table posts (author int references users on delete restrict)`,
    `create table strict (n int) strict`,
    `create trigger no_posts before insert on posts when new.author = -1 begin select raise(abort, 'author -1 is secret'); end`,
    `insert into users values (1, 'ada', 36)`,
    `insert into "us.ers" values ('a', 'b')`,
    `insert into posts values (1)`,
  ]) {
    await database.run('write', sql)
  }
  return database
}

const SECRET = 'hunter2'

async function failure(database: SqliteFixture, sql: string, ...parameters: readonly unknown[]): Promise<LatchworkError> {
  const thrown = await database.run('write', sql, ...parameters).then(
    () => expect.unreachable('the statement did not fail'),
    (error: unknown) => error,
  )
  return toDataError(thrown, catalogue)
}

describe('toDataError', () => {
  it('names the columns of a broken key where no model is known', async () => {
    const error = await failure(await withTables(), 'insert into users values (1, ?, 1)', SECRET)
    expect(error).toBeInstanceOf(UniqueViolationError)
    expect(error).toMatchObject({
      model: undefined,
      fields: ['id'],
      constraint: undefined,
      cause: { code: 'SQLITE_CONSTRAINT_PRIMARYKEY' },
    })
  })

  it('gives the words of the model where one is known, whatever characters its names have', async () => {
    const error = await failure(await withTables(), `insert into "us.ers" values ('a', 'b')`)
    expect(error).toBeInstanceOf(UniqueViolationError)
    expect(error).toMatchObject({ model: 'User', fields: ['email', 'name'], constraint: 'users_key' })
  })

  it('names the index of a broken key of expressions', async () => {
    const error = await failure(await withTables(), `insert into users values (2, 'ADA', 1)`)
    expect(error).toBeInstanceOf(UniqueViolationError)
    expect(error).toMatchObject({ fields: [], constraint: 'users_lower' })
  })

  it('tells apart the other constraints', async () => {
    const database = await withTables()
    const check = await failure(database, `insert into users values (2, 'bob', ?)`, -41)
    expect(check).toBeInstanceOf(CheckViolationError)
    expect(check).toMatchObject({ model: 'User', fields: ['age'], constraint: 'users_age_check' })
    const unnamed = await failure(database, `insert into users values (2, 'bob', ?)`, 201)
    expect(unnamed).toMatchObject({ code: 'CHECK_VIOLATION', constraint: 'age < 200' })
    const notNull = await failure(database, 'insert into users values (2, ?, 1)', null)
    expect(notNull).toBeInstanceOf(NotNullViolationError)
    expect(notNull).toMatchObject({ fields: ['email'] })
    expect(await failure(database, 'insert into posts values (99)')).toBeInstanceOf(ForeignKeyViolationError)
    // RESTRICT is a trigger inside SQLite
    expect(await failure(database, 'delete from users')).toBeInstanceOf(ForeignKeyViolationError)
    const wrongType = await failure(database, 'insert into strict values (?)', SECRET)
    expect(wrongType).toBeInstanceOf(InvalidValueError)
    expect(wrongType).toMatchObject({ fields: ['n'] })
  })

  it('is an InvalidValueError for what SQLite or its driver cannot store', async () => {
    const database = await withTables()
    for (const value of [SECRET, true, { toString: () => SECRET }, new Date(), 2n ** 64n]) {
      expect(await failure(database, 'insert into users values (?, 1, 1)', value)).toBeInstanceOf(InvalidValueError)
    }
  })

  it('shows messages that hold names only, and keeps to the code for the rest', async () => {
    const database = await withTables()
    const messageOf = async (sql: string, ...parameters: unknown[]) => (await failure(database, sql, ...parameters)).message
    expect(await messageOf('select * from nowhere')).toBe('SQLite refused the statement: no such table: nowhere')
    expect(await messageOf('selct 1')).toBe('SQLite refused the statement: near "selct": syntax error')
    expect(await messageOf('insert into users (nope) values (1)')).toBe(
      'SQLite refused the statement: table users has no column named nope',
    )
    expect(await messageOf('select json_extract(?, ?)', '{}', SECRET)).toBe('SQLite refused the statement: SQLITE_ERROR')
    expect(await messageOf(`select 1 '${SECRET}`)).toBe('SQLite refused the statement: SQLITE_ERROR')
    expect(await messageOf('select 1; select 2')).toBe('the SQL text holds more than one statement; send them one by one')
    expect(await messageOf('select ?', 1, 2)).toBe('the statement has other parameters than the values given')
  })

  it('leaves no bound value, and no word of a trigger, in any part of an error', async () => {
    const database = await withTables()
    await database.run('write', 'insert into users values (5, ?, 1)', SECRET)
    for (const [sql, value] of [
      ['insert into users values (6, ?, 1)', SECRET],
      ['insert into posts values (?)', -1],
      ['select json_extract(?, 1)', SECRET],
      ['insert into strict values (?)', SECRET],
    ] as const) {
      const shown = inspect(await failure(database, sql, value), { depth: 10, showHidden: true })
      expect(shown).not.toContain(SECRET)
      expect(shown).not.toContain('is secret')
    }
  })

  it('gives a QueryError with the code for what has no class of its own', async () => {
    const error = await failure(await withTables(), 'insert into posts values (-1)')
    expect(error).toBeInstanceOf(QueryError)
    expect(error).toMatchObject({ databaseCode: 'SQLITE_CONSTRAINT_TRIGGER' })
  })

  it('is a SerializationError when a transaction that has read an old state wants to write', async () => {
    const file = await openSqlite()
    await file.run('write', 'create table t (n)')
    const [early, late] = [await openSqlite({}, file.file), await openSqlite({}, file.file)]
    const connection = await early.acquire('write')
    await connection.run({ sql: 'begin', parameters: [] })
    await connection.run({ sql: 'select * from t', parameters: [] })
    await late.run('write', 'insert into t values (1)')
    const writing = async () => connection.run({ sql: 'insert into t values (2)', parameters: [] })
    const error = await writing().catch((thrown: unknown) => toDataError(thrown, catalogue))
    expect(error).toBeInstanceOf(SerializationError)
    await connection.run({ sql: 'rollback', parameters: [] })
    early.pool.release(connection, 'clean')
  })

  it('is a QueryError when the database is full, and the transaction goes on', async () => {
    const database = await openSqlite({ initSql: ['pragma max_page_count = 5'] })
    await database.run('write', 'create table t (b)')
    const error = await failure(database, 'insert into t values (zeroblob(100000))')
    expect(error).toMatchObject({ code: 'QUERY', databaseCode: 'SQLITE_FULL' })
    expect(await database.run('write', 'insert into t values (1)')).toMatchObject({ affectedRows: 1 })
  })

  it('maps the codes of broken files and foreign locks', () => {
    const errorOf = (code: string) => toDataError(Object.assign(new Error('words'), { code }), catalogue)
    expect(errorOf('SQLITE_BUSY')).toBeInstanceOf(LockTimeoutError)
    expect(errorOf('SQLITE_LOCKED_SHAREDCACHE')).toBeInstanceOf(LockTimeoutError)
    expect(errorOf('SQLITE_READONLY_DBMOVED')).toBeInstanceOf(ReadOnlyError)
    expect(errorOf('SQLITE_CANTOPEN_ISDIR')).toBeInstanceOf(ConnectionError)
    expect(errorOf('SQLITE_NOTADB')).toBeInstanceOf(ConnectionError)
    expect(errorOf('SQLITE_IOERR_FSYNC')).toBeInstanceOf(ConnectionLostError)
    expect(errorOf('SQLITE_CORRUPT_VTAB')).toBeInstanceOf(ConnectionLostError)
    expect(errorOf('SQLITE_TOOBIG')).toBeInstanceOf(InvalidValueError)
    expect(errorOf('SQLITE_MISUSE')).toMatchObject({ code: 'QUERY', databaseCode: 'SQLITE_MISUSE' })
  })

  it('passes errors of ours through, and keeps a fault of the program as the cause', () => {
    const ours = new NotFoundError('User', 'read')
    expect(toDataError(ours, catalogue)).toBe(ours)
    const fault = new TypeError('x is not a function')
    expect(toDataError(fault, catalogue)).toMatchObject({ code: 'QUERY', cause: fault })
  })
})

describe('evicts', () => {
  it('says yes for a connection that is of no more use, and no for a refused row', () => {
    const withCode = (code: string) => Object.assign(new Error('words'), { code })
    expect(
      ['SQLITE_CORRUPT_INDEX', 'SQLITE_NOTADB', 'SQLITE_IOERR_READ', 'SQLITE_CANTOPEN', 'SQLITE_READONLY_DBMOVED']
        .map(withCode)
        .every(evicts),
    ).toBe(true)
    expect(['SQLITE_CONSTRAINT_UNIQUE', 'SQLITE_BUSY', 'SQLITE_FULL', 'ECONNRESET'].map(withCode).some(evicts)).toBe(false)
    expect(evicts(undefined)).toBe(false)
  })
})
