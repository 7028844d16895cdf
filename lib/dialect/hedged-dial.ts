import type { Socket } from 'node:net'
import { type Deadline, deadlineAfter, LATE, settledBy } from '../deadline.js'
import type { ConnectionBudget } from '../pool/connection-budget.js'
import { poolRegistry } from '../pool/pool-registry.js'

/** A connection that is being made. */
export interface DialAttempt {
  /** Settles with the server's first word, or with the end of the attempt. Never rejects. */
  readonly answered: Promise<void>
  /** Settles when the server has let it in; rejects when it is refused or breaks. */
  readonly connected: Promise<unknown>
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

/** Where a second attempt asks for leave to be made: {@link ConnectionBudget}. */
export type SpareRoom = Pick<ConnectionBudget, 'tryTake' | 'give'>

/**
 * Dials that outlive a network which swallows packets. What was sent into it is lost, and whoever waits for the answer would wait until
 * the deadline, long after the network is back. So a silent attempt gets a second one beside it, begun anew twice a second; it takes
 * the first one's place once the server has let it in. The first attempt is never given up for its silence: a server may just be slow.
 *
 * All dials of one object share a single second attempt: a slow server gets one connection more, not twice as many.
 */
export class HedgedDial<A extends DialAttempt> {
  readonly #spare: SpareRoom
  #isHedging = false
  readonly #waiting: (() => void)[] = []

  /** @param spare where it has no room there is no second attempt; by default, what the process may have */
  constructor(spare: SpareRoom = poolRegistry().budget) {
    this.#spare = spare
  }

  /**
   * The attempt that was answered, or let in, first; the others are abandoned. At the deadline, one that was not answered yet.
   *
   * @throws {AbortedError} the signal was aborted; every attempt is abandoned
   */
  async dial(begin: () => A, deadline: Deadline, signal?: AbortSignal): Promise<A> {
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
    while (performance.now() < deadline) {
      const untilMs = Math.min(deadlineAfter(SILENCE_MS), deadline)
      const winner = this.#spare.tryTake() ? await this.#race(first, begin(), untilMs, deadline, signal) : undefined
      if (winner !== undefined) return winner
      if (await isAnswered(first, untilMs, signal)) return first
    }
    return first
  }

  /** Which of the two goes on, the other abandoned; undefined where that is the first for want of a better one. */
  async #race(first: A, second: A, untilMs: Deadline, deadline: Deadline, signal: AbortSignal | undefined): Promise<A | undefined> {
    let winner: A | undefined
    try {
      winner = await winnerOf(first, second, untilMs, deadline, signal)
      return winner
    } finally {
      if (winner === second) first.abandon()
      else second.abandon()
      this.#spare.give()
    }
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

/** Undefined where the second attempt is refused, or not answered before `untilMs`. */
async function winnerOf<A extends DialAttempt>(
  first: A,
  second: A,
  untilMs: Deadline,
  deadline: Deadline,
  signal: AbortSignal | undefined,
): Promise<A | undefined> {
  const isHeard = await settledBy(Promise.race([first.answered, second.answered]), untilMs, signal)
  if (isHeard === LATE) return undefined
  // an answer may be a refusal, and the first one would have been let in: only who is let in takes its place
  const letIn = second.connected.then(
    () => second,
    () => undefined,
  )
  const winner = await settledBy(Promise.race([first.answered.then(() => first), letIn]), deadline, signal)
  return winner === LATE ? undefined : winner
}
