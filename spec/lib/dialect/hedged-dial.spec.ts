import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { deadlineAfter } from '../../../lib/deadline.js'
import { type DialAttempt, HedgedDial } from '../../../lib/dialect/hedged-dial.js'
import { AbortedError } from '../../../lib/errors.js'

const SECONDS = 1_000

/** Attempts by number, answered when a spec says so. */
class Attempts {
  readonly begun: (DialAttempt & { readonly number: number; readonly answer: () => void; isAbandoned: boolean })[] = []

  readonly begin = () => {
    let answer = () => {}
    const answered = new Promise<void>((resolve) => {
      answer = resolve
    })
    const attempt = {
      number: this.begun.length,
      answered,
      answer,
      isAbandoned: false,
      abandon: () => {
        attempt.isAbandoned = true
        answer()
      },
    }
    this.begun.push(attempt)
    return attempt
  }

  get open(): number[] {
    return this.begun.filter(({ isAbandoned }) => !isAbandoned).map(({ number }) => number)
  }
}

describe('HedgedDial.firstAnswered', () => {
  let attempts: Attempts
  let dials: HedgedDial<ReturnType<Attempts['begin']>>

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'] })
    attempts = new Attempts()
    dials = new HedgedDial()
  })
  afterEach(() => void vi.useRealTimers())

  const numberOf = async (dial: Promise<{ readonly number: number }>) => (await dial).number
  const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)

  it('makes one attempt where the server answers soon', async () => {
    const dial = dials.firstAnswered(attempts.begin, deadlineAfter(5 * SECONDS))
    await pass(400)
    attempts.begun[0]!.answer()
    expect(await numberOf(dial)).toBe(0)
    await pass(5 * SECONDS)
    expect(attempts.begun).toHaveLength(1)
  })

  it('waits for a slow server with the first attempt, whatever became of those beside it', async () => {
    const dial = dials.firstAnswered(attempts.begin, deadlineAfter(5 * SECONDS))
    await pass(3 * SECONDS)
    expect(attempts.open).toEqual([0, attempts.begun.length - 1])
    attempts.begun[0]!.answer()
    expect(await numberOf(dial)).toBe(0)
    expect(attempts.open).toEqual([0])
  })

  it('takes an attempt begun after the network was back, within half a second', async () => {
    const dial = dials.firstAnswered(attempts.begin, deadlineAfter(60 * SECONDS))
    await pass(10 * SECONDS)
    const begunBefore = attempts.begun.length
    await pass(510)
    const last = attempts.begun.at(-1)!
    expect(attempts.begun.length).toBeGreaterThan(begunBefore)
    last.answer()
    expect(await numberOf(dial)).toBe(last.number)
    expect(attempts.open).toEqual([last.number])
  })

  it('makes a second attempt for one dial at a time, and for the next as soon as that is answered', async () => {
    const all = Array.from({ length: 10 }, () => dials.firstAnswered(attempts.begin, deadlineAfter(60 * SECONDS)))
    await pass(5 * SECONDS)
    expect(attempts.open).toHaveLength(11)
    for (let healed = 0; healed < 10; healed++) {
      expect(attempts.open).toHaveLength(11)
      attempts.begun.at(-1)!.answer()
      await pass(healed === 9 ? 0 : 10)
    }
    await Promise.all(all)
    expect(attempts.open).toHaveLength(10)
    expect(Math.min(...attempts.open)).toBeGreaterThan(9)
  })

  it('gives the first attempt, unanswered, at the deadline, and has none beside it', async () => {
    const dial = dials.firstAnswered(attempts.begin, deadlineAfter(1_200))
    await pass(1_300)
    expect(await numberOf(dial)).toBe(0)
    expect(attempts.open).toEqual([0])
    const second = dials.firstAnswered(attempts.begin, deadlineAfter(200))
    await pass(250)
    await second
  })

  it('abandons every attempt when it is aborted, alone or in line', async () => {
    const controller = new AbortController()
    const all = [1, 2, 3].map(() => dials.firstAnswered(attempts.begin, deadlineAfter(60 * SECONDS), controller.signal).catch((e) => e))
    await pass(2 * SECONDS)
    controller.abort()
    for (const outcome of await Promise.all(all)) expect(outcome).toBeInstanceOf(AbortedError)
    expect(attempts.open).toEqual([])
    // the line is free again
    const later = dials.firstAnswered(attempts.begin, deadlineAfter(60 * SECONDS))
    await pass(600)
    expect(attempts.open).toHaveLength(2)
    attempts.begun.at(-1)!.answer()
    await later
  })
})
