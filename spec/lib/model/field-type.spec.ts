import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { BigintMode, ColumnType } from '../../../lib/model/column-type.js'
import {
  checkFieldValue,
  type FieldShape,
  fieldNormaliser,
  fromJsonValue,
  normaliseFieldValue,
  toJsonValue,
} from '../../../lib/model/field-type.js'

function shape(type: ColumnType, more: Partial<FieldShape> = {}): FieldShape {
  return { type, bigintMode: 'bigint', minLength: 0, ...more }
}

const TEXT = shape({ kind: 'text' })
const NAME = shape({ kind: 'varchar', length: 3 }, { minLength: 2 })
const INTEGER = shape({ kind: 'integer' })
const BIGINT = shape({ kind: 'bigint' })
const BIGINT_NUMBER = shape({ kind: 'bigint' }, { bigintMode: 'number' })
const BIGINT_STRING = shape({ kind: 'bigint' }, { bigintMode: 'string' })
const FLOAT = shape({ kind: 'float' })
const DECIMAL = shape({ kind: 'decimal', precision: 5, scale: 2 })
const WHOLE_DECIMAL = shape({ kind: 'decimal', precision: 38, scale: 0 })
const FRACTION = shape({ kind: 'decimal', precision: 2, scale: 2 })
const BOOLEAN = shape({ kind: 'boolean' })
const DATE = shape({ kind: 'date' })
const TIME = shape({ kind: 'time' })
const TIMESTAMP = shape({ kind: 'timestamp', precision: 3 })
const MICROS = shape({ kind: 'timestamp', precision: 6 })
const UUID = shape({ kind: 'uuid' })
const JSON_FIELD = shape({ kind: 'json' })
const BYTES = shape({ kind: 'bytes' })
const ENUM = shape({ kind: 'enum', name: 'colour', values: ['red', 'green'], native: false })
const LIST = shape({ kind: 'array', of: { kind: 'integer' } })

const ALL = {
  TEXT,
  NAME,
  INTEGER,
  BIGINT,
  BIGINT_NUMBER,
  BIGINT_STRING,
  FLOAT,
  DECIMAL,
  BOOLEAN,
  DATE,
  TIME,
  TIMESTAMP,
  MICROS,
  UUID,
  BYTES,
  ENUM,
  LIST,
}

function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)]
}

const circular: unknown[] = []
circular.push([{ circular }])

