import { inspect } from 'node:util'
import { field, InvalidValueError, id, type Json, model, UnsupportedError, ValidationError, type Where } from 'latchwork'
import { beforeAll, describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { statementsOf } from './use-blog.js'
import { rejectionOf, useDatabase } from './use-database.js'

type Value = string | number | boolean | null | { readonly [name: string]: Value } | readonly Value[]

@model()
class Paper {
  @id.integer() id!: number
  @field.json({ nullable: true }) body!: Json<Value> | null
}

/** What may stand at a path, and a row without anything there. */
const VALUES: readonly (Value | undefined)[] = [
  undefined,
  null,
  '',
  'dark',
  'Dark',
  'darker',
  'é',
  '😀 "q" \\ \n',
  '50%',
  '5',
  'true',
  'null',
  5,
  5.5,
  -1,
  0,
  10,
  0.1 + 0.2,
  1e21,
  2 ** 53,
  true,
  false,
  [],
  ['dark', 5],
  {},
  { dark: 'dark' },
]

/** The names that something may stand under. */
const NAMES = [
  'at',
  'a.b',
  'a"b',
  "a'b",
  'a\\b',
  '$',
  '*',
  '',
  ' ',
  '[0]',
  '0',
  'é',
  '😀',
  'a\nb',
  '__proto__',
  'constructor',
  "'; drop table papers; --",
  '$.at',
] as const

type Test = (value: Exclude<Value, null>) => boolean
const is = (type: string) => (value: unknown) => typeof value === type
const text =
  (test: (value: string) => boolean): Test =>
  (value) =>
    typeof value === 'string' && test(value)
const number =
  (test: (value: number) => boolean): Test =>
  (value) =>
    typeof value === 'number' && test(value)
const bytes = (value: string) => Buffer.from(value)

/** Operators, and what they say of a value that is there and not null. */
const TESTS: readonly (readonly [operators: object, test: Test])[] = [
  ...['dark', '', '5', 'true', 'é', '😀 "q" \\ \n', 5, 5.5, 0, 0.1 + 0.2, 1e21, 2 ** 53, true, false].flatMap(
    (operand): (readonly [object, Test])[] => [
      [{ $eq: operand }, (value) => value === operand],
      [{ $ne: operand }, (value) => value !== operand],
    ],
  ),
  ...[5, 5.4, -2, 1e20].flatMap((operand): (readonly [object, Test])[] => [
    [{ $gt: operand }, number((value) => value > operand)],
    [{ $lte: operand }, number((value) => value <= operand)],
  ]),
  ...['Z', 'dark', '😀'].flatMap((operand): (readonly [object, Test])[] => [
    [{ $gte: operand }, text((value) => bytes(value).compare(bytes(operand)) >= 0)],
    [{ $lt: operand }, text((value) => bytes(value).compare(bytes(operand)) < 0)],
  ]),
  [{ $between: [0, 5] }, number((value) => value >= 0 && value <= 5)],
  [{ $in: ['dark', 5, true] }, (value) => value === 'dark' || value === 5 || value === true],
  [{ $nin: ['dark', 5, 10] }, (value) => value !== 'dark' && value !== 5 && value !== 10],
  [{ $in: [] }, () => false],
  [{ $not: { $eq: 'dark' } }, (value) => value !== 'dark'],
  [{ $not: { $gt: 5, $lt: 11 } }, (value) => !(is('number')(value) && (value as number) > 5 && (value as number) < 11)],
  [{ $contains: 'ark' }, text((value) => value.includes('ark'))],
  [{ $contains: '0%' }, text((value) => value.includes('0%'))],
  [{ $startsWith: 'da', $endsWith: 'k' }, text((value) => value.startsWith('da') && value.endsWith('k'))],
  [{ $like: '_ark' }, text((value) => /^[\s\S]ark$/.test(value))],
  [{ $ilike: 'DARK%' }, text((value) => /^dark/i.test(value))],
  [{ $contains: '"q" \\' }, text((value) => value.includes('"q" \\'))],
]

forEachEngine((engine) => {
  describe('a condition on what stands at a path of JSON', () => {
    const use = useDatabase(engine, { papers: Paper })

    const idsOf = async (where: object) => {
      const { rows } = await use.nodes.papers.list({ where: where as Where<Paper>, orderBy: { id: 'asc' } }, { select: ['id'] })
      return rows.map((row) => row.id)
    }
    const all = VALUES.map((_, index) => index)
    const idsWhere = (test: (value: Value | undefined) => boolean) => all.filter((index) => test(VALUES[index]))
    const there = (value: Value | undefined): value is Exclude<Value, null> => value !== undefined && value !== null

    beforeAll(async () => {
      const rows = VALUES.map((value, index) => {
        const entries = value === undefined ? [] : NAMES.map((name) => [name, value] as const)
        return {
          id: index,
          body: {
            ...Object.fromEntries(entries),
            list: value === undefined ? [] : ['first', value],
            in: { in: value === undefined ? {} : { at: value } },
          },
        }
      })
      await use.nodes.papers.bulkCreate({
        rows: [...rows, { id: 1_000, body: null }, { id: 1_001, body: ['at'] }, { id: 1_002, body: 'at' }],
      })
    })

    it.each(TESTS)('says the same of every value as JavaScript does: %j', async (operators, test) => {
      const expected = idsWhere((value) => there(value) && test(value))
      for (const $path of [['at'], ['list', 1], ['in', 'in', 'at']]) {
        expect(await idsOf({ body: { $path, ...operators } }), JSON.stringify($path)).toEqual(expected)
      }
    })

    it('takes null for nothing: neither it nor what is missing is compared', async () => {
      const others = [1_000, 1_001, 1_002]
      const empty = [...idsWhere((value) => !there(value)), ...others]
      for (const operators of [{ $null: true }, { $eq: null }, { $not: { $null: false } }]) {
        expect(await idsOf({ body: { $path: ['at'], ...operators } })).toEqual(empty)
      }
      for (const operators of [{ $null: false }, { $ne: null }])
        expect(await idsOf({ body: { $path: ['at'], ...operators } })).toEqual(idsWhere(there))
      expect(await idsOf({ $not: { body: { $path: ['at'], $eq: 'dark' } } })).toEqual(idsWhere((value) => there(value) && value !== 'dark'))
      expect(await idsOf({ body: null })).toEqual([1_000])
    })

    it.each(NAMES)('finds what stands under the name %j, and takes it for nothing but a name', async (name) => {
      const expected = idsWhere((value) => value === 'dark')
      expect(await idsOf({ body: { $path: [name], $eq: 'dark' } })).toEqual(expected)
      expect(await idsOf({ body: { $path: ['in', name], $eq: 'dark' } })).toEqual([])
    })

    it('takes a name for no position, and a position for no name', async () => {
      expect(await idsOf({ body: { $path: ['list', 0], $eq: 'first' } })).toEqual(idsWhere((value) => value !== undefined))
      for (const $path of [
        ['list', '0'],
        [0, 0],
        ['in', 0],
        ['at', 0, 0],
        ['list', 2],
      ])
        expect(await idsOf({ body: { $path, $null: false } })).toEqual([])
      expect(await idsOf({ body: { $path: [0], $null: false } })).toEqual([1_001])
      expect(await idsOf({ body: { $path: ['in', 'in', 'at', 0], $eq: 'dark' } })).toEqual(
        idsWhere((value) => Array.isArray(value) && value[0] === 'dark'),
      )
    })

    it('narrows counts, changes and related conditions alike, by statements that serve every path and value', async () => {
      const where = (name: string, value: string): Where<Paper> => ({ $or: [{ body: { $path: [name], $eq: value } }, { id: -1 }] })
      expect(await use.nodes.papers.count({ where: where('at', 'dark') })).toBe(1)
      expect(await use.nodes.papers.bulkUpdate({ where: where('nowhere', 'x'), set: { body: null } })).toEqual({ count: 0 })
      expect(await use.nodes.papers.count({ where: where('$', 'Dark') })).toBe(1)
    })

    it('is by the engine`s own regular expressions where it has them', async () => {
      const found = use.nodes.papers.count({ where: { body: { $path: ['at'], $regex: '^d.rk' } } })
      if (engine.name === 'sqlite') expect(await rejectionOf(found)).toBeInstanceOf(UnsupportedError)
      else expect(await found).toBe(2)
    })

    if (engine.name === 'sqlite') {
      it('is refused, without a word of it, by a text that is no JSON', async () => {
        await engine.admin(use.url, "insert into papers (id, body) values (2000, 'secret {')")
        const error = await rejectionOf(use.nodes.papers.count({ where: { id: 2_000, body: { $path: ['at'], $eq: 'x' } } }))
        await engine.admin(use.url, 'delete from papers where id = 2000')
        expect(error).toBeInstanceOf(InvalidValueError)
        expect(inspect(error, { depth: 5 })).not.toContain('secret')
      })
    }

    it('finds a name that begins with a dash, or says that it cannot', async () => {
      const call = () => use.nodes.papers.count({ where: { body: { $path: ['-at'], $null: true } } })
      if (engine.name !== 'mysql') expect(await call()).toBe(VALUES.length + 3)
      else expect(await statementsOf(async () => expect(await rejectionOf(call())).toBeInstanceOf(UnsupportedError))).toBe(0)
    })

    it.each<readonly [condition: object, said: RegExp]>([
      [{ $path: [] }, /body\.\$path: expected a list of names and positions/],
      [{ $path: 'at', $eq: 1 }, /body\.\$path: expected a list/],
      [{ $path: [-1], $eq: 1 }, /expected a position from 0/],
      [{ $path: [1.5], $eq: 1 }, /expected a position from 0/],
      [{ $path: [null], $eq: 1 }, /expected the name of an entry or a position in a list, got null/],
      [{ $path: new Array(1), $eq: 1 }, /expected the name of an entry/],
      [{ $path: ['a\0'], $eq: 1 }, /NUL/],
      [{ $path: Array.from({ length: 32 }, () => 'a'), $eq: 1 }, /at most 31 steps/],
      [{ $path: ['at'] }, /body: expected an operator/],
      [{ $path: ['at'], $eq: {} }, /body\.\$eq: expected a text, a number, true or false, got an object/],
      [{ $path: ['at'], $eq: Number.NaN }, /body\.\$eq: expected a text, a number/],
      [{ $path: ['at'], $eq: 1n }, /body\.\$eq: expected a text, a number/],
      [{ $path: ['at'], $eq: undefined }, /body\.\$eq: is undefined/],
      [{ $path: ['at'], $gt: true }, /true and false have no order/],
      [{ $path: ['at'], $gt: null }, /body\.\$gt: expected a text/],
      [{ $path: ['at'], $in: [1, null] }, /body\.\$in\[1\]: expected a text/],
      [{ $path: ['at'], $like: 7 }, /body\.\$like: expected a text, got/],
      [{ $path: ['at'], $like: 'a\\' }, /ends in a \\/],
      [{ $path: ['at'], $has: 1 }, /unknown operator "\$has"/],
      [{ $path: ['at'], at: 1 }, /unknown operator "at"/],
      [{ $eq: 'dark' }, /ask for what stands at a \$path/],
    ])('is refused before anything is sent: case %#', async (condition, said) => {
      expect(
        await statementsOf(async () => {
          const error = await rejectionOf(use.nodes.papers.list({ where: { body: condition } as never }))
          expect(error).toBeInstanceOf(ValidationError)
          expect(error.message).toMatch(said)
        }),
      ).toBe(0)
    })
  })
})
