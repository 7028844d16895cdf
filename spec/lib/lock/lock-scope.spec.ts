import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { deadlineAfter } from '../../../lib/deadline.js'
import { LockTimeoutError, ScopeClosedError } from '../../../lib/errors.js'
import { type LockEvent, lockEvents } from '../../../lib/events.js'
import { KeyedLock } from '../../../lib/lock/keyed-lock.js'
import { currentLockScope, withHold, withLockScope } from '../../../lib/lock/lock-scope.js'

describe('withHold', () => {
  it('holds the key while the function runs, gives its result and frees the key', async () => {
    const lock = new KeyedLock()
    const result = await withHold(lock, 'a', { label: 'work' }, async () => {
      await Promise.resolve()
      return lock.stateOf('a')?.label
    })
    expect(result).toBe('work')
    expect(lock.size).toBe(0)
  })

  it('frees the key when the function throws, at once or later', async () => {
    const lock = new KeyedLock()
    const throwNow = (): never => {
      throw new Error('now')
    }
    await expect(withHold(lock, 'a', {}, throwNow)).rejects.toThrow('now')
    await expect(withHold(lock, 'a', {}, () => Promise.reject(new Error('later')))).rejects.toThrow('later')
    expect(lock.size).toBe(0)
  })

  it('does not wait for a key that a call above it holds, however deep', async () => {
    const lock = new KeyedLock()
    const depth = await withHold(lock, 'a', {}, () =>
      withHold(lock, 'b', {}, () => withLockScope(() => withHold(lock, 'a', {}, () => withHold(lock, 'a', {}, () => 4)))),
    )
    expect(depth).toBe(4)
    expect(lock.size).toBe(0)
  })

  it('holds the key until the outermost call ends', async () => {
    const lock = new KeyedLock()
    await withHold(lock, 'a', {}, async () => {
      await withHold(lock, 'a', {}, () => undefined)
      expect(lock.stateOf('a')).toBeDefined()
    })
    expect(lock.size).toBe(0)
  })

  it('does not take the same key of another lock for its own', async () => {
    const [one, other] = [new KeyedLock(), new KeyedLock()]
    const stranger = await other.acquire('a')
    await withHold(one, 'a', {}, async () => {
      await expect(withHold(other, 'a', { deadline: deadlineAfter(5) }, () => undefined)).rejects.toThrow(LockTimeoutError)
    })
    stranger.release()
  })

  it.each(['a lock scope', 'a hold of another key', 'a hold of the same key'])(
    'lets siblings exclude each other below %s',
    async (place) => {
      const lock = new KeyedLock()
      let running = 0
      const sibling = (): Promise<void> =>
        withHold(lock, 'a', {}, async () => {
          expect(++running).toBe(1)
          await withHold(lock, 'a', {}, () => sleep(1))
          running--
        })
      const siblings = (): Promise<unknown> => Promise.all([sibling(), sibling(), sibling()])
      if (place === 'a lock scope') await withLockScope(siblings)
      else await withHold(lock, place === 'a hold of another key' ? 'b' : 'a', {}, siblings)
      expect(lock.size).toBe(0)
    },
  )

  it('refuses a call that outlived the hold it was made under', async () => {
    const lock = new KeyedLock()
    let outliving: Promise<unknown> = Promise.resolve()
    await withHold(lock, 'a', { label: 'request 7' }, () => {
      outliving = sleep(5).then(() => withHold(lock, 'b', {}, () => 'ran'))
      outliving.catch(() => {})
    })
    await expect(outliving).rejects.toThrow(ScopeClosedError)
    await expect(outliving).rejects.toThrow('lock "a", held by request 7 above this call, has been released')
    expect(lock.size).toBe(0)
  })

  it('refuses a call whose hold above ended while it waited, and leaves the key free', async () => {
    const lock = new KeyedLock()
    const stranger = await lock.acquire('b')
    let outliving: Promise<unknown> = Promise.resolve()
    await withHold(lock, 'a', {}, () => {
      outliving = withHold(lock, 'b', {}, () => 'ran')
      outliving.catch(() => {})
    })
    stranger.release()
    await expect(outliving).rejects.toThrow(ScopeClosedError)
    expect(lock.size).toBe(0)
  })

  it('marks the events of re-entries', async () => {
    const events: LockEvent[] = []
    const listener = (event: LockEvent): void => void events.push(event)
    lockEvents.subscribe(listener)
    const lock = new KeyedLock()
    await withHold(lock, 'a', {}, () => withHold(lock, 'a', {}, () => undefined)).finally(() => lockEvents.unsubscribe(listener))
    expect(events.map(({ type, isReentry }) => [type, isReentry])).toEqual([
      ['acquired', false],
      ['acquired', true],
      ['released', true],
      ['released', false],
    ])
  })
})

describe('currentLockScope', () => {
  it('is undefined outside of a scope, and after one', async () => {
    expect(currentLockScope()).toBeUndefined()
    let later: Promise<unknown> = Promise.resolve()
    await withLockScope(() => {
      later = sleep(5).then(currentLockScope)
    })
    expect(await later).toBeUndefined()
  })

  it('lists what the chain holds, without what its siblings hold', async () => {
    const lock = new KeyedLock()
    const held = (): string[] => currentLockScope()!.holds.map(({ key }) => key)
    await withHold(lock, 'outer', {}, async () => {
      const sibling = (key: string): Promise<string[]> => withHold(lock, key, {}, () => sleep(2).then(held))
      const [left, right] = await Promise.all([sibling('left'), sibling('right')])
      expect([left, right, held()]).toEqual([['outer', 'left'], ['outer', 'right'], ['outer']])
    })
  })

  it('is one scope for all that a first hold opens, and another for each withLockScope', async () => {
    const lock = new KeyedLock()
    const id = (): number | undefined => currentLockScope()?.id
    const [outer, inner, own] = await withHold(lock, 'a', {}, async () => [
      id(),
      await withHold(lock, 'b', {}, id),
      await withLockScope(id),
    ])
    expect(inner).toBe(outer)
    expect(own).not.toBe(outer)
  })
})

describe('withLockScope', () => {
  it('lets a call that outlives it start a scope of its own', async () => {
    const lock = new KeyedLock()
    let later: Promise<unknown> = Promise.resolve()
    const id = await withLockScope(() => {
      later = sleep(5).then(() => withHold(lock, 'a', {}, () => currentLockScope()?.id))
      return currentLockScope()?.id
    })
    expect(await later).toEqual(expect.any(Number))
    expect(await later).not.toBe(id)
  })
})
