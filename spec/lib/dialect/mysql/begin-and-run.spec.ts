import { beforeEach, describe, expect, it, vi } from 'vitest'
import type { StatementResult } from '../../../../lib/dialect/dialect.js'
import { beginAndRun } from '../../../../lib/dialect/mysql/begin-and-run.js'
import type { Client } from '../../../../lib/dialect/mysql/client.js'
import type { MysqlConnection } from '../../../../lib/dialect/mysql/connection.js'
import { CommitUnknownError, ConnectionError } from '../../../../lib/errors.js'
import { forEachEngine } from '../../../support/engines.js'
import { rejection, type Session, Sessions } from './sessions.js'

const INSERT = 'insert into notes (text) values (?)'

forEachEngine(
  (engine) => {
    const sessions = new Sessions(engine)
    let session: Session

    beforeEach(async () => {
      session = await sessions.open()
      await session.run('create or replace table notes (id int auto_increment primary key, text varchar(20) not null)')
    })

    const connectionOf = () => session.connection as MysqlConnection
    const beginning = (sql = 'begin') => ({ sql, withinMs: undefined, unanswered: () => new ConnectionError('BEGIN was not answered') })
    const begin = (sql?: string) => connectionOf().beginWithNext(beginning(sql))
    const named = (sql: string, ...parameters: unknown[]) => Promise.resolve(connectionOf().run({ name: 'first', sql, parameters }))
    const isInTransaction = async () => (await session.value('select @@in_transaction')) === 1
    const count = () => session.value('select count(*) from notes')

    describe('a transaction that begins with its first statement', () => {
      it('begins before it, and from the second time on in one go with it', async () => {
        const sent = vi.spyOn(connectionOf().client, 'sendInOneGo')
        for (const round of [1, 2, 3]) {
          begin()
          expect(await named(INSERT, 'first')).toMatchObject({ affectedRows: 1, insertId: round })
          expect(sent.mock.results.at(-1)!.value).toEqual(round === 1 ? undefined : [expect.any(Promise), expect.any(Promise)])
          expect(await isInTransaction()).toBe(true)
          await session.run('rollback')
        }
        expect(await count()).toBe(0)
      })

      it('begins before a text', async () => {
        begin()
        expect((await connectionOf().run({ sql: 'select 1', parameters: [] })).rows).toEqual([[1]])
        expect(await isInTransaction()).toBe(true)
        await session.run('rollback')
      })

      it('is the one that a cursor reads in', async () => {
        begin()
        const cursor = connectionOf().openCursor({ sql: 'select 1', parameters: [] })
        expect((await cursor.fetch(10)).rows).toEqual([[1]])
        await cursor.close()
        expect(await isInTransaction()).toBe(true)
        await session.run('rollback')
      })

      it.each(['commit', 'rollback'])('has nothing to %s without any', async (end) => {
        begin()
        const queries = vi.spyOn(connectionOf().client, 'query')
        expect(await connectionOf().run({ sql: end, parameters: [] })).toMatchObject({ rows: [], affectedRows: 0 })
        expect(queries).not.toHaveBeenCalled()
        expect(await isInTransaction()).toBe(false)
      })

      it('goes on where its first statement has failed', async () => {
        await named(INSERT, 'prepares it')
        begin()
        expect(await rejection(named(INSERT, null))).toMatchObject({ errno: 1048 })
        expect(await isInTransaction()).toBe(true)
        await session.run('rollback')
        expect(await count()).toBe(1)
      })

      it('begins with the next one where a statement could not be sent', async () => {
        begin()
        expect(() => connectionOf().run({ name: 'first', sql: INSERT, parameters: [Symbol('none')] })).toThrow()
        await named(INSERT, 'first')
        expect(await isInTransaction()).toBe(true)
        await session.run('rollback')
      })

      it('runs nothing where BEGIN is refused before it', async () => {
        begin('begin?')
        expect(await rejection(named(INSERT, 'never'))).toMatchObject({ errno: 1064 })
        expect(await count()).toBe(0)
      })

      it('says so where BEGIN is refused, and what had gone out with it was kept', async () => {
        await named(INSERT, 'prepares it')
        begin('begin?')
        const error = await rejection(named(INSERT, 'kept'))
        expect(error).toBeInstanceOf(CommitUnknownError)
        expect(error.cause).toMatchObject({ errno: 1064 })
        expect(await count()).toBe(2)
        const update = 'update notes set text = ? where id = ?'
        await named(update, 'prepares it', 9)
        begin('begin?')
        expect(await rejection(named(update, 'nobody', 9))).toMatchObject({ errno: 1064 })
      })

      it('says so of a change whose row is read with it, too', async () => {
        const read = { sql: 'select id from notes where id = ? for update', parameters: [1] }
        const reread = { ...read, name: 'get', locking: read }
        const change = () =>
          connectionOf().run({ name: 'change', sql: 'update notes set text = ? where id = ?', parameters: ['new', 1], reread })
        await named(INSERT, 'a')
        begin()
        expect(await change()).toMatchObject({ rows: [[1]], affectedRows: 1 })
        await session.run('rollback')
        begin()
        expect(await change()).toMatchObject({ rows: [[1]], affectedRows: 1 })
        expect(await isInTransaction()).toBe(true)
        await session.run('rollback')
        begin('begin?')
        expect(await rejection(Promise.resolve(change()))).toBeInstanceOf(CommitUnknownError)
        await session.run('delete from notes')
        begin('begin?')
        expect(await rejection(Promise.resolve(change()))).toMatchObject({ errno: 1064 })
      })

      it('prepares anew what the server has dropped', async () => {
        await named(INSERT, 'prepares it')
        const { client } = connectionOf()
        const refusing = Object.create(client, {
          sendInOneGo: {
            value: (texts: string[]) => [
              client.query(texts[0]!),
              Promise.reject(Object.assign(new Error('unknown'), { errno: 1243, sqlState: 'HY000' })),
            ],
          },
          execute: { value: client.execute.bind(client) },
        }) as Client
        const first = {
          bound: { sql: INSERT, parameters: ['anew'] },
          read: (answer: StatementResult) => answer,
          run: () => Promise.reject(new Error('not this way')),
        }
        expect(await beginAndRun(refusing, beginning(), first, () => undefined)).toMatchObject({ affectedRows: 1 })
        expect(await isInTransaction()).toBe(true)
        await session.run('rollback')
      })
    })
  },
  { engines: ['mysql'] },
)
