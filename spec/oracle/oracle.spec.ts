import fc from 'fast-check'
import { createDatabase, type Database } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { answerTo } from './answer.js'
import { type Forest, forests, models, relationsIn } from './forest.js'
import { FOUND } from './found.js'
import { type Pages, pagings, type TreeQuery, treeQueries } from './queries.js'

/** Forests, and queries of each: 2,000 in all. */
const FORESTS = 4
const QUERIES = 500

/** Of the first forest; `LATCHWORK_SPEC_SEED` sets it to what a failure has printed, and brings back its forest and its queries. */
const SEED = Number(process.env.LATCHWORK_SPEC_SEED ?? Date.now() % 2 ** 31)

type Trees = Database<typeof models>['nodes']['trees']
type Rows = readonly object[]

forEachEngine((engine) => {
  describe('a list of any filter, order, pages and relations', { timeout: 120_000 }, () => {
    it.each(Array.from({ length: FORESTS }, (_, index) => index + 1))(
      'gives what is worked out in memory, in forest %i',
      async (number) => {
        const seed = SEED + number - 1
        const [forest] = fc.sample(forests, { numRuns: 1, seed }) as [Forest]
        const relatedOf = relationsIn(forest)
        const fresh = await engine.freshDatabase()
        const db = createDatabase({ url: fresh.url, models })
        try {
          await db.createTables()
          const { trees, nests, birds, visits } = db.nodes
          await trees.bulkCreate({ rows: forest.trees })
          await nests.bulkCreate({ rows: forest.nests.map(({ deletedAt: _, ...nest }) => nest) })
          await birds.bulkCreate({ rows: forest.birds.map(({ deletedAt: _, ...bird }) => bird) })
          await visits.bulkCreate({ rows: forest.visits })
          for (const name of ['nests', 'birds'] as const) {
            for (const { id, deletedAt } of forest[name])
              await db.kysely.updateTable(name).set({ deletedAt }).where('id', '=', id).execute()
          }
          await fc.assert(
            fc.asyncProperty(treeQueries, pagings, async (query, pages) => {
              const all = answerTo(forest.trees, query, relatedOf)
              expect(await taken(trees, query, pages), JSON.stringify(forest)).toEqual(expectedOf(all, query, pages))
              if (query.where !== undefined) expect(await trees.count({ where: query.where as never })).toBe(all.length)
            }),
            { numRuns: QUERIES, seed, examples: [...FOUND] },
          )
        } finally {
          await db.close()
          await fresh.drop()
        }
      },
    )
  })
})

async function taken(trees: Trees, query: TreeQuery, pages: Pages): Promise<Rows> {
  const input = query as object
  if (pages.kind === 'whole') return orderedUnless(query, (await trees.list(input)).rows)
  if (pages.kind === 'offset') return (await trees.list({ ...input, limit: pages.limit, offset: pages.offset })).rows
  const { limit } = pages
  const forward: object[] = []
  let page = await trees.list({ ...input, limit, total: true })
  const { total } = page
  forward.push(...page.rows)
  while (page.nextCursor !== undefined) {
    page = await trees.list({ ...input, limit, after: page.nextCursor })
    forward.push(...page.rows)
  }
  expect(forward).toHaveLength(total!)
  const back = [...page.rows] as object[]
  while (page.previousCursor !== undefined) {
    page = await trees.list({ ...input, limit, before: page.previousCursor })
    back.unshift(...page.rows)
  }
  expect(back).toEqual(forward)
  return forward
}

function expectedOf(all: Rows, query: TreeQuery, pages: Pages): Rows {
  if (pages.kind === 'offset') return all.slice(pages.offset, pages.offset + pages.limit)
  return pages.kind === 'whole' ? orderedUnless(query, all) : all
}

/** A whole list is in its order only as far as that says. */
function orderedUnless({ orderBy = [] }: TreeQuery, rows: Rows): Rows {
  return orderBy.some((part) => 'id' in part)
    ? rows
    : [...rows].sort((left, right) => (left as { id: number }).id - (right as { id: number }).id)
}
