import { deepStrictEqual } from 'node:assert/strict'
import { createDatabase } from 'latchwork'
import pg from 'pg'
import { Author, Post } from './support/author.js'
import { withFreshDatabase } from './support/fresh-database.js'
import type { Limit, Report, Table } from './support/report.js'
import { type Contender, inRounds, LEAST_ROUNDS, median, medianOf } from './support/rounds.js'
import type { Settings } from './support/settings.js'

const POSTS_EACH = 10

/** Processor time of a list with its posts, as a multiple of the same two statements by hand. */
const LIMIT_RATIO = 1.3

const AUTHORS = 'select id, name, joined_at as "joinedAt" from authors order by id'
const POSTS = `select id, author_id as "authorId", title, words, written_at as "writtenAt"
  from posts where author_id = any($1::int[]) order by id`

/** Authors of PostgreSQL with ten posts each: `list({ include })` against two named statements of `pg.Pool`, put together by a map. */
export async function include(settings: Settings): Promise<Report> {
  const { rows = 200, calls = 60, rounds = 15, callers = [1, 8], maxConnections } = settings
  return withFreshDatabase('postgres', async (url) => {
    await using db = createDatabase({ url, models: { authors: Author, posts: Post }, pool: { maxConnections } })
    await db.createTables()
    await db.nodes.authors.bulkCreate({ rows: numbered(rows, authorOf) })
    await db.nodes.posts.bulkCreate({ rows: numbered(rows * POSTS_EACH, (number) => postOf(number, rows)) })
    const pool = new pg.Pool({ connectionString: url, max: maxConnections })
    try {
      await pool.query('analyze authors, posts')
      const contenders: readonly Contender[] = [
        { name: 'pg.Pool', call: () => byHand(pool) },
        {
          name: 'latchwork',
          call: async () => (await db.nodes.authors.list({ orderBy: { id: 'asc' }, include: { posts: { orderBy: { id: 'asc' } } } })).rows,
        },
      ]
      const [theirs, ours] = await Promise.all(contenders.map((contender) => contender.call()))
      deepStrictEqual(ours, theirs)
      const reports: Report[] = []
      for (const count of callers) reports.push(await compare(contenders, { rounds, calls, callers: count }))
      return { tables: reports.flatMap(({ tables }) => tables), limits: reports.flatMap(({ limits }) => limits) }
    } finally {
      await pool.end()
    }
  })
}

async function byHand(pool: pg.Pool): Promise<object[]> {
  const authors = (await pool.query({ name: 'authors', text: AUTHORS })).rows
  const byId = new Map(authors.map((author) => [author.id, Object.assign(author, { posts: [] })]))
  const { rows: posts } = await pool.query({ name: 'posts', text: POSTS, values: [[...byId.keys()]] })
  for (const post of posts) byId.get(post.authorId).posts.push(post)
  return authors
}

async function compare(contenders: readonly Contender[], options: Parameters<typeof inRounds>[1]): Promise<Report> {
  const costs = await inRounds(contenders, options)
  const [theirs = [], ours = []] = costs
  const ratio = medianOf(ours, theirs, (our, their) => our.cpuUs / their.cpuUs)
  const rows = contenders.map(({ name }, index): Table['rows'][number] => [
    name,
    median(costs[index]!.map(({ cpuUs }) => cpuUs)),
    median(costs[index]!.map(({ wallUs }) => wallUs)),
    medianOf(costs[index]!, theirs, (cost, their) => cost.cpuUs / their.cpuUs),
  ])
  const columns = ['contender', 'client CPU µs', 'wall µs', '÷ pg.Pool, CPU']
  const limit: Limit = {
    name: `CPU ÷ by hand, callers: ${options.callers}`,
    measured: ratio,
    atMost: LIMIT_RATIO,
    unit: '×',
    isJudged: options.rounds >= LEAST_ROUNDS,
  }
  return { tables: [{ title: `Authors with ${POSTS_EACH} posts each, callers: ${options.callers}`, columns, rows }], limits: [limit] }
}

const FIRST_MS = Date.UTC(2024, 0, 1)

function* numbered<T>(count: number, of: (number: number) => T): Generator<T> {
  for (let number = 1; number <= count; number++) yield of(number)
}

function authorOf(number: number) {
  return { name: `Author number ${number}`, joinedAt: new Date(FIRST_MS + number * 1_001) }
}

function postOf(number: number, authors: number) {
  return {
    authorId: 1 + (number % authors),
    title: `Post number ${number}`,
    words: number % 997,
    writtenAt: new Date(FIRST_MS + number * 1_003),
  }
}
