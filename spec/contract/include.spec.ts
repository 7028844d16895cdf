import { describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { isValid } from '../support/json-schema-check.js'
import { FEE, IMAGE, PUBLISHED, statementsOf, textsOf, useBlog } from './use-blog.js'

forEachEngine((engine) => {
  describe('include', () => {
    const use = useBlog(engine)

    it('gives the row on the other side of a belongsTo or hasOne, or null, by the same statement', async () => {
      const { writers } = use.nodes
      const list = () => writers.list({ orderBy: { id: 'asc' }, include: { country: true, mentor: true, portrait: true } })
      expect(await statementsOf(list)).toBe(1)
      const { rows } = await list()
      expect(rows.map(({ name, country, mentor, portrait }) => [name, country?.name, mentor?.name, portrait?.writerId])).toEqual([
        ['Ada', 'France', undefined, rows[0]!.id],
        ['Bob', 'another one', 'Ada', undefined],
        ['Cleo', undefined, 'Ada', undefined],
        ['Dan', 'France', 'Bob', undefined],
      ])
      expect(rows[2]).toMatchObject({ country: null, portrait: null })
      expect(rows[0]!.mentor).toBeNull()
    })

    it('gives the rows on the other side of a hasMany by one statement more, however many owners there are', async () => {
      const { writers } = use.nodes
      const list = () =>
        writers.list({ orderBy: { id: 'asc' }, include: { articles: { orderBy: { title: 'asc' } }, pupils: { orderBy: { id: 'asc' } } } })
      expect(await statementsOf(list)).toBe(3)
      const { rows } = await list()
      expect(rows.map(({ articles, pupils }) => [articles.map(({ title }) => title), pupils.map(({ name }) => name)])).toEqual([
        [
          ['a1', 'a2', 'a3'],
          ['Bob', 'Cleo'],
        ],
        [['b1'], ['Dan']],
        [[], []],
        [[], []],
      ])
    })

    it('sends no statement for rows that are not there', async () => {
      const { writers } = use.nodes
      expect(await statementsOf(() => writers.list({ where: { name: 'nobody' }, include: { articles: true } }))).toBe(1)
      expect(await statementsOf(() => writers.read({ where: { id: -1 }, include: { articles: true } }))).toBe(1)
      expect(await writers.read({ where: { id: -1 }, include: { articles: true } })).toBeNull()
      // nobody has a key to look for
      expect(
        await statementsOf(() => writers.list({ where: { name: 'Cleo' }, include: { country: { include: { writers: true } } } })),
      ).toBe(1)
    })

    it('gives the rows of a manyToMany from both sides, over a key of two fields', async () => {
      const { articles, topics } = use.nodes
      const { rows } = await articles.list({ orderBy: { title: 'asc' }, include: { topics: { orderBy: { weight: 'asc' } } } })
      expect(rows.map(({ title, topics }) => [title, topics.map(({ area, name }) => `${area} ${name}`)])).toEqual([
        ['a1', ['law music', 'art music']],
        ['a2', ['art music']],
        ['a3', []],
        // its tagging is deleted
        ['b1', []],
      ])
      const { rows: back } = await topics.list({
        orderBy: { area: 'asc', name: 'asc' },
        include: { articles: { orderBy: { title: 'asc' } } },
      })
      expect(back.map(({ articles }) => articles.map(({ title }) => title))).toEqual([[], ['a1', 'a2'], ['a1']])
    })

    it('gives rows of a manyToMany that are marked as deleted where that is asked for, by rows between that are not', async () => {
      const { topics } = use.nodes
      const { rows } = await topics.list({
        orderBy: { area: 'asc', name: 'asc' },
        include: { articles: { deleted: 'include', orderBy: { title: 'asc' } } },
      })
      // the tagging of a4 went with it, that of b1 by itself
      expect(rows.map(({ articles }) => articles.map(({ title }) => title))).toEqual([[], ['a1', 'a2'], ['a1']])
      const kept = use.db.transaction(async () => {
        const { db } = use
        await db.kysely.updateTable('taggings').set({ deletedAt: null }).execute()
        const titles = async (deleted: 'include' | 'only') =>
          (await topics.readOrThrow({ where: { area: 'art', name: 'dance' }, include: { articles: { deleted } } })).articles.map(
            ({ title }) => title,
          )
        expect([(await titles('include')).sort(), await titles('only')]).toEqual([['a4 gone', 'b1'], ['a4 gone']])
        throw new Error('undo')
      })
      await expect(kept).rejects.toThrow('undo')
    })

    it('goes to any depth, through joins and lists in turn, and each owner has rows of its own', async () => {
      const { articles } = use.nodes
      const list = () =>
        articles.list({
          where: { title: { $startsWith: 'a' } },
          orderBy: { title: 'asc' },
          include: {
            writer: {
              include: {
                articles: {
                  select: ['title'],
                  orderBy: { title: 'asc' },
                  include: { writer: { select: ['name'], include: { mentor: true } } },
                },
              },
            },
          },
        })
      expect(await statementsOf(list)).toBe(2)
      const { rows } = await list()
      for (const { writer } of rows) {
        expect(writer.name).toBe('Ada')
        expect(writer.articles).toEqual(['a1', 'a2', 'a3'].map((title) => ({ title, writer: { name: 'Ada', mentor: null } })))
      }
      expect(rows[0]!.writer).not.toBe(rows[1]!.writer)
      expect(rows[0]!.writer.articles[0]).not.toBe(rows[1]!.writer.articles[0])
    })

    it('gives values of their declared types in every way of loading', async () => {
      const { articles, writers, portraits } = use.nodes
      const joined = (await articles.list({ where: { title: 'a1' }, include: { writer: { include: { portrait: true } } } })).rows[0]!
      expect(joined.writer.fee).toBe(FEE)
      expect(joined.writer.portrait!.image).toEqual(IMAGE)
      const loaded = await writers.readOrThrow({ where: { name: 'Ada' }, include: { articles: { where: { title: 'a1' } } } })
      expect(loaded.articles).toEqual([
        { id: joined.id, writerId: loaded.id, title: 'a1', rating: 3, details: { words: 100 }, publishedAt: PUBLISHED, deletedAt: null },
      ])
      expect(typeof loaded.articles[0]!.id).toBe('bigint')
      // not joined, since the statement is no SELECT
      const changed = await portraits.update({ where: { writerId: loaded.id }, set: { image: IMAGE } }, { include: { writer: true } })
      expect(changed.writer).toMatchObject({ name: 'Ada', fee: FEE })
    })

    it('selects fields on both sides, and shows no key that was not asked for', async () => {
      const { writers } = use.nodes
      const row = await writers.read(
        { where: { name: 'Ada' } },
        { select: ['name'], include: { articles: { select: ['rating'], orderBy: { title: 'asc' } }, country: { select: ['name'] } } },
      )
      expect(row).toEqual({ name: 'Ada', articles: [{ rating: 3 }, { rating: null }, { rating: 5 }], country: { name: 'France' } })
    })

    it('reads the key of the owners once where the rows show it, and beside them where they do not', async () => {
      const { writers } = use.nodes
      const all = await textsOf(() => writers.list({ include: { articles: true } }))
      expect(all[1]!.match(/writer_id/g)).toHaveLength(2)
      const limited = await textsOf(() => writers.list({ include: { articles: { limit: 2 } } }))
      expect(limited[1]!.match(/writer_id/g)).toHaveLength(3)
      const ratings = await textsOf(() => writers.list({ include: { articles: { select: ['rating'] } } }))
      expect(ratings[1]!.match(/writer_id/g)).toHaveLength(2)
    })

    it('takes conditions, an order and a limit for each owner', async () => {
      const { writers } = use.nodes
      const { rows } = await writers.list({
        where: { articles: { $some: {} } },
        orderBy: { id: 'asc' },
        include: {
          articles: { where: { rating: { $gte: 1 } }, orderBy: { rating: 'desc' }, limit: 1, include: { writer: { select: ['name'] } } },
        },
      })
      expect(rows.map(({ articles }) => articles.map(({ title, writer }) => `${title} by ${writer.name}`))).toEqual([
        ['a3 by Ada'],
        ['b1 by Bob'],
      ])
      const none = await writers.readOrThrow({ where: { name: 'Ada' }, include: { articles: { limit: 0 } } })
      expect(none.articles).toEqual([])
      const one = await writers.readOrThrow({ where: { name: 'Ada' }, include: { articles: { limit: 2 } } })
      expect(one.articles.map(({ title }) => title)).toEqual(['a1', 'a2'])
    })

    it('limits the rows of a manyToMany for each owner', async () => {
      const { topics } = use.nodes
      const { rows } = await topics.list({
        orderBy: { area: 'asc', name: 'asc' },
        include: { articles: { orderBy: { title: 'desc' }, limit: 1 } },
      })
      expect(rows.map(({ articles }) => articles.map(({ title }) => title))).toEqual([[], ['a2'], ['a1']])
    })

    it('leaves out a to-one row that does not meet its condition, and keeps the owner', async () => {
      const { writers } = use.nodes
      const { rows } = await writers.list({ orderBy: { id: 'asc' }, include: { country: { where: { name: { $startsWith: 'F' } } } } })
      expect(rows.map(({ country }) => country?.code ?? null)).toEqual(['FR', null, null, 'FR'])
    })

    it('tells texts apart that differ in upper and lower case only', async () => {
      const { countries } = use.nodes
      const { rows } = await countries.list({ orderBy: { code: 'asc' }, include: { writers: { orderBy: { id: 'asc' } } } })
      expect(rows.map(({ code, writers }) => [code, ...writers.map(({ name }) => name)])).toEqual([
        ['FR', 'Ada', 'Dan'],
        ['SE'],
        ['fr', 'Bob'],
      ])
    })

    it('pages the rows of the list alone', async () => {
      const { writers } = use.nodes
      const page = await writers.list({
        orderBy: { id: 'asc' },
        limit: 2,
        offset: 1,
        total: true,
        include: { articles: true, country: true },
      })
      expect(page.rows.map(({ name }) => name)).toEqual(['Bob', 'Cleo'])
      expect(page.total).toBe(4)
    })

    it('counts by the filter of the list, not by one of what it includes', async () => {
      const { writers } = use.nodes
      const name = { $startsWith: 'A' }
      const included = await writers.list({ limit: 1, total: true, include: { mentor: { where: { name } } } })
      expect([included.total, (await writers.list({ where: { name }, limit: 1, total: true })).total]).toEqual([4, 1])
    })

    it('comes with what create, update and upsert give', async () => {
      const { writers } = use.nodes
      const values = { name: 'Eve', countryCode: 'SE' }
      const made = await writers.create(values, { select: ['name'], include: { country: true, articles: true } })
      expect(made).toEqual({ name: 'Eve', country: { code: 'SE', name: 'Sweden' }, articles: [] })
      const changed = await writers.update({ where: { name: 'Eve' }, set: { countryCode: 'FR' } }, { include: { country: true } })
      expect(changed.country?.name).toBe('France')
      const { row } = await writers.upsert({ on: ['name'], values }, { include: { country: { select: ['name'] } } })
      expect(row.country).toEqual({ name: 'Sweden' })
      await writers.delete({ where: { name: 'Eve' } })
    })

    it('sees what its own transaction wrote', async () => {
      const { db } = use
      const { writers, articles } = db.nodes
      const undone = db.transaction(async () => {
        const { id } = await writers.create({ name: 'Fay', countryCode: null })
        await articles.create({ writerId: id, title: 'f1' })
        const fay = await writers.readOrThrow({ where: { id }, include: { articles: true } })
        expect(fay.articles.map(({ title }) => title)).toEqual(['f1'])
        throw new Error('undo')
      })
      await expect(undone).rejects.toThrow('undo')
    })

    it('is in the schemas of the nodes, to the fields of the related models', async () => {
      const { writers } = use.nodes
      const include = {
        articles: { where: { rating: { $gte: 1 } }, select: ['title'], limit: 2, orderBy: { id: 'asc' } },
        country: true,
      } as const
      const where = { articles: { $some: { title: { $startsWith: 'a' } } }, mentor: null } as const
      expect(isValid(writers.list.inputSchema, { where, include })).toBe(true)
      const result = await writers.list({ where, include: { articles: { include: { topics: true } }, country: true } })
      expect(result.rows).toHaveLength(1)
      const json = JSON.parse(JSON.stringify(result, (_, value) => (typeof value === 'bigint' ? String(value) : value))) as object
      expect(isValid(writers.list.outputSchema, json)).toBe(true)
      for (const refused of [
        { include: { article: true } },
        { include: { country: { limit: 1 } } },
        { where: { articles: { title: 'x' } } },
      ]) {
        expect(isValid(writers.list.inputSchema, refused)).toBe(false)
        await expect(writers.list(refused as never)).rejects.toMatchObject({ code: 'UNKNOWN_FIELD' })
      }
    })

    it('finds the rows of more owners than one list of values holds', async () => {
      const { writers } = use.nodes
      const count = engine.name === 'mysql' ? 8_200 : 300
      const names = Array.from({ length: count }, (_, index) => `many ${index}`)
      await writers.bulkCreate({ rows: names.map((name) => ({ name, countryCode: 'SE' })) })
      const { rows } = await writers.list({
        where: { name: { $startsWith: 'many' } },
        include: { pupils: true, country: true },
      })
      expect(rows).toHaveLength(count)
      expect(rows.every(({ pupils, country }) => pupils.length === 0 && country?.code === 'SE')).toBe(true)
      await writers.bulkDelete({ where: { name: { $startsWith: 'many' } } })
    }, 60_000)
  })
})
