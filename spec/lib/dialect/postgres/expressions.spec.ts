import {
  DummyDriver,
  type Expression,
  ExpressionWrapper,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type RawBuilder,
  sql,
  ValueNode,
} from 'kysely'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PostgresConnection } from '../../../../lib/dialect/postgres/connection.js'
import { expressions } from '../../../../lib/dialect/postgres/expressions.js'
import { codec } from '../../../../lib/dialect/postgres/types.js'
import type { ColumnType } from '../../../../lib/model/column-type.js'
import { type FreshDatabase, forEachEngine } from '../../../support/engines.js'
import { createTableOf, openSession } from './session.js'

const compiler = new Kysely<unknown>({
  dialect: {
    createAdapter: () => new PostgresAdapter(),
    createDriver: () => new DummyDriver(),
    createIntrospector: (db) => new PostgresIntrospector(db),
    createQueryCompiler: () => new PostgresQueryCompiler(),
  },
})

const EXAMPLES: readonly { readonly type: ColumnType; readonly values: readonly [unknown, unknown, unknown] }[] = [
  { type: { kind: 'text' }, values: ['', 'a"\\,b', '😀'] },
  { type: { kind: 'varchar', length: 5 }, values: ['', 'abc', 'longer than the column'.slice(0, 5)] },
  { type: { kind: 'integer' }, values: [-1, 0, 2_147_483_647] },
  { type: { kind: 'bigint' }, values: [2n ** 53n, 2n ** 53n + 1n, 2n ** 63n - 1n] },
  { type: { kind: 'float' }, values: [5e-324, 0.1, 1.5] },
  {
    type: { kind: 'decimal', precision: 38, scale: 2 },
    values: ['0.10', '999999999999999999999999999999999999.98', '999999999999999999999999999999999999.99'],
  },
  { type: { kind: 'date' }, values: ['0001-01-01', '2024-02-29', '9999-12-31'] },
  { type: { kind: 'time' }, values: ['00:00:00', '12:00:00.000001', '23:59:59'] },
  {
    type: { kind: 'timestamp', precision: 3 },
    values: [new Date('0001-01-01T00:00:00Z'), new Date('2024-01-01T00:00:00.001Z'), new Date('2024-01-01T00:00:00.002Z')],
  },
  {
    type: { kind: 'timestamp', precision: 6 },
    values: ['2024-01-01T00:00:00.000001Z', '2024-01-01T00:00:00.000002Z', '9999-12-31T23:59:59.999999Z'],
  },
  {
    type: { kind: 'uuid' },
    values: ['00000000-0000-0000-0000-000000000000', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', 'ffffffff-ffff-ffff-ffff-ffffffffffff'],
  },
  { type: { kind: 'bytes' }, values: [Uint8Array.of(), Uint8Array.of(0, 255), Uint8Array.of(92, 120)] },
  { type: { kind: 'enum', name: 'e', values: ['a', 'b', 'c'], native: false }, values: ['a', 'b', 'c'] },
  { type: { kind: 'enum', name: 'odd "enum', values: ['a', 'b', 'c'], native: true }, values: ['a', 'b', 'c'] },
]

const COMPOUND: readonly { readonly type: ColumnType; readonly values: readonly [unknown, unknown, unknown] }[] = [
  { type: { kind: 'boolean' }, values: [true, false, true] },
  { type: { kind: 'json' }, values: [{ a: '"\\' }, [1], 'text'] },
  ...EXAMPLES.map(({ type, values }) => ({
    type: { kind: 'array', of: type } as const,
    values: [[], values, [values[1]]] as [unknown, unknown, unknown],
  })),
]

function bound(value: unknown): Expression<unknown> {
  return new ExpressionWrapper(ValueNode.create(value))
}

forEachEngine(
  (engine) => {
    let database: FreshDatabase
    let connection: PostgresConnection

    beforeAll(async () => {
      database = await engine.freshDatabase()
      connection = await openSession(database.url)
      await run(sql`create type "odd ""enum" as enum ('a', 'b', 'c')`)
    })

    afterAll(async () => {
      await connection?.close()
      await database?.drop()
    })

    async function run(query: RawBuilder<unknown>): Promise<readonly (readonly unknown[])[]> {
      return (await connection.run(query.compile(compiler))).rows
    }

    const encoded = (type: ColumnType, value: unknown) => codec(type, 'bigint').encode?.(value) ?? value
    const decoded = (type: ColumnType, value: unknown) => codec(type, 'bigint').decode?.(value) ?? value
    const labelOf = (type: ColumnType): string => (type.kind === 'array' ? `array of ${labelOf(type.of)}` : JSON.stringify(type))

    /** Makes a table of the three values, by the bulk way. */
    async function fill(type: ColumnType, values: readonly unknown[]): Promise<void> {
      await createTableOf(connection, 'filled', type)
      const column = {
        type,
        schema: undefined,
        array: bound(expressions.arrays!.encode([...values.map((value) => encoded(type, value)), null], type)),
      }
      await run(sql`insert into filled (value) select c0 from ${expressions.arrays!.table('source', [column])}`)
    }

    describe('arrays', () => {
      for (const { type, values } of [...EXAMPLES, ...COMPOUND]) {
        it(`inserts rows of ${labelOf(type)} in order, nulls included`, async () => {
          await fill(type, values)
          const rows = await run(sql`select value from filled order by position`)
          expect(rows.map(([value]) => (value === null ? null : decoded(type, value)))).toStrictEqual([...values, null])
        })
      }

      it('keeps several columns side by side', async () => {
        const columns = [
          { type: { kind: 'integer' } as const, schema: undefined, array: bound(expressions.arrays!.encode([1, 2], { kind: 'integer' })) },
          { type: { kind: 'text' } as const, schema: undefined, array: bound(expressions.arrays!.encode(['a', null], { kind: 'text' })) },
        ]
        expect(await run(sql`select * from ${expressions.arrays!.table('odd "name', columns)}`)).toStrictEqual([
          ['1', 'a'],
          ['2', null],
        ])
      })
    })

    for (const { type, values } of EXAMPLES) {
      describe(`with a column of ${labelOf(type)}`, () => {
        beforeAll(() => fill(type, values))
        const value = sql.ref('value')
        const found = async (condition: Expression<unknown>) =>
          (await run(sql`select value from filled where ${condition} order by position`)).map(([one]) => decoded(type, one))

        it('finds each value by equality with one that is bound', async () => {
          for (const one of values) {
            expect(await found(sql`${value} = ${expressions.bound(bound(encoded(type, one)), type)}`)).toStrictEqual([one])
          }
        })

        it('finds what is in a list, bound as one value', async () => {
          const list = (given: readonly unknown[]) =>
            bound(
              expressions.encodeList(
                given.map((one) => encoded(type, one)),
                type,
              ),
            )
          expect(await found(expressions.inList(value, list([values[2], values[0]]), type))).toStrictEqual([values[0], values[2]])
          expect(await found(expressions.inList(value, list([]), type))).toStrictEqual([])
        })

        it('sorts and compares in the order of its values', async () => {
          const second = expressions.ordered(expressions.bound(bound(encoded(type, values[1])), type), type)
          expect(await found(sql`${expressions.ordered(value, type)} > ${second}`)).toStrictEqual([values[2]])
        })

        it('tells what differs, null being a value like any other', async () => {
          const first = expressions.bound(bound(encoded(type, values[0])), type)
          const rows = await run(sql`select position from filled where ${expressions.isDistinct(value, first, type)} order by position`)
          expect(rows).toStrictEqual([['2'], ['3'], ['4']])
        })
      })
    }

    describe('like', () => {
      const matches = async (text: string, pattern: string, ignoreCase: boolean) => {
        const condition = expressions.like(
          sql`cast(${text} as text) collate "C"`,
          bound(expressions.encodeLike(pattern, ignoreCase)),
          ignoreCase,
        )
        return (await run(sql`select ${condition}`))[0]![0] === 't'
      }

      it('takes % and _ for wildcards, and a backslash before them for their own sake', async () => {
        expect(await matches('50% off', '50\\% %', false)).toBe(true)
        expect(await matches('500 off', '50\\% %', false)).toBe(false)
        expect(await matches('a_b', 'a\\_b', false)).toBe(true)
        expect(await matches('axb', 'a\\_b', false)).toBe(false)
        expect(await matches('axb', 'a_b', false)).toBe(true)
        expect(await matches('a\\b', 'a\\\\b', false)).toBe(true)
      })

      it('tells upper from lower case, unless asked not to', async () => {
        expect(await matches('Ada', 'ada', false)).toBe(false)
        expect(await matches('Ada', 'aDA', true)).toBe(true)
      })

      it('means the same whatever standard_conforming_strings says', async () => {
        await run(sql`set standard_conforming_strings = off`)
        expect(await matches('50% off', '50\\% %', false)).toBe(true)
        expect(await matches('500 off', '50\\% %', true)).toBe(false)
        await run(sql`reset standard_conforming_strings`)
      })
    })

    describe('regex', () => {
      it('matches by the engine’s own regular expressions', async () => {
        const condition = expressions.regex(sql`cast('abc123' as text)`, bound('^[a-c]+\\d{3}$'))
        expect(await run(sql`select ${condition}`)).toStrictEqual([['t']])
      })
    })

    describe('rowWasInserted', () => {
      it('tells what an upsert has made from what it has changed', async () => {
        await run(sql`create table upserted (id int primary key, name text)`)
        await run(sql`insert into upserted values (1, 'old')`)
        const rows = await run(
          sql`insert into upserted values (1, 'new'), (2, 'new') on conflict (id) do update set name = excluded.name
            returning id, ${expressions.rowWasInserted}`,
        )
        expect(rows).toStrictEqual([
          ['1', '0'],
          ['2', '1'],
        ])
      })
    })

    describe('arithmetic', () => {
      const computed = async (type: ColumnType, start: unknown, operator: '+' | '-' | '*', operand: unknown) => {
        await fill(type, [start])
        const changed = expressions.arithmetic(sql.ref('value'), operator, bound(encoded(type, operand)), type)
        const rows = await run(sql`update filled set value = ${changed} where position = 1 returning value`)
        return decoded(type, rows[0]![0])
      }

      it('is exact on whole numbers and decimals of any size', async () => {
        expect(await computed({ kind: 'integer' }, 40, '+', 2)).toBe(42)
        expect(await computed({ kind: 'bigint' }, 2n ** 62n, '+', 2n ** 62n - 1n)).toBe(2n ** 63n - 1n)
        const decimal: ColumnType = { kind: 'decimal', precision: 38, scale: 2 }
        expect(await computed(decimal, '999999999999999999999999999999999999.98', '+', '0.01')).toBe(
          '999999999999999999999999999999999999.99',
        )
        expect(await computed(decimal, '0.10', '-', '0.20')).toBe('-0.10')
        expect(await computed({ kind: 'float' }, 1.5, '*', 0.5)).toBe(0.75)
      })
    })
  },
  { engines: ['postgres'] },
)