describe('checkFieldValue', () => {
  it.each<[string, FieldShape, readonly unknown[]]>([
    ['text', TEXT, ['', 'a', '😀', 'x'.repeat(100_000), "'; drop table users; --", '%_\\', '\u{10FFFF}']],
    ['text with bounds, counted in characters', NAME, ['ab', 'abc', '😀😀', '😀😀😀']],
    ['32-bit integers', INTEGER, [0, -0, 1, -1, 2_147_483_647, -2_147_483_648, 3.0]],
    ['64-bit bigints', BIGINT, [0n, 2n ** 63n - 1n, -(2n ** 63n)]],
    ['safe integers', BIGINT_NUMBER, [0, 2 ** 53 - 1, -(2 ** 53) + 1]],
    ['64-bit integers as text', BIGINT_STRING, ['0', '-1', '9223372036854775807', '-9223372036854775808']],
    ['finite doubles', FLOAT, [0, -0, 0.1, 5e-324, 1.7976931348623157e308]],
    ['decimals that fit', DECIMAL, ['0', '-0', '999.99', '-999.99', '1.5', '1.500000', '0000123.4', '0.5']],
    ['decimals without a fraction', WHOLE_DECIMAL, ['9'.repeat(38), `-${'9'.repeat(38)}`, '1.000']],
    ['decimals without whole digits', FRACTION, ['0.99', '-0.01', '0', '00.10']],
    ['true and false', BOOLEAN, [true, false]],
    ['days', DATE, ['0001-01-01', '9999-12-31', '2024-02-29', '2000-02-29', '2023-04-30']],
    ['times', TIME, ['00:00:00', '23:59:59', '12:30:00.5', '12:30:00.123456']],
    ['dates', TIMESTAMP, [new Date(0), new Date('0001-01-01T00:00:00.000Z'), new Date('9999-12-31T23:59:59.999Z')]],
    ['dates of another realm', TIMESTAMP, [runInNewContext('new Date(5)')]],
    ['instants', MICROS, ['2024-02-29T23:59:59Z', '0001-01-01T00:00:00.1Z', '9999-12-31T23:59:59.999999Z']],
    ['uuids', UUID, ['018f4e7c-0000-7000-8000-00000000abcd', '018F4E7C-0000-7000-8000-00000000ABCD']],
    ['JSON', JSON_FIELD, [{}, [], 'a', 1.5, true, false, { a: [null, { b: '😀' }] }, Object.create(null), nested(31)]],
    ['JSON of another realm', JSON_FIELD, [runInNewContext('({ a: [1] })')]],
    ['own keys of any name in JSON', JSON_FIELD, [JSON.parse('{"__proto__": {"a": 1}, "constructor": 2}')]],
    ['bytes', BYTES, [new Uint8Array(), new Uint8Array([0, 255]), Buffer.from('a')]],
    ['its own words', ENUM, ['red', 'green']],
    ['lists', LIST, [[], [1, 2, 3]]],
  ])('takes %s', (_, field, values) => {
    for (const value of values) expect(checkFieldValue(field, value), String(JSON.stringify(value, bigintAsText))).toBeUndefined()
  })

  it.each<[string, FieldShape, readonly unknown[]]>([
    ['NUL and lone surrogates in text', TEXT, ['\0', 'a\0b', '\uD800', 'a\uDC00', '\uDC00\uD800']],
    ['text out of bounds', NAME, ['a', 'abcd', '😀', '😀😀😀😀']],
    ['integers out of bounds and fractions', INTEGER, [2_147_483_648, -2_147_483_649, 0.5, Number.NaN, Number.POSITIVE_INFINITY, 1n]],
    ['bigints out of bounds, and numbers', BIGINT, [2n ** 63n, -(2n ** 63n) - 1n, 1]],
    ['integers that a number rounds, and bigints', BIGINT_NUMBER, [2 ** 53, -(2 ** 53), 0.5, 1n, '1']],
    [
      'integers as text out of bounds or in another form',
      BIGINT_STRING,
      ['9223372036854775808', '-9223372036854775809', '01', '+1', '-0', '', ' 1', '1.0', '1e3', '0x1', '1\n', '9'.repeat(1_000_000), 1, 1n],
    ],
    ['what is no finite number', FLOAT, [Number.NaN, Number.NEGATIVE_INFINITY, 1n]],
    ['decimals that would be rounded', DECIMAL, ['0.001', '1000', '-1000.00', '99999']],
    ['decimals in another form', DECIMAL, ['', '-', '.5', '5.', '+1', '1e2', 'NaN', 'Infinity', ' 1', '1\n', '1,5', '٣', '0x10', 1, 1n]],
    ['days that there are not', DATE, ['2023-02-29', '1900-02-29', '2024-13-01', '2024-00-01', '2024-04-31', '2024-01-00', '0000-01-01']],
    [
      'days in another form',
      DATE,
      ['2024-1-1', '20240101', '2024-01-01T00:00:00Z', '2024-01-01\n', '-001-01-01', '+12024-01-01', new Date()],
    ],
    [
      'times that there are not',
      TIME,
      ['24:00:00', '12:60:00', '23:59:60', '12:00', '1:00:00', '12:00:00.', '12:00:00.1234567', '12:00:00Z'],
    ],
    [
      'invalid dates, dates outside and text',
      TIMESTAMP,
      [new Date(Number.NaN), new Date(253_402_300_800_000), new Date(-62_135_596_800_001)],
    ],
    ['text for a Date', TIMESTAMP, ['2024-01-01T00:00:00Z', 0]],
    ['instants that there are not', MICROS, ['2023-02-29T00:00:00Z', '2024-01-01T24:00:00Z', '0000-01-01T00:00:00Z']],
    ['instants in another form', MICROS, ['2024-01-01T00:00:00', '2024-01-01 00:00:00Z', '2024-01-01T00:00:00+01:00', new Date()]],
    ['what is no uuid', UUID, ['018f4e7c00007000800000000000abcd', '018f4e7c-0000-7000-8000-00000000abcg', '', '{018f4e7c}']],
    ['words that are not its own', ENUM, ['blue', 'RED', '', 'constructor', '__proto__', 0]],
    ['lists with nulls, holes or other elements', LIST, [[null], [undefined], [1, '2'], [[1]], new Array(1), { 0: 1, length: 1 }]],
  ])('refuses %s', (_, field, values) => {
    for (const value of values) expect(checkFieldValue(field, value), String(JSON.stringify(value, bigintAsText))).toMatch(/^expected /)
  })

  it.each<[string, unknown]>([
    ['null at the top', null],
    ['undefined', { a: undefined }],
    ['a function', [() => 1]],
    ['a symbol', { a: Symbol('a') }],
    ['a symbol as key', { [Symbol('a')]: 1 }],
    ['a bigint', [1n]],
    ['NaN', { a: Number.NaN }],
    ['a hole', new Array(2)],
    ['NUL in text', ['\0']],
    ['NUL in a key', { 'a\0': 1 }],
    ['a lone surrogate in text', { a: '\uD800' }],
    ['a lone surrogate in a key', { '\uDFFF': 1 }],
    ['a Date', { at: new Date(0) }],
    ['a Map', new Map()],
    ['bytes', new Uint8Array(1)],
    ['boxed text', Object('a')],
    ['an instance of a class', new (class Point {})()],
    ['an object with a toJSON of its own', { toJSON: () => 1 }],
    ['32 levels', nested(32)],
    ['a circle', circular],
  ])('refuses JSON with %s', (_, value) => {
    expect(checkFieldValue(JSON_FIELD, value)).toMatch(/^expected .*(JSON|text)/)
  })

  it('refuses whatever is no scalar where one belongs, without asking it for its text', () => {
    const trap = { toString: refuse, valueOf: refuse, toJSON: refuse, [Symbol.toPrimitive]: refuse }
    const others = [trap, {}, [], ['a'], [[1]], () => 1, Symbol('a'), undefined, Object('red'), Object(1), Object(1n), Object(true)]
    for (const [name, field] of Object.entries(ALL)) {
      const values = field === LIST ? others.filter((value) => !Array.isArray(value)) : others
      for (const value of values) expect(checkFieldValue(field, value), name).toMatch(/^expected /)
    }
  })

  it('says what was expected and what kind of thing was given, never the value', () => {
    expect(checkFieldValue(INTEGER, 'secret')).toBe('expected a whole number from -2147483648 to 2147483647, got text')
    expect(checkFieldValue(NAME, 'secret')).toBe('expected at most 3 characters, got 6')
    expect(checkFieldValue(ENUM, 'secret')).toBe('expected one of "red", "green", got other text')
    expect(checkFieldValue(LIST, [1, 'secret'])).toMatch(/got text \(at position 1\)$/)
    for (const field of Object.values(ALL)) expect(checkFieldValue(field, 'secret') ?? '').not.toContain('secret')
  })

  it('looks at a text of ten million characters in a moment', () => {
    const startedMs = performance.now()
    for (const field of [TEXT, NAME, BIGINT_STRING, DECIMAL, DATE, TIME, MICROS, UUID, ENUM]) {
      checkFieldValue(field, '0'.repeat(10_000_000))
      checkFieldValue(field, `${'0'.repeat(10_000_000)}x`)
      checkFieldValue(field, `0.${'0'.repeat(10_000_000)}1`)
    }
    expect(performance.now() - startedMs).toBeLessThan(4_000)
  })
})

