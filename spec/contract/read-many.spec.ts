import { describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { statementsOf, useBlog } from './use-blog.js'
import { rejectionOf } from './use-database.js'

forEachEngine((engine) => {
  describe('readMany', () => {
    const use = useBlog(engine)

    it('gives the rows of the keys in their order, null where there is none, by one statement', async () => {
      const { writers } = use.nodes
      const { rows } = await writers.list({ orderBy: { id: 'asc' } })
      const [ada, bob] = rows.map(({ id }) => id)
      const read = () => writers.readMany({ keys: [{ id: bob! }, { id: -1 }, { id: ada! }, { id: bob! }] }, { select: ['name'] })
      expect(await read()).toEqual([{ name: 'Bob' }, null, { name: 'Ada' }, { name: 'Bob' }])
      expect(await statementsOf(read)).toBe(1)
      expect(await writers.readMany({ keys: [] })).toEqual([])
      expect(await statementsOf(() => writers.readMany({ keys: [] }))).toBe(0)
    })

    it('takes any unique key, of several fields too, and tells texts apart by the letter', async () => {
      const { writers, countries, topics } = use.nodes
      expect((await writers.readMany({ keys: [{ name: 'Cleo' }, { name: 'cleo' }] })).map((row) => row?.name)).toEqual(['Cleo', undefined])
      expect((await countries.readMany({ keys: [{ code: 'fr' }, { code: 'FR' }] })).map((row) => row?.name)).toEqual([
        'another one',
        'France',
      ])
      const keys = [
        { area: 'law', name: 'music' },
        { area: 'law', name: 'dance' },
        { name: 'dance', area: 'art' },
      ]
      expect((await topics.readMany({ keys })).map((row) => row?.weight)).toEqual([1, undefined, 0])
    })

    it('does not see what is deleted, and reads relations with the rows', async () => {
      const { articles, writers } = use.nodes
      const all = (await articles.list({ where: { title: 'a1' } })).rows
      const keys = [{ id: all[0]!.id }, { id: all[0]!.id + 3n }]
      const rows = await articles.readMany({
        keys,
        include: { writer: { include: { articles: { orderBy: { id: 'asc' }, select: ['title'] } } } },
      })
      expect(rows[1]).toBeNull()
      expect(rows[0]!.writer.articles).toEqual([{ title: 'a1' }, { title: 'a2' }, { title: 'a3' }])
      expect(await statementsOf(() => writers.readMany({ keys: [{ name: 'Ada' }, { name: 'Dan' }], include: { country: true } }))).toBe(2)
    })

    it('finds more keys than one list of values holds', async () => {
      const { writers } = use.nodes
      const { id } = (await writers.read({ where: { name: 'Ada' } }))!
      const keys = Array.from({ length: 20_000 }, (_, index) => ({ id: index + id }))
      const rows = await writers.readMany({ keys })
      expect(rows).toHaveLength(20_000)
      expect(rows.filter((row) => row !== null).map(({ name }) => name)).toEqual(['Ada', 'Bob', 'Cleo', 'Dan'])
      const pairs = Array.from({ length: 300 }, (_, index) => ({ area: 'art', name: index === 299 ? 'dance' : `none ${index}` }))
      expect((await use.nodes.topics.readMany({ keys: pairs })).findIndex((row) => row !== null)).toBe(299)
    })

    it.each<[what: string, input: object, message: string]>([
      ['no list', { keys: { id: 1 } }, 'keys: expected a list of at most 100000 keys, got an object'],
      ['bare values', { keys: [1] }, 'keys[0]: expected an object with the value of every field of a key'],
      ['fields that are no key', { keys: [{ countryCode: 'FR' }] }, 'keys[0]: expected an object'],
      ['an unknown field', { keys: [{ ident: 1 }] }, 'keys[0]: expected an object'],
      ['keys of several kinds', { keys: [{ id: 1 }, { name: 'Ada' }] }, 'keys[1].id: expected a value'],
      ['null', { keys: [{ id: null }] }, 'keys[0].id: expected a value'],
      ['a value of another type', { keys: [{ id: '1' }] }, 'keys[0].id: expected'],
      ['more in a key', { keys: [{ id: 1 }, { id: 1, name: 'x' }] }, 'keys[1]: expected an object with id'],
    ])('refuses %s', async (_what, input, message) => {
      const error = await rejectionOf(use.nodes.writers.readMany(input as never))
      expect(error).toMatchObject({ code: 'VALIDATION' })
      expect(error.message).toContain(message)
    })
  })

  describe('exists', () => {
    const use = useBlog(engine)

    it('tells whether any row matches, by one statement that reads no more than one', async () => {
      const { writers, articles } = use.nodes
      expect(await writers.exists()).toBe(true)
      expect(await writers.exists({ where: { name: 'Ada' } })).toBe(true)
      expect(await writers.exists({ where: { name: 'nobody' } })).toBe(false)
      expect(await writers.exists({ where: { articles: { $some: { rating: 5 } } } })).toBe(true)
      expect(await articles.exists({ where: { title: 'c1 gone' } })).toBe(false)
      expect(await statementsOf(() => writers.exists())).toBe(1)
    })
  })
})
