import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, vi } from 'vitest'
import { ConfigurationError, ScopeClosedError } from '../../../lib/errors.js'
import { type LockEvent, lockEvents } from '../../../lib/events.js'
import { KeyedLock } from '../../../lib/lock/keyed-lock.js'
import { processLocks } from '../../../lib/lock/lock-registry.js'
import { currentFrame, currentLockScope, currentLocks, holdInScope, withHold, withLockScope } from '../../../lib/lock/lock-scope.js'
import { warningsDuring } from './warnings.js'

describe('the end of a hold', () => {
  it('turns away at once who still waits below it, while the key waited for stays with its holder', async () => {
    const lock = new KeyedLock()
    const stranger = await lock.acquire('b')
    let waiting: Promise<unknown> = Promise.resolve()
    await withHold(lock, 'a', { label: 'request 7' }, () => {
      waiting = withHold(lock, 'b', {}, () => 'ran').catch((error: unknown) => error)
    })
    expect(await waiting).toBeInstanceOf(ScopeClosedError)
    expect(lock.stateOf('b')).toMatchObject({ waiting: 0 })
    stranger.release()
  })

  it('turns away a plain scope, and a hold by hand, that come after it', async () => {
    const lock = new KeyedLock()
    const late: Promise<unknown>[] = []
    await withHold(lock, 'a', {}, () => {
      const soon = sleep(1)
      late.push(
        soon.then(() => withLockScope(() => 'ran')),
        soon.then(() => holdInScope(lock, 'b', {})),
      )
      for (const each of late) each.catch(() => {})
    })
    for (const each of late) await expect(each).rejects.toThrow(ScopeClosedError)
    expect(lock.size).toBe(0)
  })

  it('gives no key to a hold by hand whose scope has ended while it waited', async () => {
    const lock = new KeyedLock()
    const stranger = await lock.acquire('a')
    let waiting: Promise<unknown> = Promise.resolve()
    await withLockScope(() => {
      waiting = holdInScope(lock, 'a', {}).catch((error: unknown) => error)
    })
    stranger.release()
    const error = await waiting
    expect(error).toBeInstanceOf(ScopeClosedError)
    expect(error).toMatchObject({ cause: { stack: expect.stringContaining('ended-scopes.spec.ts') } })
    expect(lock.size).toBe(0)
  })
})

describe('the end of a plain scope', () => {
  it('lets later calls go on in a scope of their own, and warns once', async () => {
    const lock = new KeyedLock()
    const warnings = await warningsDuring(async () => {
      const late: Promise<unknown>[] = []
      await withLockScope(() => {
        for (let call = 0; call < 3; call++) late.push(sleep(1 + call).then(() => withHold(lock, 'a', {}, () => currentLockScope()?.id)))
      })
      const ids = await Promise.all(late)
      expect(new Set(ids).size).toBe(3)
    })
    expect(warnings).toMatchObject([{ code: 'LATCHWORK_ENDED_SCOPE', name: 'LatchworkWarning' }])
    expect(warnings[0]!.detail).toContain('ended-scopes.spec.ts')
  })

  it('frees what was left held, and reports it once with where it was taken', async () => {
    const lock = new KeyedLock()
    const events: LockEvent[] = []
    const listener = (event: LockEvent): void => void (event.type === 'leaked' && events.push(event))
    lockEvents.subscribe(listener)
    const warnings = await warningsDuring(() => withLockScope(() => holdInScope(lock, 'forgotten', { label: 'job' }))).finally(() =>
      lockEvents.unsubscribe(listener),
    )
    expect(lock.size).toBe(0)
    expect(events).toMatchObject([
      { key: 'forgotten', label: 'job', kind: 'application', stack: expect.stringContaining('ended-scopes.spec.ts') },
    ])
    expect(warnings).toMatchObject([{ code: 'LATCHWORK_LEAK', detail: expect.stringContaining('ended-scopes.spec.ts') }])
    expect(warnings[0]!.message).toBe('lock "forgotten" by job was not released before its scope ended; it is free now')
  })

  it('takes no stack in production', async () => {
    vi.stubEnv('NODE_ENV', 'production')
    const warnings = await warningsDuring(() => withLockScope(() => holdInScope(new KeyedLock(), 'a', {}))).finally(() =>
      vi.unstubAllEnvs(),
    )
    expect(warnings).toHaveLength(1)
    expect(warnings[0]!.detail).toBeUndefined()
  })

  it('says nothing of what was released in time', async () => {
    const lock = new KeyedLock()
    const warnings = await warningsDuring(() =>
      withLockScope(async () => {
        using held = await holdInScope(lock, 'a', {})
        expect(currentLockScope()?.holds).toMatchObject([{ key: held.key }])
      }),
    )
    expect(warnings).toEqual([])
    expect(lock.size).toBe(0)
  })
})

describe('a hold by hand', () => {
  it('needs a scope around it', async () => {
    await expect(holdInScope(new KeyedLock(), 'a', {})).rejects.toThrow(ConfigurationError)
  })

  it('is had by every call of its scope, one at a time, and refuses a second release', async () => {
    const lock = new KeyedLock()
    await withLockScope(async () => {
      const held = await holdInScope(lock, 'a', { label: 'by hand' })
      let running = 0
      const work = () =>
        withHold(lock, 'a', {}, async () => {
          expect(++running).toBe(1)
          await sleep(1)
          running--
        })
      await Promise.all([work(), work()])
      held.release()
      expect(() => held.release()).toThrow('lock "a" by by hand was released before')
      expect(lock.size).toBe(0)
    })
  })

  it('ends with the hold around it at the latest', async () => {
    const lock = new KeyedLock()
    const warnings = await warningsDuring(() => withHold(lock, 'a', {}, () => holdInScope(lock, 'b', {})))
    expect(warnings).toMatchObject([{ code: 'LATCHWORK_LEAK' }])
    expect(lock.size).toBe(0)
  })
})

describe('withLockScope({ registry })', () => {
  it('gives a scope with a registry of its own, and calls below it the same one', async () => {
    const [own, below, after] = await withLockScope(async () => [currentLocks(), await withLockScope(currentLocks), currentLocks()], {
      registry: 'own',
    })
    expect(own).not.toBe(processLocks())
    expect([below, after]).toEqual([own, own])
    expect(currentLocks()).toBe(processLocks())
  })

  it('refuses an unknown registry', async () => {
    await expect(withLockScope(() => 1, { registry: 'mine' as never })).rejects.toThrow('registry: expected shared or own')
  })
})

describe('currentFrame', () => {
  it('is none where a call holds nothing: a scope begins with the first hold', async () => {
    const lock = new KeyedLock()
    expect(currentFrame()).toBeUndefined()
    await withHold(lock, 'a', {}, () => expect(currentFrame()).toBeDefined())
    expect(currentFrame()).toBeUndefined()
  })
})
