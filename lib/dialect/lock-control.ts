import { deadlineAfter, LATE, settledBy } from '../deadline.js'
import { ConnectionError, ConnectionLostError, LockLostError, PoolExhaustedError } from '../errors.js'
import { byLabel } from '../lock/hold.js'
import { Alarm } from '../pool/alarm.js'
import type { PoolOptions } from '../pool/pool-options.js'
import { poolRegistry } from '../pool/pool-registry.js'
import { type DatabaseHold, SessionHold } from './database-hold.js'
import type { ConstraintCatalogue, Dialect, LockSession } from './dialect.js'

/** Times of a control connection, in milliseconds. */
export interface ControlTimes {
  /** How long it stays when nothing is held or asked for. */
  readonly restMs: number
  /** How long it may be silent while something is held, before it is asked for a sign of life. */
  readonly checkAfterMs: number
  /** How long an answer may take before the connection counts as lost. */
  readonly answerWithinMs: number
}

/** One that goes without a word is so noticed after 10 s at most. */
export const CONTROL_TIMES: ControlTimes = Object.freeze({ restMs: 1_000, checkAfterMs: 5_000, answerWithinMs: 5_000 })

/** How long {@link LockControl.close} lets requests finish that are under way. */
const CLOSE_PATIENCE_MS = 1_000

const NO_CONSTRAINTS: ConstraintCatalogue = { byName: () => undefined, byColumns: () => undefined }

/**
 * The one connection on which a database object has all its locks of the database, from its opening to its end. It ends when
 * it fails, when it has had nothing to do for a while, or by {@link close}; what is held then is lost.
 */
export class LockControl {
  readonly #dialect: Dialect
  readonly #session: LockSession
  readonly #times: ControlTimes
  readonly #onEnd: () => void
  readonly #giveRoom: () => void
  readonly #held = new Map<string, SessionHold>()
  readonly #look = new Alarm(() => this.#lookAfter())
  /** Settles, never rejected, when the last request made so far is answered. */
  #turn: Promise<unknown> = Promise.resolve()
  /** Requests that are not answered yet. */
  #pending = 0
  #usedAtMs = performance.now()
  #gone: Promise<void> | undefined

