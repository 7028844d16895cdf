import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import type { ConstraintCatalogue } from '../../../../lib/dialect/dialect.js'
import { evicts, toDataError } from '../../../../lib/dialect/mysql/errors.js'
import {
  CheckViolationError,
  ConnectionError,
  ConnectionLostError,
  DeadlockError,
  ForeignKeyViolationError,
  InvalidValueError,
  type LatchworkError,
  LockTimeoutError,
  NotNullViolationError,
  QueryError,
  QueryTimeoutError,
  ReadOnlyError,
  SerializationError,
  StatementInvalidatedError,
  UniqueViolationError,
} from '../../../../lib/errors.js'
import { forEachEngine } from '../../../support/engines.js'
import { acquire, rejection, Session, Sessions } from './sessions.js'

const SECRET = "s3cret' for key 'users_nick_key"

const catalogue: ConstraintCatalogue = {
  byName: (constraint, table) => {
    const key = `${table}.${constraint}`
    if (key === 'users.PRIMARY') return { model: 'User', fields: ['id'], constraint: 'users_pkey' }
    if (constraint === 'users_email_key') return { model: 'User', fields: ['email'], constraint }
    if (constraint === 'users_age_check') return { model: 'User', fields: ['age'], constraint }
    return constraint === 'posts_author_id_fkey' ? { model: 'Post', fields: ['authorId'], constraint } : undefined
  },
  byColumns: (table, columns) => ({ model: table === 'users' ? 'User' : 'Post', fields: columns, constraint: undefined }),
}

