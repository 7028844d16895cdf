import { ScopeClosedError } from '../errors.js'
import { type LockKind, lockEvents } from '../events.js'
import type { Frame } from './frame.js'
import { byLabel, type Hold, type SharedHold } from './hold.js'
import type { LockCounters } from './lock-counters.js'

/** What a hold is told of the line that it came from. */
export interface HeldLine {
  readonly kind: LockKind
  readonly key: string
  readonly name: string
  readonly isReentry: boolean
  readonly counters: LockCounters | undefined
}

/** A hold that calls `free` once, when it is released. */
export class KeyHold implements SharedHold {
  readonly label: string | undefined
  /** The step of a call chain that ends with this hold; undefined where it belongs to none. */
  frame: Frame | undefined
  lastReentry: SharedHold['lastReentry']
  readonly #line: HeldLine
  readonly #sinceMs = performance.now()
  #free: (() => void) | undefined

  constructor(line: HeldLine, label: string | undefined, free: () => void) {
    this.#line = line
    this.label = label
    this.#free = free
  }

  get key(): string {
    return this.#line.key
  }

  get name(): string {
    return this.#line.name
  }

  get isReentry(): boolean {
    return this.#line.isReentry
  }

  get heldMs(): number {
    return performance.now() - this.#sinceMs
  }

  release(): void {
    const free = this.#free
    if (free === undefined) throw new ScopeClosedError(`lock "${this.name}"${byLabel(this.label)} was released before`)
    this.#free = undefined
    const last = this.lastReentry?.()
    if (last === undefined) this.#end(free)
    else void last.then((reentry) => this.#endAfter(reentry, free))
  }

  #endAfter(reentry: Hold, free: () => void): void {
    reentry.release()
    this.#end(free)
  }

  #end(free: () => void): void {
    const { kind, name, isReentry, counters } = this.#line
    const { heldMs } = this
    counters?.released(heldMs)
    if (lockEvents.hasSubscribers) lockEvents.publish({ type: 'released', kind, key: name, label: this.label, isReentry, heldMs })
    free()
  }

  [Symbol.dispose](): void {
    this.release()
  }
}
