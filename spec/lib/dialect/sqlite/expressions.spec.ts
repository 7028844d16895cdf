import { DummyDriver, type Expression, Kysely, type RawBuilder, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler, sql } from 'kysely'
import { describe, expect, it } from 'vitest'
import { expressions } from '../../../../lib/dialect/sqlite/expressions.js'
import { codec } from '../../../../lib/dialect/sqlite/types.js'
import { InvalidValueError, UnsupportedError } from '../../../../lib/errors.js'
import type { ColumnType } from '../../../../lib/model/column-type.js'
import { openSqlite, type SqliteFixture } from './sqlite-fixture.js'

const kysely = new Kysely<Record<string, never>>({
  dialect: {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  },
})

const v = sql.ref('v')
const bind = (value: unknown): Expression<unknown> => sql.val(value)

async function withValues(declared: string, values: readonly unknown[]): Promise<SqliteFixture> {
  const database = await openSqlite({}, ':memory:')
  await database.run('write', `create table t (v ${declared})`)
  await database.run('write', 'create index t_v on t (v)')
  for (const value of values) await database.run('write', 'insert into t values (?)', value)
  return database
}

async function select(database: SqliteFixture, query: RawBuilder<unknown>, exactIntegers = false): Promise<unknown[]> {
  const { sql: text, parameters } = query.compile(kysely)
  const { rows } = await database.use('read', (connection) => connection.run({ sql: text, parameters, exactIntegers }))
  return rows.map((row) => row[0])
}

async function matching(values: readonly string[], pattern: string, ignoreCase = false): Promise<unknown[]> {
  const database = await withValues('TEXT', values)
  const condition = expressions.like(v, bind(expressions.encodeLike(pattern, ignoreCase)), ignoreCase)
  return select(database, sql`select v from t where ${condition} order by rowid`)
}

describe('like', () => {
  it('tells upper from lower case, unless asked not to', async () => {
    expect(await matching(['Ada', 'ada', 'ADA'], 'a%')).toEqual(['ada'])
    expect(await matching(['Ada', 'ada', 'ADA', 'bob'], 'a_A', true)).toEqual(['Ada', 'ada', 'ADA'])
  })

  it.each([false, true])('takes escaped wildcards, and what GLOB knows, for themselves (ignoring case: %s)', async (ignoreCase) => {
    const texts = ['50%', '50x', 'a_b', 'axb', 'a*b', 'a?b', 'a[x]b', 'a]b', 'a\\b', '[', '^', 'a-b']
    const found = (pattern: string) => matching(texts, pattern, ignoreCase)
    expect(await found('50\\%')).toEqual(['50%'])
    expect(await found('a\\_b')).toEqual(['a_b'])
    expect(await found('a*b')).toEqual(['a*b'])
    expect(await found('a?b')).toEqual(['a?b'])
    expect(await found('a[x]b')).toEqual(['a[x]b'])
    expect(await found('a\\[x\\]b')).toEqual(['a[x]b'])
    expect(await found('a]b')).toEqual(['a]b'])
    expect(await found('a\\\\b')).toEqual(['a\\b'])
    expect(await found('[')).toEqual(['['])
    expect(await found('a_b')).toEqual(['a_b', 'axb', 'a*b', 'a?b', 'a]b', 'a\\b', 'a-b'])
    expect(await found('%[%')).toEqual(['a[x]b', '['])
  })

  it.each([false, true])(
    'takes a last backslash for itself, and a character beyond 16 bits for one (ignoring case: %s)',
    async (ignoreCase) => {
      expect(await matching(['a\\', 'a', 'a\\b'], 'a\\', ignoreCase)).toEqual(['a\\'])
      expect(await matching(['👍', '👍👍', ''], '_', ignoreCase)).toEqual(['👍'])
      expect(await matching(['👍', 'x'], '\\👍', ignoreCase)).toEqual(['👍'])
    },
  )

  it('finds a prefix by the index', async () => {
    const database = await withValues('TEXT', [])
    const condition = expressions.like(v, bind(expressions.encodeLike('ab%', false)), false)
    const { sql: text, parameters } = sql`explain query plan select v from t where ${condition}`.compile(kysely)
    expect((await database.run('write', text, ...parameters)).rows[0]?.[3]).toMatch(/SEARCH t USING .*INDEX t_v/)
  })
})

