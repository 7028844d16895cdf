import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Operations } from '../../bench/compare/adapter.js'
import { checkContender } from '../../bench/compare/check.js'
import { compareLimits } from '../../bench/compare/compare-limits.js'
import type { Running } from '../../bench/compare/contender.js'
import { geometricMean, type PeerRow, peerRow, peerTables } from '../../bench/compare/peer-row.js'
import { type NewUser, postOf, type UserRow, userOf } from '../../bench/compare/users.js'
import { parseSettings, UsageError } from '../../bench/settings.js'
import { exitCodeOf } from '../../bench/support/report.js'
import { type Cost, costOf, inRounds } from '../../bench/support/rounds.js'

const ROOT = new URL('../../', import.meta.url)

describe('a row of the comparison', () => {
  const cost = (cpuUs: number, wallUs: number): Cost => ({ cpuUs, wallUs })

  it('has the median of each round’s ratio to raw, not the ratio of the medians', () => {
    const raw = [cost(10, 100), cost(20, 100), cost(100, 100)]
    const costs = [cost(30, 50), cost(20, 200), cost(200, 400)]
    const row = peerRow({ engine: 'postgres', workload: 'read', concurrency: 32 }, { adapter: 'knex', costs }, raw)
    expect(row).toEqual({
      engine: 'postgres',
      workload: 'read',
      concurrency: 32,
      adapter: 'knex',
      cpuUs: 30,
      cpuRatio: 2,
      wallUs: 200,
      wallRatio: 2,
    })
  })

  it('says 1 of raw itself', () => {
    const raw = [cost(10, 100), cost(30, 70)]
    const row = peerRow({ engine: 'mysql', workload: 'count', concurrency: 1 }, { adapter: 'raw', costs: raw }, raw)
    expect(row).toMatchObject({ cpuUs: 20, wallUs: 85, cpuRatio: 1, wallRatio: 1 })
  })
})

describe('the tables of the comparison', () => {
  const row = (workload: PeerRow['workload'], adapter: PeerRow['adapter'], cpuRatio: number, rest: Partial<PeerRow> = {}): PeerRow => {
    return { engine: 'sqlite', workload, concurrency: 1, adapter, cpuUs: 8, cpuRatio, wallUs: 5, wallRatio: 2 * cpuRatio, ...rest }
  }
  const rows = [
    row('cold-start', 'raw', 1, { wallUs: 70_000, cpuUs: 90_000, rssMiB: 50 }),
    ...(['read', 'list', 'count'] as const).map((workload) => row(workload, 'raw', 1)),
    row('read', 'latchwork', 1),
    row('list', 'latchwork', 2),
    row('count', 'latchwork', 4),
    row('read', 'prisma', 3),
    row('workflow', 'raw', 1, { concurrency: 300 }),
    row('workflow', 'latchwork', 50, { concurrency: 300 }),
    row('read', 'latchwork', 9, { engine: 'postgres' }),
  ]
  const [cpu, wall, coldStart] = peerTables('sqlite', rows)

  it('have a line a workload and a column an adapter, of one engine', () => {
    expect(cpu!.columns).toEqual(['workload, callers', 'raw µs', 'latchwork', 'prisma'])
    expect(cpu!.rows.slice(0, 4)).toEqual([
      ['read, 1', 8, 1, 3],
      ['list, 1', 8, 2, '–'],
      ['count, 1', 8, 4, '–'],
      ['workflow, 300', 8, 50, '–'],
    ])
    expect(wall!.rows[1]).toEqual(['list, 1', 5, 4, '–'])
  })

  it('have a geometric mean of what is done at the same concurrency, of adapters that did all of it', () => {
    expect(cpu!.rows.slice(4)).toEqual([['geometric mean of 3, 1', '', expect.closeTo(2), '–']])
    expect(geometricMean([1, 10, 100])).toBeCloseTo(10)
  })

  it('say how long a process takes to its first row', () => {
    expect(coldStart!.rows).toEqual([['raw', 70, 90, 50]])
  })
})

