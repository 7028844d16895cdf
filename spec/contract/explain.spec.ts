import { describe, expect, it } from 'vitest'
import { forEachEngine, type SpecEngine } from '../support/engines.js'
import { statementsOf, textsOf, useBlog } from './use-blog.js'
import { rejectionOf } from './use-database.js'

forEachEngine((engine) => {
  describe('explain', () => {
    const use = useBlog(engine)

    it('gives the plan of the statement that the call would run, and does not run it', async () => {
      const { writers } = use.nodes
      const list = (options = {}) => writers.list({ where: { name: 'Ada' }, limit: 2, include: { country: true } }, options)
      const read = () => writers.read({ where: { name: 'Ada' } }, { explain: true })
      const [sql] = await textsOf(() => writers.read({ where: { name: 'Ada' } }))
      const explanation = await read()
      expect(explanation.statements.map((statement) => statement.sql)).toEqual([sql])
      expect(JSON.stringify(explanation.statements[0]!.plan)).toContain(accessWord(engine))
      expect(await statementsOf(read)).toBe(1)
      expect((await textsOf(read))[0]).toMatch(/^explain/)
      const listed = await writers.list({ where: { name: 'Ada' }, limit: 2 }, { explain: true, include: { country: true } })
      expect(listed.statements.map((statement) => statement.sql)).toEqual(await textsOf(list))
    })

    it('has a plan for every statement of the call: of relations that are loaded, of a total', async () => {
      const { writers } = use.nodes
      const input = { orderBy: { id: 'asc' }, total: true, include: { articles: { limit: 1 }, country: true } } as const
      const texts = await textsOf(() => writers.list(input))
      const { statements } = await writers.list(input, { explain: true })
      expect(statements.map(({ sql }) => sql)).toEqual(texts)
      expect(statements).toHaveLength(3)
      expect(statements.every(({ plan }) => typeof plan === 'object' && plan !== null)).toBe(true)
    })

    it('is there for every node that reads', async () => {
      const { writers } = use.nodes
      const where = { name: 'nobody' }
      const options = { explain: true } as const
      const explained = [
        await writers.read({ where }, options),
        await writers.readOrThrow({ where }, options),
        await writers.list({ where }, options),
        await writers.readMany({ keys: [{ name: 'Ada' }, { name: 'Bob' }] }, options),
        await writers.count({ where }, options),
        await writers.exists({ where }, options),
        await writers.aggregate({ values: { n: '$count' }, groupBy: ['countryCode'] }, options),
      ]
      for (const { statements } of explained) expect(statements).toHaveLength(1)
    })

    it('measures only where that is asked for', async () => {
      const { writers } = use.nodes
      const measured = writers.list({ where: { name: 'Ada' } }, { explain: 'analyze' })
      if (engine.name === 'sqlite') {
        expect(await rejectionOf(measured)).toMatchObject({ code: 'UNSUPPORTED', feature: "explain: 'analyze'" })
        return
      }
      const actual = /"Actual Rows"|"r_rows"|actual time/
      expect(JSON.stringify((await measured).statements[0]!.plan)).toMatch(actual)
      expect(JSON.stringify(await writers.list({ where: { name: 'Ada' } }, { explain: true }))).not.toMatch(actual)
    })

    it('joins the transaction around it, and sees a row lock', async () => {
      await use.db.transaction(async () => {
        const { statements } = await use.nodes.writers.list({}, { explain: true, for: 'update' })
        expect(statements).toHaveLength(1)
        if (engine.name !== 'sqlite') expect(statements[0]!.sql).toContain('for update')
      })
    })

    it('has the plans of the first chunk of a stream, and of what is loaded with it', async () => {
      const { writers } = use.nodes
      const stream = (options: object = {}) => writers.stream({ orderBy: { name: 'asc' } }, options)
      const first = await textsOf(() => stream().next())
      const plain = await writers.stream({ orderBy: { name: 'asc' } }, { explain: true })
      expect(plain.statements.map(({ sql }) => sql)).toEqual(first)
      const including = await textsOf(() => stream({ include: { articles: true } }).next())
      const { statements } = await writers.stream({ orderBy: { name: 'asc' }, include: { articles: true } }, { explain: true })
      expect(statements.map(({ sql }) => sql)).toEqual(including)
      expect(statements).toHaveLength(2)
      expect(await writers.stream({ limit: 0 }, { explain: true })).toEqual({ statements: [] })
      // an input that is refused is a rejection, as of every explained call
      expect(await rejectionOf(writers.stream({ limit: -1 }, { explain: true }))).toMatchObject({ code: 'VALIDATION' })
    })

    it('takes two values, and is refused with any other before any SQL', async () => {
      const { writers } = use.nodes
      const refused = async () => {
        for (const explain of ['yes', false, null]) {
          const options = { explain } as never
          for (const call of [writers.list({}, options), writers.stream({}, options)])
            expect(await rejectionOf(call)).toMatchObject({ code: 'VALIDATION' })
        }
      }
      expect(await statementsOf(refused)).toBe(0)
    })
  })
})

/** What a plan calls a row that is looked up by its unique key. */
function accessWord({ name }: SpecEngine): string {
  return { postgres: 'Node Type', mysql: '"access_type":"const"', sqlite: 'SEARCH writers USING' }[name]
}
