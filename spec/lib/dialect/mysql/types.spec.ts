import fc from 'fast-check'
import { expect, it } from 'vitest'
import { mysqlCodec } from '../../../../lib/dialect/mysql/types.js'
import { InvalidValueError } from '../../../../lib/errors.js'
import type { BigintMode, ColumnType } from '../../../../lib/model/column-type.js'
import { forEachEngine } from '../../../support/engines.js'
import { type Session, Sessions } from './sessions.js'

/** A field type, the column it has, and values that must come back as they went in. */
interface Case {
  readonly type: ColumnType
  readonly column: string
  readonly values: readonly unknown[]
  readonly bigintMode?: BigintMode
}

const TEXTS = ['', ' ', 'a ', "it's", '"\\`', '%_', '\u{1f600}\u{10ffff}', 'é\u0301', 'line\r\nend', 'x'.repeat(70_000)]

const CASES: readonly Case[] = [
  { type: { kind: 'text' }, column: 'longtext', values: TEXTS },
  { type: { kind: 'varchar', length: 40 }, column: 'varchar(40)', values: TEXTS.filter((text) => text.length <= 40) },
  { type: { kind: 'integer' }, column: 'int', values: [0, 1, -1, 2_147_483_647, -2_147_483_648] },
  {
    type: { kind: 'bigint' },
    column: 'bigint',
    values: [0n, -1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)],
  },
  { type: { kind: 'bigint' }, bigintMode: 'number', column: 'bigint', values: [0, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER] },
  {
    type: { kind: 'bigint' },
    bigintMode: 'string',
    column: 'bigint',
    values: ['0', '9007199254740993', '9223372036854775807', '-9223372036854775808'],
  },
  { type: { kind: 'float' }, column: 'double', values: [0, 0.1, 1 / 3, 5e-324, Number.MAX_VALUE, -Number.MAX_VALUE, 2 ** 53 + 2] },
  {
    type: { kind: 'decimal', precision: 38, scale: 10 },
    column: 'decimal(38,10)',
    values: ['0.0000000000', '-1.5000000000', '9999999999999999999999999999.9999999999', '-9999999999999999999999999999.9999999999'],
  },
  { type: { kind: 'decimal', precision: 38, scale: 0 }, column: 'decimal(38,0)', values: ['12345678901234567890123456789012345678'] },
  { type: { kind: 'boolean' }, column: 'tinyint(1)', values: [true, false] },
  { type: { kind: 'date' }, column: 'date', values: ['0001-01-01', '1969-12-31', '2024-02-29', '9999-12-31'] },
  { type: { kind: 'time' }, column: 'time(6)', values: ['00:00:00', '23:59:59', '12:30:00.5', '23:59:59.999999', '00:00:00.000001'] },
  {
    type: { kind: 'timestamp', precision: 3 },
    column: 'datetime(3)',
    values: ['0001-01-01T00:00:00.000Z', '1969-12-31T23:59:59.999Z', '2026-03-29T01:30:00.120Z', '9999-12-31T23:59:59.999Z'].map(
      (text) => new Date(text),
    ),
  },
  {
    type: { kind: 'timestamp', precision: 6 },
    column: 'datetime(6)',
    values: ['0001-01-01T00:00:00.000000Z', '1969-12-31T23:59:59.999999Z', '2026-03-29T01:30:00.000001Z', '9999-12-31T23:59:59.120000Z'],
  },
  { type: { kind: 'uuid' }, column: 'char(36) character set ascii collate ascii_bin', values: ['0190a5a4-7b1c-7def-8abc-0123456789ab'] },
  {
    type: { kind: 'json' },
    column: 'json',
    values: [
      { a: [1, null, { 'b"': '\\' }] },
      [],
      {},
      'text',
      '',
      0,
      -1.5,
      true,
      false,
      { emoji: '\u{1f600}', html: '</script>', long: 'y'.repeat(70_000) },
    ],
  },
  {
    type: { kind: 'bytes' },
    column: 'longblob',
    values: [[], [0], [0xff, 0xfe, 0x00, 0x27, 0x5c], new Array(70_000).fill(7)].map((list) => Uint8Array.from(list)),
  },
  { type: { kind: 'enum', name: 'mood', values: ['sad', "it's"], native: true }, column: "enum('sad', 'it''s')", values: ['sad', "it's"] },
  { type: { kind: 'array', of: { kind: 'text' } }, column: 'json', values: [[], [''], ['a', '"', '\\', ',', '{}', '\u{1f600}']] },
  { type: { kind: 'array', of: { kind: 'bigint' } }, column: 'json', values: [[2n ** 63n - 1n, -(2n ** 63n), 2n ** 53n + 1n]] },
  {
    type: { kind: 'array', of: { kind: 'decimal', precision: 38, scale: 2 } },
    column: 'json',
    values: [['123456789012345678901234567890123456.78', '-0.10']],
  },
  {
    type: { kind: 'array', of: { kind: 'timestamp', precision: 3 } },
    column: 'json',
    values: [[new Date(-1), new Date('9999-12-31T23:59:59.999Z')]],
  },
  { type: { kind: 'array', of: { kind: 'bytes' } }, column: 'json', values: [[Uint8Array.of(0, 255), Uint8Array.of()]] },
  { type: { kind: 'array', of: { kind: 'boolean' } }, column: 'json', values: [[true, false]] },
  { type: { kind: 'array', of: { kind: 'array', of: { kind: 'integer' } } }, column: 'json', values: [[[1, 2], [], [-2_147_483_648]]] },
]