forEachEngine(
  (engine) => {
    const sessions = new Sessions(engine)

    async function withTables(): Promise<Session> {
      const session = await sessions.open()
      await session.run(
        'create table if not exists `users` (id int primary key auto_increment, email varchar(60), nick varchar(40) not null, age int, ' +
          'born date, settings json, constraint users_email_key unique (email), constraint users_age_check check (age >= 0)) collate utf8mb4_bin',
      )
      await session.run(
        'create table if not exists `posts` (id int primary key, author_id int, score tinyint check (score < 5), ' +
          'constraint posts_author_id_fkey foreign key (author_id) references users (id)) collate utf8mb4_bin',
      )
      return session
    }

    async function dataError(session: Session, sql: string, ...parameters: unknown[]): Promise<LatchworkError & Record<string, unknown>> {
      const error = toDataError(await rejection(session.run(sql, ...parameters)), catalogue)
      for (const text of [inspect(error, { depth: 9 }), JSON.stringify(error)]) expect(text).not.toContain('s3cret')
      return error as LatchworkError & Record<string, unknown>
    }

    it('names model and fields of a broken unique key, and no value', async () => {
      const session = await withTables()
      await session.run('insert into `users` (email, nick) values (?, ?)', SECRET, 'n')
      const error = await dataError(session, 'insert into `users` (email, nick) values (?, ?)', SECRET, 'n')
      expect(error).toBeInstanceOf(UniqueViolationError)
      expect(error).toMatchObject({ model: 'User', fields: ['email'], constraint: 'users_email_key', retryable: false })
      expect(error.cause).toMatchObject({ errno: 1062, sqlState: '23000', constraint: 'users_email_key' })
    })

    it('finds the table of a primary key in the statement', async () => {
      const session = await withTables()
      await session.run('insert into `users` (id, nick) values (?, ?)', 500, 'n')
      const error = await dataError(session, 'insert into `users` (id, nick) values (?, ?)', 500, 's3cret')
      expect(error).toMatchObject({ model: 'User', fields: ['id'], constraint: 'users_pkey' })
    })

    it('names the foreign key from both of its sides', async () => {
      const session = await withTables()
      await session.run('insert into `users` (id, nick) values (?, ?)', 600, 'n')
      await session.run('insert into `posts` (id, author_id) values (?, ?)', 600, 600)
      const expected = { model: 'Post', fields: ['authorId'], constraint: 'posts_author_id_fkey' }
      const child = await dataError(session, 'insert into `posts` (id, author_id) values (?, ?)', 601, -1)
      expect(child).toBeInstanceOf(ForeignKeyViolationError)
      expect(child).toMatchObject(expected)
      const parent = await dataError(session, 'delete from `users` where id = ?', 600)
      expect(parent).toBeInstanceOf(ForeignKeyViolationError)
      expect(parent).toMatchObject(expected)
    })

    it('names a check by its constraint, or by its column where it has none', async () => {
      const session = await withTables()
      const named = await dataError(session, 'insert into `users` (nick, age) values (?, ?)', 's3cret', -1)
      expect(named).toBeInstanceOf(CheckViolationError)
      expect(named).toMatchObject({ model: 'User', fields: ['age'], constraint: 'users_age_check' })
      const unnamed = await dataError(session, 'insert into `posts` (id, score) values (?, ?)', 700, 9)
      expect(unnamed).toMatchObject({ model: 'Post', fields: ['score'] })
    })

    it('names the column that takes no null, or not this value', async () => {
      const session = await withTables()
      const insert = (columns: string, ...values: unknown[]) =>
        dataError(session, `insert into \`users\` (${columns}) values (${values.map(() => '?').join(', ')})`, ...values)
      const cases: [LatchworkError & Record<string, unknown>, new (...args: never[]) => LatchworkError, string][] = [
        [await insert('email, nick', 's3cret', null), NotNullViolationError, 'nick'],
        [await insert('email', 's3cret 2'), NotNullViolationError, 'nick'],
        [await insert('nick, email', 'n', 's3cret'.repeat(20)), InvalidValueError, 'email'],
        [await insert('nick, age', 's3cret', 2 ** 40), InvalidValueError, 'age'],
        [await insert('nick, age', 'n', "s3cret' for column 'nick' at row 1"), InvalidValueError, 'age'],
        [await insert('nick, born', 'n', '2026-02-30 s3cret'), InvalidValueError, 'born'],
      ]
      for (const [error, type, field] of cases) {
        expect(error).toBeInstanceOf(type)
        expect(error).toMatchObject({ model: 'User', fields: [field] })
      }
    })

    it('says which table or column a statement got wrong, and no text of a syntax error', async () => {
      const session = await withTables()
      expect(await dataError(session, 'select * from nowhere where id = ?', 1)).toMatchObject({
        databaseCode: '1146',
        message: expect.stringContaining('nowhere'),
      })
      expect(await dataError(session, 'select wrong from `users` where id = ?', 1)).toMatchObject({
        databaseCode: '1054',
        message: expect.stringContaining('wrong'),
      })
      const syntax = await dataError(session, "selec 's3cret', ?", 1)
      expect(syntax).toBeInstanceOf(QueryError)
      expect(syntax).toMatchObject({ databaseCode: '1064', message: expect.stringContaining('at line 1') })
    })

    it("keeps the text of an error that the database's own code raised to itself", async () => {
      const session = await withTables()
      const error = await dataError(session, "signal sqlstate '45000' set message_text = 's3cret'")
      expect(error).toMatchObject({ code: 'QUERY', databaseCode: '1644' })
    })

    it('tells a deadlock, a lock time-out and a stopped statement apart', async () => {
      const pool = await sessions.openPool({ initSql: ['set innodb_lock_wait_timeout = 1'] })
      const [one, two] = [new Session(pool, await acquire(pool)), new Session(pool, await acquire(pool))]
      await one.run('create table locked (id int primary key, n int)')
      await one.run('insert into locked values (1, 0), (2, 0)')
      await one.run('start transaction')
      await two.run('start transaction')
      await one.run('update locked set n = 1 where id = ?', 1)
      await two.run('update locked set n = 1 where id = ?', 2)

      const timeout = toDataError(await rejection(one.run('update locked set n = 1 where id = ?', 2)), catalogue)
      expect(timeout).toBeInstanceOf(LockTimeoutError)
      const waits = [one.run('update locked set n = 2 where id = ?', 2), two.run('update locked set n = 2 where id = ?', 1)]
      const deadlock = toDataError(await rejection(Promise.all(waits)), catalogue)
      expect(deadlock).toBeInstanceOf(DeadlockError)
      expect(deadlock.retryable).toBe(true)
      await Promise.allSettled(waits)

      const stopped = await rejection(one.run('set statement max_statement_time = 0.05 for select sleep(5) from dual'))
      expect(toDataError(stopped, catalogue)).toBeInstanceOf(QueryTimeoutError)
    })

    it('refuses writes of a read-only transaction as such', async () => {
      const session = await withTables()
      await session.run('start transaction read only')
      expect(await dataError(session, 'update `users` set nick = ?', 'x')).toBeInstanceOf(ReadOnlyError)
    })
  },
  { engines: ['mysql'] },
)

