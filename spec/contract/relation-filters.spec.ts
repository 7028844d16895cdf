import { describe, expect, it } from 'vitest'
import { ValidationError, type Where } from '../../index.js'
import { forEachEngine } from '../support/engines.js'
import type { Article, Topic, Writer } from './blog.js'
import { useBlog } from './use-blog.js'
import { rejectionOf } from './use-database.js'

const WRITERS: readonly (readonly [where: Where<Writer>, names: string])[] = [
  [{ articles: { $some: {} } }, 'Ada Bob'],
  [{ articles: { $none: {} } }, 'Cleo Dan'],
  [{ articles: { $every: {} } }, 'Ada Bob Cleo Dan'],
  [{ articles: { $some: { rating: { $gte: 3 } } } }, 'Ada'],
  [{ articles: { $none: { rating: { $gte: 3 } } } }, 'Bob Cleo Dan'],
  // one of Ada's has no rating, of which nothing can be said
  [{ articles: { $every: { rating: { $gte: 1 } } } }, 'Bob Cleo Dan'],
  [{ articles: { $every: { $or: [{ rating: null }, { rating: { $gte: 1 } }] } } }, 'Ada Bob Cleo Dan'],
  [{ articles: { $some: { title: 'a1' }, $none: { title: 'a2' } } }, ''],
  [{ articles: { $some: { title: 'a1' } }, name: { $startsWith: 'A' } }, 'Ada'],
  // soft-deleted articles are not there, nor is what is tied by a soft-deleted tagging
  [{ articles: { $some: { title: { $contains: 'gone' } } } }, ''],
  [{ articles: { $some: { topics: { $some: { name: 'dance' } } } } }, ''],
  [{ articles: { $some: { topics: { $some: { area: 'law' } } } } }, 'Ada'],
  [{ country: { name: 'France' } }, 'Ada Dan'],
  [{ country: { code: 'fr' } }, 'Bob'],
  [{ country: {} }, 'Ada Bob Dan'],
  [{ country: null }, 'Cleo'],
  [{ $not: { country: null } }, 'Ada Bob Dan'],
  [{ portrait: null }, 'Bob Cleo Dan'],
  [{ portrait: { writer: { name: 'Ada' } } }, 'Ada'],
  [{ mentor: { mentor: { name: 'Ada' } } }, 'Dan'],
  [{ mentor: { pupils: { $some: { name: 'Cleo' } } } }, 'Bob Cleo'],
  [{ pupils: { $some: { pupils: { $some: {} } } } }, 'Ada'],
  [{ $or: [{ mentor: { name: 'Bob' } }, { articles: { $some: { title: 'b1' } } }] }, 'Bob Dan'],
]

const ARTICLES: readonly (readonly [where: Where<Article>, titles: string])[] = [
  [{ writer: { country: { writers: { $some: { name: 'Dan' } } } } }, 'a1 a2 a3'],
  [{ topics: { $every: { area: 'art' } } }, 'a2 a3 b1'],
  [{ topics: { $none: {} } }, 'a3 b1'],
]

const TOPICS: readonly (readonly [where: Where<Topic>, names: string])[] = [
  [{ articles: { $some: { title: 'a1' } } }, 'art music, law music'],
  [{ articles: { $none: {} } }, 'art dance'],
]

forEachEngine((engine) => {
  describe('a filter by related rows', () => {
    const use = useBlog(engine)

    it('may stand in another, to 8 within each other', async () => {
      const pupils = (levels: number): Where<Writer> => (levels === 0 ? {} : { pupils: { $every: pupils(levels - 1) } })
      const topics = (levels: number): Where<Article> =>
        levels === 0 ? {} : { topics: { $some: { articles: { $every: topics(levels - 2) } } } }
      expect(await use.nodes.writers.count({ where: pupils(8) })).toBe(4)
      expect(await use.nodes.articles.count({ where: topics(8) })).toBe(2)
      for (const call of [use.nodes.writers.count({ where: pupils(9) }), use.nodes.articles.count({ where: topics(10) })]) {
        const error = await rejectionOf(call)
        expect(error).toBeInstanceOf(ValidationError)
        expect(error.message).toContain('expected at most 8 relations within each other')
      }
    })

    it.each(WRITERS)('%o gives %s', async (where, names) => {
      const { rows } = await use.nodes.writers.list({ where, orderBy: { id: 'asc' } })
      expect(rows.map(({ name }) => name).join(' ')).toBe(names)
      expect(await use.nodes.writers.count({ where })).toBe(rows.length)
      // joins of the same tables beside it change nothing
      const joined = await use.nodes.writers.list({
        where,
        orderBy: { id: 'asc' },
        include: { mentor: { include: { country: true } }, country: true },
      })
      expect(joined.rows.map(({ name }) => name).join(' ')).toBe(names)
    })

    it.each(ARTICLES)('%o gives %s', async (where, titles) => {
      const { rows } = await use.nodes.articles.list({ where, orderBy: { id: 'asc' } })
      expect(rows.map(({ title }) => title).join(' ')).toBe(titles)
    })

    it.each(TOPICS)('%o gives %s', async (where, names) => {
      const { rows } = await use.nodes.topics.list({ where, orderBy: { area: 'asc', name: 'asc' } })
      expect(rows.map(({ area, name }) => `${area} ${name}`).join(', ')).toBe(names)
    })

    it('narrows what read, update and delete find by a key', async () => {
      const { writers } = use.nodes
      expect(await writers.read({ where: { name: 'Ada', country: { code: 'SE' } } })).toBeNull()
      const changed = await writers.update({ where: { name: 'Ada', pupils: { $some: { name: 'Bob' } } }, set: { fee: '1' } })
      expect(changed.fee).toBe('1.0000000000')
      await expect(writers.delete({ where: { name: 'Dan', pupils: { $some: {} } } })).rejects.toMatchObject({ code: 'NOT_FOUND' })
    })

    it('chooses the rows that a bulk update or delete changes, of the same table too', async () => {
      const { writers } = use.nodes
      expect(await writers.bulkUpdate({ where: { mentor: { name: 'Ada' } }, set: { fee: '2' } })).toEqual({ count: 2 })
      expect(await writers.bulkUpdate({ where: { country: { name: 'France' } }, set: { fee: '3' } })).toEqual({ count: 2 })
      const fees = (await writers.list({ orderBy: { id: 'asc' } })).rows.map(({ fee }) => Number(fee))
      expect(fees).toEqual([3, 2, 2, 3])
      const { id } = await writers.create({
        name: 'Zoe',
        countryCode: null,
        mentorId: (await writers.readOrThrow({ where: { name: 'Cleo' } })).id,
      })
      expect(await writers.bulkDelete({ where: { mentor: { name: 'Cleo' } } })).toEqual({ count: 1 })
      expect(await writers.read({ where: { id } })).toBeNull()
    })
  })
})
