import { ScopeClosedError } from '../errors.js'
import { lockEvents } from '../events.js'

/** A key that is held until `release()`, or to the end of the block with `using`. */
export interface Hold extends Disposable {
  readonly key: string
  /** Who holds it. */
  readonly label: string | undefined
  readonly heldMs: number
  /** @throws {ScopeClosedError} it was released before */
  release(): void
}

/** A hold that calls `free` once, when it is released. */
export class KeyHold implements Hold {
  readonly key: string
  readonly label: string | undefined
  readonly #isReentry: boolean
  readonly #sinceMs = performance.now()
  #free: (() => void) | undefined

  constructor(key: string, label: string | undefined, isReentry: boolean, free: () => void) {
    this.key = key
    this.label = label
    this.#isReentry = isReentry
    this.#free = free
  }

  get heldMs(): number {
    return performance.now() - this.#sinceMs
  }

  release(): void {
    const free = this.#free
    if (free === undefined) throw new ScopeClosedError(`lock "${this.key}"${byLabel(this.label)} was released before`)
    this.#free = undefined
    if (lockEvents.hasSubscribers) {
      lockEvents.publish({ type: 'released', key: this.key, label: this.label, isReentry: this.#isReentry, heldMs: this.heldMs })
    }
    free()
  }

  [Symbol.dispose](): void {
    this.release()
  }
}

/** ` by UserCreateNode`, or nothing: for messages. */
export function byLabel(label: string | undefined): string {
  return label === undefined ? '' : ` by ${label}`
}
