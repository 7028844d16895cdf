import { deadlineAfter, LATE, settledBy } from '../deadline.js'
import type { Connector, PoolMember } from './pool.js'

/** With a new dial after it, a connection that died silently, idle or tainted, costs its next borrower less than a second. */
const VALIDATE_LIMIT_MS = 750
const RESET_LIMIT_MS = 750

/** A connection that takes longer to close is left to itself, and its place is free again. */
export const CLOSE_LIMIT_MS = 1_000

/**
 * Checks, resets and closes members within limits of time, and never rejects: whatever goes wrong, the pool's answer is
 * the same. A place must come free even from a connector that breaks its word.
 */
export class BoundedConnector<C extends PoolMember> {
  readonly #connector: Connector<C>

  constructor(connector: Connector<C>) {
    this.#connector = connector
  }

  /** Whether an idle member still works. */
  validates(member: C): Promise<boolean> {
    return this.#mends(member, () => this.#connector.validate(member, VALIDATE_LIMIT_MS), VALIDATE_LIMIT_MS)
  }

  /** Whether a tainted member is as new. */
  resets(member: C): Promise<boolean> {
    return this.#mends(member, () => this.#connector.reset(member), RESET_LIMIT_MS)
  }

  async close(member: C): Promise<void> {
    await succeeds(() => this.#connector.close(member), CLOSE_LIMIT_MS)
  }

  async #mends(member: C, work: () => Promise<unknown>, limitMs: number): Promise<boolean> {
    return (await succeeds(work, limitMs)) && !member.isBroken
  }
}

async function succeeds(work: () => Promise<unknown>, limitMs: number): Promise<boolean> {
  try {
    const outcome = await settledBy(work(), deadlineAfter(limitMs))
    return outcome !== LATE && outcome !== false
  } catch {
    return false
  }
}
