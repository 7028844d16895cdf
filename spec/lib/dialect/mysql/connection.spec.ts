import { expect, it } from 'vitest'
import { forEachEngine } from '../../../support/engines.js'
import { Sessions } from './sessions.js'

forEachEngine(
  (engine) => {
    const sessions = new Sessions(engine)

    it('gives rows as lists in the order of the columns, of both protocols', async () => {
      const session = await sessions.open()
      expect(await session.rows("select 1, 'a', null")).toEqual([[1, 'a', null]])
      expect(await session.rows("select 1, 'a', ?", null)).toEqual([[1, 'a', null]])
    })

    it('counts the rows an UPDATE matched, those it left as they were too', async () => {
      const session = await sessions.open()
      await session.run('create table matched (id int primary key, n int)')
      await session.run('insert into matched values (1, 1), (2, 2), (3, 3)')
      const updated = await session.run('update matched set n = ? where id < ?', 1, 3)
      expect(updated.affectedRows).toBe(2)
      expect((await session.run('delete from matched where id > ?', 1)).affectedRows).toBe(2)
      expect((await session.run('select * from matched where id = ?', 1)).affectedRows).toBe(0)
    })

    it('tells created, updated and unchanged apart after an upsert', async () => {
      const session = await sessions.open()
      await session.run('create table upserted (id int primary key, n int)')
      const upsert = (n: number) => session.run('insert into upserted values (1, ?) on duplicate key update n = values(n)', n)
      expect([(await upsert(1)).affectedRows, (await upsert(2)).affectedRows, (await upsert(2)).affectedRows]).toEqual([1, 2, 0])
      const many = await session.run('insert into upserted values (1, ?), (2, ?) on duplicate key update n = values(n)', 5, 5)
      expect([many.affectedRows, many.info]).toEqual([3, 'Records: 2  Duplicates: 1  Warnings: 0'])
    })

    it('gives the first key that the counter made, beyond 2^53 as a bigint', async () => {
      const session = await sessions.open()
      await session.run('create table counted (id bigint auto_increment primary key, n int)')
      expect((await session.run('insert into counted (n) values (?), (?)', 1, 2)).insertId).toBe(1)
      await session.run('alter table counted auto_increment = 9007199254740993')
      expect((await session.run('insert into counted (n) values (?)', 3)).insertId).toBe(9_007_199_254_740_993n)
      expect((await session.run('update counted set n = ?', 1)).insertId).toBeUndefined()
    })

    it('says which column of which table a result column comes from', async () => {
      const session = await sessions.open()
      await session.run('create table origins (id int primary key, at datetime(3), extra json)')
      const result = await session.run('select o.id as x, at, upper(o.id) u from origins o where id > ?', 0)
      expect((await result.columns()).map(({ name, table, column }) => ({ name, table, column }))).toEqual([
        { name: 'x', table: 'origins', column: 'id' },
        { name: 'at', table: 'origins', column: 'at' },
        { name: 'u', table: undefined, column: undefined },
      ])
    })

    it('gives an expression as the plain driver does', async () => {
      const session = await sessions.open()
      const sql =
        "select now(3), cast('2026-01-31' as date), timestamp'2026-01-31 10:20:30.123456', json_object('a', ?), count(*), 1.50, x'00ff', 'text'"
      const result = await session.run(sql, 1)
      const columns = await result.columns()
      const values = result.rows[0]!.map((value, index) => columns[index]!.decode?.(value) ?? value)
      expect(values[0]).toBeInstanceOf(Date)
      expect(Math.abs((values[0] as Date).getTime() - Date.now())).toBeLessThan(10_000)
      expect(values.slice(1)).toEqual([
        new Date('2026-01-31T00:00:00Z'),
        new Date('2026-01-31T10:20:30.123Z'),
        { a: 1 },
        1,
        '1.50',
        Buffer.from([0, 255]),
        'text',
      ])
    })

    it('gives the rows of a procedure that returns several results', async () => {
      const session = await sessions.open()
      await session.run('create procedure two_results() begin set @x = 1; select 1; select 2; end')
      await session.run('create procedure no_result() begin set @x = 1; end')
      expect(await session.rows('call two_results()')).toEqual([[1]])
      expect(await session.rows('call no_result()')).toEqual([])
    })

    it('keeps a bounded number of statements prepared', async () => {
      const session = await sessions.open()
      for (let n = 0; n < 300; n++) expect(await session.value(`select ${n} + ?`, 1)).toBe(n + 1)
      const [[, prepared]] = (await session.rows("show session status like 'Com_stmt_prepare'")) as [[string, string]]
      const [[, closed]] = (await session.rows("show session status like 'Com_stmt_close'")) as [[string, string]]
      expect(Number(prepared) - Number(closed)).toBe(256)
    })

    it('starts every session strict, in UTC, comparing text by code point', async () => {
      const session = await sessions.open()
      const [[mode, zone, collation]] = (await session.rows('select @@sql_mode, @@time_zone, @@collation_connection')) as [
        [string, string, string],
      ]
      expect([zone, collation]).toEqual(['+00:00', 'utf8mb4_bin'])
      expect(mode.split(',').sort()).toEqual([
        'ERROR_FOR_DIVISION_BY_ZERO',
        'NO_AUTO_VALUE_ON_ZERO',
        'NO_ENGINE_SUBSTITUTION',
        'NO_ZERO_DATE',
        'NO_ZERO_IN_DATE',
        'STRICT_ALL_TABLES',
      ])
      await session.run('create table zeros (id int auto_increment primary key)')
      await session.run('insert into zeros values (?)', 0)
      expect(await session.value('select id from zeros')).toBe(0)
    })

    it('refuses a second statement in one text, and a request for a local file', async () => {
      const session = await sessions.open()
      await expect(session.run('select 1; select 2')).rejects.toMatchObject({ errno: 1064 })
      await session.run('create table local_file (line text)')
      await expect(session.run("load data local infile '/etc/hostname' into table local_file")).rejects.toThrow()
      expect(await session.value('select count(*) from local_file')).toBe(0)
    })
  },
  { engines: ['mysql'] },
)
