import { connect } from 'node:net'
import { createConnection } from 'mysql2'
import { beforeEach, describe, expect, it } from 'vitest'
import { changeAndRead } from '../../../../lib/dialect/mysql/change-and-read.js'
import { Client } from '../../../../lib/dialect/mysql/client.js'
import type { MysqlConnection } from '../../../../lib/dialect/mysql/connection.js'
import { CommitUnknownError } from '../../../../lib/errors.js'
import { forEachEngine } from '../../../support/engines.js'
import { TIMED } from '../../../support/timed.js'
import { rejection, type Session, Sessions } from './sessions.js'

const CHANGE = 'update counters set count = count + ? where id = ?'
const READ = 'select id, count from counters where id = ? for update nowait'

forEachEngine(
  (engine) => {
    const sessions = new Sessions(engine)
    let session: Session

    beforeEach(async () => {
      session = await sessions.open({ initSql: ['set innodb_lock_wait_timeout = 1'] })
      await session.run('create or replace table counters (id int primary key, count int unsigned)')
      await session.run('insert into counters values (1, 0), (2, 0)')
    })

    /** Adds to the counter `id` and gives it. */
    const add = (by: number, id = 1, { reread = READ, isAlone = true } = {}) =>
      session.connection.run({
        name: 'add',
        sql: CHANGE,
        parameters: [by, id],
        reread: { sql: reread, parameters: [id], name: 'get' },
        isAlone,
      })
    const addRejected = (...values: Parameters<typeof add>) => rejection(Promise.resolve(add(...values)))
    const isInTransaction = async () => (await session.value('select @@in_transaction')) === 1
    const clientOf = ({ connection }: Session) => (connection as MysqlConnection).client

    /** Whether both are prepared, and go out in one go. */
    const goTogether = async () => {
      const answers = clientOf(session).sendInOneGo(
        ['begin'],
        [
          { sql: CHANGE, parameters: [0, 2] },
          { sql: READ, parameters: [2] },
        ],
      )
      const settled = answers && (await Promise.allSettled(answers))
      await session.run('rollback')
      return settled?.every(({ status }) => status === 'fulfilled') === true
    }

    describe('a change whose row is read with it', () => {
      it('gives the row and how many there were, one by one at first and then in one go', async () => {
        expect(await goTogether()).toBe(false)
        for (let made = 1; made <= 4; made++) {
          const result = await add(1)
          expect(result).toMatchObject({ rows: [[1, made]], affectedRows: 1 })
          expect(await result.columns()).toMatchObject([{ name: 'id' }, { name: 'count' }])
          expect(await goTogether()).toBe(true)
        }
        expect(await isInTransaction()).toBe(false)
        const other = await sessions.open()
        expect(await other.value('select count from counters where id = 1')).toBe(4)
      })

      it('gives no row where none was met', async () => {
        for (let made = 0; made < 3; made++) expect(await add(1, 9)).toMatchObject({ rows: [], affectedRows: 0 })
        expect(await isInTransaction()).toBe(false)
      })

      it('keeps nothing where the change fails, or the row cannot be read', async () => {
        const twoRows = 'select (select 1 union select ?)'
        await add(1)
        for (let made = 0; made < 2; made++) {
          expect(await addRejected(-5)).toMatchObject({ errno: 1264 })
          expect(await addRejected(1, 2, { reread: twoRows })).toMatchObject({ errno: 1242 })
          expect(await isInTransaction()).toBe(false)
        }
        expect(await session.rows('select * from counters')).toEqual([
          [1, 1],
          [2, 0],
        ])
      })

      it('joins the transaction that is there', async () => {
        await add(1)
        await session.run('begin')
        expect(await add(1, 1, { isAlone: false })).toMatchObject({ rows: [[1, 2]] })
        expect(await add(1, 1, { isAlone: false })).toMatchObject({ rows: [[1, 3]] })
        expect(await isInTransaction()).toBe(true)
        await session.run('rollback')
        expect(await session.value('select count from counters where id = 1')).toBe(1)
      })

      it.each([true, false])('goes on where the server has dropped what was prepared (alone: %s)', async (isAlone) => {
        const { host, port = 3306 } = sessions.config()
        const stream = connect(port, host)
        const driver = createConnection({ uri: sessions.url, stream, rowsAsArray: true })
        const client = new Client(driver, stream)
        await client.connected()
        const asking = { takesSeveral: true, isUnwanted: () => false }
        const addOne = () =>
          changeAndRead(client, { change: { sql: CHANGE, parameters: [1, 1] }, read: { sql: READ, parameters: [1] }, isAlone }, asking)
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

      it('says so where no transaction could be begun for it, and it was kept', async () => {
        await add(1)
        const client = clientOf(session)
        // BEGIN is refused by a KILL that comes late, which nobody can time: here, for a text that is none
        const refusing = {
          sendInOneGo: (texts: readonly string[], pair: Parameters<Client['sendInOneGo']>[1]) =>
            client.sendInOneGo(
              texts.map((text) => `${text}?`),
              pair,
            ),
          query: client.query.bind(client),
        } as Client
        const addOne = (id: number) =>
          changeAndRead(
            refusing,
            { change: { sql: CHANGE, parameters: [1, id] }, read: { sql: READ, parameters: [id] }, isAlone: true },
            { takesSeveral: true, isUnwanted: () => false },
          )
        const error = await rejection(addOne(1))
        expect(error).toBeInstanceOf(CommitUnknownError)
        expect(error.cause).toMatchObject({ errno: 1064 })
        expect(await session.value('select count from counters where id = 1')).toBe(2)
        expect(await rejection(addOne(9))).toMatchObject({ errno: 1064 })
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

      it('keeps nothing where it is stopped', async () => {
        await add(1)
        const holder = await sessions.open()
        await holder.run('begin')
        await holder.run('update counters set count = 7 where id = 1')
        const stopped = addRejected(1)
        await session.connection.cancel()
        expect(await stopped).toMatchObject({ errno: 1317 })
        await holder.run('rollback')
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
  },
  { engines: ['mysql'] },
)

/** What is private to the driver, and keeps what is prepared. */
interface Prepared {
  readonly _statements: { entries(): Iterable<[string, { close(): void }]> }
}
