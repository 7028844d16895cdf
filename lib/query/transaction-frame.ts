import { AsyncLocalStorage } from 'node:async_hooks'
import { eitherSignal } from '../abort.js'
import { LATE, settledBy } from '../deadline.js'
import type { Connection, RowCursor } from '../dialect/dialect.js'
import {
  AbortedError,
  ConnectionError,
  ConnectionLostError,
  DeadlockError,
  type LatchworkError,
  LockTimeoutError,
  QueryError,
  QueryTimeoutError,
  ScopeClosedError,
  SerializationError,
  TransactionAbortedError,
  UnawaitedQueryError,
} from '../errors.js'
import { waitFor } from '../lock/lock-scope.js'
import type { MaybePromise } from '../maybe-promise.js'
import type { Condition } from '../pool/pool.js'
import type { IdleTime } from './idle-time.js'
import type { CallLimits } from './query-plan.js'
import { Turns } from './turns.js'

/** Work that waits for the commit of a transaction, and the async context that it was given in. */
export interface WaitingWork {
  readonly work: () => unknown
  readonly inContext: <T>(fn: () => T) => T
}

/**
 * One transaction or savepoint that a call chain is in. Calls take turns on its connection; a nested frame holds
 * its parent's turn as long as it lives, so that two of them never mix their savepoints.
 */
export class TransactionFrame {
  readonly turns = new Turns()
  /** When it is given up, with its parent or before. */
  readonly limits: CallLimits | undefined
  readonly #endLimits: (() => void) | undefined
  #isOpen = true
  #running = 0
  #failure: LatchworkError | undefined
  #isTainted = false
  #isSpent = false
  readonly #cursors = new Set<RowCursor>()
  readonly #waiting: WaitingWork[] = []

  constructor(
    /** Whose transaction this is: two databases in one call chain do not mix. */
    readonly owner: object,
    readonly connection: Connection,
    readonly parent: TransactionFrame | undefined,
    /** What was around the call before, of whichever database. */
    readonly enclosing: TransactionFrame | Outside | undefined,
    /** A failed statement leaves the transaction usable: {@link Capabilities.statementErrorKeepsTransaction}. */
    readonly survivesErrors: boolean,
    /** When all of it is given up. */
    limits: CallLimits | undefined,
    /** Where the outermost transaction was begun; none in production. */
    readonly opener: Error | undefined,
    /** Of its connection; none in a sandbox, where a test takes its time. */
    readonly idle: IdleTime | undefined,
    /** It is rolled back in any case, and what runs in it does not know. */
    readonly isSandbox: boolean,
  ) {
    const nearest = nearestLimits(parent?.limits, limits)
    this.limits = nearest.limits
    this.#endLimits = nearest.end
  }

  /** Work that waits for the commit. */
  get waiting(): readonly WaitingWork[] {
    return this.#waiting
  }

  waitForCommit(work: WaitingWork): void {
    this.requireOpen()
    this.#waiting.push(work)
  }

  /** Nested this deep; the transaction itself is 0. */
  get depth(): number {
    return this.parent === undefined ? 0 : this.parent.depth + 1
  }

  /** The transaction that this frame is, or is a savepoint of. */
  get outermost(): TransactionFrame {
    return this.parent === undefined ? this : this.parent.outermost
  }

  /** Whether this is a sandbox or in one. */
  get isInSandbox(): boolean {
    return this.isSandbox || this.parent?.isInSandbox === true
  }

  /** How the connection comes out of a transaction that has ended. */
  get condition(): Condition {
    if (this.#isSpent) return 'broken'
    return this.#isTainted ? 'tainted' : 'clean'
  }

  /** Remembers a cursor that is open in it: {@link endCursors} closes what is left open. */
  keepCursor(cursor: RowCursor): RowCursor {
    this.#cursors.add(cursor)
    return cursor
  }

  /** Whether it was still open. */
  dropCursor(cursor: RowCursor): boolean {
    return this.#cursors.delete(cursor)
  }

  /**
   * Closes the cursors that nobody has read to their ends; undefined where there are none. Not where a call runs: its connection is cancelled, or
   * rolled back.
   */
  endCursors(): Promise<unknown> | undefined {
    if (this.#cursors.size === 0) return undefined
    const cursors = [...this.#cursors]
    this.#cursors.clear()
    return this.#running === 0 && this.#failure === undefined ? Promise.all(cursors.map((cursor) => cursor.close())) : undefined
  }

  /** From now on the session counts as changed. */
  taint(): void {
    this.#isTainted = true
    this.parent?.taint()
  }

  /** From now on the connection is of no more use than to end this transaction: its server has turned read-only, say. */
  spend(): void {
    this.#isSpent = true
    this.parent?.spend()
  }

  /** Why nothing more can run here. */
  get failure(): LatchworkError | undefined {
    return this.#failure
  }

  /** Whether this transaction, and every one around it, goes on. */
  get isOpen(): boolean {
    return this.#isOpen && (this.parent === undefined || this.parent.isOpen)
  }

  /** Whether a call or a nested transaction is under way. */
  get isRunning(): boolean {
    return this.#running > 0
  }

  /**
   * Runs one piece of work on the connection, in turn. Only sends; errors are the driver's until {@link fail} hears of them.
   *
   * @throws {AbortedError | QueryTimeoutError} it was stopped before its turn came
   * @throws {DeadlockError} whoever has the turn waits for what the call holds
   */
  run<T>(work: (connection: Connection) => MaybePromise<T>, label: string, limits?: CallLimits): MaybePromise<T> {
    this.requireOpen()
    this.#running++
    const turn = this.turns.take()
    if (turn === undefined) return this.#inTurn(work)
    return this.#waitFor(turn, label, limits).then(() => this.#inTurn(work))
  }

  async #waitFor(turn: Promise<void>, label: string, limits: CallLimits | undefined): Promise<void> {
    try {
      await waitFor(this.turns, label, limits === undefined ? turn : inTime(turn, limits))
    } catch (error) {
      this.#running--
      void turn.then(() => this.turns.pass())
      throw error
    }
  }

  #inTurn<T>(work: (connection: Connection) => MaybePromise<T>): MaybePromise<T> {
    try {
      this.requireOpen()
      this.#requireUsable()
      const result = work(this.connection)
      if (!(result instanceof Promise)) return this.#done(result)
      return result.then(
        (value) => this.#done(value),
        (error: unknown) => this.#thrown(error),
      )
    } catch (error) {
      return this.#thrown(error)
    }
  }

  #done<T>(value: T): T {
    this.#running--
    this.turns.pass()
    return value
  }