describe('the limits of the comparison', () => {
  const size = { rows: 100_000, rounds: 3, turnMs: 100 }
  const row = (workload: PeerRow['workload'], adapter: PeerRow['adapter'], cpuRatio: number, rest: Partial<PeerRow> = {}): PeerRow => {
    return { engine: 'postgres', workload, concurrency: 1, adapter, cpuUs: 8, cpuRatio, wallUs: 5, wallRatio: 1, ...rest }
  }
  const namesOf = (engine: PeerRow['engine'], rows: readonly PeerRow[]) => compareLimits(engine, size, rows).map(({ name }) => name)

  it('are those of what was measured of latchwork, on its engine', () => {
    const rows = [row('read', 'raw', 1), row('read', 'latchwork', 1.2), row('read', 'latchwork', 3, { engine: 'sqlite' })]
    expect(compareLimits('postgres', size, rows)).toEqual([
      { name: 'postgres: read, 1: CPU ÷ raw', measured: 1.2, atMost: 1.15, unit: '', isJudged: true },
    ])
    expect(compareLimits('sqlite', size, rows)).toMatchObject([{ name: 'sqlite: read, 1: CPU ÷ raw', measured: 3, atMost: 2 }])
    expect(compareLimits('mysql', size, rows)).toEqual([])
    expect(namesOf('postgres', [row('read', 'raw', 1), row('read', 'knex', 1)])).toEqual([])
  })

  it('ask for throughput where many call, and for the whole time of workflows', () => {
    const rows = [
      row('read', 'latchwork', 9, { concurrency: 300, wallRatio: 0.2 }),
      row('insert', 'latchwork', 9, { concurrency: 32, wallRatio: 1.25 }),
      row('workflow', 'latchwork', 9, { concurrency: 1_000, wallRatio: 0.8 }),
    ]
    expect(compareLimits('postgres', size, rows)).toMatchObject([
      { name: 'postgres: read, 300: throughput ÷ raw', measured: 5, atLeast: 4 },
      { name: 'postgres: insert, 32: throughput ÷ raw', measured: 0.8, atLeast: 1 },
      { name: 'postgres: workflow, 1000: wall time ÷ raw', measured: 0.8, atMost: 0.85 },
    ])
  })

  it('ask for the mean where all workloads of one caller were measured', () => {
    const workloads = ['read', 'list', 'include', 'count', 'update', 'upsert', 'insert', 'transaction', 'bulk'] as const
    const rows = workloads.map((workload) => row(workload, 'latchwork', 1.1))
    const mean = 'postgres: geometric mean of 9, 1: CPU ÷ raw'
    expect(compareLimits('postgres', size, rows)).toContainEqual({
      name: mean,
      measured: expect.closeTo(1.1),
      atMost: 1.05,
      unit: '',
      isJudged: true,
    })
    expect(namesOf('postgres', rows.slice(1))).not.toContain(mean)
  })

  it('compare with the best peer of each workload, and with no variant of latchwork', () => {
    const rows = [
      row('include', 'raw', 1, { concurrency: 32 }),
      row('include', 'latchwork', 1.5, { concurrency: 32, wallRatio: 1 }),
      row('include', 'latchwork-unbatched', 0.1, { concurrency: 32 }),
      row('include', 'knex', 1.2, { concurrency: 32, wallRatio: 4 }),
      row('include', 'kysely', 3, { concurrency: 32, wallRatio: 2 }),
      row('include', 'prisma', 0.1),
    ]
    expect(compareLimits('postgres', size, rows)).toMatchObject([
      { name: 'postgres: include, 32: CPU ÷ the best peer’s, knex', measured: 1.25, atMost: 1 },
      { name: 'postgres: include, 32: wall time ÷ the best peer’s, kysely', measured: 0.5, atMost: 1 },
    ])
  })

  it('let a read on SQLite be slower than those that are synchronous', () => {
    const on = (workload: 'read' | 'count', adapter: PeerRow['adapter'], ratio: number) =>
      row(workload, adapter, ratio, { engine: 'sqlite' })
    const rows = (['read', 'count'] as const).flatMap((workload) => [on(workload, 'latchwork', 1), on(workload, 'drizzle-prepared', 0.5)])
    expect(namesOf('sqlite', rows)).toEqual(['sqlite: read, 1: CPU ÷ raw', 'sqlite: count, 1: CPU ÷ the best peer’s, drizzle-prepared'])
  })

  it('hold the start of a process to 15 ms more than plain Kysely', () => {
    const start = (adapter: PeerRow['adapter'], wallUs: number) => row('cold-start', adapter, 1, { wallUs })
    const limits = compareLimits('postgres', size, [start('latchwork', 120_000), start('kysely', 100_000)])
    expect(limits).toMatchObject([{ name: 'postgres: cold start, beyond plain Kysely’s', measured: 20, atMost: 15, unit: 'ms' }])
    expect(exitCodeOf(limits)).toBe(1)
  })

  it.each([
    ['two rounds', { ...size, rounds: 2 }],
    ['a table that is small', { ...size, rows: 99_999 }],
    ['turns that are short', { ...size, turnMs: 99 }],
  ])('are not judged by %s', (_, small) => {
    const limits = compareLimits('postgres', small, [row('read', 'latchwork', 9)])
    expect(limits).toMatchObject([{ isJudged: false }])
    expect(exitCodeOf(limits)).toBe(0)
  })
})

