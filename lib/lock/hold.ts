/** A key that is held until `release()`, or to the end of the block with `using`. */
export interface Hold extends Disposable {
  readonly key: string
  /** What the lock is called: the key, unless it was given a name. */
  readonly name: string
  /** Who holds it. */
  readonly label: string | undefined
  /** A call above had it already. */
  readonly isReentry: boolean
  readonly heldMs: number
  /** @throws {ScopeClosedError} it was released before */
  release(): void
}

/** A hold that calls below it share, one at a time. */
export interface SharedHold extends Hold {
  /**
   * Takes the last place among those who have the key by this hold; undefined where nobody has. What was not awaited may still run
   * when the hold is released: the key comes free after that.
   */
  lastReentry: (() => Promise<Hold> | undefined) | undefined
}

/** ` by UserCreateNode`, or nothing: for messages. */
export function byLabel(label: string | undefined): string {
  return label === undefined ? '' : ` by ${label}`
}
