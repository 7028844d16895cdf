import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { inspect } from 'node:util'
import { afterEach, expect, it, onTestFinished } from 'vitest'
import type { ServerConnection } from '../../../../lib/dialect/connection-config.js'
import type { Connection } from '../../../../lib/dialect/dialect.js'
import { toDataError } from '../../../../lib/dialect/mysql/errors.js'
import { ConnectionError, ConnectionLostError, QueryTimeoutError } from '../../../../lib/errors.js'
import { forEachEngine } from '../../../support/engines.js'
import { napQuery } from '../../../support/naps.js'
import { TIMED } from '../../../support/timed.js'
import { acquire, rejection, Session, Sessions } from './sessions.js'

const NOTHING_KNOWN = { byName: () => undefined, byColumns: () => undefined }

forEachEngine(
  (engine) => {
    const sessions = new Sessions(engine)
    const servers: Server[] = []
    const stillRunning = async (marker: string) =>
      (await sessions.admin(`select id from information_schema.processlist where info like '%${marker}%' and id <> connection_id()`)).length

    afterEach(() => {
      for (const server of servers.splice(0)) server.close()
    })

    async function silentServer(): Promise<number> {
      const server = createServer((socket) => void socket.on('error', () => undefined))
      servers.push(server)
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      return (server.address() as AddressInfo).port
    }

    /** A road to the real server that can be blocked: connections on it then stay open and carry nothing; later ones are not hit. */
    async function roadTo({ host = '127.0.0.1', port = 3306 }: ServerConnection) {
      const pairs: [Socket, Socket][] = []
      const sent: Buffer[] = []
      const server = createServer((near) => {
        const far = connect(port, host)
        pairs.push([near, far])
        near.on('data', (chunk) => sent.push(chunk))
        near.pipe(far).pipe(near)
        for (const socket of [near, far]) socket.on('error', () => undefined)
      })
      servers.push(server)
      server.listen(0, '127.0.0.1')
      await once(server, 'listening')
      const block = () => {
        for (const [near, far] of pairs) {
          near.unpipe(far)
          far.unpipe(near)
        }
      }
      return { port: (server.address() as AddressInfo).port, block, sent: () => Buffer.concat(sent) }
    }

    async function idOf(connection: Connection): Promise<number> {
      return (await connection.run({ sql: 'select connection_id()', parameters: [] })).rows[0]![0] as number
    }

    it('is open with one connection, and makes as many as are to be kept', async () => {
      expect((await sessions.openPool()).stats().open).toBe(1)
      const pool = await sessions.openPool({ minConnections: 3 })
      await expect.poll(() => pool.stats().open).toBe(3)
    })

    it('gives up at the deadline on a server that never answers', TIMED, async () => {
      const port = await silentServer()
      const startedMs = performance.now()
      const error = await rejection(sessions.openPool({ acquireTimeoutMs: 200 }, { port }))
      expect(error).toBeInstanceOf(ConnectionError)
      expect(error.message).toMatch(/^mysql:127\.0\.0\.1:\d+\/\w+: connecting took longer/)
      expect(performance.now() - startedMs).toBeLessThan(600)
    })

    it('gives up at the deadline on a password that does not come, and on slow init SQL', async () => {
      const never = rejection(sessions.openPool({ acquireTimeoutMs: 100 }, { password: () => new Promise<string>(() => undefined) }))
      expect(await never).toBeInstanceOf(ConnectionError)
      const marker = 'slow init'
      const slow = rejection(sessions.openPool({ acquireTimeoutMs: 200, initSql: [`do sleep(20) /* ${marker} */`] }))
      expect(await slow).toBeInstanceOf(ConnectionError)
    })

    it('says in words why no connection could be made', async () => {
      const port = await silentServer()
      servers.pop()!.close()
      const reason = async (parts: Parameters<typeof sessions.openPool>[1]) => rejection(sessions.openPool({}, parts))
      // a user that is there: how one that is not is refused depends on what others the server has
      const user = `lw_${process.pid}`
      await sessions.admin(`create user ${user} identified by 'another'`)
      onTestFinished(async () => void (await sessions.admin(`drop user ${user}`)))
      const errors = [
        await reason({ port }),
        await reason({ user, password: 's3cret' }),
        await reason({ database: 'no_such_database' }),
        await reason({ host: '/no/such/socket' }),
        await reason({ password: () => Promise.reject(new Error('the vault is sealed')) }),
        await reason({ tls: true }),
      ]
      for (const error of errors) {
        expect(error).toBeInstanceOf(ConnectionError)
        expect(inspect(error, { depth: 9 })).not.toContain('s3cret')
      }
      expect(errors.map(({ message }) => message.replace(/^mysql:\S+ /, ''))).toEqual([
        'connecting failed: nothing listens there',
        'connecting failed: the user name or the password was refused',
        'connecting failed: there is no such database',
        'connecting failed: there is no such socket file',
        'asking for the password failed: see cause',
        'connecting failed: it offers no TLS',
      ])
      expect(errors[1]!.cause).toMatchObject({ errno: 1045 })
      expect(errors[4]!.cause).toMatchObject({ message: 'the vault is sealed' })
    })

    it('asks for the password again for each connection', async () => {
      let asked = 0
      const password = async () => {
        asked++
        return ''
      }
      const pool = await sessions.openPool({}, { password })
      await Promise.all([acquire(pool), acquire(pool), acquire(pool)])
      expect(asked).toBe(3)
    })

    it('reaches the server through its socket file', async () => {
      const [row] = await sessions.admin('select @@socket as file')
      const session = await sessions.open({}, { host: String(row!.file) })
      expect(await session.value('select 1')).toBe(1)
    })

    it('closes the connection whose init SQL fails, and says so', async () => {
      const mine = async () =>
        (await sessions.admin('select id from information_schema.processlist where db = database() and id <> connection_id()')).length
      const before = await mine()
      const error = await rejection(sessions.openPool({ initSql: ['select 1', "select 's3cret' from nowhere"] }))
      expect(error).toBeInstanceOf(ConnectionError)
      expect(error.message).toContain('preparing the session failed')
      expect(inspect(error, { depth: 9 })).not.toContain('s3cret')
      await expect.poll(mine).toBe(before)
    })

    it('stops a running statement on the server and leaves the neighbour alone', TIMED, async () => {
      const pool = await sessions.openPool()
      const [connection, neighbour] = [await acquire(pool), await acquire(pool)]
      const other = neighbour.run({ sql: 'select sleep(0.6), ?', parameters: [1] })
      const running = rejection(
        Promise.resolve(connection.run({ sql: `${napQuery(engine, 10)} and 1 = ? /* to be cancelled */`, parameters: [1] })),
      )
      await sleep(100)
      const startedMs = performance.now()
      await connection.cancel()
      const error = await running
      expect(performance.now() - startedMs).toBeLessThan(300)
      expect(toDataError(error, NOTHING_KNOWN)).toBeInstanceOf(QueryTimeoutError)
      expect(await stillRunning('to be cancelled')).toBe(0)
      expect((await other).rows).toEqual([[0, 1]])
    })

    it('never lends a cancelled connection again, since the kill may come late', async () => {
      const pool = await sessions.openPool()
      const connection = await acquire(pool)
      const running = rejection(Promise.resolve(connection.run({ sql: napQuery(engine, 10), parameters: [] })))
      await connection.cancel()
      await running
      expect(connection.isBroken).toBe(true)
    })

    it('cancels nothing where nothing runs', async () => {
      const session = await sessions.open()
      await session.connection.cancel()
      expect(session.connection.isBroken).toBe(false)
      expect(await session.value('select 2')).toBe(2)
    })

    it('leaves a statement alone that ends while the kill is on its way', async () => {
      // on a busy machine the server may take longer for a statement than for the connection that carries the kill: then it is sent
      for (let tries = 0; tries < 10; tries++) {
        const session = await sessions.open()
        const quick = session.run('select 1').catch(() => undefined)
        await Promise.all([session.connection.cancel(), quick])
        if (session.connection.isBroken) continue
        expect(await session.value('select 2')).toBe(2)
        return
      }
      throw new Error('every statement was cancelled, ended or not')
    })

    it('gives a tainted session back as new', async () => {
      const pool = await sessions.openPool({ maxConnections: 1, initSql: ["set @team = 'init'"] })
      const tainted = new Session(pool, await acquire(pool))
      const id = await idOf(tainted.connection)
      const state = 'select @@sql_mode, @@time_zone, @@collation_connection, @@lc_messages, @@autocommit, @team, @leak'
      const before = await tainted.rows(state)
      expect(await tainted.value('select ? + 1', 1)).toBe(2)
      for (const sql of [
        "set sql_mode = 'ANSI_QUOTES', time_zone = '+09:00', lc_messages = 'de_DE', autocommit = 0",
        'set names latin1',
        "set @leak = 'yes', @team = 'other'",
        'create temporary table temporary_rows (id int)',
        'start transaction',
        "do get_lock('spec reset', 0)",
      ]) {
        await tainted.run(sql)
      }
      pool.release(tainted.connection, 'tainted')
      const next = new Session(pool, await acquire(pool))
      expect(await idOf(next.connection)).toBe(id)
      expect(await next.rows(state)).toEqual(before)
      expect(await next.value('select ? + 1', 1)).toBe(2)
      expect(await next.value('select hex(?)', 'é\u{1f600}')).toBe('C3A9F09F9880')
      expect(await next.value("select is_free_lock('spec reset')")).toBe(1)
      await expect(next.run('select * from temporary_rows')).rejects.toMatchObject({ errno: 1146 })
    })

    it('survives the kill of a connection, idle, lent and in a query', async () => {
      const pool = await sessions.openPool({ validateAfterIdleMs: 0 })
      const [idle, lent, busy] = [await acquire(pool), await acquire(pool), await acquire(pool)]
      const ids = [await idOf(idle), await idOf(lent), await idOf(busy)]
      pool.release(idle, 'clean')
      const lost = rejection(Promise.resolve(busy.run({ sql: `${napQuery(engine, 10)} and 1 = ?`, parameters: [1] })))
      await sleep(50)
      for (const id of ids) await sessions.admin(`kill ${id}`)
      expect(toDataError(await lost, NOTHING_KNOWN)).toBeInstanceOf(ConnectionLostError)
      await expect.poll(() => [idle, lent, busy].map(({ isBroken }) => isBroken)).toEqual([true, true, true])
      expect(await rejection(Promise.resolve(lent.run({ sql: 'select 1', parameters: [] })))).toBeInstanceOf(ConnectionError)
      const fresh = await acquire(pool)
      expect(ids).not.toContain(await idOf(fresh))
    })

    it('finds out before lending that an idle connection no longer answers, and lends another', async () => {
      const road = await roadTo(sessions.config())
      const pool = await sessions.openPool({ maxConnections: 1, validateAfterIdleMs: 0 }, { port: road.port })
      const connection = await acquire(pool)
      const id = await idOf(connection)
      pool.release(connection, 'clean')
      const again = await acquire(pool)
      expect(await idOf(again)).toBe(id)
      pool.release(again, 'clean')
      road.block()
      const other = await acquire(pool)
      expect(await idOf(other)).not.toBe(id)
      expect(connection.isBroken).toBe(true)
    })

    it('tells the server the name of the application, and asks it for no local files', async () => {
      const road = await roadTo(sessions.config())
      await sessions.openPool({}, { port: road.port, applicationName: 'shop-api' })
      const logIn = road.sent()
      expect(logIn.toString('latin1')).toContain('program_name\x08shop-api')
      const [FOUND_ROWS, LOCAL_FILES, MULTI_STATEMENTS] = [1 << 1, 1 << 7, 1 << 16]
      expect(logIn.readUInt32LE(4) & (FOUND_ROWS | LOCAL_FILES | MULTI_STATEMENTS)).toBe(0)
    })

    it('leaves no connection behind when it is closed', async () => {
      const pool = await sessions.openPool()
      const [one, two] = [await acquire(pool), await acquire(pool)]
      const ids = [await idOf(one), await idOf(two)]
      pool.release(one, 'clean')
      const running = rejection(Promise.resolve(two.run({ sql: napQuery(engine, 10), parameters: [] })))
      await pool.close(50)
      expect(toDataError(await running, NOTHING_KNOWN)).toBeInstanceOf(ConnectionLostError)
      expect(await sessions.admin(`select id from information_schema.processlist where id in (${ids.join()})`)).toEqual([])
    })
  },
  { engines: ['mysql'] },
)