function titleOf({ type, bigintMode }: Case): string {
  const element = type.kind === 'array' ? ` of ${type.of.kind}` : ''
  const detail = 'precision' in type ? ` (${type.precision})` : ''
  return `${type.kind}${element}${detail}${bigintMode === undefined ? '' : ` as ${bigintMode}`}`
}

forEachEngine(
  (engine) => {
    const sessions = new Sessions(engine)
    let tables = 0

    async function roundTrip(
      session: Session,
      { type, column, values, bigintMode = 'bigint' }: Case,
      isPrepared: boolean,
    ): Promise<unknown[]> {
      const table = `round_trip_${tables++}`
      const codec = mysqlCodec(type, bigintMode)
      await session.run(`create table ${table} (id int primary key, v ${column}) character set utf8mb4 collate utf8mb4_bin`)
      for (const [id, value] of values.entries()) {
        await session.run(`insert into ${table} values (?, ?)`, id, value === null ? null : (codec.encode?.(value) ?? value))
      }
      const rows = isPrepared
        ? await session.rows(`select v from ${table} where id >= ? order by id`, 0)
        : await session.rows(`select v from ${table} order by id`)
      return rows.map(([value]) => (value === null ? null : codec.decode === undefined ? value : codec.decode(value)))
    }

    for (const example of CASES) {
      it(`brings ${titleOf(example)} back as it went in, extremes and null too`, async () => {
        const session = await sessions.open()
        const values = [...example.values, null]
        expect(await roundTrip(session, { ...example, values }, true)).toEqual(values)
        expect(await roundTrip(session, { ...example, values }, false)).toEqual(values)
      })
    }

    it('finds each value again by comparing with it', async () => {
      const session = await sessions.open()
      for (const { type, column, values, bigintMode = 'bigint' } of CASES) {
        if (['json', 'array'].includes(type.kind)) continue
        const codec = mysqlCodec(type, bigintMode)
        const table = `compared_${tables++}`
        await session.run(`create table ${table} (id int primary key, v ${column}) character set utf8mb4 collate utf8mb4_bin`)
        const encoded = values.map((value) => codec.encode?.(value) ?? value)
        for (const [id, value] of encoded.entries()) await session.run(`insert into ${table} values (?, ?)`, id, value)
        for (const [id, value] of encoded.entries()) {
          const found = await session.rows(`select id from ${table} where v = ?`, value)
          expect(found.flat(), `${type.kind} ${String(values[id]).slice(0, 50)}`).toContain(id)
        }
      }
    })

    it('gives bytes that share no memory with the driver, and are no Buffer', async () => {
      const session = await sessions.open()
      const decoded = mysqlCodec({ kind: 'bytes' }, 'bigint').decode!(await session.value('select ?', Uint8Array.of(1, 2))) as Uint8Array
      expect(Object.getPrototypeOf(decoded)).toBe(Uint8Array.prototype)
      expect(decoded.buffer.byteLength).toBe(2)
    })

    it('refuses to read an integer beyond 2^53 as a number', async () => {
      const session = await sessions.open()
      const raw = await session.value('select cast(? as signed)', 2n ** 53n)
      expect(() => mysqlCodec({ kind: 'bigint' }, 'number').decode!(raw)).toThrow(InvalidValueError)
    })

    it('reads times the same whatever zone the process is in', async () => {
      const session = await sessions.open()
      const codec = mysqlCodec({ kind: 'timestamp', precision: 3 }, 'bigint')
      const zone = process.env.TZ
      try {
        for (const name of ['America/St_Johns', 'Asia/Kathmandu']) {
          process.env.TZ = name
          const raw = await session.value('select cast(? as datetime(3))', codec.encode!(new Date('2026-03-29T01:30:00.120Z')))
          expect(codec.decode!(raw)).toEqual(new Date('2026-03-29T01:30:00.120Z'))
          expect(raw).toBe(Date.UTC(2026, 2, 29, 1, 30, 0, 120))
        }
      } finally {
        if (zone === undefined) delete process.env.TZ
        else process.env.TZ = zone
      }
    })
  },
  { engines: ['mysql'] },
)

it('reads an instant as it is, however much of its fraction the server writes, and none where there is none', () => {
  const { decode } = mysqlCodec({ kind: 'timestamp', precision: 3 }, 'bigint')
  const dates = fc.date({ min: new Date('0001-01-01T00:00:00.000Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
  const property = fc.property(dates, (date) => {
    const text = date.toISOString().slice(0, -1).replace('T', ' ')
    const texts = [text, `${text}000`, `${text}999`, text.replace(/\.?0+$/, (zeros) => (zeros.startsWith('.') ? '' : zeros))]
    if (text.endsWith('00')) texts.push(text.slice(0, -2))
    if (text.endsWith('0')) texts.push(text.slice(0, -1))
    return texts.every((each) => (decode!(each) as Date).getTime() === date.getTime())
  })
  fc.assert(property, { numRuns: 5_000, examples: [[new Date('2024-02-29T23:59:59.100Z')], [new Date('1999-12-31T00:00:00.000Z')]] })
  expect((decode!('0000-00-00 00:00:00') as Date).getTime()).toBeNaN()
})