describe('normaliseFieldValue', () => {
  it.each<[FieldShape, unknown, unknown]>([
    [DECIMAL, '1', '1.00'],
    [DECIMAL, '-0', '0.00'],
    [DECIMAL, '-0.00', '0.00'],
    [DECIMAL, '007.5', '7.50'],
    [DECIMAL, '-0.5', '-0.50'],
    [DECIMAL, '12.3400', '12.34'],
    [WHOLE_DECIMAL, '-0012.000', '-12'],
    [WHOLE_DECIMAL, '100', '100'],
    [FRACTION, '0.1', '0.10'],
    [INTEGER, -0, 0],
    [FLOAT, -0, 0],
    [FLOAT, -0.5, -0.5],
    [BIGINT_NUMBER, -0, 0],
    [UUID, '018F4E7C-0000-7000-8000-00000000ABCD', '018f4e7c-0000-7000-8000-00000000abcd'],
    [TIME, '12:30:00.500000', '12:30:00.5'],
    [TIME, '12:30:00.000', '12:30:00'],
    [TIME, '12:30:00', '12:30:00'],
    [TIME, '10:00:10.10', '10:00:10.1'],
    [MICROS, '2024-01-01T00:00:00Z', '2024-01-01T00:00:00.000000Z'],
    [MICROS, '2024-01-01T00:00:00.12Z', '2024-01-01T00:00:00.120000Z'],
    [MICROS, '2024-01-01T00:00:00.123456Z', '2024-01-01T00:00:00.123456Z'],
    [shape({ kind: 'array', of: DECIMAL.type }), ['1', '2.5'], ['1.00', '2.50']],
    [ENUM, 'red', 'red'],
    [TEXT, ' A ', ' A '],
  ])('%#: makes the stored form, of type %o, and keeps it', (field, value, stored) => {
    expect(normaliseFieldValue(field, value)).toStrictEqual(stored)
    expect(normaliseFieldValue(field, stored)).toStrictEqual(stored)
    expect(checkFieldValue(field, stored)).toBeUndefined()
  })

  it('has no work to do where there is but one form', () => {
    for (const field of [TEXT, BIGINT, BOOLEAN, DATE, TIMESTAMP, BYTES, ENUM, JSON_FIELD]) expect(fieldNormaliser(field)).toBeUndefined()
  })

  it('never changes the number that a decimal means', () => {
    const digits = fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n })
    fc.assert(
      fc.property(digits, fc.nat(3), fc.nat(3), (value, zerosBefore, zerosAfter) => {
        const sign = value < 0n ? '-' : ''
        const magnitude = String(value < 0n ? -value : value).padStart(6, '0')
        const [whole, fraction] = [magnitude.slice(0, -5), magnitude.slice(-5)]
        const given = `${sign}${'0'.repeat(zerosBefore)}${whole}.${fraction}${'0'.repeat(zerosAfter)}`
        const field = shape({ kind: 'decimal', precision: 39, scale: 5 })
        expect(checkFieldValue(field, given)).toBeUndefined()
        expect(normaliseFieldValue(field, given)).toBe(`${sign}${whole}.${fraction}`)
      }),
    )
  })
})

