import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { deadlineAfter } from '../../../lib/deadline.js'
import { ConnectionError, PoolTimeoutError } from '../../../lib/errors.js'
import { acquireNow, endedBy, FakeConnector, outcomeOf, request, settle, warmPool } from './fake-connector.js'

let connector: FakeConnector

beforeEach(() => {
  connector = new FakeConnector()
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'] })
})

afterEach(() => {
  vi.useRealTimers()
})

describe('ConnectionPool deadlines', () => {
  it('rejects each waiter at its own deadline, which nothing sets anew', async () => {
    const pool = await warmPool(connector, 1)
    const held = acquireNow(pool)
    const [short, long] = [
      outcomeOf(pool.acquire(request('short', { deadline: deadlineAfter(100) }))),
      outcomeOf(pool.acquire(request('long', { deadline: deadlineAfter(300) }))),
    ]
    const shortest = outcomeOf(pool.acquire(request('shortest', { deadline: deadlineAfter(50) })))
    await vi.advanceTimersByTimeAsync(60)
    expect([short.isSettled, long.isSettled, shortest.isSettled]).toEqual([false, false, true])
    await vi.advanceTimersByTimeAsync(60)
    expect([short.isSettled, long.isSettled]).toEqual([true, false])
    await vi.advanceTimersByTimeAsync(170)
    expect(long.isSettled).toBe(false)
    await vi.advanceTimersByTimeAsync(20)
    expect(long.error).toBeInstanceOf(PoolTimeoutError)
    pool.release(held, 'clean')
    expect(pool.stats()).toMatchObject({ idle: 1, waiting: 0 })
  })

  it('says in the error what is open, lent and waiting, and who has held longest', async () => {
    const pool = await warmPool(connector, 4)
    for (const label of ['oldest', 'older', 'old', 'new']) {
      acquireNow(pool, label)
      await vi.advanceTimersByTimeAsync(100)
    }
    const late = [1, 2].map(() => outcomeOf(pool.acquire(request('late', { deadline: deadlineAfter(100) }))))
    await vi.advanceTimersByTimeAsync(150)
    const error = late[0]!.error as PoolTimeoutError
    expect(error).toMatchObject({ open: 4, leased: 4, waiting: 2 })
    expect(error.holders.map(({ label }) => label)).toEqual(['oldest', 'older', 'old'])
    expect(error.holders[0]!.heldMs).toBeCloseTo(500, -1)
    expect(error.message).toContain('4 of 4 in use, 2 waiting; held by oldest for 50')
  })

  it('passes over waiters who gave up', async () => {
    const pool = await warmPool(connector, 1)
    const held = acquireNow(pool)
    const gone = Array.from({ length: 50 }, () => outcomeOf(pool.acquire(request('gone', { deadline: deadlineAfter(10) }))))
    const patient = pool.acquire(request('patient'))
    await vi.advanceTimersByTimeAsync(20)
    expect(gone.every(({ error }) => error instanceof PoolTimeoutError)).toBe(true)
    pool.release(held, 'clean')
    expect(await patient).toBe(held)
  })

  it('sets one timer for any number of deadlines', async () => {
    const pool = await warmPool(connector, 1)
    const before = vi.getTimerCount()
    acquireNow(pool)
    const outcomes = Array.from({ length: 200 }, (_, caller) =>
      outcomeOf(pool.acquire(request('waiter', { deadline: deadlineAfter(1_000 - caller) }))),
    )
    expect(vi.getTimerCount() - before).toBe(1)
    await vi.advanceTimersByTimeAsync(1_010)
    expect(outcomes.every(({ isSettled }) => isSettled)).toBe(true)
    expect(vi.getTimerCount() - before).toBe(0)
  })

  it('serves a waiter whose connection is ready when a late timer fires', async () => {
    vi.useRealTimers()
    const pool = await warmPool(connector, 1)
    const held = acquireNow(pool)
    const answer = await loopback()
    answer.arrived.then(() => pool.release(held, 'clean'))
    const waiting = pool.acquire(request('waiting', { deadline: deadlineAfter(30) }))
    // the loop stands still past the deadline; then it runs timers first, and reads sockets after that
    answer.send()
    stall(100)
    expect(await waiting).toBe(held)
    answer.close()
  })
})

