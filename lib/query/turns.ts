import type { Frame, HeldResource } from '../lock/frame.js'

/** A first-come queue for one thing: free turns are taken at once, without a promise. */
export class Turns implements HeldResource {
  readonly description = "the turn of a transaction's calls"
  #isTaken = false
  #holder: Frame | undefined
  readonly #waiting: (() => void)[] = []

  get isTaken(): boolean {
    return this.#isTaken
  }

  /** Waits for a turn; undefined: it was free and is now taken. */
  take(): Promise<void> | undefined {
    if (this.#isTaken) return new Promise((resolve) => this.#waiting.push(resolve))
    this.#isTaken = true
    return undefined
  }

  /** Passes the turn on to who has waited longest. */
  pass(): void {
    const next = this.#waiting.shift()
    if (next === undefined) this.#isTaken = false
    else next()
  }

  holders(): readonly Frame[] | undefined {
    return this.#holder && [this.#holder]
  }

  /** The turn is a nested transaction's, which keeps it while its own calls go on. */
  heldBy(frame: Frame): void {
    this.#holder = frame
  }

  freedBy(): void {
    this.#holder = undefined
  }
}