describe('the rounds', () => {
  it('go by turns, another contender first each time, and do not count those that warm up', async () => {
    const turns: string[] = []
    const contender = (name: string) => ({
      name,
      turn: async () => ({ cpuUs: turns.push(name), wallUs: 0 }),
    })
    const costs = await inRounds([contender('a'), contender('b')], { rounds: 2, warmUpRounds: 2 })
    expect(turns.join('')).toBe('abbaabba')
    expect(costs.map((each) => each.map(({ cpuUs }) => cpuUs))).toEqual([
      [5, 8],
      [6, 7],
    ])
  })

  it('divide what a turn took by the calls in it, all callers together', async () => {
    let made = 0
    let under = 0
    let most = 0
    const call = async () => {
      made++
      most = Math.max(most, ++under)
      await undefined
      under--
    }
    const startedMs = performance.now()
    const { wallUs } = await costOf(call, { callers: 4, calls: 10 })
    const lastedUs = (performance.now() - startedMs) * 1_000
    expect({ made, most }).toEqual({ made: 10, most: 4 })
    expect(wallUs * 10).toBeLessThanOrEqual(lastedUs)
  })

  it('go on for as long as they are told to', async () => {
    let made = 0
    const { wallUs } = await costOf(async () => void made++, { callers: 1, calls: 1, forMs: 5 })
    expect(made).toBeGreaterThan(1)
    expect(wallUs * made).toBeGreaterThanOrEqual(5_000)
  })
})

describe('the check of an adapter', () => {
  const range = { rows: 2_000, firstNumber: 100_000 }

  it('passes one that does what raw does', async () => {
    const table = new Users(range.rows)
    await expect(checkContender(table.running('knex'), table.running('raw'), range)).resolves.toBeUndefined()
  })

  it.each<[what: string, wrong: (table: Users) => Partial<Operations>]>([
    ['read', (table) => ({ read: async (id) => ({ ...table.at(id)!, active: 1 }) as never })],
    ['list', (table) => ({ list: async (from) => table.list(from).slice(1) })],
    ['include', (table) => ({ include: async (from) => table.include(from).map((user) => ({ ...user, posts: [] })) })],
    ['count', () => ({ count: async () => '50' as never })],
    ['update', (table) => ({ update: async (id, age) => ({ ...table.at(id)!, age }) })],
    ['upsert', (table) => ({ upsert: async (user) => table.insert({ ...user, email: `new-${user.email}` }) })],
    ['insert', () => ({ insert: async (user) => ({ id: 1, ...user }) })],
    ['transaction', (table) => ({ transaction: async (id, user) => table.transaction(id, user, { isAtomic: false }) })],
    ['bulk', (table) => ({ bulk: async (users) => users.slice(1).map((user) => table.insert(user)) })],
  ])('refuses one that is wrong in %s, and says so', async (what, wrong) => {
    const table = new Users(range.rows)
    const contender = table.running('knex', wrong(table))
    await expect(checkContender(contender, table.running('raw'), range)).rejects.toThrow(
      `knex is not right in ${what}, and is not measured`,
    )
  })
})

