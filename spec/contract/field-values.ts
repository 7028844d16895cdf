import type { FieldSpec } from '../../lib/model/field-spec.js'
import { MONEY, Money } from './money.js'

/** A type of field and values that have to come back as they were given. */
export interface FieldCase {
  readonly title: string
  readonly spec: FieldSpec
  /** No two are equal. */
  readonly values: readonly unknown[]
  /** What is given in another form than the one that is stored. */
  readonly canonical?: readonly (readonly [given: unknown, stored: unknown])[]
  /** The kind has no comparison but with null. */
  readonly isOpaque?: true
}

const TEXTS = [
  '',
  ' ',
  'a',
  'a ',
  ' a',
  'A',
  'á',
  'a\u0301',
  '😀 𝒳',
  "it's",
  '"double"',
  'back\\slash',
  '\\',
  "\\'",
  '100%',
  '_',
  'line\nbreak\r\n\ttab',
  '$1 ? :name',
  'NULL',
  '\u0001\u007f\u200b',
  '\ufeff\uffff',
]

const DATES = ['0001-01-01', '9999-12-31', '2000-02-29', '1900-02-28', '1582-10-10', '1969-12-31', '1970-01-01', '2024-02-29']

const TIMES = ['00:00:00', '23:59:59', '23:59:59.999999', '12:00:00.5', '00:00:00.000001', '02:30:00']

// beside the bounds: around the epoch, on a leap day, and where New York, Newfoundland and Kathmandu put their clocks forward
const INSTANTS = [
  '0001-01-01T00:00:00.000Z',
  '0099-12-31T23:59:59.999Z',
  '9999-12-31T23:59:59.999Z',
  '1969-12-31T23:59:59.999Z',
  '1970-01-01T00:00:00.000Z',
  '1970-01-01T00:00:00.001Z',
  '2000-02-29T12:34:56.789Z',
  '2024-03-10T02:30:00.000Z',
  '2024-03-10T05:30:00.000Z',
  '1985-12-31T18:30:00.000Z',
]

const EXACT_INSTANTS = [
  '0001-01-01T00:00:00.000000Z',
  '9999-12-31T23:59:59.999999Z',
  '1969-12-31T23:59:59.999999Z',
  '2024-02-29T00:00:00.000001Z',
]

const UUIDS = ['00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff', '0190f5fe-7c00-7a00-8000-0123456789ab']

const INTEGERS = [0, 1, -1, 2 ** 31 - 1, -(2 ** 31)]

const BIGINTS = [0n, 1n, -1n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n, -(2n ** 53n) - 1n, 2n ** 63n - 1n, -(2n ** 63n)]

const SAFE_INTEGERS = [0, 1, -1, 2 ** 31, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER]

const LARGEST_DENORMAL = 2.225073858507201e-308

const FLOATS = [
  0,
  1.5,
  0.1,
  -0.1,
  1 / 3,
  0.1 + 0.2,
  Number.EPSILON,
  Number.MAX_VALUE,
  -Number.MAX_VALUE,
  Number.MIN_VALUE,
  -Number.MIN_VALUE,
  LARGEST_DENORMAL,
  2 ** 53 - 1,
  2 ** 53 + 2,
  1e21,
  1e-7,
  123456789.12345679,
]

const ENUM_VALUES = ['draft', 'live', "it's", 'two words', 'Ünï', '100%', 'back\\slash', 'a,b', '😀']

const EVERY_BYTE = Uint8Array.from({ length: 256 }, (_, index) => index)
const BYTES = [new Uint8Array(), new Uint8Array([0]), new Uint8Array([0xff, 0xfe]), new Uint8Array([0x5c, 0x78, 0x27]), EVERY_BYTE]

function deep(levels: number): unknown {
  return levels === 0 ? 'bottom' : levels % 2 === 0 ? [deep(levels - 1)] : { next: deep(levels - 1) }
}

