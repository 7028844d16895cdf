import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { deadlineAfter } from '../../../lib/deadline.js'
import { type DialAttempt, HedgedDial } from '../../../lib/dialect/hedged-dial.js'
import { AbortedError } from '../../../lib/errors.js'
import { ConnectionBudget } from '../../../lib/pool/connection-budget.js'
import { Gate } from '../pool/fake-connector.js'

const SECONDS = 1_000

type Attempt = DialAttempt & { readonly number: number; hear(): void; letIn(): void; refuse(): void; isAbandoned: boolean }

/** Attempts by number: heard, let in or refused when a spec says so. */
class Attempts {
  readonly begun: Attempt[] = []

  readonly begin = (): Attempt => {
    const entry = new Gate()
    const socket = { bytesRead: 0 }
    entry.opened.catch(() => undefined)
    const attempt: Attempt = {
      number: this.begun.length,
      socket,
      connected: entry.opened,
      isAbandoned: false,
      hear: () => {
        socket.bytesRead++
      },
      letIn: entry.open,
      refuse: () => entry.fail(new Error('full')),
      abandon: () => {
        attempt.isAbandoned = true
        attempt.refuse()
      },
    }
    this.begun.push(attempt)
    return attempt
  }

  get open(): number[] {
    return this.begun.filter(({ isAbandoned }) => !isAbandoned).map(({ number }) => number)
  }
}

describe('HedgedDial.dial', () => {
  let attempts: Attempts
  let dials: HedgedDial<Attempt>
  let budget: ConnectionBudget

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'] })
    attempts = new Attempts()
    budget = new ConnectionBudget()
    budget.limitTo(2)
    budget.tryTake()
    dials = new HedgedDial(budget)
  })
  afterEach(() => void vi.useRealTimers())

  const numberOf = async (dial: Promise<{ readonly number: number }>) => (await dial).number
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

  it('makes one attempt where the server answers soon', async () => {
    const dial = dials.dial(attempts.begin, deadlineAfter(5 * SECONDS))
    await pass(400)
    attempts.begun[0]!.letIn()
    expect(await numberOf(dial)).toBe(0)
    await pass(5 * SECONDS)
    expect(attempts.begun).toHaveLength(1)
  })

  it('waits for a slow server with the first attempt, whatever became of those beside it', async () => {
    const dial = dials.dial(attempts.begin, deadlineAfter(5 * SECONDS))
    await pass(3 * SECONDS)
    expect(attempts.open).toEqual([0, attempts.begun.length - 1])
    attempts.begun[0]!.letIn()
    expect(await numberOf(dial)).toBe(0)
    expect(attempts.open).toEqual([0])
  })

  it('takes an attempt begun after the network was back, within half a second', async () => {
    const dial = dials.dial(attempts.begin, deadlineAfter(60 * SECONDS))
    await pass(10 * SECONDS)
    const begunBefore = attempts.begun.length
    await pass(510)
    const last = attempts.begun.at(-1)!
    expect(attempts.begun.length).toBeGreaterThan(begunBefore)
    last.letIn()
    expect(await numberOf(dial)).toBe(last.number)
    expect(attempts.open).toEqual([last.number])
  })

  it('makes a second attempt for one dial at a time, and for the next as soon as that is answered', async () => {
    const all = Array.from({ length: 10 }, () => dials.dial(attempts.begin, deadlineAfter(60 * SECONDS)))
    await pass(5 * SECONDS)
    expect(attempts.open).toHaveLength(11)
    for (let healed = 0; healed < 10; healed++) {
      expect(attempts.open).toHaveLength(11)
      attempts.begun.at(-1)!.letIn()
      await pass(healed === 9 ? 0 : 10)
    }
    await Promise.all(all)
    expect(attempts.open).toHaveLength(10)
    expect(Math.min(...attempts.open)).toBeGreaterThan(9)
  })

  it('keeps to the first attempt where one beside it is refused, and makes the next no sooner', async () => {
    const dial = dials.dial(attempts.begin, deadlineAfter(60 * SECONDS))
    for (let refusals = 1; refusals <= 5; refusals++) {
      await pass(510)
      expect(attempts.begun).toHaveLength(refusals + 1)
      attempts.begun.at(-1)!.refuse()
      await pass(0)
      expect(attempts.open).toEqual([0])
    }
    attempts.begun[0]!.letIn()
    expect(await numberOf(dial)).toBe(0)
    expect(attempts.open).toEqual([0])
  })

  it('gives an attempt that is heard the time it needs to be let in', async () => {
    const dial = dials.dial(attempts.begin, deadlineAfter(60 * SECONDS))
    for (let step = 0; step < 10; step++) {
      attempts.begun[0]!.hear()
      await pass(400)
    }
    expect(attempts.begun).toHaveLength(1)
    while (attempts.begun.length === 1) await pass(25)
    for (let step = 0; step < 10; step++) {
      attempts.begun[1]!.hear()
      await pass(400)
      expect(attempts.open).toEqual([0, 1])
    }
    attempts.begun[1]!.letIn()
    expect(await numberOf(dial)).toBe(1)
    expect(attempts.open).toEqual([1])
  })

  it('makes a second attempt where the first falls silent half-way', async () => {
    const dial = dials.dial(attempts.begin, deadlineAfter(60 * SECONDS))
    attempts.begun[0]!.hear()
    await pass(700)
    expect(attempts.open).toEqual([0, 1])
    attempts.begun[1]!.hear()
    await pass(700)
    expect(attempts.open).toEqual([0, 2])
    attempts.begun[2]!.letIn()
    expect(await numberOf(dial)).toBe(2)
    expect(attempts.open).toEqual([2])
  })

  it('makes no second attempt where the process may have no connection more, until it may', async () => {
    budget.tryTake()
    const dial = dials.dial(attempts.begin, deadlineAfter(60 * SECONDS))
    await pass(5 * SECONDS)
    expect(attempts.begun).toHaveLength(1)
    budget.give()
    await pass(510)
    expect(attempts.open).toEqual([0, 1])
    expect(budget.taken).toBe(2)
    attempts.begun[1]!.letIn()
    expect(await numberOf(dial)).toBe(1)
    expect(budget.taken).toBe(1)
  })

  it('gives the first attempt, unanswered, at the deadline, and has none beside it', async () => {
    const dial = dials.dial(attempts.begin, deadlineAfter(1_200))
    await pass(1_300)
    expect(await numberOf(dial)).toBe(0)
    expect(attempts.open).toEqual([0])
    expect(budget.taken).toBe(1)
    const second = dials.dial(attempts.begin, deadlineAfter(200))
    await pass(250)
    await second
  })

  it('abandons every attempt when it is aborted, alone or in line', async () => {
    const controller = new AbortController()
    const all = [1, 2, 3].map(() => dials.dial(attempts.begin, deadlineAfter(60 * SECONDS), controller.signal).catch((e) => e))
    await pass(2 * SECONDS)
    controller.abort()
    for (const outcome of await Promise.all(all)) expect(outcome).toBeInstanceOf(AbortedError)
    expect(attempts.open).toEqual([])
    // the line is free again
    const later = dials.dial(attempts.begin, deadlineAfter(60 * SECONDS))
    await pass(600)
    expect(attempts.open).toHaveLength(2)
    attempts.begun.at(-1)!.letIn()
    await later
  })
})
