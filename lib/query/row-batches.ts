import { setImmediate as turnOfLoop } from 'node:timers/promises'
import { onAbort } from '../abort.js'
import { deadlineAfter, LATE, LONGEST_TIMER_MS, remainingMs, settledBy } from '../deadline.js'
import type { ConnectionSource } from '../dialect/connection-source.js'
import type { Connection, RowBatch, RowCursor, Statement } from '../dialect/dialect.js'
import type { LatchworkError } from '../errors.js'
import { requireHeld } from '../lock/lock-scope.js'
import type { MaybePromise } from '../maybe-promise.js'
import { type Interruption, interruptible, requireNotInterrupted } from './interruptible.js'
import type { QueryObserver } from './query-observer.js'
import type { QueryPlan } from './query-plan.js'
import type { TransactionFrame } from './transaction-frame.js'

/** Rows that are asked for at a time: enough to make the round trip cheap, few enough to hold. */
const BATCH_SIZE = 500

/** How long the rows that nobody wants any more may take until their connection is given up. */
const CLOSE_PATIENCE_MS = 250

/** What is needed of the runner of a database. */
export interface CursorRunner {
  readonly source: ConnectionSource
  readonly observer: QueryObserver
  /** What the caller gets of what a driver threw, and whether the connection is lost with it. */
  failureOf(thrown: unknown, statement: Statement): { readonly error: LatchworkError; readonly costsConnection: boolean }
}

/** Where a cursor is: on a connection of its own, or in a transaction. */
interface Seat {
  readonly inTransaction: boolean
  fetch(): Promise<RowBatch>
  /** Frees the cursor, and what it took for itself. May be called again. */
  end(): Promise<void>
}

/**
 * The rows of a plan, batch by batch, each as the plan reads it: the next one is asked for when it is wanted. What it takes is given back
 * with the last batch, or when it is returned from before. One statement to those who listen, with the time that asking took.
 *
 * @param frame the transaction that it is a part of; undefined: it takes a connection
 * @param endLimits called when the interruption is not looked at any more
 */
export async function* rowBatches<T>(
  runner: CursorRunner,
  plan: QueryPlan<T>,
  frame: TransactionFrame | undefined,
  interruption: Interruption | undefined,
  endLimits: (() => void) | undefined,
): AsyncGenerator<T, void, undefined> {
  const seat: Seat =
    frame === undefined ? new PooledSeat(runner, plan, interruption) : new FrameSeat(runner, plan, frame, interruption, endLimits)
  let rowCount = 0
  let durationMs = 0
  let failure: unknown
  try {
    for (;;) {
      const startedMs = performance.now()
      const batch = await seat.fetch().finally(() => {
        durationMs += performance.now() - startedMs
      })
      rowCount += batch.rows.length
      if (batch.isLast) await seat.end()
      yield plan.read(batch)
      if (batch.isLast) return
    }
  } catch (error) {
    failure = error
    throw error
  } finally {
    await seat.end()
    runner.observer.tell(plan, seat.inTransaction, durationMs, rowCount, failure as Error | undefined)
  }
}

/** A cursor on a connection of the pool, which it has from its first row to its last. */
class PooledSeat implements Seat {
  readonly inTransaction = false
  readonly #runner: CursorRunner
  readonly #plan: QueryPlan<unknown>
  readonly #interruption: Interruption | undefined
  #taken: { readonly connection: Connection; readonly cursor: RowCursor } | undefined
  #isFetching = false
  #isBegun = false
  #endWatch: (() => void) | undefined
  #ended: Promise<void> | undefined

  constructor(runner: CursorRunner, plan: QueryPlan<unknown>, interruption: Interruption | undefined) {
    this.#runner = runner
    this.#plan = plan
    this.#interruption = interruption
  }

