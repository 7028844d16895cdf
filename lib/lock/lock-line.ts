import { setMaxListeners } from 'node:events'
import { type Deadline, LONGEST_TIMER_MS, remainingMs } from '../deadline.js'
import { AbortedError, LockTimeoutError } from '../errors.js'
import { lockEvents } from '../events.js'
import { byLabel, type Hold } from './hold.js'

/** How to wait for a lock. */
export interface LockRequest {
  /** When to give up. Default: never. A lock that is free at once is given even after it. */
  readonly deadline?: Deadline | undefined
  readonly signal?: AbortSignal | undefined
  /** Who asks, for messages and events: a node's name. */
  readonly label?: string | undefined
}

/** One key while somebody holds it or waits for it. */
export interface LockLine {
  readonly key: string
  /** Its events speak of re-entries into another lock. */
  readonly isReentry: boolean
  hold: Hold | undefined
  /** Those who wait, oldest first. */
  readonly waiters: Set<LockWaiter>
  /** Tickets drawn whose turn has not ended. Never fewer than hold and waiters together. */
  tickets: number
}

/** Somebody in a line: served once, or gone when the deadline passes or the signal is aborted. */
export class LockWaiter {
  readonly sinceMs = performance.now()
  readonly #line: LockLine
  readonly #request: LockRequest
  readonly #resolve: (hold: Hold) => void
  readonly #reject: (error: Error) => void
  #timer: NodeJS.Timeout | undefined
  #onAbort: (() => void) | undefined

  constructor(line: LockLine, request: LockRequest, resolve: (hold: Hold) => void, reject: (error: Error) => void) {
    this.#line = line
    this.#request = request
    this.#resolve = resolve
    this.#reject = reject
  }

  get label(): string | undefined {
    return this.#request.label
  }

  /** Ends the wait with a hold. */
  serve(hold: Hold): void {
    this.#leave('acquired')
    this.#resolve(hold)
  }

  /** Starts to watch deadline and signal. For one who was not served at once. */
  watch(): void {
    const { deadline, signal } = this.#request
    if (signal !== undefined) {
      this.#onAbort = () => {
        // gone from the signal already; to look for it again among many others would be slow
        this.#onAbort = undefined
        this.#giveUp('aborted', abortedError(this.#line.key, signal))
      }
      // many calls may share a signal; every listener is taken away again, so that a warning of a leak would be false
      setMaxListeners(0, signal)
      signal.addEventListener('abort', this.#onAbort, { once: true })
    }
    if (deadline !== undefined && deadline !== Number.POSITIVE_INFINITY) this.#watchDeadline(deadline)
  }

  #watchDeadline(deadline: Deadline): void {
    const leftMs = remainingMs(deadline)
    // looks again when it fires: timers run a little early, and not as long as some deadlines
    if (leftMs > 0) this.#timer = setTimeout(() => this.#watchDeadline(deadline), Math.min(Math.ceil(leftMs), LONGEST_TIMER_MS))
    // after a stall of the event loop timers run before all else that is due, a release among it
    else setImmediate(() => this.#giveUpLate())
  }

  #giveUpLate(): void {
    if (this.#line.waiters.has(this)) this.#giveUp('timedOut', timeoutError(this.#line, performance.now() - this.sinceMs))
  }

  #giveUp(outcome: 'timedOut' | 'aborted', error: Error): void {
    this.#leave(outcome)
    this.#reject(error)
  }

  #leave(type: 'acquired' | 'timedOut' | 'aborted'): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer)
    if (this.#onAbort !== undefined) this.#request.signal?.removeEventListener('abort', this.#onAbort)
    this.#line.waiters.delete(this)
    if (!lockEvents.hasSubscribers) return
    const { key, isReentry } = this.#line
    lockEvents.publish({ type, key, label: this.label, isReentry, waitedMs: performance.now() - this.sinceMs })
  }
}

/** The error of a wait that was aborted, or that never began because it had been. */
export function abortedError(key: string, signal: AbortSignal): AbortedError {
  return new AbortedError(`the wait for lock "${key}" was aborted`, { cause: signal.reason })
}

function timeoutError({ key, hold }: LockLine, waitedMs: number): LockTimeoutError {
  const held = hold === undefined ? '' : `; held ${Math.round(hold.heldMs)} ms${byLabel(hold.label)}`
  return new LockTimeoutError(
    `lock "${key}" was not free within ${Math.round(waitedMs)} ms${held}; raise the time-out or find what holds it`,
  )
}
