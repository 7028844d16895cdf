import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { createDatabase } from 'latchwork'
import { collectMetrics } from 'latchwork/metrics'
import type { Settings } from './settings.js'
import { type Internals, loadInternals } from './support/internals.js'
import type { Limit, Report, Table } from './support/report.js'
import { LEAST_ROUNDS, median } from './support/rounds.js'

/** Something that is done over and over by one caller. Awaited where it gives a promise. */
interface Operation {
  readonly name: string
  readonly atMostUs: number | undefined
  run(call: number): unknown
}

/** Microseconds of processor time a call, by who listens. */
type Costs = Readonly<Record<Audience, number>>
type Audience = keyof typeof AUDIENCES

/** What listening may add to an operation. */
const LISTENING_US = 1
const WARM_UP_ROUNDS = 3
/** Fewer calls take too little time to be measured. */
const LEAST_CALLS = 10_000
const DAY_MS = 86_400_000

/** Who hears of locks and pools while they are measured. Each gives the function that ends it. */
const AUDIENCES = {
  nobody: async () => () => {},
  'a subscriber': async () => {
    const channels = ['latchwork:lock', 'latchwork:pool']
    for (const channel of channels) subscribe(channel, ignore)
    return () => {
      for (const channel of channels) unsubscribe(channel, ignore)
    }
  },
  collectMetrics: async () => {
    const metrics = await collectMetrics()
    return () => metrics[Symbol.dispose]()
  },
} as const

/** What a free lock, an open pool and an idle connection cost, and what it adds that somebody listens. */
export async function lockCost(settings: Settings): Promise<Report> {
  const { calls = 20_000, rounds = 15 } = settings
  await using db = createDatabase({ url: 'sqlite::memory:', models: {} })
  const internals = await loadInternals()
  const { operations, close } = await operationsOf(internals, db)
  const costs = new Map<Operation, Costs[]>(operations.map((operation) => [operation, []]))
  for (let round = -WARM_UP_ROUNDS; round < rounds; round++) {
    for (const operation of operations) {
      const each = await costsOf(operation, calls, round)
      if (round >= 0) costs.get(operation)!.push(each)
    }
  }
  await close()
  return reportOf(costs, calls >= LEAST_CALLS && rounds >= LEAST_ROUNDS)
}

async function operationsOf(internals: Internals, db: ReturnType<typeof createDatabase>) {
  const lock = internals.keyedLock()
  // never idle for so long that it has to be checked
  const pool = internals.pool(CONNECTOR, { maxConnections: 1, validateAfterIdleMs: DAY_MS, idleTimeoutMs: DAY_MS })
  await pool.warm(1, Number.POSITIVE_INFINITY)
  const registry = internals.poolRegistry()
  const options = internals.poolOptions({})
  const borrow = { key: 'bench', name: 'bench', options, deadline: Number.POSITIVE_INFINITY, label: 'bench', open: async () => pool }
  // kept, so that the pool stays open
  await registry.borrow(borrow)
  const acquire = { access: 'read', deadline: Number.POSITIVE_INFINITY, label: 'bench' } as const
  const operations: Operation[] = [
    { name: 'KeyedLock: acquire and release', atMostUs: 3, run: async () => (await lock.acquire('key')).release() },
    { name: 'withHold', atMostUs: 3, run: () => internals.withHold(lock, 'held', {}, nothing) },
    { name: 'db.lock', atMostUs: 3, run: () => db.lock('key', nothing) },
    { name: 'db.lock, another key each time', atMostUs: undefined, run: (call) => db.lock(`key ${call}`, nothing) },
    { name: 'borrow an open pool', atMostUs: 1, run: () => registry.borrow(borrow) },
    { name: 'pool: acquire and release', atMostUs: undefined, run: () => pool.release(pool.acquire(acquire), 'clean') },
  ]
  return { operations, close: () => pool.close(0) }
}

const CONNECTOR = {
  open: async () => ({ isBroken: false }),
  validate: async () => true,
  reset: nothing,
  close: async () => {},
}

/** Another audience first in each round, so that what else the machine does hits all of them alike. */
async function costsOf(operation: Operation, calls: number, round: number): Promise<Costs> {
  const audiences = Object.keys(AUDIENCES) as Audience[]
  const costs: Partial<Record<Audience, number>> = {}
  for (let turn = 0; turn < audiences.length; turn++) {
    const audience = audiences[(turn + round + WARM_UP_ROUNDS) % audiences.length]!
    const end = await AUDIENCES[audience]()
    costs[audience] = await costUs(operation, calls)
    end()
  }
  return costs as Costs
}

async function costUs({ run }: Operation, calls: number): Promise<number> {
  const before = process.cpuUsage()
  for (let call = 0; call < calls; call++) {
    const running = run(call)
    if (running instanceof Promise) await running
  }
  const { user, system } = process.cpuUsage(before)
  return (user + system) / calls
}

function reportOf(costs: ReadonlyMap<Operation, readonly Costs[]>, isJudged: boolean): Report {
  const rows: Table['rows'][number][] = []
  const limits: Limit[] = []
  for (const [{ name, atMostUs }, rounds] of costs) {
    const alone = median(rounds.map(({ nobody }) => nobody))
    const heard = (['a subscriber', 'collectMetrics'] as const).map((audience) =>
      median(rounds.map((each) => each[audience] - each.nobody)),
    )
    rows.push([name, alone, ...heard])
    if (atMostUs !== undefined) limits.push({ name, measured: alone, atMost: atMostUs, unit: 'µs', isJudged })
    limits.push({ name: `${name}, added by a subscriber`, measured: heard[0]!, atMost: LISTENING_US, unit: 'µs', isJudged })
    limits.push({ name: `${name}, added by collectMetrics`, measured: heard[1]!, atMost: LISTENING_US, unit: 'µs', isJudged })
  }
  const columns = ['operation', 'CPU µs a call', 'added by a subscriber', 'added by collectMetrics']
  return { tables: [{ title: 'Cost where nobody else wants it', columns, rows }], limits }
}

function nothing(): void {}

function ignore(): void {}
