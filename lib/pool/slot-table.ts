import type { Deadline } from '../deadline.js'
import type { PoolHolder } from '../errors.js'
import type { EndReason } from './end-reason.js'
import type { AcquireRequest, PoolMember } from './pool.js'

/** `busy`: being checked or reset. `closing` keeps its place, for the server still counts it. */
type SlotState = 'idle' | 'lent' | 'busy' | 'closing'

/** A member's place in its pool. */
export interface Slot<C> {
  readonly member: C
  readonly openedAtMs: number
  state: SlotState
  /** Who has it, or had it last. */
  label: string
  /** Where it was asked for, while it is lent. */
  borrower: Error | undefined
  /** See {@link AcquireRequest.closing}. */
  closing: AbortSignal | undefined
  /** Reported as leaked since it was lent. */
  isReported: boolean
  /** Since when it is lent, or idle. */
  sinceMs: number
  /** How much of that the process stood still. */
  stoodStillMs: number
  reapAtMs: Deadline
  expiresAtMs: Deadline
}

/** How far lifetimes are spread, so that connections opened together do not end together. */
const LIFETIME_JITTER = 0.1

/** What a pool has: every member and its state, counted. Decides nothing and does no I/O. */
export class SlotTable<C extends PoolMember> {
  readonly #slots = new Map<C, Slot<C>>()
  /** Used last, last. */
  #idle: Slot<C>[] = []
  readonly #counts: Record<SlotState, number> = { idle: 0, lent: 0, busy: 0, closing: 0 }
  readonly endedBy: Record<EndReason, number> = { broken: 0, validation: 0, reset: 0, lifetime: 0, idle: 0, closed: 0 }
  created = 0

  /** Places taken, by those that are being closed too. */
  get size(): number {
    return this.#slots.size
  }

  /** Members of use. */
  get open(): number {
    return this.#slots.size - this.#counts.closing
  }

  count(state: SlotState): number {
    return this.#counts[state]
  }

  get(member: C): Slot<C> | undefined {
    return this.#slots.get(member)
  }

  /** Adds a new member, as busy. */
  add(member: C, nowMs: number, maxLifetimeMs: number): Slot<C> {
    const expiresAtMs = nowMs + maxLifetimeMs * (1 + LIFETIME_JITTER * (2 * Math.random() - 1))
    const slot: Slot<C> = {
      member,
      openedAtMs: nowMs,
      state: 'busy',
      label: '',
      borrower: undefined,
      closing: undefined,
      isReported: false,
      sinceMs: nowMs,
      stoodStillMs: 0,
      reapAtMs: Infinity,
      expiresAtMs,
    }
    this.#slots.set(member, slot)
    this.#counts.busy++
    this.created++
    return slot
  }

  /** The idle member that was used last. */
  peekIdle(): Slot<C> | undefined {
    return this.#idle.at(-1)
  }

  /** Takes the idle member that was used last; it is busy then. */
  takeIdle(): Slot<C> | undefined {
    const slot = this.#idle.pop()
    if (slot !== undefined) this.#move(slot, 'busy')
    return slot
  }

  keepIdle(slot: Slot<C>, nowMs: number, reapAtMs: Deadline): void {
    this.#move(slot, 'idle')
    slot.sinceMs = nowMs
    slot.reapAtMs = reapAtMs
    this.#idle.push(slot)
  }

  lend(slot: Slot<C>, { label, borrower, closing }: Pick<AcquireRequest, 'label' | 'borrower' | 'closing'>, nowMs: number): void {
    this.#move(slot, 'lent')
    slot.label = label
    slot.borrower = borrower
    slot.closing = closing
    slot.isReported = false
    slot.sinceMs = nowMs
    slot.stoodStillMs = 0
  }

  markBusy(slot: Slot<C>): void {
    this.#move(slot, 'busy')
  }

  markClosing(slot: Slot<C>, reason: EndReason): void {
    this.#move(slot, 'closing')
    this.endedBy[reason]++
  }

  delete(slot: Slot<C>): void {
    this.#counts[slot.state]--
    this.#slots.delete(slot.member)
  }

  /** Those of a state, oldest first. */
  inState(...states: readonly SlotState[]): Slot<C>[] {
    return [...this.#slots.values()].filter(({ state }) => states.includes(state)).sort((a, b) => a.sinceMs - b.sinceMs)
  }

  /** Who has had a member for the longest, at most three. */
  oldestHolders(nowMs: number): readonly PoolHolder[] {
    return this.inState('lent')
      .slice(0, 3)
      .map(({ label, sinceMs, member }) => ({ label, heldMs: nowMs - sinceMs, statement: member.lastStatement }))
  }

  /** Those lent for longer than `leakAfterMs` that have not been reported yet; 0: none. */
  takeLeaked(nowMs: number, leakAfterMs: number): Slot<C>[] {
    if (leakAfterMs === 0) return []
    const leaked = this.inState('lent').filter(
      ({ sinceMs, stoodStillMs, isReported }) => !isReported && nowMs - sinceMs - stoodStillMs >= leakAfterMs,
    )
    for (const slot of leaked) slot.isReported = true
    return leaked
  }

  /** Lets a time in which the process stood still age nobody: nobody could use a connection then. */
  skipTime(lateMs: number): void {
    for (const slot of this.#slots.values()) {
      slot.stoodStillMs += lateMs
      slot.expiresAtMs += lateMs
      slot.reapAtMs += lateMs
    }
  }

  /** Takes the idle members that have to go and says why: broken, too old, or idle too long and more than `minOpen`. */
  takeOverdue(nowMs: number, minOpen: number): { readonly slot: Slot<C>; readonly reason: EndReason }[] {
    const overdue: { readonly slot: Slot<C>; readonly reason: EndReason }[] = []
    const kept: Slot<C>[] = []
    for (const slot of this.#idle) {
      const isSpare = this.open - overdue.length > minOpen
      const reason = endReasonOf(slot, nowMs, isSpare)
      if (reason === undefined) kept.push(slot)
      else overdue.push({ slot, reason })
    }
    this.#idle = kept
    return overdue
  }

  #move(slot: Slot<C>, state: SlotState): void {
    // its stack keeps what was called there
    if (state !== 'lent') slot.borrower = slot.closing = undefined
    this.#counts[slot.state]--
    this.#counts[state]++
    slot.state = state
  }
}

function endReasonOf(slot: Slot<PoolMember>, nowMs: number, isSpare: boolean): EndReason | undefined {
  if (slot.member.isBroken) return 'broken'
  if (nowMs >= slot.expiresAtMs) return 'lifetime'
  return isSpare && nowMs >= slot.reapAtMs ? 'idle' : undefined
}
