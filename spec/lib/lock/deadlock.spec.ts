import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { deadlineAfter } from '../../../lib/deadline.js'
import { DeadlockError, ScopeClosedError } from '../../../lib/errors.js'
import { KeyedLock } from '../../../lib/lock/keyed-lock.js'
import { currentFrame, holdInScope, waitFor, withHold, withLockScope, withResource } from '../../../lib/lock/lock-scope.js'
import { SharedResource } from '../../../lib/lock/shared-resource.js'

describe('the search for deadlocks', () => {
  it('fails the newest of three chains that wait in a circle, names all three, and lets the others finish', async () => {
    const lock = new KeyedLock()
    const take = (first: string, second: string, waitMs: number) =>
      withHold(lock, first, { label: `job ${first}` }, async () => {
        await sleep(waitMs)
        return withHold(lock, second, { label: `job ${first}` }, () => first)
      })
    const outcomes = await Promise.allSettled([take('a', 'b', 5), take('b', 'c', 15), take('c', 'a', 40)])
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected'])
    const { reason } = outcomes[2] as PromiseRejectedResult
    expect(reason).toBeInstanceOf(DeadlockError)
    expect(reason.chains).toEqual([
      ['job c holds lock "c"', 'job c waits for lock "a"'],
      ['job a holds lock "a"', 'job a waits for lock "b"'],
      ['job b holds lock "b"', 'job b waits for lock "c"'],
    ])
    expect(lock.size).toBe(0)
  })

  it('finds a circle between siblings that share a hold', async () => {
    const lock = new KeyedLock()
    const outcomes = await withHold(lock, 'shared', {}, () =>
      Promise.allSettled([
        withHold(lock, 'shared', {}, () => sleep(5).then(() => withHold(lock, 'b', {}, () => 'first'))),
        withHold(lock, 'b', {}, () => sleep(5).then(() => withHold(lock, 'shared', {}, () => 'second'))),
      ]),
    )
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected'])
    expect(lock.size).toBe(0)
  })

  it('raises no alarm while one of several holders goes on, and raises it when the last of them waits too', async () => {
    const [lock, slots] = [new KeyedLock(), new SharedResource('a slot', (held) => held === 2)]
    const [busyGoesOn, slotIsFree] = [new Gate(), new Gate()]
    const holder = withHold(lock, 'a', { label: 'holder' }, async () => {
      await new Promise((resolve) => setImmediate(resolve))
      await waitFor(slots, 'holder', slotIsFree.opened)
      return 'got a slot'
    })
    const waiting = withResource(slots, 'waiting', () => withHold(lock, 'a', { label: 'waiting' }, () => 'got a'))
    const busy = withResource(slots, 'busy', async () => {
      await busyGoesOn.opened
      return withHold(lock, 'a', { label: 'busy' }, () => 'got a')
    }).finally(slotIsFree.open)
    busy.catch(() => {})
    expect(await Promise.race([holder, waiting, busy, sleep(10, 'nobody has failed')])).toBe('nobody has failed')
    busyGoesOn.open()
    const error = await busy.catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(DeadlockError)
    expect((error as DeadlockError).chains[0]).toEqual(['busy holds a slot', 'busy waits for lock "a"'])
    expect(await Promise.all([holder, waiting])).toEqual(['got a slot', 'got a'])
    expect(lock.size).toBe(0)
  })

  it('leaves nothing of a turned-away wait behind, so that it delays nobody any more', async () => {
    const slots = new SharedResource('a slot', () => false)
    const refused = await withHold(new KeyedLock(), 'outer', {}, async () => {
      const outer = currentFrame()!
      let waiting: Promise<unknown> = Promise.resolve()
      await withHold(new KeyedLock(), 'inner', {}, () => {
        waiting = waitFor(slots, 'late', new Promise(() => {})).catch((error: unknown) => error)
      })
      expect(outer.waits.size).toBe(0)
      return waiting
    })
    expect(refused).toBeInstanceOf(ScopeClosedError)
  })

  it('looks along a row of 1,000 chains that wait for each other without taking longer and longer', { timeout: 10_000 }, async () => {
    const lock = new KeyedLock()
    const gates = Array.from({ length: 1_000 }, () => new Gate())
    const chains = gates.map((gate, index) =>
      withHold(lock, `key ${index}`, {}, async () => {
        await gate.opened
        if (index > 0) await withHold(lock, `key ${index - 1}`, {}, () => undefined)
      }),
    )
    const startedMs = performance.now()
    // the first goes on until the end; each of the others waits for the one before
    for (const gate of gates.slice(1)) {
      gate.open()
      await null
      await null
    }
    await new Promise((resolve) => setImmediate(resolve))
    expect(performance.now() - startedMs).toBeLessThan(4_000)
    gates[0]!.open()
    await Promise.all(chains)
    expect(lock.size).toBe(0)
  })
})

describe('withHold below another hold', () => {
  it('keeps keys of the same name apart where two locks are held by hand in one scope', async () => {
    const [one, other] = [new KeyedLock(), new KeyedLock()]
    const seen = await withLockScope(async () => {
      using left = await holdInScope(one, 'a', {})
      using right = await holdInScope(other, 'a', {})
      return await withHold(one, left.key, {}, () => withHold(other, right.key, {}, () => 'both'))
    })
    expect(seen).toBe('both')
  })

  it.each(['withHold', 'holdInScope'] as const)('keeps a key of %s until what was not awaited under it has ended', async (how) => {
    const lock = new KeyedLock()
    const gate = new Gate()
    let late: Promise<unknown> = Promise.resolve()
    let isLateRunning = false
    const startLate = () => {
      late = withHold(lock, 'a', {}, async () => {
        isLateRunning = true
        await gate.opened
        isLateRunning = false
      })
    }
    if (how === 'withHold') await withHold(lock, 'a', {}, startLate)
    else
      await withLockScope(async () => {
        using held = await holdInScope(lock, 'a', {})
        startLate()
        await new Promise((resolve) => setImmediate(resolve))
        expect(held.heldMs).toBeGreaterThan(0)
      })
    expect(isLateRunning).toBe(true)
    const next = withHold(lock, 'a', { deadline: deadlineAfter(5_000) }, () => isLateRunning)
    await sleep(5)
    gate.open()
    expect(await next).toBe(false)
    await late
    expect(lock.size).toBe(0)
  })

  it('takes up a scope of its own where the plain scope around it ended while it waited', async () => {
    const lock = new KeyedLock()
    const stranger = await lock.acquire('a')
    let late: Promise<unknown> = Promise.resolve()
    const endedId = await withLockScope(() => {
      late = withHold(lock, 'a', {}, () => currentFrame()?.scopeId)
      return currentFrame()?.scopeId
    })
    stranger.release()
    expect(await late).toEqual(expect.any(Number))
    expect(await late).not.toBe(endedId)
  })
})

class Gate {
  open!: () => void
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve
  })
}