describe('toJsonValue and fromJsonValue', () => {
  it.each<[ColumnType, BigintMode, unknown, unknown]>([
    [{ kind: 'bigint' }, 'bigint', 2n ** 63n - 1n, '9223372036854775807'],
    [{ kind: 'bigint' }, 'number', 2 ** 53 - 1, 2 ** 53 - 1],
    [{ kind: 'bigint' }, 'string', '-9223372036854775808', '-9223372036854775808'],
    [{ kind: 'timestamp', precision: 3 }, 'bigint', new Date('0001-01-01T00:00:00.001Z'), '0001-01-01T00:00:00.001Z'],
    [{ kind: 'timestamp', precision: 6 }, 'bigint', '2024-01-01T00:00:00.000001Z', '2024-01-01T00:00:00.000001Z'],
    [{ kind: 'bytes' }, 'bigint', new Uint8Array([0, 255, 16]), 'AP8Q'],
    [{ kind: 'bytes' }, 'bigint', new Uint8Array(), ''],
    [{ kind: 'decimal', precision: 38, scale: 2 }, 'bigint', '1.50', '1.50'],
    [{ kind: 'array', of: { kind: 'bigint' } }, 'bigint', [1n, -1n], ['1', '-1']],
    [{ kind: 'array', of: { kind: 'bytes' } }, 'bigint', [new Uint8Array([1])], ['AQ==']],
    [{ kind: 'json' }, 'bigint', { a: [1] }, { a: [1] }],
    [{ kind: 'boolean' }, 'bigint', true, true],
  ])('carry %o in mode %s both ways', (type, mode, value, json) => {
    expect(toJsonValue(type, value)).toStrictEqual(json)
    expect(fromJsonValue(type, mode, JSON.parse(JSON.stringify(json)))).toStrictEqual(value)
  })

  it('writes the bytes that a view shows, not all of its memory', () => {
    expect(toJsonValue({ kind: 'bytes' }, new Uint8Array([1, 2, 3]).subarray(1, 2))).toBe('Ag==')
  })

  it('takes a bigint from a JSON number and a date with an offset', () => {
    expect(fromJsonValue({ kind: 'bigint' }, 'bigint', 5)).toBe(5n)
    expect(fromJsonValue({ kind: 'bigint' }, 'string', 5)).toBe('5')
    expect(fromJsonValue({ kind: 'bigint' }, 'number', '5')).toBe(5)
    expect(fromJsonValue({ kind: 'timestamp', precision: 3 }, 'bigint', '2024-01-01T01:00:00+01:00')).toEqual(new Date('2024-01-01'))
  })

  it.each<[ColumnType, unknown]>([
    [{ kind: 'bigint' }, '1.5'],
    [{ kind: 'bigint' }, 2 ** 53],
    [{ kind: 'bigint' }, ''],
    [{ kind: 'bigint' }, null],
    [{ kind: 'timestamp', precision: 3 }, '2023-02-29T00:00:00Z'],
    [{ kind: 'timestamp', precision: 3 }, '2024-01-01T00:00:00.0001Z'],
    [{ kind: 'timestamp', precision: 3 }, '2024-01-01'],
    [{ kind: 'timestamp', precision: 3 }, 0],
    [{ kind: 'bytes' }, 'A'],
    [{ kind: 'bytes' }, '!!!!'],
    [{ kind: 'bytes' }, 'AQ=A'],
    [{ kind: 'array', of: { kind: 'bigint' } }, '1'],
  ])('leave JSON of another form for the check to refuse: %o %o', (type, json) => {
    expect(fromJsonValue(type, 'bigint', json)).toBe(json)
    expect(checkFieldValue(shape(type), json)).toMatch(/^expected /)
  })
})

function refuse(): never {
  throw new Error('was asked for its text')
}

function bigintAsText(_: string, value: unknown): unknown {
  return typeof value === 'bigint' || typeof value === 'symbol' ? String(value) : value
}