describe('inList', () => {
  const cases: readonly {
    readonly type: ColumnType
    readonly declared: string
    readonly values: readonly unknown[]
    readonly absent: unknown
  }[] = [
    { type: { kind: 'text' }, declared: 'TEXT', values: ['a', '1', '', '"', '𝒳', '\u2028'], absent: 'A' },
    { type: { kind: 'integer' }, declared: 'INTEGER', values: [1, -5, 2 ** 31 - 1], absent: 2 },
    {
      type: { kind: 'bigint' },
      declared: 'BIGINT',
      values: [2n ** 53n, 2n ** 53n + 2n, 2n ** 63n - 1n, -(2n ** 63n)],
      absent: 2n ** 53n + 1n,
    },
    {
      type: { kind: 'decimal', precision: 38, scale: 2 },
      declared: 'DECIMAL_TEXT(38,2)',
      values: ['1.50', '12345678901234567890.10'],
      absent: '12345678901234567890.11',
    },
    { type: { kind: 'boolean' }, declared: 'BOOLEAN_INTEGER', values: [true], absent: false },
    { type: { kind: 'float' }, declared: 'REAL', values: [0.1, 1 / 3, 1e300, 5e-324], absent: 0.2 },
    { type: { kind: 'bytes' }, declared: 'BLOB', values: [new Uint8Array([0, 1]), new Uint8Array([255])], absent: new Uint8Array([1]) },
    { type: { kind: 'timestamp', precision: 3 }, declared: 'TIMESTAMP_TEXT', values: [new Date(0), new Date(1)], absent: new Date(2) },
  ]

  it.each(cases)('finds $type.kind values exactly, and by the index', async ({ type, declared, values, absent }) => {
    const { encode = (value: unknown) => value } = codec(type, 'bigint')
    const encoded = values.map((value) => encode(value))
    const database = await withValues(declared, [...encoded, encode(absent)])
    const list = expressions.encodeList(encoded, type)
    const condition = expressions.inList(v, list === undefined ? encoded.map(bind) : bind(list), type)
    expect(await select(database, sql`select count(*) from t where ${condition}`)).toEqual([values.length])
    const { sql: text, parameters } = sql`explain query plan select v from t where ${condition}`.compile(kysely)
    expect((await database.run('write', text, ...parameters)).rows[0]?.[3]).toMatch(/SEARCH t USING .*INDEX t_v/)
  })

  it('is one bound value whatever the length, but for the types that JSON would not keep exact', () => {
    expect(expressions.encodeList([1n, 2n ** 62n], { kind: 'bigint' })).toBe('[1,4611686018427387904]')
    expect(expressions.encodeList([], { kind: 'text' })).toBe('[]')
    expect(expressions.encodeList([0.1], { kind: 'float' })).toBeUndefined()
    expect(expressions.encodeList([new Uint8Array()], { kind: 'bytes' })).toBeUndefined()
  })
})

describe('ordered', () => {
  const type: ColumnType = { kind: 'decimal', precision: 38, scale: 2 }
  const sorted = [
    '-123456789012345678901234567890123456.79',
    '-123456789012345678901234567890123456.78',
    '-100.00',
    '-99.99',
    '-10.50',
    '-10.00',
    '-9.50',
    '-1.00',
    '-0.01',
    '0.00',
    '0.01',
    '0.10',
    '9.50',
    '10.00',
    '10.50',
    '99.99',
    '100.00',
    '123456789012345678901234567890123456.78',
    '123456789012345678901234567890123456.79',
  ]

  it('sorts decimals as numbers, at any precision', async () => {
    const shuffled = [...sorted].sort()
    expect(shuffled).not.toEqual(sorted)
    const database = await withValues('DECIMAL_TEXT(38,2)', shuffled)
    expect(await select(database, sql`select v from t order by ${expressions.ordered(v, type)}`)).toEqual(sorted)
  })

  it('compares each with each as numbers do', async () => {
    const database = await withValues('DECIMAL_TEXT(38,2)', sorted)
    for (const [index, value] of sorted.entries()) {
      const below = sql`select count(*) from t where ${expressions.ordered(v, type)} < ${expressions.ordered(bind(value), type)}`
      expect(await select(database, below)).toEqual([index])
    }
  })

  it('does not mind other numbers of digits, and sorts null as null', async () => {
    const database = await openSqlite({}, ':memory:')
    const key = (value: unknown) => expressions.ordered(bind(value), type)
    const compare = (left: unknown, right: unknown) =>
      select(database, sql`select case when ${key(left)} < ${key(right)} then -1 when ${key(left)} = ${key(right)} then 0 else 1 end`)
    expect(await compare('1.5', '1.50')).toEqual([0])
    expect(await compare('-0', '0.000')).toEqual([0])
    expect(await compare('007', '7')).toEqual([0])
    expect(await compare('-1.5', '-1.49')).toEqual([-1])
    expect(await compare('0.5', '0.49999')).toEqual([1])
    expect(await select(database, sql`select ${key(null)}`)).toEqual([null])
  })

  it('refuses a stored text that is no number, as an error of ours', async () => {
    const database = await withValues('DECIMAL_TEXT(38,2)', ['many'])
    await expect(select(database, sql`select v from t order by ${expressions.ordered(v, type)}`)).rejects.toBeInstanceOf(InvalidValueError)
  })

  it('leaves every other type as it is', () => {
    expect(expressions.ordered(v, { kind: 'integer' })).toBe(v)
  })
})

