import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Codec } from '../../../../lib/dialect/dialect.js'
import type { PostgresConnection } from '../../../../lib/dialect/postgres/connection.js'
import { codec } from '../../../../lib/dialect/postgres/types.js'
import { InvalidValueError } from '../../../../lib/errors.js'
import type { BigintMode, ColumnType } from '../../../../lib/model/column-type.js'
import { type FreshDatabase, forEachEngine } from '../../../support/engines.js'
import { createTableOf, firstValue, openSession } from './session.js'

interface Case {
  readonly type: ColumnType
  readonly mode?: BigintMode
  readonly values: readonly unknown[]
}

const TEXTS = [
  '',
  ' ',
  'NULL',
  'null',
  "it's",
  '"quoted"',
  '\\',
  '\\\\x41',
  '{}',
  '{"a",b}',
  'a,b',
  'line\nbreak\ttab',
  '😀𝒳',
  'é',
  '\u{10ffff}',
]
const INT64 = [0n, 1n, -1n, 2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)]
const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, byte) => byte)

const CASES: readonly Case[] = [
  { type: { kind: 'text' }, values: TEXTS },
  { type: { kind: 'varchar', length: 3 }, values: ['', '😀😀😀'] },
  { type: { kind: 'integer' }, values: [0, 1, -1, 2_147_483_647, -2_147_483_648] },
  { type: { kind: 'bigint' }, mode: 'bigint', values: INT64 },
  { type: { kind: 'bigint' }, mode: 'number', values: [0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER] },
  { type: { kind: 'bigint' }, mode: 'string', values: INT64.map(String) },
  {
    type: { kind: 'float' },
    values: [0, -0, 0.1, 1 / 3, 5e-324, Number.MAX_VALUE, -Number.MAX_VALUE, Number.EPSILON, 2 ** 53 + 2, 123456789.12345679],
  },
  {
    type: { kind: 'decimal', precision: 38, scale: 10 },
    values: [
      '0.0000000000',
      '9999999999999999999999999999.9999999999',
      '-9999999999999999999999999999.9999999999',
      '0.0000000001',
      '9.5000000000',
    ],
  },
  { type: { kind: 'boolean' }, values: [true, false] },
  { type: { kind: 'date' }, values: ['0001-01-01', '9999-12-31', '1969-12-31', '2024-02-29'] },
  { type: { kind: 'time' }, values: ['00:00:00', '23:59:59.999999', '12:34:56.7'] },
  {
    type: { kind: 'timestamp', precision: 3 },
    values: [
      ...['0001-01-01T00:00:00.000Z', '0099-02-28T23:59:59.100Z', '9999-12-31T23:59:59.999Z', '1969-12-31T23:59:59.999Z'],
      ...['1900-01-01T00:00:00.010Z', '2024-02-29T12:00:00.001Z', '2024-03-10T06:59:59.990Z'],
    ].map((text) => new Date(text)),
  },
  {
    type: { kind: 'timestamp', precision: 6 },
    values: ['0001-01-01T00:00:00.000000Z', '9999-12-31T23:59:59.999999Z', '1969-12-31T23:59:59.000001Z', '2024-02-29T12:00:00.120000Z'],
  },
  { type: { kind: 'uuid' }, values: ['00000000-0000-0000-0000-000000000000', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'] },
  {
    type: { kind: 'json' },
    values: [{ a: [1, 'two', null, { b: true }], '"': "it's \\" }, [], {}, 'text', '', 0, false, { '😀': '\u2028' }],
  },
  { type: { kind: 'bytes' }, values: [new Uint8Array(), Uint8Array.of(0), EVERY_BYTE, EVERY_BYTE.subarray(10, 20)] },
  { type: { kind: 'enum', name: 'color', values: ['red', 'light "blue"'], native: false }, values: ['red', 'light "blue"'] },
  { type: { kind: 'enum', name: 'odd "color', values: ['red', 'light "blue"'], native: true }, values: ['red', 'light "blue"'] },
]

const ARRAYS: readonly Case[] = CASES.map((one) => ({
  ...one,
  type: { kind: 'array', of: one.type },
  values: [[], one.values, ...one.values.map((value) => [value, value])],
}))

forEachEngine(
  (engine) => {
    let database: FreshDatabase
    let connection: PostgresConnection

    beforeAll(async () => {
      database = await engine.freshDatabase()
      connection = await openSession(database.url)
      await connection.run({ sql: `create type "odd ""color" as enum ('red', 'light "blue"')`, parameters: [] })
    })

    afterAll(async () => {
      await connection?.close()
      await database?.drop()
    })

    async function stored({ encode, decode }: Codec, type: ColumnType, values: readonly unknown[]): Promise<unknown[]> {
      await createTableOf(connection, 'stored', type)
      for (const value of values) {
        const bound = value === null || encode === undefined ? value : encode(value)
        await connection.run({ sql: 'insert into stored (value) values ($1)', parameters: [bound] })
      }
      const { rows } = await connection.run({ sql: 'select value from stored order by position', parameters: [] })
      return rows.map(([value]) => (value === null || decode === undefined ? value : decode(value)))
    }

    describe('codec', () => {
      for (const { type, mode = 'bigint', values } of [...CASES, ...ARRAYS]) {
        const label = type.kind === 'array' ? `array of ${type.of.kind}` : type.kind
        it(`brings every ${label} back as it was (${JSON.stringify(type).length > 60 ? 'native or long' : JSON.stringify(type)}, ${mode})`, async () => {
          const written = [...values, null]
          expect(await stored(codec(type, mode), type, written)).toStrictEqual(written)
        })
      }

      it('refuses a stored integer that a number cannot hold, instead of rounding it', async () => {
        const { decode } = codec({ kind: 'bigint' }, 'number')
        const text = await firstValue(connection, 'select cast(9007199254740993 as bigint)')
        expect(() => decode!(text)).toThrow(InvalidValueError)
      })

      it('gives bytes as a plain Uint8Array with memory of its own', async () => {
        const text = await firstValue(connection, `select '\\x0102'::bytea`)
        const bytes = codec({ kind: 'bytes' }, 'bigint').decode!(text) as Uint8Array
        expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype)
        expect(bytes.buffer.byteLength).toBe(2)
      })

      it('refuses bytes in the escape form, instead of giving others', async () => {
        await connection.run({ sql: 'set bytea_output = escape', parameters: [] })
        const text = await firstValue(connection, `select '\\x0102'::bytea`)
        await connection.run({ sql: 'reset bytea_output', parameters: [] })
        expect(() => codec({ kind: 'bytes' }, 'bigint').decode!(text)).toThrow(InvalidValueError)
      })

      it('keeps nulls inside an array that others have written', async () => {
        const text = await firstValue(connection, `select array['a', null, 'NULL', '']`)
        expect(codec({ kind: 'array', of: { kind: 'text' } }, 'bigint').decode!(text)).toStrictEqual(['a', null, 'NULL', ''])
      })
    })
  },
  { engines: ['postgres'] },
)
