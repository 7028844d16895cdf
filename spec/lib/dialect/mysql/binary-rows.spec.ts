import type { FieldPacket } from 'mysql2'
import { createConnection, type Connection as DriverConnection } from 'mysql2/promise'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { BinaryRows, formsOf } from '../../../../lib/dialect/mysql/binary-rows.js'
import { forEachEngine } from '../../../support/engines.js'
import { type Session, Sessions } from './sessions.js'

/** A column type, and values as SQL. */
const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  tinyint: ['0', '1', '-1', '127', '-128'],
  'tinyint unsigned': ['0', '255'],
  smallint: ['-32768', '-1', '32767'],
  'smallint unsigned': ['0', '32768', '65535'],
  mediumint: ['-8388608', '-1', '8388607'],
  'mediumint unsigned': ['16777215'],
  int: ['-2147483648', '-1', '0', '2147483647'],
  'int unsigned': ['2147483648', '4294967295'],
  bigint: ['0', '-1', '9007199254740991', '9007199254740992', '-9007199254740993', '9223372036854775807', '-9223372036854775808'],
  'bigint unsigned': ['0', '4294967296', '9007199254740993', '18446744073709551615'],
  year: ['1901', '2155'],
  float: ['0', '-1.5', '3.25e10'],
  double: ['0', '0.1', '-1e308', '5e-324', '9007199254740994'],
  'decimal(38,10)': ['0', '-1.5', '9999999999999999999999999999.9999999999'],
  'bit(9)': ["b'101010101'", "b'0'"],
  date: ["'0001-01-01'", "'1969-12-31'", "'2024-02-29'", "'9999-12-31'"],
  time: ["'00:00:00'", "'-838:59:59'", "'838:59:59'"],
  'time(6)': ["'12:30:00.5'", "'-00:00:00.000001'", "'23:59:59.999999'"],
  'varchar(40)': ["''", "'a'", "'é\u{1f600}'"],
  'char(8) character set latin1': ["'é'", "''"],
  longtext: ["repeat('é', 125)", "repeat('x', 251)", "repeat('x', 65535)", "repeat('x', 65536)", "repeat('é', 100000)"],
  longblob: ["''", "x'00ff'", "repeat(x'ff', 70000)"],
  'varbinary(4)': ["x'00'", "x'ffffffff'"],
  "enum('a','é')": ["'a'", "'é'"],
  "set('a','b')": ["''", "'a,b'"],
  json: [`'{"a":[1,2.50,"é"]}'`, "'null'"],
}

/** Column types of instants, with texts and what they are since 1970. */
const INSTANTS: readonly (readonly [column: string, text: string, read: number | string])[] = [
  ['datetime', '2026-01-31 09:05:07', Date.UTC(2026, 0, 31, 9, 5, 7)],
  ['datetime(3)', '2026-01-31 09:05:07.120', Date.UTC(2026, 0, 31, 9, 5, 7, 120)],
  ['datetime(3)', '1969-12-31 23:59:59.999', -1],
  ['datetime(3)', '2024-02-29 00:00:00.000', Date.UTC(2024, 1, 29)],
  ['datetime(3)', '0001-01-01 00:00:00.000', -62_135_596_800_000],
  ['datetime(3)', '9999-12-31 23:59:59.999', 253_402_300_799_999],
  ['datetime(6)', '2026-01-31 09:05:07.120000', Date.UTC(2026, 0, 31, 9, 5, 7, 120)],
  ['datetime(6)', '2026-01-31 09:05:07.120001', '2026-01-31 09:05:07.120001'],
  ['datetime(6)', '0001-01-01 00:00:00.000010', '0001-01-01 00:00:00.00001'],
  ['datetime(6)', '9999-12-31 23:59:59.999999', '9999-12-31 23:59:59.999999'],
  ['timestamp(6)', '1970-01-01 00:00:01.000000', 1_000],
  ['timestamp(6)', '2038-01-19 03:14:07.999999', '2038-01-19 03:14:07.999999'],
]

