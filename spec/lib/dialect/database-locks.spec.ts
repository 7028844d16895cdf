import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { deadlineAfter } from '../../../lib/deadline.js'
import { type DatabaseHold, DatabaseLocks } from '../../../lib/dialect/database-locks.js'
import { CONTROL_TIMES, type ControlTimes } from '../../../lib/dialect/lock-control.js'
import { ConnectionError, ConnectionLostError, LockLostError, LockTimeoutError, PoolClosedError, QueryError } from '../../../lib/errors.js'
import { poolOptions } from '../../../lib/pool/pool-options.js'
import { poolRegistry } from '../../../lib/pool/pool-registry.js'
import { FakeLockSession, fakeDialect } from './fake-lock-session.js'

const NEVER = new Promise<never>(() => undefined)

describe('DatabaseLocks', () => {
  const all: DatabaseLocks[] = []
  afterEach(async () => {
    await Promise.all(all.splice(0).map((each) => each.close()))
    expect(poolRegistry().budget).toMatchObject({ taken: 0, limit: 0 })
  })

  /** Locks that get these sessions one after another; an error is thrown. */
  const locksOn = (sessions: readonly (FakeLockSession | Error)[], times: Partial<ControlTimes> = {}) => {
    const next = sessions.values()
    const open = async () => {
      const { value } = next.next()
      if (value === undefined) throw new Error('one session too many')
      if (value instanceof Error) throw value
      return value
    }
    const locks = new DatabaseLocks(fakeDialect(open), poolOptions(), { ...CONTROL_TIMES, ...times })
    all.push(locks)
    return locks
  }
  const lossOf = (hold: DatabaseHold) => new Promise<LockLostError>((resolve) => hold.onLost(resolve))
  const refusalOf = (work: Promise<unknown>) =>
    work.then(
      () => expect.fail('was not refused'),
      (error: Error) => error,
    )

  it('opens one connection for all who come at once, outside the context of each', async () => {
    const request = new AsyncLocalStorage<string>()
    const seen: unknown[] = []
    const session = new FakeLockSession()
    const open = async () => {
      seen.push(request.getStore())
      await sleep(5)
      seen.push(request.getStore())
      return session
    }
    const locks = new DatabaseLocks(fakeDialect(open), poolOptions())
    all.push(locks)
    const holds = request.run('of a request', () => Promise.all(['a', 'b', 'c'].map((name) => locks.hold(name))))
    expect((await holds).map(({ name }) => name)).toEqual(['a', 'b', 'c'])
    expect(seen).toEqual([undefined, undefined])
  })

  it('goes on in the context of each caller', async () => {
    const request = new AsyncLocalStorage<number>()
    const locks = locksOn([new FakeLockSession()])
    const work = async (id: number) => {
      await locks.hold(`name ${id}`)
      return request.getStore()
    }
    const seen = await Promise.all([1, 2, 3].map((id) => request.run(id, () => work(id))))
    expect(seen).toEqual([1, 2, 3])
  })

  it('sends one request at a time', async () => {
    const session = new FakeLockSession()
    let running = 0
    let most = 0
    session.answers.tryLock = async () => {
      most = Math.max(most, ++running)
      await sleep(2)
      running--
      return true
    }
    const locks = locksOn([session])
    await Promise.all(Array.from({ length: 20 }, (_, index) => locks.hold(`name ${index}`)))
    expect(most).toBe(1)
  })

  it('asks at once, then less and less often, and who has it at the beginning and towards the end', async () => {
    const session = new FakeLockSession()
    session.answers.tryLock = async () => false
    const startedAtMs = performance.now()
    const error = await refusalOf(locksOn([session]).hold('a', { deadline: deadlineAfter(1_000) }))
    expect(performance.now() - startedAtMs).toBeLessThan(1_500)
    expect(error).toBeInstanceOf(LockTimeoutError)
    expect(error.message).toMatch(/^lock "a" of fake:shop was not free within \d+ ms; held by somebody; raise the time-out/)
    const tries = session.asked.filter((asked) => asked === 'try a').length
    expect(tries).toBeGreaterThan(4)
    // every 10 ms it would be a hundred
    expect(tries).toBeLessThan(30)
    expect(session.asked.filter((asked) => asked === 'holder a')).toHaveLength(2)
  })

  it('times out as ever where the database cannot tell who has the lock', async () => {
    const session = new FakeLockSession()
    session.answers.tryLock = async () => false
    session.answers.holderOf = () => Promise.reject(new QueryError('permission denied', '42501'))
    const error = await refusalOf(locksOn([session]).hold('a', { deadline: deadlineAfter(60) }))
    expect(error).toMatchObject({ code: 'LOCK_TIMEOUT', message: expect.not.stringContaining('held by') })
  })

  it('asks the database nothing about a name that this process has', async () => {
    const session = new FakeLockSession()
    const locks = locksOn([session])
    await locks.hold('a')
    await refusalOf(locks.hold('a', { deadline: deadlineAfter(50) }))
    expect(session.asked).toEqual(['try a'])
  })

  it('frees a lock that comes after its caller has left', async () => {
    const session = new FakeLockSession()
    let answer = (_isFree: boolean) => {}
    session.answers.tryLock = () =>
      new Promise((resolve) => {
        answer = resolve
      })
    const locks = locksOn([session])
    const abort = new AbortController()
    const refusal = refusalOf(locks.hold('a', { signal: abort.signal }))
    await sleep(5)
    abort.abort()
    await refusal
    answer(true)
    await sleep(5)
    expect(session.asked).toEqual(['try a', 'unlock a'])
  })

  it('does not send what its caller gave up before its turn came', async () => {
    const session = new FakeLockSession()
    let answer = (_isFree: boolean) => {}
    session.answers.tryLock = () =>
      new Promise((resolve) => {
        answer = resolve
      })
    const locks = locksOn([session])
    const first = locks.hold('a')
    const second = refusalOf(locks.hold('b', { deadline: deadlineAfter(10) }))
    await second
    answer(true)
    await first
    await sleep(5)
    expect(session.asked).toEqual(['try a'])
  })

  it('passes on what the database refuses of one lock, and keeps the others', async () => {
    const session = new FakeLockSession()
    const locks = locksOn([session])
    const kept = await locks.hold('kept')
    session.answers.tryLock = async () => {
      throw new QueryError('out of shared memory', '53200')
    }
    expect(await refusalOf(locks.hold('one too many'))).toMatchObject({ code: 'QUERY' })
    await kept.release()
    expect(session.asked).toEqual(['try kept', 'try one too many', 'unlock kept'])
  })

  it('gives up the connection when a lock cannot be freed: with it the lock is free', async () => {
    const session = new FakeLockSession()
    const locks = locksOn([session])
    const [one, other] = [await locks.hold('one'), await locks.hold('other')]
    session.answers.unlock = async () => {
      throw new QueryError('no', undefined)
    }
    const losses = [lossOf(one), lossOf(other)]
    await one.release()
    for (const loss of await Promise.all(losses)) expect(loss).toBeInstanceOf(LockLostError)
    expect(session.asked.at(-1)).toBe('close')
    await other.release()
  })

  it('tells a listener that comes late', async () => {
    const session = new FakeLockSession()
    const hold = await locksOn([session]).hold('a')
    session.lose(new ConnectionLostError('gone'))
    expect(await lossOf(hold)).toMatchObject({
      message: 'lock "a" of fake:shop was lost: gone; another process may have it by now',
      cause: { message: 'gone' },
    })
  })

  it('tells nobody of a lock that was released before', async () => {
    const session = new FakeLockSession()
    const hold = await locksOn([session]).hold('a')
    let isLost = false
    hold.onLost(() => {
      isLost = true
    })
    await hold.release()
    session.lose(new ConnectionLostError('gone'))
    expect(isLost).toBe(false)
  })

  it('counts a connection as lost that does not answer in time', async () => {
    const session = new FakeLockSession()
    const locks = locksOn([session], { answerWithinMs: 50, checkAfterMs: 20 })
    const hold = await locks.hold('a')
    session.answers.ping = () => NEVER
    expect((await lossOf(hold)).message).toContain('the connection for locks was silent for 50 ms')
    expect(session.asked).toEqual(['try a', 'ping', 'close'])
  })

  it('asks for a sign of life while something is held, and not while other requests are answered', async () => {
    const session = new FakeLockSession()
    const locks = locksOn([session], { checkAfterMs: 60, restMs: 10_000 })
    const hold = await locks.hold('a')
    await sleep(250)
    const pings = session.asked.filter((asked) => asked === 'ping').length
    expect(pings).toBeGreaterThan(0)
    expect(pings).toBeLessThan(5)
    await hold.release()
    const before = session.asked.length
    await sleep(200)
    expect(session.asked).toHaveLength(before)
  })

  it('rests while nothing is held, then closes, and opens another for the next', async () => {
    const sessions = [new FakeLockSession(), new FakeLockSession()]
    const locks = locksOn(sessions, { restMs: 60 })
    await (await locks.hold('a')).release()
    await (await locks.hold('b')).release()
    await sleep(250)
    expect(sessions[0]!.asked).toEqual(['try a', 'unlock a', 'try b', 'unlock b', 'close'])
    await locks.hold('c')
    expect(sessions[1]!.asked).toEqual(['try c'])
  })

  it('does not rest while a request is on its way, however long its answer takes', async () => {
    const session = new FakeLockSession()
    session.answers.tryLock = () => sleep(250).then(() => true)
    const locks = locksOn([session], { restMs: 30 })
    await (await locks.hold('a')).release()
    expect(session.asked.slice(0, 2)).toEqual(['try a', 'unlock a'])
  })

  it('says why the first connection cannot be made, and tries anew for the next caller', async () => {
    const locks = locksOn([new ConnectionError('nothing listens there'), new FakeLockSession()])
    expect((await refusalOf(locks.hold('a', { deadline: deadlineAfter(5_000) }))).message).toBe('nothing listens there')
    await locks.hold('a')
  })

  it('waits out that a connection cannot be made again', async () => {
    const lost = new FakeLockSession()
    lost.answers.tryLock = async () => false
    const locks = locksOn([lost, new ConnectionError('down'), new ConnectionError('still down'), new FakeLockSession()])
    const waiting = locks.hold('a', { deadline: deadlineAfter(5_000) })
    await sleep(20)
    lost.lose(new ConnectionLostError('gone'))
    await (await waiting).release()
  })

  it('names the trouble with the connection as the cause when the deadline comes', async () => {
    const lost = new FakeLockSession()
    lost.answers.tryLock = () => Promise.reject(new ConnectionLostError('gone'))
    const locks = locksOn([lost, ...Array.from({ length: 50 }, () => new ConnectionError('down'))])
    const error = await refusalOf(locks.hold('a', { deadline: deadlineAfter(200) }))
    expect(error).toMatchObject({ code: 'LOCK_TIMEOUT', cause: { message: 'down' } })
  })

  it('closes a connection that is made after it was closed itself', async () => {
    const session = new FakeLockSession()
    const open = async () => {
      await sleep(50)
      return session
    }
    const locks = new DatabaseLocks(fakeDialect(open), poolOptions())
    const waiting = refusalOf(locks.hold('a'))
    await locks.close()
    expect(await waiting).toBeInstanceOf(PoolClosedError)
    expect(session.asked).toEqual(['close'])
  })

  it('lets a release finish that is under way when it is closed', async () => {
    const session = new FakeLockSession()
    const locks = locksOn([session])
    const hold = await locks.hold('a')
    let isLost = false
    hold.onLost(() => {
      isLost = true
    })
    session.answers.unlock = () => sleep(30)
    await Promise.all([hold.release(), locks.close()])
    expect(isLost).toBe(false)
    expect(session.asked).toEqual(['try a', 'unlock a', 'close'])
  })

  it('closes although nothing answers', async () => {
    const session = new FakeLockSession()
    session.answers.tryLock = () => NEVER
    const locks = locksOn([session])
    const waiting = refusalOf(locks.hold('a'))
    await sleep(5)
    const startedAtMs = performance.now()
    await locks.close()
    expect(performance.now() - startedAtMs).toBeLessThan(3_500)
    expect(await waiting).toBeInstanceOf(PoolClosedError)
    expect(session.asked).toEqual(['try a', 'close'])
  })

  it('has room by default, however many there are and whether a pool is open or not', async () => {
    const { budget } = poolRegistry()
    for (let count = 1; count <= 4; count++) {
      await locksOn([new FakeLockSession()]).hold('a')
      expect(budget.taken).toBe(count)
    }
  })

  it('refuses a name that is not a string', async () => {
    const locks = locksOn([])
    for (const name of [42, undefined, null, {}, ['a']]) {
      expect(await refusalOf(locks.hold(name as never))).toMatchObject({ code: 'CONFIGURATION', option: 'name' })
    }
  })
})
