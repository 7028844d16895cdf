import { inspect } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ConstraintCatalogue } from '../../../../lib/dialect/dialect.js'
import type { PostgresConnection } from '../../../../lib/dialect/postgres/connection.js'
import { evicts, toDataError } from '../../../../lib/dialect/postgres/errors.js'
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
import { type FreshDatabase, forEachEngine } from '../../../support/engines.js'
import { openSession } from './session.js'

const SECRET = 'unguessable'

// as a database object would have it for a model User on the table users
const catalogue: ConstraintCatalogue = {
  byName: (constraint, table) =>
    constraint === 'users_email_key' && table === 'users' ? { model: 'User', fields: ['emailAddress'], constraint } : undefined,
  byColumns: (table, columns) =>
    table === 'users' && columns[0] === 'email' ? { model: 'User', fields: ['emailAddress'], constraint: undefined } : undefined,
}

const TABLES = `
  create table countries (code text primary key);
  create table users (
    id integer primary key,
    email varchar(20) not null constraint users_email_key unique,
    country text constraint users_country_fkey references countries,
    age integer constraint users_age_check check (age >= 0),
    during int4range,
    constraint users_during_excl exclude using gist (during with &&)
  );
  insert into users (id, email, during) values (1, 'taken', '[1,5)')`

function serverError(code: string): Error {
  return Object.assign(new Error(`${SECRET} in the words of the server`), { severity: 'FATAL', code })
}

describe('toDataError', () => {
  it('lets errors of ours pass through', () => {
    const error = new ConnectionError('no')
    expect(toDataError(error, catalogue)).toBe(error)
  })

  it('tells by its code what the server raised when it is not there to be provoked', () => {
    const expected: readonly (readonly [string, abstract new (...given: never[]) => LatchworkError])[] = [
      ['08006', ConnectionLostError],
      ['08001', ConnectionError],
      ['23001', ForeignKeyViolationError],
      ['25P03', ConnectionLostError],
      ['28P01', ConnectionError],
      ['3D000', QueryError],
      ['44000', CheckViolationError],
      ['53100', QueryError],
      ['53300', ConnectionError],
      ['57P01', ConnectionLostError],
      ['57P02', ConnectionLostError],
      ['57P03', ConnectionError],
      ['57P04', ConnectionLostError],
      ['22P06', InvalidValueError],
    ]
    for (const [code, kind] of expected) expect(toDataError(serverError(code), catalogue), code).toBeInstanceOf(kind)
  })

  it('tells a network that refuses from one that breaks', () => {
    const networkError = (code: string) => Object.assign(new Error(code), { code })
    expect(toDataError(networkError('ECONNREFUSED'), catalogue)).toBeInstanceOf(ConnectionError)
    expect(toDataError(networkError('ECONNRESET'), catalogue)).toBeInstanceOf(ConnectionLostError)
  })

  it('says of anything else no more than its kind', () => {
    const error = toDataError(new TypeError(`cannot send ${SECRET}`), catalogue)
    expect(error).toBeInstanceOf(QueryError)
    expect(inspect(error)).toContain('TypeError')
    expect(inspect(error)).not.toContain(SECRET)
  })
})

describe('evicts', () => {
  const withCode = (code: string, severity = 'ERROR') => Object.assign(serverError(code), { severity })

  it.each([
    ['the connection failed', ['08000', '08003', '08006', '08P01']],
    ['the server goes down or takes no session', ['57P01', '57P02', '57P03', '57P04']],
    ['the server takes no writes', ['25006']],
    ['the session took too long', ['25P03', '25P04', '57P05']],
  ])('says so of codes after which the session or its server is of no more use: %s', (_, codes) => {
    expect(codes.filter((code) => !evicts(withCode(code)))).toEqual([])
  })

  it('says so of whatever ends the session, such as a statement in the way of a standby', () => {
    expect(evicts(withCode('40001', 'FATAL'))).toBe(true)
    expect(evicts(withCode('XX000', 'PANIC'))).toBe(true)
  })

  it('says so of a network that broke', () => {
    expect(evicts(new ConnectionLostError('gone'))).toBe(true)
    expect(evicts(Object.assign(new Error(), { code: 'ECONNRESET' }))).toBe(true)
  })

  it('keeps a connection whose statement was merely refused', () => {
    const codes = ['0A000', '22P02', '23505', '25P02', '26000', '40001', '40P01', '42601', '53100', '53200', '55P03', '57014', 'P0001']
    expect(codes.filter((code) => evicts(withCode(code)))).toEqual([])
    expect(evicts(new TypeError())).toBe(false)
  })
})