const DOCUMENTS = [
  {},
  [],
  '',
  'text',
  '"quoted" \\ \n 😀',
  0,
  -1.5,
  1e308,
  5e-324,
  0.1,
  2 ** 53 - 1,
  true,
  false,
  [null, [null], { a: null }],
  { 'a.b': { 'c.d': 1 }, '': 'empty', $: 1, '$.x[0]': 2, "it's": 3, '"': 4, '\\': 5, '😀': 6 },
  JSON.parse('{ "__proto__": { "polluted": true }, "constructor": 1, "toString": 2 }'),
  { $increment: 1 },
  { list: [1, 'two', { three: [3] }], flag: true, nothing: null },
  deep(31),
]

const DECIMALS = ['0.00', '9.50', '10.00', '10.50', '-1.00', '0.01', '-0.01', '9999999999.99', '-9999999999.99']

function digits(count: number): string {
  return '1234567890'.repeat(Math.ceil(count / 10)).slice(0, count)
}

/** The types that say a day, a time or an instant: for specs in other time zones. */
export const TIME_CASES: readonly FieldCase[] = [
  { title: 'date', spec: { kind: 'date' }, values: DATES },
  {
    title: 'time',
    spec: { kind: 'time' },
    values: TIMES,
    canonical: [
      ['12:30:00.500000', '12:30:00.5'],
      ['12:31:00.000', '12:31:00'],
    ],
  },
  { title: 'timestamp', spec: { kind: 'timestamp' }, values: INSTANTS.map((text) => new Date(text)) },
  {
    title: 'timestamp of microseconds',
    spec: { kind: 'timestamp', precision: 6 },
    values: EXACT_INSTANTS,
    canonical: [
      ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000000Z'],
      ['2024-02-29T00:00:01.5Z', '2024-02-29T00:00:01.500000Z'],
    ],
  },
]

const SCALAR_CASES: readonly FieldCase[] = [
  { title: 'text', spec: { kind: 'text' }, values: [...TEXTS, 'x😀'.repeat(200_000)] },
  { title: 'varchar', spec: { kind: 'varchar', length: 20 }, values: [...TEXTS, '😀'.repeat(20)] },
  { title: 'integer', spec: { kind: 'integer' }, values: INTEGERS, canonical: [[-0, 0]] },
  { title: 'bigint', spec: { kind: 'bigint' }, values: BIGINTS },
  { title: 'bigint as number', spec: { kind: 'bigint', as: 'number' }, values: SAFE_INTEGERS, canonical: [[-0, 0]] },
  { title: 'bigint as string', spec: { kind: 'bigint', as: 'string' }, values: BIGINTS.map(String) },
  { title: 'float', spec: { kind: 'float' }, values: FLOATS, canonical: [[-0, 0]] },
  {
    title: 'decimal(12,2)',
    spec: { kind: 'decimal', precision: 12, scale: 2 },
    values: DECIMALS,
    canonical: [
      ['-0', '0.00'],
      ['007.5', '7.50'],
      ['1.000000', '1.00'],
    ],
  },
  { title: 'decimal(1,0)', spec: { kind: 'decimal', precision: 1, scale: 0 }, values: ['0', '9', '-9'] },
  { title: 'decimal(5,5)', spec: { kind: 'decimal', precision: 5, scale: 5 }, values: ['0.00000', '0.99999', '-0.00001'] },
  {
    title: 'decimal(38,10)',
    spec: { kind: 'decimal', precision: 38, scale: 10 },
    values: [`${digits(28)}.${digits(10)}`, `-${'9'.repeat(28)}.9999999999`, '0.0000000001'],
  },
  {
    title: 'decimal(38,0)',
    spec: { kind: 'decimal', precision: 38, scale: 0 },
    values: [digits(38), `${digits(37)}0`, `-${'9'.repeat(38)}`],
  },
  {
    title: 'decimal(65,30)',
    spec: { kind: 'decimal', precision: 65, scale: 30 },
    values: [`${digits(35)}.${digits(30)}`, `${digits(35)}.${digits(29)}1`, `-${'9'.repeat(35)}.${'9'.repeat(30)}`],
  },
  { title: 'boolean', spec: { kind: 'boolean' }, values: [true, false] },
  ...TIME_CASES,
  {
    title: 'uuid',
    spec: { kind: 'uuid' },
    values: UUIDS,
    canonical: [['0190F5FE-7C00-7A00-8000-0123456789AC', '0190f5fe-7c00-7a00-8000-0123456789ac']],
  },
  { title: 'json', spec: { kind: 'json' }, values: DOCUMENTS, isOpaque: true },
  { title: 'bytes', spec: { kind: 'bytes' }, values: [...BYTES, new Uint8Array(70_000).fill(0xa5)] },
  { title: 'enum', spec: { kind: 'enum', values: ENUM_VALUES }, values: ENUM_VALUES },
  { title: 'native enum', spec: { kind: 'enum', values: ENUM_VALUES, native: true }, values: ENUM_VALUES },
]

