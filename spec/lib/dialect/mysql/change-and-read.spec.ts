import { connect } from 'node:net'
import { createConnection } from 'mysql2'
import { beforeEach, describe, expect, it } from 'vitest'
import { type ChangeAndRead, changeAndRead } from '../../../../lib/dialect/mysql/change-and-read.js'
import { Client } from '../../../../lib/dialect/mysql/client.js'
import type { MysqlConnection } from '../../../../lib/dialect/mysql/connection.js'
import { forEachEngine } from '../../../support/engines.js'
import { TIMED } from '../../../support/timed.js'
import { rejection, type Session, Sessions } from './sessions.js'

const CHANGE = 'update counters set count = count + ? where id = ?'
const READ = 'select id, count from counters where id = ? for update'
const LOCK = 'select 1 from counters where id = ? for update'
/** Gives two rows where it is asked for one. */
const UNREADABLE = 'select (select 1 union select ?)'

forEachEngine(
  (engine) => {
    const sessions = new Sessions(engine)
    let session: Session

    beforeEach(async () => {
      session = await sessions.open({ initSql: ['set innodb_lock_wait_timeout = 1, lock_wait_timeout = 5'] })
      await session.run('create or replace table counters (id int primary key, count int unsigned)')
      await session.run('insert into counters values (1, 0), (2, 0)')
    })

    const isInTransaction = async () => (await session.value('select @@in_transaction')) === 1
    const clientOf = ({ connection }: Session) => (connection as MysqlConnection).client
    const addOf = (by: number, id: number, reread: string): Omit<ChangeAndRead, 'isAlone'> => ({
      lock: { sql: LOCK, parameters: [id] },
      change: { sql: CHANGE, parameters: [by, id] },
      read: { sql: reread, parameters: [id] },
    })

    it('goes out as one statement, prepared once, on a server that prepares compounds', async () => {
      const prepared = async () => Number((await session.rows("show session status like 'Com_stmt_prepare'"))[0]![1])
      const before = await prepared()
      const reread = { sql: READ, parameters: [1], name: 'get', locking: { sql: LOCK, parameters: [1] } }
      for (const made of [1, 2]) {
        const add = { name: 'add', sql: CHANGE, parameters: [1, 1], reread, isAlone: true }
        expect(await session.connection.run(add)).toMatchObject({ rows: [[1, made]], affectedRows: 1 })
      }
      expect((await prepared()) - before).toBe(1)
    })

    describe.each([
      ['as one statement', true],
      ['one by one', false],
    ])('a change whose row is read with it, %s', (_, preparesCompounds) => {
      /** Adds to the counter `id` and gives it. */
      const add = (by: number, id = 1, { reread = READ, isAlone = true, on = session } = {}) =>
        changeAndRead(clientOf(on), { ...addOf(by, id, reread), isAlone }, { preparesCompounds, isUnwanted: () => false })
      const addRejected = (...values: Parameters<typeof add>) => rejection(add(...values))

      it('gives the row and how many there were', async () => {
        for (let made = 1; made <= 3; made++) {
          const result = await add(1)
          expect(result).toMatchObject({ rows: [[1, made]], affectedRows: 1 })
          expect(await result.columns()).toMatchObject([{ name: 'id' }, { name: 'count' }])
        }
        expect(await isInTransaction()).toBe(false)
        const other = await sessions.open()
        expect(await other.value('select count from counters where id = 1')).toBe(3)
      })

      it('gives a row that had the values already', async () => {
        expect(await add(0)).toMatchObject({ rows: [[1, 0]], affectedRows: 1 })
      })

      it('gives no row where none was met', async () => {
        for (let made = 0; made < 3; made++) expect(await add(1, 9)).toMatchObject({ rows: [], affectedRows: 0 })
        expect(await isInTransaction()).toBe(false)
      })

      it('keeps nothing where the change fails, or the row cannot be read', async () => {
        await add(1)
        for (let made = 0; made < 2; made++) {
          expect(await addRejected(-5)).toMatchObject({ errno: 1264 })
          expect(await addRejected(1, 2, { reread: UNREADABLE })).toMatchObject({ errno: 1242 })
          expect(await isInTransaction()).toBe(false)
        }
        expect(await session.rows('select * from counters')).toEqual([
          [1, 1],
          [2, 0],
        ])
      })

      it('joins the transaction that is there, which goes on where it fails', async () => {
        await add(1)
        await session.run('begin')
        expect(await add(1, 1, { isAlone: false })).toMatchObject({ rows: [[1, 2]] })
        expect(await addRejected(-5, 1, { isAlone: false })).toMatchObject({ errno: 1264 })
        expect(await add(1, 1, { isAlone: false })).toMatchObject({ rows: [[1, 3]] })
        expect(await isInTransaction()).toBe(true)
        await session.run('rollback')
        expect(await session.value('select count from counters where id = 1')).toBe(1)
      })

      it('reads what others have committed since the transaction began to read', async () => {
        await session.run('start transaction with consistent snapshot')
        const other = await sessions.open()
        await other.run('update counters set count = 7 where id = 1')
        expect(await add(0, 1, { isAlone: false })).toMatchObject({ rows: [[1, 7]] })
        await session.run('rollback')
      })

      it.each([true, false])('goes on where the server has dropped what was prepared (alone: %s)', async (isAlone) => {
        const { host, port = 3306 } = sessions.config()
        const stream = connect(port, host)
        const driver = createConnection({ uri: sessions.url, stream, rowsAsArray: true })
        const client = new Client(driver, stream)
        await client.connected()
        const addOne = () => changeAndRead(client, { ...addOf(1, 1, READ), isAlone }, { preparesCompounds, isUnwanted: () => false })
        // past the driver, which goes on with the number that it was given
        const drop = (text: string) => {
          for (const [sql, statement] of (driver as unknown as Prepared)._statements.entries()) if (sql.includes(text)) statement.close()
        }
        if (!isAlone) await client.query('begin')
        for (const [made, dropped] of ['', 'counters', READ, CHANGE, ''].entries()) {
          if (dropped !== '') drop(dropped)
          expect(await addOne()).toMatchObject({ rows: [[1, made + 1]], affectedRows: 1 })
        }
        if (!isAlone) await client.query('commit')
        expect(await session.value('select count from counters where id = 1')).toBe(5)
        await client.end()
      })

      it('waits for a lock once, and not again to read', TIMED, async () => {
        await add(1)
        const holder = await sessions.open()
        await holder.run('begin')
        await holder.run('update counters set count = 7 where id = 1')
        const startedMs = performance.now()
        expect(await addRejected(1)).toMatchObject({ errno: 1205 })
        expect(performance.now() - startedMs).toBeLessThan(1_900)
        await holder.run('commit')
        expect(await add(1)).toMatchObject({ rows: [[1, 8]] })
      })

      it('keeps nothing where it is stopped, by whomever', async () => {
        await add(1)
        const holder = await sessions.open()
        for (const stop of [() => holder.run(`kill query ${clientOf(session).threadId}`), () => session.connection.cancel()]) {
          await holder.run('begin')
          await holder.run('update counters set count = 7 where id = 1')
          const stopped = addRejected(1)
          const updating = 'select 1 from information_schema.processlist where id = ? and state is not null and info like ?'
          await expect.poll(() => holder.rows(updating, clientOf(session).threadId, '%update counters%')).not.toEqual([])
          await stop()
          expect(await stopped).toMatchObject({ errno: 1317 })
          expect(await isInTransaction()).toBe(false)
          await holder.run('rollback')
        }
        expect(await holder.value('select count from counters where id = 1')).toBe(1)
      })

      it('fails as a whole where the connection is lost', async () => {
        await add(1)
        const holder = await sessions.open()
        await holder.run('begin')
        await holder.run('update counters set count = 7 where id = 1')
        const lost = addRejected(1)
        const client = clientOf(session)
        await holder.run(`kill ${client.threadId}`)
        expect(await lost).toBeInstanceOf(Error)
        expect(client.isBroken).toBe(true)
        expect(client.running).toBeUndefined()
        await holder.run('rollback')
        expect(await holder.value('select count from counters where id = 1')).toBe(1)
      })
    })

    it('is not kept where nobody waits for it any more, and that can be known before', async () => {
      const unwanted = { preparesCompounds: false, isUnwanted: () => true }
      const error = await rejection(changeAndRead(clientOf(session), { ...addOf(1, 1, READ), isAlone: true }, unwanted))
      expect(error.message).toContain('given up')
      expect(await session.value('select count from counters where id = 1')).toBe(0)
    })
  },
  { engines: ['mysql'] },
)

/** What is private to the driver, and keeps what is prepared. */
interface Prepared {
  readonly _statements: { entries(): Iterable<[string, { close(): void }]> }
}