forEachEngine(
  (engine) => {
    let database: FreshDatabase
    let connection: PostgresConnection

    beforeAll(async () => {
      database = await engine.freshDatabase()
      await engine.admin(database.url, TABLES)
      connection = await openSession(database.url)
    })

    afterAll(async () => {
      await connection?.close()
      await database?.drop()
    })

    async function thrownBy(sql: string, parameters: readonly unknown[] = [], on = connection): Promise<LatchworkError> {
      try {
        await on.run({ sql, parameters })
      } catch (error) {
        const mapped = toDataError(error, catalogue)
        // whatever was bound or inlined: nobody who prints the error sees it
        expect(inspect(mapped, { depth: 10, showHidden: true })).not.toContain(SECRET)
        return mapped
      }
      throw new Error('nothing was thrown')
    }

    describe('a broken constraint', () => {
      it('is named with model and fields where they are known', async () => {
        const error = await thrownBy('insert into users (id, email) values (2, $1)', ['taken'])
        expect(error).toBeInstanceOf(UniqueViolationError)
        expect(error).toMatchObject({ model: 'User', fields: ['emailAddress'], constraint: 'users_email_key', retryable: false })
        expect(error.cause).toMatchObject({ code: '23505', constraint: 'users_email_key', table: 'users' })
      })

      it('is named by its column where it has no name of its own', async () => {
        const error = await thrownBy('insert into users (id, email) values (2, null)')
        expect(error).toBeInstanceOf(NotNullViolationError)
        expect(error).toMatchObject({ model: 'User', fields: ['emailAddress'] })
      })

      it('is named as the database does where no model is known', async () => {
        expect(await thrownBy(`insert into users (id, email, country) values (2, 'b', '${SECRET}')`)).toMatchObject({
          code: 'FOREIGN_KEY_VIOLATION',
          model: undefined,
          fields: [],
          constraint: 'users_country_fkey',
        })
        const check = await thrownBy(`insert into users (id, email, age) values (2, '${SECRET}', -1)`)
        expect(check).toBeInstanceOf(CheckViolationError)
        expect(check).toMatchObject({ constraint: 'users_age_check' })
        const exclusion = await thrownBy(`insert into users (id, email, during) values (2, 'b', '[4,6)')`)
        expect(exclusion).toBeInstanceOf(UniqueViolationError)
        expect(exclusion).toMatchObject({ constraint: 'users_during_excl' })
      })
    })

    describe('a value that the database refuses', () => {
      it('is an InvalidValueError without the value', async () => {
        const refusals: readonly (readonly [string, readonly unknown[]])[] = [
          [`insert into users (id, email) values (2, $1)`, [SECRET.repeat(3)]],
          ['select $1::int', ['99999999999']],
          ['select $1::int', [SECRET]],
          ['select $1::date', [SECRET]],
          ['select $1::date', ['2024-02-30']],
          ['select $1::text', [`${SECRET}\0`]],
          ['select $1::jsonb', [`{"${SECRET}": "\\u0000"}`]],
          [`select '${SECRET}' like $1`, ['u\\']],
          [`select '${SECRET}' ~ $1`, ['(']],
          ['select 1 / $1::int', [0]],
        ]
        for (const [sql, parameters] of refusals) expect(await thrownBy(sql, parameters), sql).toBeInstanceOf(InvalidValueError)
      })
    })

    describe('a statement that the database refuses', () => {
      it('is a QueryError that says which name of the SQL is wrong', async () => {
        const error = await thrownBy('select emial from users where email = $1', [SECRET])
        expect(error).toBeInstanceOf(QueryError)
        expect(error).toMatchObject({ databaseCode: '42703' })
        expect(error.message).toContain('column "emial" does not exist')
        expect((await thrownBy('select * from uzers')).message).toContain('relation "uzers" does not exist')
      })

      it('does not say a name that was bound', async () => {
        const error = await thrownBy('select cast($1 as regclass)', [SECRET])
        expect(error).toMatchObject({ code: 'QUERY', databaseCode: '42P01' })
      })

      it('says where a syntax error is, and not the SQL there', async () => {
        expect((await thrownBy(`select 'a' '${SECRET}'`)).message).toContain('syntax error at character 12')
        expect((await thrownBy(`select '${SECRET}`)).message).toContain('syntax error at character 8')
      })

      it('keeps what a trigger or function raises to itself', async () => {
        const error = await thrownBy(`do $$ begin raise exception 'no: %', '${SECRET}' using errcode = 'LW001'; end $$`)
        expect(error).toMatchObject({ code: 'QUERY', databaseCode: 'LW001' })
      })
    })

    describe('transactions', () => {
      const inTransaction = async (body: () => Promise<void>) => {
        await connection.run({ sql: 'begin', parameters: [] })
        try {
          await body()
        } finally {
          await connection.run({ sql: 'rollback', parameters: [] })
        }
      }

      it('that cannot be put in order are a SerializationError, to be repeated', async () => {
        const other = await openSession(database.url)
        await connection.run({ sql: 'begin isolation level serializable', parameters: [] })
        await connection.run({ sql: 'select * from users', parameters: [] })
        await other.run({ sql: 'update users set age = 1', parameters: [] })
        const error = await thrownBy('update users set age = 2')
        await connection.run({ sql: 'rollback', parameters: [] })
        expect(error).toBeInstanceOf(SerializationError)
        expect(error.retryable).toBe(true)
        await other.close()
      })

      it('that wait for each other are a DeadlockError for one of them', async () => {
        const other = await openSession(database.url)
        const lock = (on: PostgresConnection, key: number) => on.run({ sql: `select pg_advisory_xact_lock(${key})`, parameters: [] })
        for (const one of [connection, other]) await one.run({ sql: `begin; set local deadlock_timeout = '50ms'`, parameters: [] })
        await lock(connection, 1)
        await lock(other, 2)
        const outcomes = await Promise.allSettled([lock(connection, 2), lock(other, 1)])
        const failed = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [toDataError(outcome.reason, catalogue)] : []))
        expect(failed).toHaveLength(1)
        expect(failed[0]).toBeInstanceOf(DeadlockError)
        await connection.run({ sql: 'rollback', parameters: [] })
        await other.close()
      })

      it('that find a row locked are a LockTimeoutError', async () => {
        const other = await openSession(database.url)
        await other.run({ sql: 'begin; select * from users for update', parameters: [] })
        expect(await thrownBy('select * from users for update nowait')).toBeInstanceOf(LockTimeoutError)
        await other.close()
      })

      it('that may only read are a ReadOnlyError', async () => {
        await connection.run({ sql: 'begin read only', parameters: [] })
        const error = await thrownBy('update users set age = 1')
        await connection.run({ sql: 'rollback', parameters: [] })
        expect(error).toBeInstanceOf(ReadOnlyError)
      })

      it('that failed say so of each further statement', async () => {
        await inTransaction(async () => {
          await thrownBy('select 1 / 0')
          expect(await thrownBy('select 1')).toMatchObject({ databaseCode: '25P02', message: expect.stringContaining('earlier statement') })
        })
      })

      it('under which the schema changed are to be repeated', async () => {
        await connection.run({ name: 'lw_dropped', sql: 'select 1', parameters: [] })
        await inTransaction(async () => {
          await connection.run({ sql: 'deallocate all', parameters: [] })
          const running = connection.run({ name: 'lw_dropped', sql: 'select 1', parameters: [] })
          const error = await running.catch((thrown: unknown) => toDataError(thrown, catalogue))
          expect(error).toBeInstanceOf(StatementInvalidatedError)
        })
      })
    })

    it('a statement that the server stops by itself is a QueryTimeoutError', async () => {
      await connection.run({ sql: `set statement_timeout = '20ms'`, parameters: [] })
      const error = await thrownBy('select pg_sleep(10)')
      await connection.run({ sql: 'reset statement_timeout', parameters: [] })
      expect(error).toBeInstanceOf(QueryTimeoutError)
    })
  },
  { engines: ['postgres'] },
)
