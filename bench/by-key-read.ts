import { deepStrictEqual } from 'node:assert/strict'
import { createDatabase } from 'latchwork'
import pg from 'pg'
import { Account } from './support/account.js'
import { accountOf, accounts } from './support/accounts.js'
import { withFreshDatabase } from './support/fresh-database.js'
import { randomKeys } from './support/random-keys.js'
import type { Limit, Report, Table } from './support/report.js'
import { type Contender, inRounds, LEAST_ROUNDS, median, medianOf, type RoundsOptions } from './support/rounds.js'
import type { Settings } from './support/settings.js'

/** Processor time that a node's read may cost beyond the driver's. */
const LIMIT_US = 20
/** Fewer calls take too little time to be measured. */
const LEAST_CALLS = 1_000

const SELECT = 'select id, email, name, age, active, seen_at as "seenAt" from accounts where id = $1'

/** Reads rows of PostgreSQL by their key: a node against `pg` with a named statement, on one session and on a pool. */
export async function byKeyRead(settings: Settings): Promise<Report> {
  const { rows = 100_000, calls = 4_000, rounds = 15, callers = [1, 32], maxConnections, seed } = settings
  return withFreshDatabase('postgres', async (url) => {
    await using db = createDatabase({ url, models: { accounts: Account }, pool: { maxConnections } })
    await db.createTables()
    await db.nodes.accounts.bulkCreate({ rows: accounts(rows) })
    const client = new pg.Client(url)
    await client.connect()
    const pool = new pg.Pool({ connectionString: url, max: maxConnections })
    await client.query('analyze accounts')
    const nextKey = randomKeys(seed, rows)
    const readers: Readonly<Record<string, (id: number) => Promise<unknown>>> = {
      'pg.Client': async (id) => (await client.query({ name: 'by-key', text: SELECT, values: [id] })).rows[0],
      'pg.Pool': async (id) => (await pool.query({ name: 'by-key', text: SELECT, values: [id] })).rows[0],
      latchwork: (id) => db.nodes.accounts.read({ where: { id } }),
    }
    try {
      await checkReaders(Object.values(readers), nextKey)
      const contenders = Object.entries(readers).map(([name, read]): Contender => ({ name, call: () => read(nextKey()) }))
      const reports: Report[] = []
      for (const count of callers) {
        // one session serves one caller; many on it would wait for each other
        const fair = count === 1 ? contenders : contenders.filter(({ name }) => name !== 'pg.Client')
        reports.push(await reportOf(fair, { rounds, calls, callers: count }))
      }
      return { tables: reports.flatMap(({ tables }) => tables), limits: reports.flatMap(({ limits }) => limits) }
    } finally {
      await Promise.all([client.end(), pool.end()])
    }
  })
}

const CHECKED_KEYS = 200

async function checkReaders(readers: readonly ((id: number) => Promise<unknown>)[], nextKey: () => number): Promise<void> {
  for (let checked = 0; checked < CHECKED_KEYS; checked++) {
    const id = nextKey()
    for (const read of readers) deepStrictEqual(await read(id), { id, ...accountOf(id) })
  }
}

async function reportOf(contenders: readonly Contender[], options: RoundsOptions): Promise<Report> {
  const { callers, rounds, calls } = options
  const costs = await inRounds(contenders, options)
  const isJudged = rounds >= LEAST_ROUNDS && calls >= LEAST_CALLS
  const ours = costs.at(-1)!
  const rows = contenders.map(({ name }, index): Table['rows'][number] => [
    name,
    median(costs[index]!.map(({ cpuUs }) => cpuUs)),
    median(costs[index]!.map(({ wallUs }) => wallUs)),
    medianOf(ours, costs[index]!, (our, their) => our.cpuUs - their.cpuUs),
    medianOf(ours, costs[index]!, (our, their) => our.wallUs / their.wallUs),
  ])
  const columns = ['contender', 'client CPU µs', 'wall µs', 'latchwork − it, CPU µs', 'latchwork ÷ it, wall']
  const limits = contenders.slice(0, -1).map(({ name }, index): Limit => {
    const measured = medianOf(ours, costs[index]!, (our, their) => our.cpuUs - their.cpuUs)
    return { name: `CPU beyond ${name}, callers: ${callers}`, measured, atMost: LIMIT_US, unit: 'µs', isJudged }
  })
  return { tables: [{ title: `Read by key, callers: ${callers}`, columns, rows }], limits }
}