// errors that this server does not raise, or not when asked to
describe('toDataError', () => {
  function serverError(errno: number, message: string, sql?: string): Error {
    return Object.assign(new Error(message), { errno, sqlState: 'HY000', sqlMessage: message, ...(sql === undefined ? {} : { sql }) })
  }

  it("reads MySQL's forms of what MariaDB words otherwise", () => {
    const unique = toDataError(serverError(1062, "Duplicate entry 'x' for key 'users.users_email_key'"), catalogue)
    expect(unique).toMatchObject({ model: 'User', fields: ['email'] })
    expect(toDataError(serverError(1062, "Duplicate entry '1' for key 'users.PRIMARY'"), catalogue)).toMatchObject({ fields: ['id'] })
    const check = toDataError(serverError(3819, "Check constraint 'users_age_check' is violated."), catalogue)
    expect(check).toMatchObject({ code: 'CHECK_VIOLATION', fields: ['age'] })
    const value = serverError(1366, "Incorrect integer value: 'x' for column 'age' at row 1", 'insert into `users` values (?)')
    expect(toDataError(value, catalogue)).toMatchObject({ code: 'INVALID_VALUE', model: 'User', fields: ['age'] })
  })

  it('reads a table written with its database, and names with backticks in them', () => {
    const missing = serverError(1048, "Column 'nick' cannot be null", 'insert into `shop`.`users` (`nick`) values (?)')
    expect(toDataError(missing, catalogue)).toMatchObject({ model: 'User', fields: ['nick'] })
    const odd = serverError(4025, 'CONSTRAINT `a``b` failed for `shop`.`t`')
    expect(
      toDataError(odd, {
        byName: (name, table) => ({ model: `${table}/${name}`, fields: [], constraint: name }),
        byColumns: () => undefined,
      }),
    ).toMatchObject({
      model: 't/a`b',
    })
  })

  it.each([
    [1020, SerializationError],
    [1243, StatementInvalidatedError],
    [1412, StatementInvalidatedError],
    [1615, StatementInvalidatedError],
    [1213, DeadlockError],
    [3572, LockTimeoutError],
    [1317, QueryTimeoutError],
    [3024, QueryTimeoutError],
    [1836, ReadOnlyError],
    [1040, ConnectionError],
    [1049, QueryError],
    [1927, ConnectionLostError],
    [2013, ConnectionLostError],
    [1153, InvalidValueError],
    [3032, ConnectionError],
    [3169, ConnectionLostError],
  ])('maps %i to %o', (errno, type) => {
    expect(toDataError(serverError(errno, 's3cret'), catalogue)).toBeInstanceOf(type)
  })

  it('says of a server without memory for more locks that the whole transaction is gone', () => {
    const error = toDataError(serverError(1206, 's3cret'), catalogue)
    expect(error).toBeInstanceOf(QueryError)
    expect(error).toMatchObject({ databaseCode: '1206', endsTransaction: true })
    expect(toDataError(serverError(1064, 's3cret'), catalogue)).toMatchObject({ endsTransaction: false })
  })

  it('takes 1290 for read-only only where it says so', () => {
    const readOnly = serverError(1290, 'The MariaDB server is running with the --read-only option so it cannot execute this statement')
    expect(toDataError(readOnly, catalogue)).toBeInstanceOf(ReadOnlyError)
    const other = serverError(1290, 'The MariaDB server is running with the --secure-file-priv option so it cannot execute this statement')
    expect(toDataError(other, catalogue)).toBeInstanceOf(QueryError)
  })

  it('takes 4031 for the end of an idle session only where it says so', () => {
    const idle = serverError(4031, 'The client was disconnected by the server because of inactivity. See wait_timeout.')
    expect(toDataError(idle, catalogue)).toBeInstanceOf(ConnectionLostError)
    const other = serverError(4031, "Referenced trigger 'x' for the given action time and event type does not exist")
    expect(toDataError(other, catalogue)).toBeInstanceOf(QueryError)
  })

  it('lets errors of ours pass through', () => {
    const ours = new LockTimeoutError('x')
    expect(toDataError(ours, catalogue)).toBe(ours)
  })

  it('shows nothing of what the driver says about a parameter', () => {
    const error = toDataError(new TypeError('BIGINT parameter must be an integer, got "s3cret"'), catalogue)
    expect(inspect(error, { depth: 9 })).not.toContain('s3cret')
  })
})

describe('evicts', () => {
  const errno = (number: number) => evicts(Object.assign(new Error('x'), { errno: number, sqlState: 'HY000' }))

  it.each([
    ['the server shuts down', [1053, 1077, 1078, 1079, 1080]],
    ['the network fails under it', [1152, 1154, 1155, 1156, 1157, 1158, 1159, 1160, 1161]],
    ['a statement is too large, and the server hangs up', [1153]],
    ['the server takes no writes', [1290, 1792, 1836]],
    ['the session was killed, or was idle for too long', [1927, 3169, 4031]],
    ['the server takes no sessions but those of administrators', [3032]],
    ['the driver has lost it', [2006, 2013]],
  ])('is for errors that end the connection or would go on failing on it: %s', (_, numbers) => {
    expect(numbers.filter((number) => !errno(number))).toEqual([])
  })

  it('keeps a connection whose statement was merely refused, stopped or rolled back', () => {
    const numbers = [1020, 1022, 1048, 1054, 1062, 1064, 1146, 1205, 1213, 1264, 1317, 1406, 1451, 1452, 1969, 3024, 3572, 3819, 4025]
    expect(numbers.filter(errno)).toEqual([])
    expect(evicts(new TypeError('x'))).toBe(false)
    expect(evicts(undefined)).toBe(false)
  })

  it('is for whatever the driver calls fatal', () => {
    expect(evicts(Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET', errno: -104, fatal: true }))).toBe(true)
  })
})
