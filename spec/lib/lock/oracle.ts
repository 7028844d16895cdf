/** A step of a call chain, as the program that runs knows it: nothing of this is read from the locks. */
export class Call {
  /** Whether its body has ended. */
  isEnded = false
  /** Holds that were taken by hand in it and not released, oldest first. */
  readonly byHand: Line[] = []

  constructor(
    readonly id: number,
    readonly parent: Call | undefined,
    /** What it holds; undefined: it is a plain scope. */
    readonly grip: { readonly kind: 'lock'; readonly line: Line } | { readonly kind: 'resource' } | undefined,
    /** A scope whose locks are its own. */
    readonly isOwnRegistry = false,
  ) {}

  /** This call and those around it, innermost first. */
  get chain(): readonly Call[] {
    return this.parent === undefined ? [this] : [this, ...this.parent.chain]
  }

  descendsFrom(other: Call): boolean {
    return this === other || (this.parent?.descendsFrom(other) ?? false)
  }
}

/** What is waited for. */
export interface Wanted {
  /** Of whom one has to end first; undefined: whoever has it goes on by itself, or nobody has it. */
  holders(): readonly Call[] | undefined
}

export interface OpenWait {
  /** Undefined: the wait is part of no chain that holds anything. */
  readonly call: Call | undefined
  readonly wanted: Wanted
}

/** Who has a key of a lock, among those who queue for it in one place. */
export class Line implements Wanted {
  holder: Call | undefined
  /** The number of the wait that was served last. */
  lastServed = -1

  constructor(
    readonly lock: object,
    readonly key: string,
  ) {}

  holders(): readonly Call[] | undefined {
    return this.holder && [this.holder]
  }
}

/** Connections, or the one turn of a transaction. What a plain statement has comes back by itself, and is not counted. */
export class Slots implements Wanted {
  readonly callers = new Set<Call>()

  constructor(readonly capacity: number) {}

  holders(): readonly Call[] | undefined {
    return this.callers.size === this.capacity ? [...this.callers] : undefined
  }
}

/** What the locks should do, worked out by brute force from who holds and who waits. */
export class Oracle {
  readonly waits = new Set<OpenWait>()
  readonly #lines: { readonly above: Call | undefined; readonly line: Line }[] = []
  /** Bodies that run while they hold a key, and scopes that hold it by hand. */
  readonly #running = new Set<{ readonly line: Line; readonly call: Call }>()

  /** The nearest call around, itself included, that has not ended. */
  static firstOpen(call: Call | undefined): Call | undefined {
    return call?.chain.find(({ isEnded }) => !isEnded)
  }

  /** Of whom a call made there is a step: plain scopes that have ended are passed over. */
  static parentOf(call: Call | undefined): Call | undefined {
    return call?.chain.find(({ isEnded, grip }) => !isEnded || grip !== undefined)
  }

  /** Whether a call made there comes after the end of what it would have held. */
  static isClosed(call: Call | undefined): boolean {
    return call?.chain.some(({ isEnded, grip }) => isEnded && grip !== undefined) ?? false
  }

  /** The keys that a chain holds, outermost first. */
  static keysOf(call: Call | undefined): readonly string[] {
    return (call?.chain ?? [])
      .toReversed()
      .filter(({ isEnded }) => !isEnded)
      .flatMap(({ grip, byHand }) => [...(grip?.kind === 'lock' ? [grip.line.key] : []), ...byHand.map(({ key }) => key)])
  }

  /** Where a call queues for a key: below the nearest call that has it, else with all others. */
  lineOf(call: Call | undefined, lock: object, key: string): Line {
    const above = call?.chain.find((each) => !each.isEnded && linesOf(each).some((line) => line.lock === lock && line.key === key))
    const known = this.#lines.find((each) => each.above === above && each.line.lock === lock && each.line.key === key)
    if (known !== undefined) return known.line
    const line = new Line(lock, key)
    this.#lines.push({ above, line })
    return line
  }

  /** Whether a wait can never end: whatever can go on does so until nothing changes any more, and it is still there. */
  isStuck(wait: OpenWait): boolean {
    const ending = new Set<OpenWait>()
    for (let before = -1; before < ending.size; ) {
      before = ending.size
      for (const each of this.waits) if (this.#canEnd(each, ending)) ending.add(each)
    }
    return !ending.has(wait)
  }

  #canEnd({ wanted }: OpenWait, ending: ReadonlySet<OpenWait>): boolean {
    const holders = wanted.holders()
    return holders === undefined || holders.some((holder) => [...this.waits].every((each) => !isBelow(each, holder) || ending.has(each)))
  }

  /**
   * A call begins to hold a key; the function given back says when it has ended.
   *
   * @throws another one that is not around it holds the key too
   */
  holds(line: Line, call: Call): () => void {
    for (const each of this.#running) {
      if (isSameKey(each.line, line) && !call.descendsFrom(each.call))
        throw new Error(`${call.id} and ${each.call.id} hold ${line.key} at the same time`)
    }
    const running = { line, call }
    this.#running.add(running)
    return () => {
      this.#running.delete(running)
      this.#freeEnded()
    }
  }

  /** The same for a hold that ends when it is given back, or with the call around it. */
  holdsByHand(line: Line, owner: Call): () => void {
    const end = this.holds(line, owner)
    owner.byHand.push(line)
    return () => {
      if (owner.isEnded) return
      owner.byHand.splice(owner.byHand.indexOf(line), 1)
      end()
    }
  }

  /** A body has ended, and with it what was taken in it by hand. */
  ended(call: Call): void {
    call.isEnded = true
    call.byHand.length = 0
    for (const each of this.#running) if (each.call === call) this.#running.delete(each)
    this.#freeEnded()
  }

  /** A key is free when whoever held it has ended, and so has all that had it by a call above. */
  #freeEnded(): void {
    for (const { line } of this.#lines) {
      const { holder } = line
      if (holder?.isEnded !== true) continue
      const isInUse = [...this.#running].some((each) => isSameKey(each.line, line) && each.call.descendsFrom(holder))
      if (!isInUse) line.holder = undefined
    }
  }
}

function isSameKey(left: Line, right: Line): boolean {
  return left.lock === right.lock && left.key === right.key
}

function linesOf({ grip, byHand }: Call): readonly Line[] {
  return [...(grip?.kind === 'lock' ? [grip.line] : []), ...byHand]
}

function isBelow({ call }: OpenWait, holder: Call): boolean {
  return call?.descendsFrom(holder) ?? false
}
