import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { PostgresConnection } from '../../../../lib/dialect/postgres/connection.js'
import { QueryError } from '../../../../lib/errors.js'
import { type FreshDatabase, forEachEngine } from '../../../support/engines.js'
import { openSession } from './session.js'

forEachEngine(
  (engine) => {
    let database: FreshDatabase
    let connection: PostgresConnection

    beforeAll(async () => {
      database = await engine.freshDatabase()
      await engine.admin(database.url, 'create table items (id int primary key, name text, body bytea)')
    })
    beforeEach(async () => {
      connection = await openSession(database.url)
    })
    afterEach(async () => {
      await connection.run({ sql: 'delete from items', parameters: [] })
      await connection.close()
    })
    afterAll(() => database?.drop())

    const named = (sql: string, ...parameters: unknown[]) => connection.run({ name: 'lw_spec', sql, parameters })
    const insert = (...values: unknown[]) => named('insert into items values ($1, $2, $3) returning id, name, body', ...values)

    describe('PreparedQuery', () => {
      it('gives rows, counts and columns on every run as on the first', async () => {
        for (const id of [1, 2, 3]) {
          const result = await insert(id, `item ${id}`, null)
          expect(result.rows).toStrictEqual([[String(id), `item ${id}`, null]])
          expect(result.affectedRows).toBe(1)
          expect(await result.columns()).toMatchObject([{ name: 'id', table: 'items' }, { name: 'name' }, { name: 'body' }])
        }
      })

      it('counts what a statement without columns has met', async () => {
        for (const id of [1, 2]) await insert(id, 'x', null)
        await connection.run({ name: 'lw_rename', sql: 'update items set name = $1', parameters: ['y'] })
        const again = await connection.run({ name: 'lw_rename', sql: 'update items set name = $1', parameters: ['z'] })
        expect(again).toMatchObject({ rows: [], affectedRows: 2 })
        expect(await again.columns()).toStrictEqual([])
      })

      it('gives no rows where none match, on every run', async () => {
        for (const id of [1, 2]) expect(await named('select * from items where id = $1', id)).toMatchObject({ rows: [], affectedRows: 0 })
      })

      it('binds numbers, bigints, booleans, bytes of any view, and null', async () => {
        const bytes = new Uint8Array([9, 0, 255, 9]).subarray(1, 3)
        const sql = 'select $1::float8, $2::int8, $3::bool, $4::bytea, $5::text'
        const row = ['0.1', '9007199254740993', 't', '\\x00ff', null]
        expect((await named(sql, 0.1, 9007199254740993n, true, bytes, null)).rows).toStrictEqual([row])
        expect((await named(sql, 0.1, 9007199254740993n, true, Buffer.from(bytes), null)).rows).toStrictEqual([row])
      })

      it('refuses what has no text in the protocol before anything is sent, and goes on', async () => {
        await expect(named('select $1::text', { a: 1 })).rejects.toThrow(QueryError)
        await expect(named('select $1::text', undefined)).rejects.toThrow('parameter 1 of the statement')
        expect(connection.isIdle).toBe(true)
        expect((await named('select $1::text', 'x')).rows).toStrictEqual([['x']])
      })

      it('throws what the server raised at any stage, and runs the same statement again', async () => {
        await insert(1, 'x', null)
        await expect(insert(1, 'x', null)).rejects.toMatchObject({ code: '23505' })
        await expect(insert('one', 'x', null)).rejects.toMatchObject({ code: '22P02' })
        expect((await insert(2, 'x', null)).rows).toStrictEqual([['2', 'x', null]])
        const wrong = () => connection.run({ name: 'lw_wrong', sql: 'select nothing', parameters: [] })
        for (let run = 0; run < 2; run++) await expect(wrong()).rejects.toMatchObject({ code: '42703' })
      })

      it('refuses to copy, which would wait for rows that never come', async () => {
        await expect(named('copy items from stdin')).rejects.toMatchObject({ code: '57014' })
        expect((await connection.run({ sql: 'select 1', parameters: [] })).rows).toStrictEqual([['1']])
      })
    })
  },
  { engines: ['postgres'] },
)