forEachEngine(
  (engine) => {
    const sessions = new Sessions(engine)
    let session: Session
    let driver: DriverConnection

    beforeAll(async () => {
      session = await sessions.open()
      driver = await createConnection({
        uri: sessions.url,
        charset: 'utf8mb4_bin',
        rowsAsArray: true,
        supportBigNumbers: true,
        dateStrings: true,
        jsonStrings: true,
      })
    })
    afterAll(() => driver?.end())

    /** What both read, by the prepared protocol. */
    async function readBoth(sql: string) {
      const [theirs] = await driver.execute(`${sql} where ? = 1`, [1])
      return { ours: await session.rows(`${sql} where ? = 1`, 1), theirs }
    }

    it.each(Object.entries(COLUMNS))('reads %s as the driver does', async (type, values) => {
      await session.run(`create or replace table read_both (n int primary key, value ${type})`)
      for (const [index, value] of values.entries()) await session.run(`insert into read_both values (${index}, ${value})`)
      await session.run('insert into read_both values (99, null)')
      const { ours, theirs } = await readBoth('select value from read_both')
      expect(ours).toStrictEqual(theirs)
      expect(ours).toHaveLength(values.length + 1)
    })

    it.each(INSTANTS)('reads %s %s as milliseconds where it has whole ones', async (type, text, read) => {
      await session.run(`create or replace table read_instant (at ${type} null)`)
      await session.run(`insert into read_instant values (?), (null)`, text)
      expect(await session.rows('select at from read_instant where ? = 1', 1)).toStrictEqual([[read], [null]])
    })

    it('reads what is no instant as the text that it is', async () => {
      await session.run("set sql_mode = ''")
      await session.run('create or replace table no_instant (at datetime(3), day date)')
      await session.run("insert into no_instant values (0, 0), ('2026-00-00 10:00:00', '2026-01-00')")
      expect(await session.rows('select at, day from no_instant where ? = 1', 1)).toStrictEqual([
        ['0000-00-00 00:00:00', '0000-00-00'],
        ['2026-00-00 10:00:00', '2026-01-00'],
      ])
    })

    it('finds the nulls among as many columns as there may be', async () => {
      for (const count of [5, 6, 7, 8, 13, 14, 15, 300]) {
        const columns = Array.from({ length: count }, (_, index) => (index % 3 === 0 ? 'null' : String(index)))
        const { ours, theirs } = await readBoth(`select ${columns.join(', ')} from (select 1) as one`)
        expect(ours).toStrictEqual(theirs)
      }
    })

    it('reads a length of eight bytes, which no column of this server reaches', () => {
      const text = Buffer.from('é, and nothing else')
      const length = Buffer.alloc(9, 0xfe).fill(0, 1)
      length.writeBigUInt64LE(BigInt(text.length), 1)
      const buffer = Buffer.concat([Buffer.from([0xff, 0xff, 0, 0]), length, text])
      const forms = formsOf([{ columnType: 253, characterSet: 224, flags: 0, encoding: 'utf8' } as unknown as FieldPacket])
      expect(new BinaryRows(forms!).next({ buffer, offset: 2 })).toStrictEqual(['é, and nothing else'])
    })

    it('leaves a type that it does not know to the driver', async () => {
      const { ours, theirs } = await readBoth('select point(1, 2), 7 from (select 1) as one')
      expect(ours).toStrictEqual(theirs)
      expect(ours).toStrictEqual([[{ x: 1, y: 2 }, 7]])
    })

    it('gives an instant of no field as a date, of both protocols', async () => {
      const decoded = async (sql: string, ...parameters: unknown[]) => {
        const result = await session.run(sql, ...parameters)
        const [column] = await result.columns()
        return column!.decode!(result.rows[0]![0])
      }
      const sql = "select cast('2026-01-31 09:05:07.120001' as datetime(6)), 1"
      expect(await decoded(sql)).toStrictEqual(new Date(Date.UTC(2026, 0, 31, 9, 5, 7, 120)))
      expect(await decoded(`${sql} from (select 1) as one where ? = 1`, 1)).toStrictEqual(new Date(Date.UTC(2026, 0, 31, 9, 5, 7, 120)))
      const whole = "select cast('2026-01-31 09:05:07.12' as datetime(3)) from (select 1) as one where ? = 1"
      expect(await decoded(whole, 1)).toStrictEqual(new Date(Date.UTC(2026, 0, 31, 9, 5, 7, 120)))
    })
  },
  { engines: ['mysql'] },
)