  #thrown(error: unknown): never {
    this.#done(undefined)
    throw error
  }

  /** Remembers a failed statement where it costs the frame, or the whole transaction. */
  fail(error: LatchworkError): void {
    if (endsTransaction(error)) this.failWhole(error)
    else if (!this.survivesErrors) this.#failure ??= error
  }

  /** Nothing more can run in the whole transaction. What a sandbox takes for the whole is the savepoint in it, if the database leaves it that. */
  failWhole(error: LatchworkError): void {
    this.#failure ??= error
    if (this.parent?.isSandbox && !endsTransaction(error)) return
    this.parent?.failWhole(error)
  }

  requireOpen(): void {
    if (this.isOpen) return
    throw new ScopeClosedError('the call came after the end of its transaction; await it inside the callback', { cause: this.opener })
  }

  #requireUsable(): void {
    if (this.#failure === undefined) return
    if (this.#failure instanceof TransactionAbortedError) throw this.#failure
    throw new TransactionAbortedError(
      `an earlier statement of this transaction failed (${this.#failure.code}) and nothing of it can be kept; put a nested transaction around what may fail`,
      { cause: this.#failure },
    )
  }

  /** At the end of a callback that returned: nothing still runs, and nothing that failed was swallowed. */
  requireComplete(): void {
    if (this.#running > 0) {
      throw new UnawaitedQueryError(
        `${this.#running} call${this.#running === 1 ? ' was' : 's were'} still running when the transaction's callback ended; await every call in it`,
      )
    }
    this.#requireUsable()
  }

  /** From now on every call is refused. */
  close(): void {
    this.#isOpen = false
    this.#endLimits?.()
  }
}

async function inTime(turn: Promise<void>, { deadline, signal }: CallLimits): Promise<void> {
  if ((await settledBy(turn, deadline, signal)) !== LATE) return
  throw new QueryTimeoutError('the call ran past its timeoutMs before its turn in the transaction came')
}

function endsTransaction(error: LatchworkError): boolean {
  if (error instanceof LockTimeoutError || error instanceof QueryError) return error.endsTransaction
  return (
    error instanceof DeadlockError ||
    error instanceof SerializationError ||
    error instanceof ConnectionLostError ||
    error instanceof ConnectionError ||
    error instanceof QueryTimeoutError ||
    error instanceof AbortedError
  )
}

/** Says that a call is in no transaction of `owner`, whatever is around it. */
interface Outside {
  readonly outsideOf: object
  readonly enclosing: TransactionFrame | Outside | undefined
}

const storage = new AsyncLocalStorage<TransactionFrame | Outside | undefined>()

/** The innermost frame of `owner` that the current call is in. */
export function currentFrame(owner: object): TransactionFrame | undefined {
  for (let place = storage.getStore(); place !== undefined; place = place.enclosing) {
    if (place instanceof TransactionFrame) {
      if (place.owner === owner) return place
    } else if (place.outsideOf === owner) return undefined
  }
  return undefined
}

/** What is around the current call, of whichever owner. */
export function enclosingFrame(): TransactionFrame | Outside | undefined {
  return storage.getStore()
}

/** Runs `fn` inside a frame. */
export function inFrame<T>(frame: TransactionFrame, fn: () => Promise<T>): Promise<T> {
  return storage.run(frame, fn)
}

/** Runs `fn` in no transaction of `owner`; those of others stay around it. */
export function outsideOf<T>(owner: object, fn: () => Promise<T>): Promise<T> {
  return currentFrame(owner) === undefined ? fn() : storage.run({ outsideOf: owner, enclosing: storage.getStore() }, fn)
}

/** Gives what runs a function in the transactions around this call, of whichever owner, whatever it is called from. */
export function inEnclosing(): <T>(fn: () => T) => T {
  const place = storage.getStore()
  return (fn) => storage.run(place, fn)
}

/** Limits, and what has to be called when what they bound is over. */
interface NearestLimits {
  readonly limits: CallLimits | undefined
  readonly end: (() => void) | undefined
}

/** The nearer of two deadlines, and a signal that either of two aborts. */
export function nearestLimits(one: CallLimits | undefined, other: CallLimits | undefined): NearestLimits {
  if (one === undefined || other === undefined) return { limits: one ?? other, end: undefined }
  const deadline = Math.min(one.deadline, other.deadline)
  if (one.signal === undefined || other.signal === undefined || one.signal === other.signal)
    return { limits: { deadline, signal: one.signal ?? other.signal }, end: undefined }
  const { signal, end } = eitherSignal(one.signal, other.signal)
  return { limits: { deadline, signal }, end }
}
