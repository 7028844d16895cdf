import type { Socket } from 'node:net'
import { type Deadline, deadlineAfter, LATE, settledBy } from '../deadline.js'

/** A connection that is being made. */
export interface DialAttempt {
  /** Settles with the server's first word, or with the end of the attempt. Never rejects. */
  readonly answered: Promise<void>
  /** Ends it at once. */
  abandon(): void
}

/** Settles when something has come from `socket`, or it is closed. Listens from now on: the socket must be a new one. */
export function firstWordFrom(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    socket.once('data', () => resolve())
    socket.once('close', () => resolve())
  })
}

/** A server that says nothing for so long may never answer this attempt, and yet the next one at once. */
const SILENCE_MS = 500

/**
 * Dials that outlive a network which swallows packets. What was sent into it is lost, and whoever waits for the answer would wait until
 * the deadline, long after the network is back. So a silent attempt gets a second one beside it, begun anew twice a second; the first
 * to be answered is the one. The first attempt is never given up for its silence: a server may just be slow.
 *
 * All dials of one object share a single second attempt: a slow server gets one connection more, not twice as many.
 */
export class HedgedDial<A extends DialAttempt> {
  #isHedging = false
  readonly #waiting: (() => void)[] = []

  /**
   * The attempt that was answered first, the others abandoned; at the deadline, one that was not answered yet.
   *
   * @throws {AbortedError} the signal was aborted; every attempt is abandoned
   */
  async firstAnswered(begin: () => A, deadline: Deadline, signal?: AbortSignal): Promise<A> {
    const first = begin()
    try {
      if (await isAnswered(first, Math.min(deadlineAfter(SILENCE_MS), deadline), signal)) return first
      return await this.#inTurn(first, deadline, signal, () => this.#hedge(first, begin, deadline, signal))
    } catch (error) {
      first.abandon()
      throw error
    }
  }

  async #inTurn(first: A, deadline: Deadline, signal: AbortSignal | undefined, hedge: () => Promise<A>): Promise<A> {
    const turn = this.#takeTurn()
    try {
      await settledBy(Promise.race([turn, first.answered]), deadline, signal)
      return await hedge()
    } finally {
      // a turn that has not come is passed on when it does
      void turn.then(() => this.#passTurn())
    }
  }

  async #hedge(first: A, begin: () => A, deadline: Deadline, signal: AbortSignal | undefined): Promise<A> {
    while (!(await isAnswered(first, 0, signal)) && performance.now() < deadline) {
      const second = begin()
      let winner: A | undefined
      try {
        winner = await firstOf(first, second, Math.min(deadlineAfter(SILENCE_MS), deadline), signal)
      } finally {
        if (winner === second) first.abandon()
        else second.abandon()
      }
      if (winner !== undefined) return winner
    }
    return first
  }

  #takeTurn(): Promise<void> {
    if (this.#isHedging) return new Promise((resolve) => this.#waiting.push(resolve))
    this.#isHedging = true
    return Promise.resolve()
  }

  #passTurn(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#isHedging = false
    else next()
  }
}

async function isAnswered({ answered }: DialAttempt, deadline: Deadline, signal: AbortSignal | undefined): Promise<boolean> {
  return (await settledBy(answered, deadline, signal)) !== LATE
}

async function firstOf<A extends DialAttempt>(
  first: A,
  second: A,
  deadline: Deadline,
  signal: AbortSignal | undefined,
): Promise<A | undefined> {
  const answer = Promise.race([first.answered.then(() => first), second.answered.then(() => second)])
  const outcome = await settledBy(answer, deadline, signal)
  return outcome === LATE ? undefined : outcome
}
