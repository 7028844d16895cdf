import type { Generated } from 'kysely'
import { beforeAll, describe, expect, it } from 'vitest'
import { field, id, LatchworkError, model, UnsupportedError, type Where } from '../../index.js'
import { forEachEngine } from '../support/engines.js'
import { useDatabase } from './use-database.js'

@model()
class Word {
  @id() id!: Generated<number>
  @field.text({ nullable: true }) text!: string | null
  @field.varchar(20, { nullable: true }) short!: string | null
  @field.oneOf(['red wine', 'Red'], { nullable: true }) colour!: 'red wine' | 'Red' | null
  @field.oneOf(['red wine', 'Red'], { nullable: true, native: true }) paint!: 'red wine' | 'Red' | null
}

const TEXTS = [
  'apple',
  'Apple',
  'APPLE pie',
  '50%',
  '50 %',
  'a_b',
  'axb',
  'a\\b',
  'a*b',
  'a?b',
  '[ab]',
  'a|b',
  '',
  'line\nbreak',
  "it's",
  '😀 smile',
  'a^b-c]',
]
const ALL = TEXTS

type TextFilter = Extract<Where<Word>['text'], object>

const A_ANY_B = ['a_b', 'axb', 'a\\b', 'a*b', 'a?b', 'a|b']

const CASES: readonly (readonly [filter: TextFilter, texts: readonly string[]])[] = [
  [{ $contains: 'ppl' }, ['apple', 'Apple']],
  [{ $contains: 'PPL' }, ['APPLE pie']],
  [{ $contains: '' }, ALL],
  [{ $contains: '%' }, ['50%', '50 %']],
  [{ $contains: '_' }, ['a_b']],
  [{ $contains: '\\' }, ['a\\b']],
  [{ $contains: '*' }, ['a*b']],
  [{ $contains: '?' }, ['a?b']],
  [{ $contains: '[' }, ['[ab]']],
  [{ $contains: ']' }, ['[ab]', 'a^b-c]']],
  [{ $contains: '|' }, ['a|b']],
  [{ $contains: '^' }, ['a^b-c]']],
  [{ $contains: "'" }, ["it's"]],
  [{ $contains: '\n' }, ['line\nbreak']],
  [{ $contains: '😀' }, ['😀 smile']],
  [{ $contains: '[ab' }, ['[ab]']],
  [{ $startsWith: 'a' }, ['apple', ...A_ANY_B, 'a^b-c]']],
  [{ $startsWith: 'A' }, ['Apple', 'APPLE pie']],
  [{ $startsWith: '50%' }, ['50%']],
  [{ $startsWith: '[a' }, ['[ab]']],
  [{ $endsWith: 'b' }, A_ANY_B],
  [{ $endsWith: '%' }, ['50%', '50 %']],
  [{ $endsWith: '\\b' }, ['a\\b']],
  [{ $startsWith: 'a', $endsWith: 'e' }, ['apple']],
  [{ $like: '%' }, ALL],
  [{ $like: '' }, ['']],
  [{ $like: 'apple' }, ['apple']],
  [{ $like: 'a_b' }, A_ANY_B],
  [{ $like: 'a\\_b' }, ['a_b']],
  [{ $like: '50\\%' }, ['50%']],
  [{ $like: 'a\\\\b' }, ['a\\b']],
  [{ $like: 'a\\xb' }, ['axb']],
  [{ $like: 'a*b' }, ['a*b']],
  [{ $like: 'a?b' }, ['a?b']],
  [{ $like: '[ab]' }, ['[ab]']],
  [{ $like: 'a|b' }, ['a|b']],
  [{ $like: '_ smile' }, ['😀 smile']],
  [{ $like: 'line_break' }, ['line\nbreak']],
  [{ $like: 'line%' }, ['line\nbreak']],
  [{ $ilike: 'apple%' }, ['apple', 'Apple', 'APPLE pie']],
  [{ $ilike: 'A_B' }, A_ANY_B],
  [{ $ilike: 'A\\_B' }, ['a_b']],
  [{ $ilike: 'A\\\\B' }, ['a\\b']],
  [{ $ilike: 'A|B' }, ['a|b']],
  [{ $ilike: '[AB]' }, ['[ab]']],
  [{ $not: { $contains: 'b' } }, ALL.filter((text) => !text.includes('b'))],
  [{ $not: { $like: '%' } }, []],
  [{ $not: { $ilike: '%a%' } }, ALL.filter((text) => !/a/i.test(text))],
]