describe('arithmetic', () => {
  async function computed(
    declared: string,
    type: ColumnType,
    stored: unknown,
    operator: '+' | '-' | '*',
    operand: unknown,
  ): Promise<unknown> {
    const database = await withValues(declared, [stored])
    const update = sql`update t set v = ${expressions.arithmetic(v, operator, bind(operand), type)}`.compile(kysely)
    await database.run('write', update.sql, ...update.parameters)
    const [type_] = await database.read('select typeof(v) from t')
    const [value] = await select(database, sql`select v from t`, true)
    return [type_, value]
  }

  const price: ColumnType = { kind: 'decimal', precision: 12, scale: 2 }

  it.each([
    ['10.50', '+', '0.50', '11.00'],
    ['0.10', '+', '0.20', '0.30'],
    ['1.00', '-', '1.01', '-0.01'],
    ['-1.00', '+', '1.00', '0.00'],
    ['10.00', '*', '1.005', '10.05'],
    ['0.01', '*', '0.5', '0.01'],
    ['-0.01', '*', '0.5', '-0.01'],
    ['-0.01', '*', '0.4', '0.00'],
    ['1.50', '*', 3, '4.50'],
    ['9999999998.99', '+', '1', '9999999999.99'],
  ] as const)('on decimals is exact and keeps the scale: %s %s %s is %s', async (stored, operator, operand, result) => {
    expect(await computed('DECIMAL_TEXT(12,2)', price, stored, operator, operand)).toEqual(['text', result])
  })

  it('on decimals refuses a result with more digits than the column takes', async () => {
    await expect(computed('DECIMAL_TEXT(12,2)', price, '9999999999.99', '+', '0.01')).rejects.toBeInstanceOf(InvalidValueError)
  })

  it('on integers is exact up to the last bit, and refuses to overflow', async () => {
    const big: ColumnType = { kind: 'bigint' }
    expect(await computed('BIGINT', big, 2n ** 63n - 2n, '+', 1n)).toEqual(['integer', 2n ** 63n - 1n])
    expect(await computed('BIGINT', big, 3037000499n, '*', 3037000499n)).toEqual(['integer', 3037000499n ** 2n])
    await expect(computed('BIGINT', big, 2n ** 63n - 1n, '+', 1n)).rejects.toBeInstanceOf(InvalidValueError)
    expect(await computed('INTEGER', { kind: 'integer' }, 2 ** 31 - 2, '+', 1)).toEqual(['integer', BigInt(2 ** 31 - 1)])
    await expect(computed('INTEGER', { kind: 'integer' }, -(2 ** 31), '-', 1)).rejects.toBeInstanceOf(InvalidValueError)
    await expect(computed('INTEGER', { kind: 'integer' }, 1, '*', 1.5)).rejects.toBeInstanceOf(InvalidValueError)
  })

  it('leaves null as null', async () => {
    expect(await computed('DECIMAL_TEXT(12,2)', price, null, '+', '1')).toEqual(['null', null])
    expect(await computed('BIGINT', { kind: 'bigint' }, null, '+', 1n)).toEqual(['null', null])
  })

  it('on doubles is that of doubles', async () => {
    expect(await computed('REAL', { kind: 'float' }, 0.1, '+', 0.2)).toEqual(['real', 0.1 + 0.2])
  })

  it('on anything else is an UnsupportedError', () => {
    expect(() => expressions.arithmetic(v, '+', bind(1), { kind: 'text' })).toThrow(UnsupportedError)
  })
})

describe('the rest', () => {
  it('takes null for a value like any other in isDistinct', async () => {
    const database = await openSqlite({}, ':memory:')
    const distinct = async (left: unknown, right: unknown) =>
      (await select(database, sql`select ${expressions.isDistinct(bind(left), bind(right), { kind: 'text' })}`))[0]
    expect(await Promise.all([distinct(null, null), distinct(1, null), distinct(null, 'x'), distinct('a', 'a'), distinct(1, 2)])).toEqual([
      0, 1, 1, 0, 1,
    ])
  })

  it('has no regular expressions, and says so', () => {
    expect(() => expressions.regex(v, bind('a'))).toThrow(UnsupportedError)
    expect(() => expressions.regex(v, bind('a'))).toThrow(/\$regex is not available on sqlite; use \$like/)
  })
})
