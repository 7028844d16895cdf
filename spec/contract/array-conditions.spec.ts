import { field, type Generated, id, model, UnsupportedError, ValidationError, type Where } from 'latchwork'
import { beforeAll, describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { statementsOf } from './use-blog.js'
import { rejectionOf, useDatabase } from './use-database.js'

@model()
class Kit {
  @id.integer() id!: number
  @field.text({ maxLength: 10, nullable: true }) name!: string | null
  @field.array('text', { nullable: true }) words!: string[] | null
  @field.array('integer', { nullable: true }) counts!: number[] | null
  @field.array('bigint', { nullable: true }) longs!: bigint[] | null
  @field.array('float', { nullable: true }) ratios!: number[] | null
  @field.array('boolean', { nullable: true }) flags!: boolean[] | null
  @field.array({ kind: 'decimal', precision: 20, scale: 2 }, { nullable: true }) prices!: string[] | null
  @field.array('timestamp', { nullable: true }) instants!: Date[] | null
  @field.array('uuid', { nullable: true }) uuids!: string[] | null
  @field.array('bytes', { nullable: true }) blobs!: Uint8Array[] | null
  @field.array({ kind: 'enum', values: ['red', 'blue'] }, { nullable: true }) colours!: ('red' | 'blue')[] | null
}

@model()
class Label {
  @id() id!: Generated<number>
  @field.array('text') tags!: string[]
}

const WORDS = [['a', 'b'], ['A'], ['a b', '"', '\\', "'", '{}', ',', 'é', '😀', '', 'null', 'a\nb'], [], ['b', 'b', 'c'], null] as const

/** For each other field an array that has the first two and not the third. */
const OTHERS = {
  counts: [1, -2, 3],
  longs: [2n ** 62n, 2n ** 53n + 1n, 2n ** 53n],
  ratios: [0.1 + 0.2, 1e21, 0.3],
  flags: [true, true, false],
  prices: ['1.5', '123456789012345678.01', '123456789012345678.02'],
  instants: [new Date('2026-01-02T03:04:05.678Z'), new Date(0), new Date(1)],
  uuids: ['018F4E7C-0000-7000-8000-00000000ABCD', '018f4e7c-0000-7000-8000-000000000000', '018f4e7c-0000-7000-8000-000000000001'],
  blobs: [new Uint8Array([0, 255]), new Uint8Array([]), new Uint8Array([1])],
  colours: ['red', 'red', 'blue'],
}

forEachEngine((engine) => {
  describe('a condition on the elements of an array', () => {
    const use = useDatabase(engine, { kits: Kit, labels: Label })

    beforeAll(async () => {
      const rows = WORDS.map((words, index) => ({ id: index, words: words === null ? null : [...words] }))
      const others = Object.fromEntries(Object.entries(OTHERS).map(([name, [first, second]]) => [name, [first, second]]))
      await use.nodes.kits.bulkCreate({ rows: [...rows, { id: 100, name: 'others', ...others }] })
    })

    const idsOf = async (where: object) => {
      const { rows } = await use.nodes.kits.list(
        { where: { ...where, name: null } as Where<Kit>, orderBy: { id: 'asc' } },
        { select: ['id'] },
      )
      return rows.map((row) => row.id)
    }
    const idsWhere = (test: (words: readonly string[]) => boolean) =>
      WORDS.flatMap((words, index) => (words !== null && test(words) ? [index] : []))

    it('finds one, letter by letter', async () => {
      for (const word of ['a', 'A', 'b', 'c', 'z', 'a b', 'a ', '"', '\\', "'", '{}', ',', 'é', 'e', '😀', '', 'null', 'a\nb']) {
        expect(await idsOf({ words: { $has: word } }), word).toEqual(idsWhere((words) => words.includes(word)))
      }
    })

    it('finds all of some, and one of some', async () => {
      for (const wanted of [[], ['a'], ['b', 'a'], ['b', 'b'], ['c', 'A'], ['a b', '"', '\\'], ['z'], ['a', 'z'], ['z', '😀', '']]) {
        expect(await idsOf({ words: { $hasEvery: wanted } }), String(wanted)).toEqual(
          idsWhere((words) => wanted.every((word) => words.includes(word))),
        )
        expect(await idsOf({ words: { $hasSome: wanted } }), String(wanted)).toEqual(
          idsWhere((words) => wanted.some((word) => words.includes(word))),
        )
        const none = idsWhere((words) => !wanted.some((word) => words.includes(word)))
        // a null has no elements, and is not without any: it is unknown, but for a list that nothing could be in
        expect(await idsOf({ words: { $not: { $hasSome: wanted }, $null: false } }), String(wanted)).toEqual(none)
      }
      expect(await idsOf({ words: { $has: 'b', $not: { $has: 'a' } } })).toEqual([4])
      expect(await idsOf({ words: { $null: true } })).toEqual([5])
      expect(await idsOf({ words: { $ne: null, $hasEvery: [] } })).toEqual([0, 1, 2, 3, 4])
    })

    it.each(Object.entries(OTHERS))('compares elements of %s as values', async (name, [first, second, other]) => {
      const count = (condition: object) => use.nodes.kits.count({ where: { [name]: condition } as Where<Kit> })
      if (engine.name === 'mysql' && name === 'ratios') {
        for (const condition of [{ $has: 1 }, { $hasSome: [1] }])
          expect(await rejectionOf(count(condition))).toBeInstanceOf(UnsupportedError)
        return
      }
      expect([
        await count({ $has: first }),
        await count({ $hasEvery: [second, first] }),
        await count({ $hasSome: [other, second] }),
        await count({ $has: other }),
        await count({ $hasEvery: [first, other] }),
        await count({ $hasSome: [other] }),
      ]).toEqual([1, 1, 1, 0, 0, 0])
    })

    it('that every row meets is no filter to change or delete by', async () => {
      await use.nodes.labels.bulkCreate({ rows: [{ tags: ['a'] }, { tags: [] }] })
      for (const where of [{ tags: { $hasEvery: [] } }, { $or: [{ tags: { $has: 'a' } }, { tags: { $hasEvery: [] } }] }]) {
        const error = await rejectionOf(use.nodes.labels.bulkDelete({ where }))
        expect(error).toBeInstanceOf(ValidationError)
        expect(error.message).toContain('where: matches every row')
        expect(await use.nodes.labels.count({ where })).toBe(2)
      }
      expect(await use.nodes.labels.count({ where: { tags: { $not: { $hasEvery: [] } } } })).toBe(0)
      expect(await use.nodes.labels.count({ where: { tags: { $hasEvery: ['a'] } } })).toBe(1)
    })

    it('takes long lists', async () => {
      const many = Array.from({ length: 3_000 }, (_, index) => `w${index}`)
      expect(await idsOf({ words: { $hasSome: [...many, 'c'] } })).toEqual([4])
      expect(await idsOf({ words: { $hasEvery: many } })).toEqual([])
    })

    it.each<readonly [where: object, said: RegExp]>([
      [{ words: { $has: 7 } }, /words\.\$has/],
      [{ words: { $has: null } }, /words\.\$has/],
      [{ words: { $has: undefined } }, /words\.\$has: is undefined/],
      [{ words: { $has: ['a'] } }, /words\.\$has/],
      [{ words: { $hasSome: 'a' } }, /words\.\$hasSome: expected a list, got text/],
      [{ words: { $hasEvery: ['a', null] } }, /words\.\$hasEvery/],
      [{ words: { $hasSome: new Array(1) } }, /words\.\$hasSome/],
      [{ words: { $hasSome: Array.from({ length: 10_001 }, () => 'a') } }, /at most 10000 entries/],
      [{ words: ['a'] }, /ask for \$has, \$hasEvery, \$hasSome/],
      [{ words: { $path: ['a'], $eq: 1 } }, /unknown operator "\$path"/],
      [{ name: { $has: 'a' } }, /name\.\$has: is for arrays; this field is varchar/],
      [{ colours: { $has: 'green' } }, /colours\.\$has/],
      [{ prices: { $has: '1.555' } }, /prices\.\$has/],
    ])('is refused before anything is sent: case %#', async (where, said) => {
      expect(
        await statementsOf(async () => {
          const error = await rejectionOf(use.nodes.kits.list({ where: where as never }))
          expect(error).toBeInstanceOf(ValidationError)
          expect(error.message).toMatch(said)
        }),
      ).toBe(0)
    })
  })
})
