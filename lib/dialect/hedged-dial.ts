import { type Deadline, deadlineAfter, LATE, settledBy } from '../deadline.js'
import type { ConnectionBudget } from '../pool/connection-budget.js'
import { poolRegistry } from '../pool/pool-registry.js'

/** A connection that is being made. */
export interface DialAttempt {
  /** Settles when the server has let it in; rejects when it is refused or breaks. */
  readonly connected: Promise<unknown>
  /** How much has come from the server. */
  readonly socket: { readonly bytesRead: number }
  /** Ends it at once. */
  abandon(): void
}

/** A server that says nothing for so long may never answer this attempt, and yet the next one at once. */
const SILENCE_MS = 500
/** How often it is looked whether something has come. */
const LOOK_MS = 125

/** Where a second attempt asks for leave to be made: {@link ConnectionBudget}. */
type SpareRoom = Pick<ConnectionBudget, 'tryTake' | 'give'>

/**
 * Dials that outlive a network which swallows packets. What was sent into it is lost, and whoever waits for the answer would wait until
 * the deadline, long after the network is back. So an attempt that has fallen silent gets a second one beside it, begun anew each time
 * that one falls silent too; it takes the first one's place once the server has let it in. The first attempt is never given up for its
 * silence: a server may just be slow.
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
   * The attempt that was let in, or refused, first; the others are abandoned. A refusal of a second attempt does not count. At the
   * deadline, the first one.
   *
   * @throws {AbortedError} the signal was aborted; every attempt is abandoned
   */
  async dial(begin: () => A, deadline: Deadline, signal?: AbortSignal): Promise<A> {
    const first = begin()
    try {
      if (await isOverBeforeSilence(first, deadline, signal)) return first
      return await this.#inTurn(first, deadline, signal, () => this.#hedge(first, begin, deadline, signal))
    } catch (error) {
      first.abandon()
      throw error
    }
  }

  async #inTurn(first: A, deadline: Deadline, signal: AbortSignal | undefined, hedge: () => Promise<A>): Promise<A> {
    const turn = this.#takeTurn()
    try {
      await settledBy(Promise.race([turn, endOf(first)]), deadline, signal)
      return await hedge()
    } finally {
      // a turn that has not come is passed on when it does
      void turn.then(() => this.#passTurn())
    }
  }

  async #hedge(first: A, begin: () => A, deadline: Deadline, signal: AbortSignal | undefined): Promise<A> {
    while (performance.now() < deadline && !(await isOver(first, 0, signal))) {
      const untilMs = Math.min(deadlineAfter(SILENCE_MS), deadline)
      const winner = this.#spare.tryTake() ? await this.#race(first, begin(), deadline, signal) : undefined
      if (winner !== undefined) return winner
      if (await isOver(first, untilMs, signal)) break
    }
    return first
  }

  /** Which of the two goes on, the other abandoned; undefined where that is the first for want of a better one. */
  async #race(first: A, second: A, deadline: Deadline, signal: AbortSignal | undefined): Promise<A | undefined> {
    let winner: A | undefined
    try {
      const letIn = second.connected.then(
        () => second,
        () => undefined,
      )
      const silent = isOverBeforeSilence(second, deadline, signal).then((isSettled) => (isSettled ? letIn : undefined))
      winner = await Promise.race([endOf(first).then(() => first), silent])
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

/** Settles when an attempt has been let in or refused, and never rejects. */
function endOf({ connected }: DialAttempt): Promise<void> {
  return connected.then(
    () => undefined,
    () => undefined,
  )
}

async function isOver(attempt: DialAttempt, deadline: Deadline, signal: AbortSignal | undefined): Promise<boolean> {
  return (await settledBy(endOf(attempt), deadline, signal)) !== LATE
}

/** False where nothing has come from the server for too long, or the deadline has. */
async function isOverBeforeSilence(attempt: DialAttempt, deadline: Deadline, signal: AbortSignal | undefined): Promise<boolean> {
  let heard = attempt.socket.bytesRead
  let silentAtMs = deadlineAfter(SILENCE_MS)
  while (performance.now() < Math.min(silentAtMs, deadline)) {
    if (await isOver(attempt, Math.min(deadlineAfter(LOOK_MS), deadline), signal)) return true
    if (attempt.socket.bytesRead === heard) continue
    heard = attempt.socket.bytesRead
    silentAtMs = deadlineAfter(SILENCE_MS)
  }
  return false
}