  async fetch(): Promise<RowBatch> {
    if (this.#interruption !== undefined) requireNotInterrupted(this.#interruption)
    requireHeld()
    const { connection, cursor } = this.#taken ?? (await this.#take())
    this.#isFetching = true
    try {
      const batch = await fetched(connection, cursor, this.#interruption)
      if (!this.#isBegun) await this.#plan.inspect?.(batch)
      this.#isBegun = true
      return batch
    } catch (thrown) {
      const { error, costsConnection } = this.#runner.failureOf(thrown, this.#plan.statement)
      if (costsConnection) this.#release('broken')
      throw error
    } finally {
      this.#isFetching = false
    }
  }

  end(): Promise<void> {
    this.#ended ??= this.#end()
    return this.#ended
  }

  async #take(): Promise<{ readonly connection: Connection; readonly cursor: RowCursor }> {
    const connection = await this.#runner.source.acquire(this.#plan, this.#interruption)
    const { statement } = this.#plan
    const deadline = this.#interruption?.deadline
    try {
      this.#taken = { connection, cursor: connection.openCursor(deadline === undefined ? statement : { ...statement, deadline }) }
    } catch (thrown) {
      this.#runner.source.release(connection, 'clean')
      throw this.#runner.failureOf(thrown, statement).error
    }
    this.#watchLimits()
    return this.#taken
  }

  async #end(): Promise<void> {
    if (this.#taken === undefined) return
    const closed = await settledBy(closing(this.#taken.cursor), deadlineAfter(CLOSE_PATIENCE_MS)).catch(() => LATE)
    if (closed !== LATE) return this.#release('tainted')
    // the connection goes either way
    this.#taken?.connection.cancel().catch(() => undefined)
    this.#release('broken')
  }

  #release(condition: 'tainted' | 'broken'): void {
    const taken = this.#taken
    this.#taken = undefined
    this.#endWatch?.()
    if (taken !== undefined) this.#runner.source.release(taken.connection, condition)
  }

  /** Gives the connection back when the time is over between two batches, though nobody may ask for another one. */
  #watchLimits(): void {
    if (this.#interruption === undefined) return
    const { deadline, signal } = this.#interruption
    // while one is asked for, that is stopped
    const stop = () => (this.#isFetching ? undefined : void this.end())
    const timer =
      deadline === Number.POSITIVE_INFINITY ? undefined : setTimeout(stop, Math.min(remainingMs(deadline) + 1, LONGEST_TIMER_MS))
    const endListening = signal && onAbort(signal, stop)
    this.#endWatch = () => {
      clearTimeout(timer)
      endListening?.()
    }
  }
}

/** A cursor on the connection of a transaction, whose other calls take turns with its batches. */
class FrameSeat implements Seat {
  readonly inTransaction = true
  readonly #runner: CursorRunner
  readonly #plan: QueryPlan<unknown>
  readonly #frame: TransactionFrame
  readonly #interruption: Interruption | undefined
  readonly #endLimits: (() => void) | undefined
  #cursor: RowCursor | undefined
  #isBegun = false

  constructor(
    runner: CursorRunner,
    plan: QueryPlan<unknown>,
    frame: TransactionFrame,
    interruption: Interruption | undefined,
    endLimits: (() => void) | undefined,
  ) {
    this.#runner = runner
    this.#plan = plan
    this.#frame = frame
    this.#interruption = interruption
    this.#endLimits = endLimits
  }

  async fetch(): Promise<RowBatch> {
    let isSent = false
    const frame = this.#frame
    const send = async (connection: Connection) => {
      if (this.#interruption !== undefined) requireNotInterrupted(this.#interruption)
      isSent = true
      frame.idle?.end(this.#plan.label)
      this.#cursor ??= frame.keepCursor(connection.openCursor(this.#plan.statement))
      const batch = await fetched(connection, this.#cursor, this.#interruption)
      if (!this.#isBegun) await this.#plan.inspect?.(batch)
      this.#isBegun = true
      return batch
    }
    frame.taint()
    try {
      return await frame.run(send, this.#plan.label, this.#interruption)
    } catch (thrown) {
      const { error, costsConnection } = this.#runner.failureOf(thrown, this.#plan.statement)
      if (!isSent) throw error
      frame.fail(error)
      if (costsConnection) {
        frame.spend()
        this.#forget()
      }
      throw error
    } finally {
      frame.idle?.begin()
    }
  }

  async end(): Promise<void> {
    this.#endLimits?.()
    const cursor = this.#forget()
    // with its transaction it has ended, too
    if (cursor === undefined || !this.#frame.isOpen || this.#frame.failure !== undefined) return
    await this.#frame.run(() => closing(cursor), this.#plan.label)
  }

  /** The cursor, where it is open still. */
  #forget(): RowCursor | undefined {
    const cursor = this.#cursor
    this.#cursor = undefined
    return cursor !== undefined && this.#frame.dropCursor(cursor) ? cursor : undefined
  }
}

async function closing(cursor: RowCursor): Promise<void> {
  await cursor.close()
}

async function fetched(connection: Connection, cursor: RowCursor, interruption: Interruption | undefined): Promise<RowBatch> {
  const batch: MaybePromise<RowBatch> = cursor.fetch(BATCH_SIZE)
  if (batch instanceof Promise) return interruption === undefined ? batch : interruptible(connection, batch, interruption)
  // a driver that gives rows at once leaves nobody else a turn in between
  await turnOfLoop()
  if (interruption !== undefined) requireNotInterrupted(interruption)
  return batch
}