/** One list of nothing, one of everything, and one a value. */
function lists(values: readonly unknown[]): unknown[] {
  return [[], [...values], ...values.map((value) => [value])]
}

function arrayOf(of: Extract<FieldSpec, { kind: 'array' }>['of'], values: readonly unknown[], title: string = of.kind): FieldCase {
  return { title: `array of ${title}`, spec: { kind: 'array', of }, values: lists(values), isOpaque: true }
}

const ARRAY_CASES: readonly FieldCase[] = [
  arrayOf({ kind: 'text' }, [...TEXTS, 'null', '{}', '{"a",b}', 'a,b']),
  arrayOf({ kind: 'varchar', length: 20 }, TEXTS),
  arrayOf({ kind: 'integer' }, INTEGERS),
  arrayOf({ kind: 'bigint' }, BIGINTS),
  arrayOf({ kind: 'bigint', as: 'number' }, SAFE_INTEGERS, 'bigint as number'),
  arrayOf({ kind: 'bigint', as: 'string' }, BIGINTS.map(String), 'bigint as string'),
  arrayOf({ kind: 'float' }, FLOATS),
  arrayOf({ kind: 'decimal', precision: 38, scale: 2 }, DECIMALS),
  arrayOf({ kind: 'boolean' }, [true, false]),
  arrayOf({ kind: 'date' }, DATES),
  arrayOf({ kind: 'time' }, TIMES),
  arrayOf(
    { kind: 'timestamp' },
    INSTANTS.map((text) => new Date(text)),
  ),
  arrayOf({ kind: 'timestamp', precision: 6 }, EXACT_INSTANTS, 'timestamp of microseconds'),
  arrayOf({ kind: 'uuid' }, UUIDS),
  arrayOf({ kind: 'bytes' }, BYTES),
  arrayOf({ kind: 'enum', values: ENUM_VALUES }, ENUM_VALUES),
  arrayOf({ kind: 'enum', values: ENUM_VALUES, native: true }, ENUM_VALUES, 'native enum'),
]

const CUSTOM_CASES: readonly FieldCase[] = [
  { title: 'custom, as a decimal', spec: { kind: 'custom', ...MONEY }, values: DECIMALS.map(Money.parse) },
  {
    title: 'custom, as bytes',
    spec: {
      kind: 'custom',
      type: 'bytes',
      encode: (text: string) => Buffer.from(text, 'latin1'),
      decode: (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1'),
    },
    values: ['', 'a', '\xff\0'],
  },
  {
    title: 'custom, as microseconds',
    spec: {
      kind: 'custom',
      type: { kind: 'timestamp', precision: 6 },
      encode: (text: string) => text.slice(1),
      decode: (text: string) => `@${text}`,
    },
    values: EXACT_INSTANTS.map((text) => `@${text}`),
  },
  {
    title: 'custom, as JSON',
    spec: {
      kind: 'custom',
      type: 'json',
      encode: (map: Map<string, number>) => [...map],
      decode: (pairs: [string, number][]) => new Map(pairs),
    },
    values: [
      new Map(),
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
    ],
    isOpaque: true,
  },
]

/** Every type of field, with the values at its bounds and those that have been lost before. */
export const FIELD_CASES: readonly FieldCase[] = [...SCALAR_CASES, ...ARRAY_CASES, ...CUSTOM_CASES]
