import { lockEvents } from '../events.js'
import { warn } from '../warn.js'
import { byLabel, type Hold } from './hold.js'

/** What the work under a lock is given. */
export interface HeldLock {
  /** As it was asked for. */
  readonly key: string
  readonly heldMs: number
  /**
   * Aborted when the lock is held for longer than `maxHoldMs`, or lost with its session on the database. Pass it on to whatever
   * should stop then: in this process nobody else gets the lock before the work has ended.
   */
  readonly signal: AbortSignal
}

/** A lock while work runs under it. */
export class WatchedLock implements HeldLock {
  readonly key: string
  readonly #hold: Hold
  #controller: AbortController | undefined
  #abortReason: Error | undefined

  constructor(key: string, hold: Hold) {
    this.key = key
    this.#hold = hold
  }

  get heldMs(): number {
    return this.#hold.heldMs
  }

  // made when it is asked for: most work does not look at it
  get signal(): AbortSignal {
    this.#controller ??= new AbortController()
    if (this.#abortReason !== undefined && !this.#controller.signal.aborted) this.#controller.abort(this.#abortReason)
    return this.#controller.signal
  }

  abort(reason: Error): void {
    this.#abortReason ??= reason
    this.#controller?.abort(reason)
  }

  /** Reports, once, that it is held for longer than `maxHoldMs`. The function given back ends the watch. */
  watch(maxHoldMs: number, caller: Error | undefined): () => void {
    const timer = setTimeout(() => this.#report(maxHoldMs, caller), maxHoldMs)
    timer.unref()
    return () => clearTimeout(timer)
  }

  #report(maxHoldMs: number, caller: Error | undefined): void {
    const { name, label, heldMs } = this.#hold
    const stack = caller?.stack
    const message = `lock "${name}"${byLabel(label)} is held for longer than ${maxHoldMs} ms; it stays held until the work under it has ended`
    if (lockEvents.hasSubscribers) {
      lockEvents.publish({ type: 'overheld', kind: 'application', key: name, label, isReentry: false, heldMs, stack })
    }
    warn('LATCHWORK_OVERHELD', message, stack)
    this.abort(new Error(message))
  }
}
