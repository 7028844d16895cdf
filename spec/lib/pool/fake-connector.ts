import type { Deadline } from '../../../lib/deadline.js'
import type { ConnectionBudget } from '../../../lib/pool/connection-budget.js'
import { ConnectionPool } from '../../../lib/pool/connection-pool.js'
import type { AcquireRequest, Connector, PoolMember, PoolStats } from '../../../lib/pool/pool.js'
import { type PoolOptions, poolOptions } from '../../../lib/pool/pool-options.js'

export class FakeMember implements PoolMember {
  isBroken = false
  isClosed = false
  constructor(readonly id: number) {}
}

/** Stands for an engine where only the pool's own timing is looked at. Each step can be replaced. */
export class FakeConnector implements Connector<FakeMember> {
  readonly members: FakeMember[] = []
  dials = 0
  mostOpen = 0
  validations = 0
  resets = 0
  closes = 0
  whileOpening: (dial: number) => Promise<void> | void = () => undefined
  whileValidating: (member: FakeMember) => Promise<boolean> | boolean = () => true
  whileResetting: (member: FakeMember) => Promise<void> | void = () => undefined
  whileClosing: (member: FakeMember) => Promise<void> | void = () => undefined

  /** @param Member what it opens */
  constructor(private readonly Member: new (id: number) => FakeMember = FakeMember) {}

  get openNow(): number {
    return this.members.filter(({ isClosed }) => !isClosed).length
  }

  async open(_deadline: Deadline): Promise<FakeMember> {
    await this.whileOpening(++this.dials)
    const member = new this.Member(this.members.length + 1)
    this.members.push(member)
    this.mostOpen = Math.max(this.mostOpen, this.openNow)
    return member
  }

  async validate(member: FakeMember): Promise<boolean> {
    this.validations++
    return this.whileValidating(member)
  }

  async reset(member: FakeMember): Promise<void> {
    this.resets++
    await this.whileResetting(member)
  }

  async close(member: FakeMember): Promise<void> {
    this.closes++
    await this.whileClosing(member)
    member.isClosed = true
  }
}

/** Something to wait for until the spec opens it. */
export class Gate {
  readonly opened: Promise<void>
  open: () => void = () => undefined
  fail: (error: Error) => void = () => undefined

  constructor() {
    this.opened = new Promise((resolve, reject) => {
      this.open = resolve
      this.fail = reject
    })
  }
}

export function createPool(
  connector: FakeConnector,
  given: Partial<PoolOptions> = {},
  budget?: ConnectionBudget,
): ConnectionPool<FakeMember> {
  // not through poolOptions: an engine may pass on times that have no end
  return new ConnectionPool('fake:target#00000001', connector, { ...poolOptions(), ...given }, budget)
}

/** A pool with `count` idle connections. */
export async function warmPool(
  connector: FakeConnector,
  count: number,
  given: Partial<PoolOptions> = {},
): Promise<ConnectionPool<FakeMember>> {
  const pool = createPool(connector, { maxConnections: count, ...given })
  await pool.warm(count, Infinity)
  return pool
}

/** Takes a connection that has to be idle. */
export function acquireNow(pool: ConnectionPool<FakeMember>, label?: string): FakeMember {
  const member = pool.acquire(request(label))
  if (member instanceof Promise) throw new Error('expected an idle connection')
  return member
}

export function request(label = 'spec', limits: Partial<AcquireRequest> = {}): AcquireRequest {
  return { access: 'read', deadline: Infinity, label, ...limits }
}

/** Lets everything that is ready to run do so. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve()
}

/** What became of a promise so far. */
export function outcomeOf<T>(promise: T | Promise<T>): { readonly value?: T; readonly error?: unknown; readonly isSettled: boolean } {
  const outcome: { value?: T; error?: unknown; isSettled: boolean } = { isSettled: false }
  Promise.resolve(promise).then(
    (value) => Object.assign(outcome, { value, isSettled: true }),
    (error: unknown) => Object.assign(outcome, { error, isSettled: true }),
  )
  return outcome
}

/** How many connections a pool has ended, for whatever reason. */
export function endedBy(pool: { stats(): PoolStats }): number {
  return Object.values(pool.stats().destroyed).reduce((sum, count) => sum + count, 0)
}