describe('ConnectionPool upkeep', () => {
  it('checks a connection that was idle for validateAfterIdleMs before it lends it', async () => {
    const pool = await warmPool(connector, 1, { validateAfterIdleMs: 1_000 })
    await vi.advanceTimersByTimeAsync(999)
    pool.release(acquireNow(pool), 'clean')
    expect(connector.validations).toBe(0)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await pool.acquire(request())).toBe(connector.members[0])
    expect(connector.validations).toBe(1)
  })

  it.each([
    ['says no', () => false],
    ['throws', () => Promise.reject(new Error('contract broken'))],
  ])('destroys a connection whose check %s, and opens a new one instead of checking another', async (_, whileValidating) => {
    const pool = await warmPool(connector, 3, { maxConnections: 5 })
    connector.whileValidating = whileValidating
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await pool.acquire(request())).toBe(connector.members[3])
    expect(connector.validations).toBe(1)
    expect(pool.stats()).toMatchObject({ open: 3, idle: 2, destroyed: { validation: 1 } })
  })

  it('opens a new one after a failed check in a full pool too', async () => {
    const pool = await warmPool(connector, 2)
    connector.whileValidating = () => false
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await pool.acquire(request())).toBe(connector.members[2])
    expect(connector.validations).toBe(1)
  })

  it('checks an idle connection though a dial that was begun for others does not end', async () => {
    const pool = await warmPool(connector, 2, { maxConnections: 4 })
    const held = [acquireNow(pool), acquireNow(pool)]
    connector.whileOpening = () => new Promise<void>(() => undefined)
    const served = pool.acquire(request())
    for (const member of held) pool.release(member, 'clean')
    pool.release(await served, 'clean')
    await vi.advanceTimersByTimeAsync(1_000)
    expect(pool.stats()).toMatchObject({ open: 2, idle: 2, dialling: 1 })
    expect(await pool.acquire(request())).toBe(connector.members[1])
    expect(connector.validations).toBe(1)
  })

  it('gives a check three quarters of a second', async () => {
    connector.whileValidating = () => new Promise<boolean>(() => undefined)
    const pool = await warmPool(connector, 1)
    await vi.advanceTimersByTimeAsync(1_000)
    const waiting = outcomeOf(pool.acquire(request()))
    await vi.advanceTimersByTimeAsync(740)
    expect(waiting.isSettled).toBe(false)
    await vi.advanceTimersByTimeAsync(20)
    expect(waiting.value).toBe(connector.members[1])
  })

  it('never lends a connection that broke while it was idle', async () => {
    const pool = await warmPool(connector, 2)
    connector.members[1]!.isBroken = true
    expect(await pool.acquire(request())).toBe(connector.members[0])
    connector.members[1]!.isBroken = true
    await settle()
    expect(pool.stats()).toMatchObject({ open: 1, destroyed: { broken: 1 } })
  })

  it('removes a connection that broke while it was idle, though nobody asks', async () => {
    const pool = await warmPool(connector, 2)
    connector.members[0]!.isBroken = true
    await vi.advanceTimersByTimeAsync(5_010)
    expect(pool.stats()).toMatchObject({ open: 1, idle: 1 })
    expect(connector.members[0]!.isClosed).toBe(true)
  })

  it('closes connections idle for idleTimeoutMs, keeps minConnections, and leaves lent ones alone', async () => {
    const pool = await warmPool(connector, 5, { idleTimeoutMs: 1_000, minConnections: 2 })
    const lent = acquireNow(pool)
    await vi.advanceTimersByTimeAsync(2_000)
    expect(pool.stats()).toMatchObject({ open: 2, idle: 1, leased: 1, destroyed: { idle: 3 } })
    expect(lent.isClosed).toBe(false)
  })

  it('fills up to minConnections again', async () => {
    const pool = await warmPool(connector, 2, { minConnections: 2 })
    pool.release(acquireNow(pool), 'broken')
    await settle()
    expect(pool.stats()).toMatchObject({ open: 2, idle: 2, created: 3 })
  })

  it('goes on trying to fill up to minConnections, without haste', async () => {
    const pool = await warmPool(connector, 1, { minConnections: 1 })
    connector.whileOpening = () => {
      throw new ConnectionError('down')
    }
    pool.release(acquireNow(pool), 'broken')
    await vi.advanceTimersByTimeAsync(20_000)
    expect(connector.dials).toBeGreaterThan(3)
    expect(connector.dials).toBeLessThan(10)
    connector.whileOpening = () => undefined
    await vi.advanceTimersByTimeAsync(5_010)
    expect(pool.stats().idle).toBe(1)
  })

  it('replaces connections at the age of maxLifetimeMs, give or take 10 %, not all at once', async () => {
    const pool = await warmPool(connector, 50, { maxLifetimeMs: 100_000, idleTimeoutMs: Infinity })
    await vi.advanceTimersByTimeAsync(89_000)
    expect(pool.stats().open).toBe(50)
    await vi.advanceTimersByTimeAsync(11_000)
    expect(pool.stats().open).toBeGreaterThan(5)
    expect(pool.stats().open).toBeLessThan(45)
    await vi.advanceTimersByTimeAsync(16_000)
    expect(pool.stats()).toMatchObject({ open: 0, destroyed: { lifetime: 50 } })
  })

  it('ends a connection past its lifetime when it comes back', async () => {
    const pool = await warmPool(connector, 1, { maxLifetimeMs: 1_000 })
    const member = acquireNow(pool)
    await vi.advanceTimersByTimeAsync(1_200)
    expect(member.isClosed).toBe(false)
    pool.release(member, 'clean')
    await settle()
    expect(pool.stats()).toMatchObject({ open: 0, destroyed: { lifetime: 1 } })
  })

  it('keeps a connection for ever where idle time and lifetime are endless', async () => {
    const pool = await warmPool(connector, 1, { idleTimeoutMs: Infinity, maxLifetimeMs: Infinity, validateAfterIdleMs: Infinity })
    await vi.advanceTimersByTimeAsync(10_000_000)
    expect(acquireNow(pool)).toBe(connector.members[0])
  })

  it('evicts nobody because the process stood still', async () => {
    vi.useRealTimers()
    const pool = await warmPool(connector, 5, { idleTimeoutMs: 200, maxLifetimeMs: 300 })
    stall(400)
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(pool.stats()).toMatchObject({ open: 5 })
    expect(endedBy(pool)).toBe(0)
    await pool.close(100)
  })

  it('lets the process end: its own timers do not hold it', async () => {
    vi.useRealTimers()
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
    const before = timers()
    const pool = await warmPool(connector, 2, { minConnections: 1 })
    pool.release(acquireNow(pool), 'clean')
    expect(timers()).toBe(before)
    const held = [acquireNow(pool), acquireNow(pool)]
    const waiting = pool.acquire(request('waiting', { deadline: deadlineAfter(60_000) }))
    // a caller who waits is work to be done
    expect(timers()).toBe(before + 1)
    pool.release(held[0]!, 'clean')
    await waiting
    expect(timers()).toBe(before)
  })
})

/** A message over a real socket: read by the event loop, as an answer of a database is. */
async function loopback() {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const accepted = new Promise<Socket>((resolve) => server.once('connection', resolve))
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  const socket = await accepted
  const arrived = new Promise<void>((resolve) => socket.once('data', () => resolve()))
  const close = () => {
    client.destroy()
    server.close()
  }
  return { arrived, send: () => client.write('answer'), close }
}

function stall(ms: number): void {
  const until = performance.now() + ms
  while (performance.now() < until);
}
