import { deepStrictEqual } from 'node:assert/strict'
import { createDatabase } from 'latchwork'
import pg from 'pg'
import { Account } from './support/account.js'
import { accountOf, accounts } from './support/accounts.js'
import { withFreshDatabase } from './support/fresh-database.js'
import { randomKeys } from './support/random-keys.js'
import type { Report, Table } from './support/report.js'
import { type Contender, inRounds, median, medianOf } from './support/rounds.js'
import type { Settings } from './support/settings.js'

const COLUMNS = 'id, email, name, age, active, seen_at as "seenAt"'

const SQL = {
  create: `insert into accounts (email, name, age, active, seen_at) values ($1, $2, $3, $4, $5) returning ${COLUMNS}`,
  update: `update accounts set age = $2, active = $3 where id = $1 returning ${COLUMNS}`,
  upsert: `insert into accounts (email, name, age, active, seen_at) values ($1, $2, $3, $4, $5)
    on conflict (email) do update set age = excluded.age where accounts.age is distinct from excluded.age
    returning ${COLUMNS}, (xmax = 0) as inserted`,
  list: `select ${COLUMNS} from accounts where id >= $1 order by id limit 50`,
  count: 'select count(*) as n from accounts where id >= $1 and id < $2',
}

/** One operation, as a node and as its plain statement; `check` compares what the two give. */
interface Operation {
  readonly name: keyof typeof SQL
  readonly node: () => Promise<unknown>
  readonly raw: () => Promise<unknown>
  readonly check?: () => Promise<void>
}

/** The other operations of PostgreSQL: a node each, against `pg.Pool` with a named statement. */
export async function operations(settings: Settings): Promise<Report> {
  const { rows = 100_000, calls = 2_000, rounds = 11, callers = [1, 32], maxConnections, seed } = settings
  return withFreshDatabase('postgres', async (url) => {
    await using db = createDatabase({ url, models: { accounts: Account }, pool: { maxConnections } })
    await db.createTables()
    await db.nodes.accounts.bulkCreate({ rows: accounts(rows) })
    const pool = new pg.Pool({ connectionString: url, max: maxConnections })
    await pool.query('analyze accounts')
    try {
      const tables: Table[] = []
      const each = operationsOf(db, pool, rows, seed)
      for (const operation of each) await operation.check?.()
      for (const count of callers) tables.push(await compare(each, { rounds, calls, callers: count }))
      return { tables, limits: [] }
    } finally {
      await pool.end()
    }
  })
}

type AccountsDatabase = ReturnType<typeof createDatabase<{ accounts: typeof Account }>>

function operationsOf({ nodes }: AccountsDatabase, pool: pg.Pool, rows: number, seed: number): readonly Operation[] {
  const nextKey = randomKeys(seed, rows)
  let last = rows
  const next = () => accountOf(++last)
  const run = async (name: keyof typeof SQL, values: unknown[]) => (await pool.query({ name, text: SQL[name], values })).rows
  const rawList = (from: number) => run('list', [from])
  const rawCount = async (from: number) => Number((await run('count', [from, from + 100]))[0].n)
  const list = (from: number) => nodes.accounts.list({ where: { id: { $gte: from } }, orderBy: { id: 'asc' }, limit: 50 })
  const count = (from: number) => nodes.accounts.count({ where: { id: { $gte: from, $lt: from + 100 } } })
  const rawUpsert = async (number: number) => {
    const { email, name, age, active, seenAt } = accountOf(number)
    return (await run('upsert', [email, name, age + (last++ % 7), active, seenAt]))[0]
  }
  const upsert = (number: number) => {
    const values = accountOf(number)
    const age = values.age + (last++ % 7)
    return nodes.accounts.upsert({ on: ['email'], values: { ...values, age }, update: { age } })
  }
  return [
    {
      name: 'create',
      node: () => nodes.accounts.create(next()),
      raw: async () => {
        const { email, name, age, active, seenAt } = next()
        return (await run('create', [email, name, age, active, seenAt]))[0]
      },
    },
    {
      name: 'update',
      node: () => nodes.accounts.update({ where: { id: nextKey() }, set: { age: 18 + (last++ % 80), active: true } }),
      raw: async () => (await run('update', [nextKey(), 18 + (last++ % 80), true]))[0],
    },
    { name: 'upsert', node: () => upsert(nextKey()), raw: () => rawUpsert(nextKey()) },
    {
      name: 'list',
      node: () => list(nextKey()),
      raw: () => rawList(nextKey()),
      check: async () => deepStrictEqual((await list(100)).rows, await rawList(100)),
    },
    {
      name: 'count',
      node: () => count(nextKey()),
      raw: () => rawCount(nextKey()),
      check: async () => deepStrictEqual([await count(100), await rawCount(100)], [100, 100]),
    },
  ]
}

async function compare(each: readonly Operation[], options: Parameters<typeof inRounds>[1]): Promise<Table> {
  const rows: Table['rows'][number][] = []
  for (const { name, node, raw } of each) {
    const contenders: readonly Contender[] = [
      { name: 'pg.Pool', call: raw },
      { name: 'latchwork', call: node },
    ]
    const [theirs = [], ours = []] = await inRounds(contenders, options)
    rows.push([
      name,
      median(theirs.map(({ cpuUs }) => cpuUs)),
      median(ours.map(({ cpuUs }) => cpuUs)),
      medianOf(ours, theirs, (our, their) => our.cpuUs - their.cpuUs),
      medianOf(ours, theirs, (our, their) => our.cpuUs / their.cpuUs),
      medianOf(ours, theirs, (our, their) => our.wallUs / their.wallUs),
    ])
  }
  const columns = ['operation', 'pg.Pool CPU µs', 'latchwork CPU µs', 'difference CPU µs', 'CPU ratio', 'wall ratio']
  return { title: `Operations, callers: ${options.callers}`, columns, rows }
}
