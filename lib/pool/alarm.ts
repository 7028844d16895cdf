import { type Deadline, LONGEST_TIMER_MS } from '../deadline.js'
import { outside } from './outside.js'

/**
 * One timer for many points in time: rings at the earliest one asked for, then waits to be set again.
 * It may ring before anything is due; whoever listens looks at the clock.
 */
export class Alarm {
  readonly #ring: (lateMs: number) => void
  readonly #keepsProcess: boolean
  #timer: NodeJS.Timeout | undefined
  #atMs: Deadline = Infinity

  /**
   * @param ring told how many milliseconds after its time it runs: much, when the event loop stood still
   * @param options `keepsProcess` (default false): whether the process stays alive for it
   */
  constructor(ring: (lateMs: number) => void, options: { readonly keepsProcess?: boolean } = {}) {
    this.#ring = ring
    this.#keepsProcess = options.keepsProcess ?? false
  }

  /** Makes sure that it rings at `atMs` or sooner. */
  setFor(atMs: Deadline): void {
    if (atMs >= this.#atMs) return
    clearTimeout(this.#timer)
    this.#atMs = atMs
    const delayMs = Math.min(Math.max(1, Math.ceil(atMs - performance.now())), LONGEST_TIMER_MS)
    this.#timer = outside(() => setTimeout(() => this.#goOff(), delayMs))
    if (!this.#keepsProcess) this.#timer.unref()
  }

  /** Lets the process end, or not, while the alarm is set. */
  holdProcess(isHeld: boolean): void {
    if (isHeld) this.#timer?.ref()
    else this.#timer?.unref()
  }

  clear(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#atMs = Infinity
  }

  #goOff(): void {
    const lateMs = Math.max(0, performance.now() - this.#atMs)
    this.clear()
    this.#ring(lateMs)
  }
}