describe('the command line', () => {
  it('compares where no benchmark is named, and takes lists', () => {
    const { benchmark, settings } = parseSettings([
      '--engine',
      'postgres,sqlite',
      '--only',
      'raw,drizzle-prepared',
      '--concurrency',
      '1,32',
    ])
    expect(benchmark).toBe('compare')
    expect(settings).toMatchObject({ engines: ['postgres', 'sqlite'], only: ['raw', 'drizzle-prepared'], concurrency: [1, 32] })
  })

  it('keeps to itself what another benchmark listens to', () => {
    expect(() => parseSettings(['load', '--only', 'raw'])).toThrow(UsageError)
    expect(() => parseSettings(['--n', '300'])).toThrow('--n: compare does not listen to it')
  })
})

describe('the package of the benchmarks', () => {
  const read = (path: string) => JSON.parse(readFileSync(new URL(path, ROOT), 'utf8'))
  const { dependencies } = read('bench/package.json') as { dependencies: Record<string, string> }

  it('has the drivers, and Kysely, in the versions that latchwork is tested with', () => {
    const { packages } = read('package-lock.json') as { packages: Record<string, { version: string }> }
    for (const name of ['pg', 'mysql2', 'better-sqlite3', 'kysely']) {
      expect([name, dependencies[name]]).toEqual([name, packages[`node_modules/${name}`]!.version])
    }
  })

  it('has exact versions of the peers', () => {
    const others = Object.entries(dependencies).filter(([name]) => name !== 'latchwork')
    expect(others.filter(([, version]) => !/^\d+\.\d+\.\d+$/.test(version))).toEqual([])
  })
})

/** The users in memory, with what an adapter does to them. */
class Users {
  readonly #rows: UserRow[]

  constructor(count: number) {
    this.#rows = Array.from({ length: count }, (_, index) => ({ id: index + 1, ...userOf(index + 1) }))
  }

  at(id: number): UserRow | undefined {
    return this.#rows[id - 1]
  }

  list(from: number): UserRow[] {
    return this.#rows.filter(({ id, active }) => id >= from && active).slice(0, 50)
  }

  include(from: number) {
    return this.#rows.slice(from - 1, from + 49).map((user) => {
      const first = (user.id - 1) * 10 + 1
      return { ...user, posts: Array.from({ length: 10 }, (_, index) => ({ id: first + index, ...postOf(first + index) })) }
    })
  }

  insert(user: NewUser): UserRow {
    if (this.#rows.some(({ email }) => email === user.email)) throw new Error('the email is taken')
    const row = { id: this.#rows.length + 1, ...user }
    this.#rows.push(row)
    return row
  }

  update(id: number, age: number): UserRow {
    this.#rows[id - 1] = { ...this.at(id)!, age }
    return this.at(id)!
  }

  transaction(id: number, user: NewUser, { isAtomic }: { isAtomic: boolean }): UserRow {
    const { age } = this.at(id)!
    this.update(id, age + 1)
    try {
      return this.insert(user)
    } catch (error) {
      if (isAtomic) this.update(id, age)
      throw error
    }
  }

  upsert(user: NewUser): UserRow {
    const known = this.#rows.find(({ email }) => email === user.email)
    return known === undefined ? this.insert(user) : this.update(known.id, user.age)
  }

  running(name: Running['name'], differently: Partial<Operations> = {}): Running {
    const operations: Operations = {
      read: async (id) => this.at(id),
      insert: async (user) => this.insert(user),
      update: async (id, age) => this.update(id, age),
      list: async (from) => this.list(from),
      include: async (from) => this.include(from),
      upsert: async (user) => this.upsert(user),
      count: async (from, to) => this.#rows.filter(({ id }) => id >= from && id < to).length,
      transaction: async (id, user) => this.transaction(id, user, { isAtomic: true }),
      bulk: async (users) => users.map((user) => this.insert(user)),
      ...differently,
    }
    const call: Running['call'] = async (operation, ...values) => (operations[operation] as (...values: unknown[]) => unknown)(...values)
    return { name, call, firstRow: { cpuUs: 0, wallUs: 0, rssMiB: 0 }, turn: async () => ({ cpuUs: 0, wallUs: 0 }), stop: async () => {} }
  }
}
