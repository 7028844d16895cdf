import { describe, expect, it } from 'vitest'
import { plainSql } from '../../../../lib/dialect/ddl-statement.js'
import { ddl } from '../../../../lib/dialect/sqlite/ddl.js'
import { codec } from '../../../../lib/dialect/sqlite/types.js'
import { InvalidValueError } from '../../../../lib/errors.js'
import type { BigintMode, ColumnType } from '../../../../lib/model/column-type.js'
import { openSqlite, type SqliteFixture } from './sqlite-fixture.js'

const decimal38: ColumnType = { kind: 'decimal', precision: 38, scale: 10 }
const list = (of: ColumnType): ColumnType => ({ kind: 'array', of })
const colour: ColumnType = { kind: 'enum', name: 'colour', values: ['red', 'dark "green"'], native: false }

interface Case {
  readonly type: ColumnType
  readonly mode?: BigintMode
  readonly values: readonly unknown[]
  /** SQLite's own type of what is stored. */
  readonly stored: 'text' | 'integer' | 'real' | 'blob'
}

const CASES: readonly Case[] = [
  {
    type: { kind: 'text' },
    stored: 'text',
    values: ['', 'a\0b', '👩‍👩‍👧 𝒳 é é', 'o\'clock \\ " % _', '12.50', '0x1F', 'x'.repeat(100_000)],
  },
  { type: { kind: 'varchar', length: 20 }, stored: 'text', values: ['', '007', '1e5', '𝒳𝒳'] },
  { type: { kind: 'integer' }, stored: 'integer', values: [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)] },
  { type: { kind: 'bigint' }, stored: 'integer', values: [0n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)] },
  { type: { kind: 'bigint' }, mode: 'number', stored: 'integer', values: [0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER] },
  {
    type: { kind: 'bigint' },
    mode: 'string',
    stored: 'integer',
    values: ['0', '9007199254740993', '9223372036854775807', '-9223372036854775808'],
  },
  {
    type: { kind: 'float' },
    stored: 'real',
    values: [0, 1, -2, 0.1, 1 / 3, Number.MAX_VALUE, Number.MIN_VALUE, -1e-300, 2 ** 53 + 2, 123456789.12345679],
  },
  {
    type: decimal38,
    stored: 'text',
    values: [
      '0.0000000000',
      '1.5000000000',
      '-1.5000000000',
      '1234567890123456789012345678.0123456789',
      '-9999999999999999999999999999.9999999999',
    ],
  },
  { type: { kind: 'decimal', precision: 38, scale: 0 }, stored: 'text', values: ['0', '-1', '99999999999999999999999999999999999999'] },
  { type: { kind: 'boolean' }, stored: 'integer', values: [true, false] },
  { type: { kind: 'date' }, stored: 'text', values: ['0001-01-01', '1970-01-01', '2024-02-29', '9999-12-31'] },
  { type: { kind: 'time' }, stored: 'text', values: ['00:00:00', '23:59:59.999999', '10:00:00.5'] },
  {
    type: { kind: 'timestamp', precision: 3 },
    stored: 'text',
    values: ['0001-01-01T00:00:00.000Z', '1969-12-31T23:59:59.999Z', '2026-03-29T01:30:00.120Z', '9999-12-31T23:59:59.999Z'].map(
      (iso) => new Date(iso),
    ),
  },
  {
    type: { kind: 'timestamp', precision: 6 },
    stored: 'text',
    values: ['0001-01-01T00:00:00.000000Z', '2026-03-29T01:30:00.123456Z', '9999-12-31T23:59:59.999999Z'],
  },
  { type: { kind: 'uuid' }, stored: 'text', values: ['00000000-0000-0000-0000-000000000000', '018f4b5e-7c3a-7def-8abc-0123456789ab'] },
  {
    type: { kind: 'json' },
    stored: 'text',
    values: [{ a: [1, 'x', null, true, { b: 0.1 }] }, [], 'text', 0, false, { '': '𝒳', constructor: 1 }],
  },
  { type: { kind: 'bytes' }, stored: 'blob', values: [new Uint8Array(), new Uint8Array([0, 255, 0, 39]), new Uint8Array(100_000).fill(7)] },
  { type: colour, stored: 'text', values: ['red', 'dark "green"'] },
  { type: list({ kind: 'text' }), stored: 'text', values: [[], ['a', '', '𝒳"', 'null']] },
  { type: list({ kind: 'integer' }), stored: 'text', values: [[1, -(2 ** 31)]] },
  { type: list({ kind: 'bigint' }), stored: 'text', values: [[2n ** 53n + 1n, -(2n ** 63n)]] },
  { type: list({ kind: 'bigint' }), mode: 'number', stored: 'text', values: [[1, Number.MAX_SAFE_INTEGER]] },
  { type: list({ kind: 'bigint' }), mode: 'string', stored: 'text', values: [['9223372036854775807']] },
  { type: list({ kind: 'float' }), stored: 'text', values: [[0.1, 1e300, Number.MIN_VALUE]] },
  { type: list(decimal38), stored: 'text', values: [['1234567890123456789012345678.0123456789', '-1.5000000000']] },
  { type: list({ kind: 'boolean' }), stored: 'text', values: [[true, false]] },
  { type: list({ kind: 'timestamp', precision: 3 }), stored: 'text', values: [[new Date('9999-12-31T23:59:59.999Z')]] },
  { type: list({ kind: 'bytes' }), stored: 'text', values: [[new Uint8Array([0, 255]), new Uint8Array()]] },
  { type: list({ kind: 'json' }), stored: 'text', values: [[{ a: 1 }, [2], 'x']] },
  { type: list(list({ kind: 'bigint' })), stored: 'text', values: [[[2n ** 60n], []]] },
]

