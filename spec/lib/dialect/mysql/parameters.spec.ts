import { expect, it } from 'vitest'
import { InvalidValueError, QueryError } from '../../../../lib/errors.js'
import { forEachEngine } from '../../../support/engines.js'
import { Sessions } from './sessions.js'

const HOSTILE = ["x' or 1=1 -- ", '\\', "\\' or 1=1 -- ", '" or 1=1 -- ', '`', "'';drop table canary", '\0', '\u{1f600}', '%_|\\%']

forEachEngine(
  (engine) => {
    const sessions = new Sessions(engine)

    it('binds integers exactly, in comparisons, sums and LIMIT', async () => {
      const session = await sessions.open()
      await session.run('create table exact (id int primary key, n bigint)')
      await session.run(
        'insert into exact values (1, ?), (2, ?), (3, ?)',
        9_007_199_254_740_993n,
        9_223_372_036_854_775_807n,
        -9_223_372_036_854_775_808n,
      )
      const ids = (sql: string, ...values: unknown[]) => session.rows(`select id from exact where ${sql}`, ...values)
      expect(await ids('n = ?', 9_007_199_254_740_993n)).toEqual([[1]])
      expect(await ids('n = ?', 9_007_199_254_740_992n)).toEqual([])
      expect(await ids('n + 0 in (?, ?)', 9_007_199_254_740_992n, 9_223_372_036_854_775_807n)).toEqual([[2]])
      expect(await ids('n between ? and ?', -(2n ** 63n), -(2n ** 63n))).toEqual([[3]])
      expect(await session.value('select n + ? from exact where id = 1', 2n)).toBe('9007199254740995')
      expect(await ids('n > ?', Number.MAX_SAFE_INTEGER)).toEqual([[1], [2]])
      expect(await ids('n in (?, ?)', Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - 1)).toEqual([])
      expect(await session.rows('select id from exact order by id limit ? offset ?', 1, 1)).toEqual([[2]])
    })

    it('binds unsigned and larger integers exactly', async () => {
      const session = await sessions.open()
      expect(await session.value('select ?', 2n ** 64n - 1n)).toBe('18446744073709551615')
      expect(await session.value('select ?', 2n ** 64n)).toBe('18446744073709551616')
      expect(await session.value('select ?', -(2n ** 63n) - 1n)).toBe('-9223372036854775809')
    })

    it('finds integers by their index, bound as either type', async () => {
      const session = await sessions.open()
      await session.run('create table keyed (id bigint primary key, n int, key n_key (n))')
      for (let n = 0; n < 50; n++) await session.run('insert into keyed values (?, ?)', n, n)
      for (const value of [7, 7n]) {
        expect((await session.rows('explain select * from keyed where id = ?', value))[0]).toContain('const')
        expect((await session.rows('explain select * from keyed where n = ?', value))[0]).toContain('n_key')
      }
    })

    it('binds other numbers as doubles', async () => {
      const session = await sessions.open()
      for (const value of [0.1, 1 / 3, 1e300, Number.MIN_VALUE, 2 ** 53]) expect(await session.value('select ?', value)).toBe(value)
    })

    it('binds bytes as bytes, whatever array they are in', async () => {
      const session = await sessions.open()
      const bytes = Uint8Array.of(0, 0xff, 0xfe, 0x27)
      expect(await session.value('select hex(?)', bytes.subarray(1))).toBe('FFFE27')
      expect(await session.value('select hex(?)', Buffer.from(bytes))).toBe('00FFFE27')
    })

    it('refuses what has no value in SQL before anything is sent', async () => {
      const session = await sessions.open()
      const sent = () =>
        session.value("select variable_value from information_schema.session_status where variable_name = 'Com_stmt_execute'")
      const before = await sent()
      for (const value of [undefined, () => 1, Symbol('x')]) await expect(session.run('select ?', value)).rejects.toBeInstanceOf(QueryError)
      for (const value of [Number.NaN, Number.POSITIVE_INFINITY, new Date(Number.NaN)]) {
        await expect(session.run('select ?', value)).rejects.toBeInstanceOf(InvalidValueError)
      }
      expect(await sent()).toBe(before)
    })

    for (const mode of ['default', 'ANSI_QUOTES', 'NO_BACKSLASH_ESCAPES', '']) {
      it(`keeps a bound value a value under sql_mode "${mode}"`, async () => {
        const session = await sessions.open(mode === 'default' ? {} : { initSql: [`set sql_mode = '${mode}'`] })
        if (mode !== 'default') expect(await session.value('select @@sql_mode')).toBe(mode)
        await session.run('create or replace table canary (id int primary key, v varchar(100)) collate utf8mb4_bin')
        await session.run('insert into canary values (0, ?)', 'canary')
        for (const text of HOSTILE) {
          await session.run('insert into canary values (1, ?)', text)
          expect(await session.rows('select id, v from canary where v = ?', text)).toEqual([[1, text]])
          expect((await session.run('delete from canary where v = ?', text)).affectedRows).toBe(1)
        }
        expect(await session.rows('select v from canary')).toEqual([['canary']])
      })
    }
  },
  { engines: ['mysql'] },
)