const PATTERNS: readonly (readonly [pattern: string, texts: readonly string[]])[] = [
  ['^a.b$', A_ANY_B],
  ['^[[]ab]$', ['[ab]']],
  ['^A', ['Apple', 'APPLE pie']],
  ['^50 ?%$', ['50%', '50 %']],
  ['^.pple|pie$', ['apple', 'Apple', 'APPLE pie']],
]

forEachEngine((engine) => {
  const house = useDatabase(engine, { words: Word })

  const textsWhere = async (where: Where<Word>) => {
    const { rows } = await house.nodes.words.list({ where, orderBy: { id: 'asc' } })
    return rows.map(({ text }) => text)
  }

  beforeAll(async () => {
    const rows = [...TEXTS, null].map((text) => ({ text, short: text }))
    await house.nodes.words.bulkCreate({ rows: [...rows, { colour: 'red wine', paint: 'red wine' }, { colour: 'Red', paint: 'Red' }] })
  })

  it.each(CASES)('%j matches the same texts in a text and in a varchar', async (filter, texts) => {
    expect(await textsWhere({ text: filter })).toEqual(texts)
    expect(await textsWhere({ short: filter })).toEqual(texts)
  })

  it('looks into the values of an enum, native or not', async () => {
    const coloursWhere = async (where: Where<Word>) => (await house.nodes.words.list({ where })).rows.map(({ colour }) => colour)
    for (const name of ['colour', 'paint'] as const) {
      expect(await coloursWhere({ [name]: { $contains: 'wine' } })).toEqual(['red wine'])
      expect(await coloursWhere({ [name]: { $startsWith: 'R' } })).toEqual(['Red'])
      expect(await coloursWhere({ [name]: { $ilike: 'RED' } })).toEqual(['Red'])
    }
  })

  it('takes a pattern as long as the engine takes one, and refuses a longer one', async () => {
    expect(await textsWhere({ text: { $contains: 'a'.repeat(49_998) } })).toEqual([])
    const longer = [{ $contains: 'a'.repeat(49_999) }, { $ilike: 'é'.repeat(25_001) }, { $startsWith: '*'.repeat(20_000) }]
    for (const text of longer) {
      if (engine.name !== 'sqlite') expect(await house.nodes.words.count({ where: { text } })).toBe(0)
      else await expect(house.nodes.words.count({ where: { text } })).rejects.toThrow('expected a pattern of at most 50000 bytes, got')
    }
  })

  it('refuses a pattern that ends in a bare backslash', async () => {
    await expect(textsWhere({ text: { $like: 'a\\' } })).rejects.toThrow('where.text.$like: ends in a \\')
    await expect(textsWhere({ text: { $ilike: 'a\\\\\\' } })).rejects.toThrow('where.text.$ilike: ends in a \\')
  })

  describe('$regex', () => {
    if (engine.name === 'sqlite') {
      it('is unsupported, and never taken for something else', async () => {
        await expect(textsWhere({ text: { $regex: 'a' } })).rejects.toThrow(UnsupportedError)
        await expect(textsWhere({ $or: [{ id: 1 }, { text: { $regex: 'a' } }] })).rejects.toThrow(UnsupportedError)
      })
      return
    }

    it.each(PATTERNS)('%s matches', async (pattern, texts) => {
      expect(await textsWhere({ text: { $regex: pattern } })).toEqual(texts)
    })

    it('looks into the values of an enum, native or not', async () => {
      for (const name of ['colour', 'paint']) {
        expect(await house.nodes.words.count({ where: { [name]: { $regex: '^[a-z ]+$' } } })).toBe(1)
      }
    })

    it('of a wrong form is a typed error', async () => {
      await expect(textsWhere({ text: { $regex: '(' } })).rejects.toThrow(LatchworkError)
    })
  })
})