  private constructor(dialect: Dialect, session: LockSession, times: ControlTimes, onEnd: () => void, giveRoom: () => void) {
    this.#dialect = dialect
    this.#session = session
    this.#times = times
    this.#onEnd = onEnd
    this.#giveRoom = giveRoom
    session.onLost((error) => this.#end(error.message, error))
    this.#lookLater()
  }

  /**
   * Opens one, within the process's budget of connections. `signal` breaks the opening off; `onEnd` is called when it
   * is of no more use.
   *
   * @throws {PoolExhaustedError} there is no room for a connection
   * @throws see {@link Dialect.openLockSession}
   */
  static async open(
    dialect: Dialect,
    options: PoolOptions,
    times: ControlTimes,
    signal: AbortSignal,
    onEnd: () => void,
  ): Promise<LockControl> {
    const giveRoom = takeRoom(dialect.target)
    try {
      const session = await dialect.openLockSession(options, deadlineAfter(options.acquireTimeoutMs), signal)
      return new LockControl(dialect, session, times, onEnd, giveRoom)
    } catch (error) {
      giveRoom()
      throw dialect.toDataError(error, NO_CONSTRAINTS)
    }
  }

  /**
   * Takes a lock if nobody has it, here or elsewhere: undefined where somebody has.
   *
   * @param isWanted asked when the request's turn has come; where not, nothing is sent
   * @throws {ConnectionError | ConnectionLostError} the connection has ended, or does so now
   */
  tryHold(name: string, label: string | undefined, isWanted: () => boolean): Promise<DatabaseHold | undefined> {
    return this.#inTurn(async () => {
      // the database would give a session once more what it has
      if (!isWanted() || this.#held.has(name) || !(await this.#answer(this.#session.tryLock(name)))) return undefined
      const hold = new SessionHold(name, label, () => this.#free(name))
      this.#held.set(name, hold)
      return hold
    })
  }

  /** Who has a lock, for messages; undefined where nobody has it or the engine does not tell. */
  async holderOf(name: string): Promise<string | undefined> {
    const hold = this.#held.get(name)
    if (hold !== undefined) return `this process${byLabel(hold.label)}`
    return this.#inTurn(() => this.#answer(this.#session.holderOf(name)))
  }

  /** Ends it in good order, once what was asked for is answered. Settles within some two seconds. */
  async close(): Promise<void> {
    await settledBy(this.#turn, deadlineAfter(CLOSE_PATIENCE_MS))
    this.#end('the database object was closed')
    await this.#gone
  }

  /** A lock that the database cannot be heard to free goes with the session. */
  async #free(name: string): Promise<void> {
    try {
      await this.#inTurn(async () => {
        await this.#answer(this.#session.unlock(name))
        this.#held.delete(name)
      })
    } catch (error) {
      this.#fail(error)
    }
  }

  #inTurn<T>(request: () => Promise<T>): Promise<T> {
    const answer = this.#turn.then(() => {
      if (this.#gone !== undefined) throw new ConnectionError('the connection for locks of the database has ended')
      return request()
    })
    this.#pending++
    const answered = () => void this.#pending--
    this.#turn = answer.then(answered, answered)
    return answer
  }

  async #answer<T>(work: Promise<T>): Promise<T> {
    const outcome = await settledBy(work, deadlineAfter(this.#times.answerWithinMs)).catch((error: unknown) => this.#refused(error))
    this.#usedAtMs = performance.now()
    if (outcome !== LATE) return outcome
    const error = new ConnectionLostError(`the connection for locks was silent for ${this.#times.answerWithinMs} ms`)
    this.#end(error.message, error)
    throw error
  }

  /** A refusal of one request says nothing of the others; a broken connection does. */
  #refused(error: unknown): never {
    const known = this.#dialect.toDataError(error, NO_CONSTRAINTS)
    if (known instanceof ConnectionLostError || this.#dialect.evicts(error)) this.#end(known.message, known)
    throw known
  }

  #lookLater(): void {
    const { restMs, checkAfterMs } = this.#times
    this.#look.setFor(deadlineAfter(Math.min(restMs, checkAfterMs)))
  }

  async #lookAfter(): Promise<void> {
    const silentMs = performance.now() - this.#usedAtMs
    const isUsed = this.#held.size > 0 || this.#pending > 0
    if (!isUsed && silentMs >= this.#times.restMs) return this.#end('it had nothing to do')
    if (this.#held.size > 0 && silentMs >= this.#times.checkAfterMs) await this.#check()
    if (this.#gone === undefined) this.#lookLater()
  }

  async #check(): Promise<void> {
    try {
      await this.#inTurn(() => this.#answer(this.#session.ping()))
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    const cause = this.#dialect.toDataError(error, NO_CONSTRAINTS)
    this.#end(cause.message, cause)
  }

  /** At once for whoever uses it; the connection itself is gone a little later. */
  #end(reason: string, cause?: Error): void {
    if (this.#gone !== undefined) return
    this.#look.clear()
    this.#gone = this.#session.close().then(this.#giveRoom)
    this.#onEnd()
    for (const hold of this.#held.values()) hold.lose(lostError(this.#dialect.target, hold, reason, cause))
    this.#held.clear()
  }
}

/**
 * Takes room for one connection; the function given back leaves it again. By default there is room, as for the spare connections
 * of a pool: locks may be all that a process wants of a database. A budget that was given holds for it as for all.
 */
function takeRoom(target: string): () => void {
  const { budget } = poolRegistry()
  const removeShare = budget.addPool(0)
  if (budget.tryTake()) {
    return () => {
      budget.give()
      removeShare()
    }
  }
  removeShare()
  const { taken, limit } = budget
  throw new PoolExhaustedError(`${target}: no room for the connection for locks, ${taken} of ${limit} in use; raise connectionBudget`)
}

function lostError(target: string, { name, label }: SessionHold, reason: string, cause: Error | undefined): LockLostError {
  const held = label === undefined ? '' : `, held${byLabel(label)},`
  const message = `lock "${name}" of ${target}${held} was lost: ${reason}; another process may have it by now`
  return new LockLostError(message, cause === undefined ? undefined : { cause })
}
