import type { WaitChain } from '../errors.js'
import type { LockKind } from '../events.js'
import type { Hold, SharedHold } from './hold.js'

/** Something that call chains hold and wait for: a lock, the connections of a pool, the turns of a transaction. */
export interface Resource {
  /** For messages: `lock "a"`, `a connection of pool "postgres:…"`. */
  readonly description: string
  /**
   * The frames of which one must end before a waiter gets it; undefined where somebody has it who waits for nothing, or
   * where it is on its way.
   */
  holders(): readonly Frame[] | undefined
}

/** A resource that learns which frames hold it. */
export interface HeldResource extends Resource {
  heldBy(frame: Frame): void
  freedBy(frame: Frame): void
}

/** A call chain's wait for a resource. */
export interface Wait {
  readonly frame: Frame
  readonly resource: Resource
  /** Who waits: a node's name. */
  readonly label: string | undefined
  /** Ends the wait with an error. */
  cancel(error: Error): void
}

/** What a frame holds until it ends. */
export type Grip =
  | { readonly kind: 'lock'; readonly lock: object; readonly hold: SharedHold }
  | {
      readonly kind: 'resource'
      readonly resource: Resource
      readonly label: string
      /** Where what holds it was begun; none in production. */
      readonly opener?: Error | undefined
    }

/** A hold that ends when it is released, or with the frame that it was taken in. */
interface TakenHold {
  readonly lock: { readonly kind: LockKind }
  readonly hold: SharedHold
  /** Where it was taken. */
  readonly taker: Error | undefined
}

const NO_WAITS: ReadonlySet<Wait> = new Set()
const NO_HOLDS: ReadonlySet<TakenHold> = new Set()

/** One step of a call chain: everything called in it descends from it. One without a grip is a plain scope. */
export class Frame {
  readonly parent: Frame | undefined
  readonly scopeId: number
  readonly grip: Grip | undefined
  /** Whether it or a frame around it has a grip: others may wait for it then. */
  readonly isHolder: boolean
  // both made when they are needed: most frames end without either
  #waits: Set<Wait> | undefined
  #taken: Set<TakenHold> | undefined
  isEnded = false
  /** Whether a call that came too late has been reported. */
  isReported = false

  constructor(parent: Frame | undefined, scopeId: number, grip: Grip | undefined) {
    this.parent = parent
    this.scopeId = scopeId
    this.grip = grip
    this.isHolder = grip !== undefined || parent?.isHolder === true
  }

  /** Waits of this chain and of all calls below it. */
  get waits(): ReadonlySet<Wait> {
    return this.#waits ?? NO_WAITS
  }

  /** Holds that were taken by hand here, and that end with this frame at the latest. */
  get taken(): ReadonlySet<TakenHold> {
    return this.#taken ?? NO_HOLDS
  }

  addWait(wait: Wait): void {
    this.#waits ??= new Set()
    this.#waits.add(wait)
  }

  endWait(wait: Wait): void {
    this.#waits?.delete(wait)
  }

  take(hold: TakenHold): void {
    this.#taken ??= new Set()
    this.#taken.add(hold)
  }

  giveBack(hold: TakenHold): void {
    this.#taken?.delete(hold)
  }

  /** What the chain holds here, outermost first. */
  get holds(): readonly Hold[] {
    const outer = this.parent?.holds ?? []
    if (this.isEnded) return outer
    const own = [...this.taken].map(({ hold }) => hold)
    return this.grip?.kind === 'lock' ? [...outer, this.grip.hold, ...own] : [...outer, ...own]
  }

  /** Its own hold of a key of a lock; undefined where it has none. */
  holdOf(lock: object, key: string): SharedHold | undefined {
    const { grip } = this
    if (grip?.kind === 'lock' && grip.lock === lock && grip.hold.key === key) return grip.hold
    for (const each of this.taken) if (each.lock === lock && each.hold.key === key) return each.hold
    return undefined
  }

  /** What the chain holds, for a message, outermost first. */
  describe(): WaitChain {
    const outer = this.parent?.describe() ?? []
    if (this.grip === undefined || this.isEnded) return outer
    const { kind } = this.grip
    const label = (kind === 'lock' ? this.grip.hold.label : this.grip.label) ?? 'a call'
    const what = kind === 'lock' ? `lock "${this.grip.hold.name}"` : this.grip.resource.description
    return [...outer, `${label} holds ${what}`]
  }
}