const nameOf = ({ type, mode }: Case) =>
  `${type.kind}${'of' in type ? ` of ${type.of.kind}` : ''}${mode === undefined ? '' : ` as ${mode}`}`

async function openWithColumn(type: ColumnType): Promise<SqliteFixture> {
  const database = await openSqlite({}, ':memory:')
  const columns = [
    { name: 'id', type: { kind: 'integer' }, nullable: false },
    { name: 'v', type, nullable: true },
  ] as const
  const primaryKey = { name: 't_pkey', columns: ['id'] }
  const table = { name: 't', columns, primaryKey, uniques: [], indexes: [], foreignKeys: [], checks: [] }
  for (const sql of plainSql(ddl([{ kind: 'createTable', table }]))) await database.run('write', sql)
  return database
}

/** Through a real column and back; whether exact integers are asked for is what the codec says, or what a neighbour says. */
async function roundTrip(
  database: SqliteFixture,
  { type, mode = 'bigint' }: Case,
  value: unknown,
  withExactNeighbour: boolean,
): Promise<unknown> {
  const { encode, decode, exactIntegers = false } = codec(type, mode)
  await database.run('write', 'delete from t')
  await database.run('write', 'insert into t values (1, ?)', encode === undefined ? value : encode(value))
  const { rows } = await database.use('read', (connection) =>
    connection.run({ sql: 'select v from t', parameters: [], exactIntegers: exactIntegers || withExactNeighbour }),
  )
  const stored = rows[0]?.[0]
  return decode === undefined ? stored : decode(stored)
}

describe.each(CASES.map((each) => ({ name: nameOf(each), each })))('a column of $name', ({ each }) => {
  it('gives back exactly what was written', async () => {
    const database = await openWithColumn(each.type)
    for (const value of each.values) {
      for (const withExactNeighbour of [false, true]) {
        const back = await roundTrip(database, each, value, withExactNeighbour)
        expect(back).toStrictEqual(value)
        if (value instanceof Uint8Array) expect(Object.getPrototypeOf(back)).toBe(Uint8Array.prototype)
      }
      expect(await database.read('select typeof(v) from t')).toEqual([each.stored])
    }
  })

  it('holds null', async () => {
    const database = await openWithColumn(each.type)
    await database.run('write', 'insert into t values (1, null)')
    expect(await database.read('select v from t')).toEqual([null])
  })

  it('finds a row by an equal value', async () => {
    const database = await openWithColumn(each.type)
    const { encode } = codec(each.type, each.mode ?? 'bigint')
    for (const value of each.values) {
      const encoded = encode === undefined ? value : encode(value)
      await database.run('write', 'delete from t')
      await database.run('write', 'insert into t values (1, ?)', encoded)
      expect(await database.read('select count(*) from t where v = ?', encoded)).toEqual([1])
    }
  })
})

describe('the stored form', () => {
  it('is the same for values that are equal', () => {
    const encode = (type: ColumnType, value: unknown) => codec(type, 'bigint').encode?.(value)
    const price: ColumnType = { kind: 'decimal', precision: 12, scale: 2 }
    expect(['1.5', '01.50', '1.500'].map((value) => encode(price, value))).toEqual(['1.50', '1.50', '1.50'])
    expect(['-0', '0', '0.00'].map((value) => encode(price, value))).toEqual(['0.00', '0.00', '0.00'])
    expect(encode({ kind: 'uuid' }, '018F4B5E-7C3A-7DEF-8ABC-0123456789AB')).toBe('018f4b5e-7c3a-7def-8abc-0123456789ab')
    expect(encode({ kind: 'time' }, '10:00:00.500')).toBe('10:00:00.5')
    expect(encode({ kind: 'timestamp', precision: 6 }, '2026-01-02T03:04:05.5Z')).toBe('2026-01-02T03:04:05.500000Z')
  })

  it('is read where SQL of the user wrote another one', () => {
    const decode = (type: ColumnType, value: unknown) => codec(type, 'bigint').decode?.(value)
    expect(decode({ kind: 'timestamp', precision: 3 }, '2026-01-02 03:04:05')).toEqual(new Date('2026-01-02T03:04:05.000Z'))
    expect(decode({ kind: 'timestamp', precision: 3 }, '2026-01-02 03:04:05.1234')).toEqual(new Date('2026-01-02T03:04:05.123Z'))
    expect(decode({ kind: 'timestamp', precision: 6 }, '2026-01-02 03:04:05')).toBe('2026-01-02T03:04:05.000000Z')
    expect(decode({ kind: 'decimal', precision: 12, scale: 2 }, '11.5')).toBe('11.50')
    expect(decode({ kind: 'decimal', precision: 12, scale: 2 }, 7)).toBe('7.00')
  })

  it.each([
    [{ kind: 'timestamp', precision: 3 }, 'yesterday'],
    [{ kind: 'timestamp', precision: 3 }, '2026-13-45T00:00:00.000Z'],
    [{ kind: 'timestamp', precision: 6 }, 'yesterday'],
    [{ kind: 'decimal', precision: 12, scale: 2 }, 'a lot'],
  ] as const)('of a %j that is none is refused, not passed on', (type, stored) => {
    expect(() => codec(type, 'bigint').decode?.(stored)).toThrow(InvalidValueError)
  })

  it('of an integer beyond 2^53 is refused where the field is a number', async () => {
    const database = await openWithColumn({ kind: 'bigint' })
    await database.run('write', 'insert into t values (1, 9007199254740993)')
    const [stored] = await database.read('select v from t')
    expect(() => codec({ kind: 'bigint' }, 'number').decode?.(stored)).toThrow(InvalidValueError)
  })
})
