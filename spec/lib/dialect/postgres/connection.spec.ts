import { inspect } from 'node:util'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { deadlineAfter } from '../../../../lib/deadline.js'
import { capabilities } from '../../../../lib/dialect/postgres/capabilities.js'
import type { PostgresConnection } from '../../../../lib/dialect/postgres/connection.js'
import { evicts } from '../../../../lib/dialect/postgres/errors.js'
import { ConnectionError, ConnectionLostError, PoolerModeError, QueryError, StatementInvalidatedError } from '../../../../lib/errors.js'
import { type FreshDatabase, forEachEngine } from '../../../support/engines.js'
import { TIMED } from '../../../support/timed.js'
import { startFront } from './server-front.js'
import { connectorFor, firstValue, openSession } from './session.js'

const SLEEP = { sql: 'select pg_sleep(10)', parameters: [] }

forEachEngine(
  (engine) => {
    let database: FreshDatabase
    let connection: PostgresConnection

    beforeAll(async () => {
      database = await engine.freshDatabase()
      await engine.admin(database.url, 'create table items (id serial primary key, name text)')
    })
    beforeEach(async () => {
      connection = await openSession(database.url)
    })
    afterEach(() => connection.close())
    afterAll(() => database?.drop())

    const run = (sql: string, ...parameters: unknown[]) => connection.run({ sql, parameters })
    const errorOf = (running: Promise<unknown>): Promise<unknown> =>
      running.then(
        () => undefined,
        (error: unknown) => error,
      )
    const backendPid = async (of = connection) => Number(await firstValue(of, 'select pg_backend_pid()'))

    async function kill(pid: number): Promise<void> {
      await engine.admin(database.url, `select pg_terminate_backend(${pid})`)
    }

    async function broken(): Promise<void> {
      await expect.poll(() => connection.isBroken, { interval: 2 }).toBe(true)
    }

    describe('run', () => {
      it('gives values as the server wrote them, in column order', async () => {
        const { rows } = await run(`select 9007199254740993::bigint, 1.50::numeric, true, null, '{"a":1}'::jsonb, $1::text`, 'x')
        expect(rows).toStrictEqual([['9007199254740993', '1.50', 't', null, '{"a": 1}', 'x']])
      })

      it('counts the rows that a write has met, and none for a read', async () => {
        expect((await run(`insert into items (name) values ('a'), ('b'), ('c')`)).affectedRows).toBe(3)
        expect((await run(`update items set name = name where name <> 'a' returning id`)).affectedRows).toBe(2)
        expect((await run('select * from items')).affectedRows).toBe(0)
        expect((await run('delete from items')).affectedRows).toBe(3)
        expect((await run('create temp table nothing ()')).affectedRows).toBe(0)
      })

      it('gives the last result of several statements', async () => {
        expect((await run('select 1; select 2')).rows).toStrictEqual([['2']])
      })

      it('throws what the server raised, and goes on', async () => {
        expect(await errorOf(run('select 1 / 0'))).toMatchObject({ code: '22012' })
        expect(await firstValue(connection, 'select 1')).toBe('1')
        expect(connection.isBroken).toBe(false)
      })

      it('takes as many bound values as the protocol does, and refuses more before they are sent', async () => {
        const sum = (count: number) => `select ${Array.from({ length: count }, (_, index) => `$${index + 1}::int`).join('+')}`
        const values = Array.from({ length: capabilities.maxParameters }, () => 1)
        // a sum of that many terms is too deep for the server: a list is not
        const list = `select count(*) from (values ${values.map((_, index) => `($${index + 1})`).join(',')}) as given`
        expect(await firstValue(connection, list, ...values)).toBe('65535')
        expect(await errorOf(run(sum(capabilities.maxParameters + 1), ...values, 1))).toBeInstanceOf(QueryError)
        expect(connection.isBroken).toBe(false)
      })
    })

    describe('named statements', () => {
      const prepared = async () => (await run('select name from pg_prepared_statements where not from_sql order by name')).rows.flat()
      const named = (name: string, sql: string, ...parameters: unknown[]) => connection.run({ name, sql, parameters })

      it('stay prepared on the connection', async () => {
        for (const value of [1, 2, 3]) expect((await named('lw_a', 'select $1::int', value)).rows).toStrictEqual([[String(value)]])
        expect(await prepared()).toStrictEqual(['lw_a'])
      })

      it('are kept up to a bound; further ones run all the same', async () => {
        for (let index = 0; index < 510; index++) {
          expect((await named(`lw_${index}`, `select ${index}`)).rows).toStrictEqual([[String(index)]])
        }
        expect(await prepared()).toHaveLength(500)
      })

      it('are prepared anew after the table under them has changed', async () => {
        await run('create table growing (id int)')
        await named('lw_all', 'select * from growing')
        await engine.admin(database.url, `alter table growing add column name text default 'new'; insert into growing values (1)`)
        expect((await named('lw_all', 'select * from growing')).rows).toStrictEqual([['1', 'new']])
        await engine.admin(database.url, 'alter table growing drop column name')
        expect((await named('lw_all', 'select * from growing')).rows).toStrictEqual([['1']])
      })

      it('are prepared anew after somebody dropped them all', async () => {
        await named('lw_b', 'select 1')
        await run('deallocate all')
        expect((await named('lw_b', 'select 1')).rows).toStrictEqual([['1']])
      })

      it('are prepared anew where a column is of another type than the values that they were prepared for', async () => {
        await run(`create table typed (code varchar(10)); insert into typed values ('5')`)
        const count = () => named('lw_count', 'select count(*) from typed where code = $1', '5')
        const insert = () => named('lw_insert', 'insert into typed (code) values ($1)', '5')
        const becomes = (type: string, using = `code::${type}`) =>
          engine.admin(database.url, `alter table typed alter column code type ${type} using ${using}`)
        await insert()
        await count()
        await becomes('int')
        await insert()
        expect((await count()).rows).toStrictEqual([['3']])

        await becomes('text')
        await run('begin')
        await expect(count()).rejects.toThrow(StatementInvalidatedError)
        await run('rollback')
        expect((await count()).rows).toStrictEqual([['3']])

        // nothing is equal to a point: preparing anew is of no help
        await becomes('point', 'null')
        expect(await errorOf(count())).toMatchObject({ code: '42883' })
        expect(connection.isIdle).toBe(true)
      })

      it('leave none behind on the server that was replaced', async () => {
        await run('create table changing (id int)')
        for (let change = 0; change < 3; change++) {
          await named('lw_changing', 'select * from changing')
          await engine.admin(database.url, `alter table changing add column c${change} int`)
        }
        await named('lw_changing', 'select * from changing')
        expect(await prepared()).toStrictEqual(['lw_changing_3'])
      })

      it('fail inside a transaction that they cannot be run again in, and are prepared anew after it', async () => {
        await named('lw_c', 'select 1')
        await run('begin')
        await run('deallocate all')
        expect(await errorOf(named('lw_c', 'select 1'))).toMatchObject({ code: '26000' })
        await run('rollback')
        expect((await named('lw_c', 'select 1')).rows).toStrictEqual([['1']])
      })
    })

    describe('a transaction that begins with its first statement', () => {
      const beginning = (sql = 'begin isolation level repeatable read', withinMs?: number) =>
        connection.beginWithNext({ sql, withinMs, unanswered: () => new ConnectionError('BEGIN was not answered') })
      const named = (sql: string, ...parameters: unknown[]) => connection.run({ name: 'lw_first', sql, parameters })

      it('takes one round trip with a prepared one, each time', async () => {
        let answers = 0
        connection.client.connection.on('readyForQuery', () => answers++)
        for (const count of [1, 2]) {
          beginning()
          const sql = `insert into items (name) values ($1) returning current_setting('transaction_isolation')`
          expect(await named(sql, 'first')).toMatchObject({ rows: [['repeatable read']], affectedRows: 1 })
          expect(answers).toBe(2 * count - 1)
          expect(connection.isIdle).toBe(false)
          await run('rollback')
        }
        expect(connection.isIdle).toBe(true)
        expect(await firstValue(connection, 'select count(*) from items')).toBe('0')
        expect(await firstValue(connection, 'select count(*) from pg_prepared_statements where not from_sql')).toBe('1')
      })

      it('takes a round trip for each with a text, and with values that only the driver knows', async () => {
        for (const first of [
          () => run(`select 1; select current_setting('transaction_isolation')`),
          () => run(`select current_setting($1)`, 'transaction_isolation'),
        ]) {
          beginning()
          expect((await first()).rows).toStrictEqual([['repeatable read']])
          expect(connection.isIdle).toBe(false)
          await run('commit')
          expect(connection.isIdle).toBe(true)
        }
      })

      it('is the one that a cursor reads in', async () => {
        beginning()
        const cursor = connection.openCursor({ sql: `select current_setting('transaction_isolation')`, parameters: [] })
        expect(await cursor.fetch(10)).toMatchObject({ rows: [['repeatable read']] })
        await cursor.close()
        expect(connection.isIdle).toBe(false)
        await run('rollback')
      })

      it.each(['commit', 'rollback'])('has nothing to %s without any', async (end) => {
        let answers = 0
        connection.client.connection.on('readyForQuery', () => answers++)
        beginning()
        expect(connection.isIdle).toBe(false)
        expect(await run(end)).toMatchObject({ rows: [], affectedRows: 0 })
        expect(connection.isIdle).toBe(true)
        expect(answers).toBe(0)
        expect(await named('select 1')).toMatchObject({ rows: [['1']] })
        expect(connection.isIdle).toBe(true)
      })

      it('runs nothing where BEGIN is refused', async () => {
        for (const first of [
          () => named(`insert into items (name) values ('never')`),
          () => run(`insert into items (name) values ('never')`),
        ]) {
          beginning('begin isolation level none')
          expect(await errorOf(first())).toMatchObject({ code: '42601' })
          expect(connection.isIdle).toBe(true)
        }
        expect(await firstValue(connection, 'select count(*) from items')).toBe('0')
      })

      it('has failed where its first statement has, and can be rolled back; what was not parsed is parsed the next time', async () => {
        beginning()
        expect(await errorOf(named('select * from later'))).toMatchObject({ code: '42P01' })
        expect(await errorOf(run('select 1'))).toMatchObject({ code: '25P02' })
        await run('rollback')
        expect(connection.isIdle).toBe(true)
        await run('create temp table later (id int)')
        beginning()
        expect(await named('select * from later')).toMatchObject({ rows: [] })
        await run('commit')
      })

      it('begins with the next one where a statement could not be sent', async () => {
        beginning()
        expect(await errorOf(named('select $1', Symbol('none')))).toBeInstanceOf(QueryError)
        expect(await named(`select current_setting('transaction_isolation')`)).toMatchObject({ rows: [['repeatable read']] })
        await run('rollback')
      })
    })

    describe('a value that cannot be sent', () => {
      const unsendable = {
        toPostgres() {
          throw new TypeError('no such value')
        },
      }

      it('fails its statement alone: the next one is busy until its own answer, and can be cancelled', async () => {
        expect(await errorOf(run('select $1', unsendable))).toBeInstanceOf(TypeError)
        const running = errorOf(connection.run(SLEEP))
        const { processID } = connection.client as unknown as { processID: number }
        const sleeping = `select 1 from pg_stat_activity where pid = ${processID} and state = 'active' and query like '%pg_sleep%'`
        await expect.poll(() => engine.admin(database.url, sleeping)).toHaveLength(1)
        expect(connection.isIdle).toBe(false)
        await connection.cancel()
        expect(await running).toMatchObject({ code: '57014' })
        expect(connection.isIdle).toBe(true)
      })
    })

    describe('behind a pooler in transaction mode', () => {
      beforeEach(async () => {
        await connection.close()
        connection = await openSession(database.url, 'transaction')
      })

      it('keeps no statement prepared, and gives what it would give', async () => {
        const named = (sql: string, ...parameters: unknown[]) => connection.run({ name: 'lw_a', sql, parameters })
        for (const value of [1, 2]) {
          const result = await named('select $1::int as one, $2::bytea', value, new Uint8Array([1]))
          expect(result.rows).toStrictEqual([[String(value), '\\x01']])
          expect(await result.columns()).toMatchObject([{ name: 'one' }, { name: 'bytea' }])
        }
        expect((await named(`delete from items where name = 'nobody'`)).affectedRows).toBe(0)
        await expect(named('select $1::text', { a: 1 })).rejects.toThrow(QueryError)
        expect(await firstValue(connection, 'select count(*) from pg_prepared_statements')).toBe('0')
        expect(connection.isIdle).toBe(true)
      })

      it('refuses what needs a session before it is sent, in a transaction too, which goes on', async () => {
        await run('begin')
        await expect(run('listen news')).rejects.toThrow(PoolerModeError)
        await run(`set local lock_timeout = '7s'`)
        expect(await firstValue(connection, 'show lock_timeout')).toBe('7s')
        await run('commit')
        expect(await firstValue(connection, 'select count(*) from pg_listening_channels()')).toBe('0')
      })
    })

    describe('columns', () => {
      it('names the table and column that each comes from, and decodes as the plain driver does', async () => {
        await run(`insert into items (name) values ('a')`)
        const result = await run('select name as label, i.id, count(*) over () as total, now() > now() as later from items i limit 1')
        const columns = await result.columns()
        expect(columns.map(({ name, table, column }) => [name, table, column])).toStrictEqual([
          ['label', 'items', 'name'],
          ['id', 'items', 'id'],
          ['total', undefined, undefined],
          ['later', undefined, undefined],
        ])
        expect(columns.map(({ decode }, index) => decode!(result.rows[0]![index]))).toStrictEqual(['a', expect.any(Number), '1', false])
      })

      it('asks the server for none that the caller knows', async () => {
        expect((await run('select name, id from items')).columns(() => true)).toBeInstanceOf(Array)
        const columns = await (await run('select name, id from items')).columns((position) => position === 0)
        expect(columns[1]).toMatchObject({ table: 'items', column: 'id' })
      })

      it('knows them after a migration as they are called then', async () => {
        const originsOf = async (sql: string) => {
          const columns = await (await run(sql)).columns()
          return columns.map(({ table, column }) => `${table}.${column}`)
        }
        await run('create table prices (id int, gross int, net int)')
        expect(await originsOf('select gross, net from prices')).toEqual(['prices.gross', 'prices.net'])
        await engine.admin(database.url, 'alter table prices rename gross to total')
        expect(await originsOf('select total as gross, net from prices')).toEqual(['prices.total', 'prices.net'])
        await engine.admin(database.url, 'alter table prices rename net to gross; alter table prices rename to old_prices')
        expect(await originsOf('select total, gross from old_prices')).toEqual(['old_prices.total', 'old_prices.gross'])
      })

      it('knows a column that was added since', async () => {
        await (await run('select id from items')).columns()
        await engine.admin(database.url, 'alter table items add column since int')
        expect(await (await run('select since from items')).columns()).toMatchObject([{ table: 'items', column: 'since' }])
      })

      it('says the physical names, odd ones too, and the view where it is one', async () => {
        await run('create temp table "odd ""table" ("odd ""column" int)')
        expect(await (await run('select * from "odd ""table"')).columns()).toMatchObject([{ table: 'odd "table', column: 'odd "column' }])
        await run('create view item_names as select name from items')
        expect(await (await run('select * from item_names')).columns()).toMatchObject([{ table: 'item_names', column: 'name' }])
      })
    })

    describe('cancel', () => {
      it('stops the running statement on the server, and not the neighbour’s', TIMED, async () => {
        const neighbour = await openSession(database.url)
        const neighbours = firstValue(neighbour, `select 'done' from pg_sleep(0.5)`)
        const running = errorOf(connection.run(SLEEP))
        const { processID } = connection.client as unknown as { processID: number }
        const startedAtMs = performance.now()
        await connection.cancel()
        expect(await running).toMatchObject({ code: '57014' })
        expect(performance.now() - startedAtMs).toBeLessThan(200)
        expect(await active(processID)).toEqual([])
        expect(await neighbours).toBe('done')
        await neighbour.close()
      })

      const active = (pid: number) => engine.admin(database.url, `select 1 from pg_stat_activity where pid = ${pid} and state = 'active'`)

      it('stops a statement that the request has overtaken on its way', TIMED, async () => {
        const front = await startFront(database.url, { delayMs: 50 })
        const through = await (await connectorFor(database.url, { port: front.port })).open(deadlineAfter(5_000))
        const startedAtMs = performance.now()
        const running = errorOf(through.run(SLEEP))
        await through.cancel()
        expect(await running).toMatchObject({ code: '57014' })
        expect(performance.now() - startedAtMs).toBeLessThan(1_000)
        await through.close()
        await front.close()
      })

      it('stops a statement whose connection is closed at once', async () => {
        const pid = await backendPid()
        const running = errorOf(connection.run(SLEEP))
        const cancelling = connection.cancel()
        await connection.close()
        expect(connection.isBroken).toBe(true)
        await cancelling
        await expect.poll(() => active(pid), { timeout: 1_000 }).toEqual([])
        await running
        await expect.poll(() => connection.socket.destroyed).toBe(true)
      })

      it('does nothing when nothing runs', async () => {
        await connection.cancel()
        expect(await firstValue(connection, `select 'untouched' from pg_sleep(0.05)`)).toBe('untouched')
      })

      it('does nothing when the connection is gone', async () => {
        const running = errorOf(connection.run(SLEEP))
        connection.destroy()
        await connection.cancel()
        expect(await running).toBeInstanceOf(ConnectionLostError)
      })

      it('says so when it cannot reach the server while the statement goes on', async () => {
        const front = await startFront(database.url, {})
        const through = await (await connectorFor(database.url, { port: front.port })).open(deadlineAfter(5_000))
        const running = errorOf(through.run(SLEEP))
        front.refuse()
        expect(await errorOf(through.cancel())).toBeInstanceOf(ConnectionError)
        await through.close()
        expect(await running).toBeInstanceOf(ConnectionLostError)
        await front.close()
      })
    })

    describe('a session that the server ends', () => {
      it('breaks an idle connection and nothing else: the process goes on', async () => {
        await kill(await backendPid())
        await broken()
        expect(await errorOf(run('select 1'))).toBeInstanceOf(ConnectionError)
      })

      it('fails the statement that runs, with an error that evicts', async () => {
        const pid = await backendPid()
        const running = errorOf(connection.run(SLEEP))
        await kill(pid)
        const error = await running
        expect(error).toMatchObject({ code: '57P01' })
        expect(evicts(error)).toBe(true)
        await broken()
      })

      it('is told apart from a refusal to connect when the network goes away in the middle', async () => {
        const front = await startFront(database.url, {})
        const through = await (await connectorFor(database.url, { port: front.port })).open(deadlineAfter(5_000))
        const running = errorOf(through.run(SLEEP))
        front.cut()
        const error = await running
        expect(error).toBeInstanceOf(ConnectionLostError)
        expect(evicts(error)).toBe(true)
        expect(through.isBroken).toBe(true)
        await front.close()
      })
    })

    describe('close', () => {
      const sessionsOf = (pid: unknown) => engine.admin(database.url, `select 1 from pg_stat_activity where pid = ${pid}`)

      it('takes leave, and settles when the server has no session any more', async () => {
        const pid = await backendPid()
        await connection.close()
        expect(await sessionsOf(pid)).toEqual([])
      })

      it('stops a statement that runs, and its session with it', TIMED, async () => {
        const pid = await backendPid()
        const running = errorOf(connection.run(SLEEP))
        const startedAtMs = performance.now()
        await connection.close()
        expect(await sessionsOf(pid)).toEqual([])
        expect(await running).toBeInstanceOf(ConnectionLostError)
        expect(performance.now() - startedAtMs).toBeLessThan(200)
      })

      it('may be called twice', async () => {
        await connection.close()
        await connection.close()
        expect(connection.isBroken).toBe(true)
      })
    })

    it('shows no password to whoever prints it', async () => {
      const connector = await connectorFor(database.url, { password: 'unguessable' })
      const opened = await connector.open(deadlineAfter(5_000))
      for (const shown of [opened, connector]) {
        expect(inspect(shown, { depth: 20, showHidden: true })).not.toContain('unguessable')
      }
      await opened.close()
    })
  },
  { engines: ['postgres'] },
)
