import { deadlineAfter } from '../deadline.js'
import type { ConnectionSource } from '../dialect/connection-source.js'
import type { BeginOptions, Connection } from '../dialect/dialect.js'
import { TransactionAbortedError } from '../errors.js'
import type { HeldResource } from '../lock/frame.js'
import { withResource } from '../lock/lock-scope.js'
import type { Condition } from '../pool/pool.js'
import { callSite } from '../warn.js'
import { type AfterCommit, runAfterCommit, waitingWork } from './after-commit.js'
import { IdleTime } from './idle-time.js'
import { boundBy } from './interruptible.js'
import type { CallLimits } from './query-plan.js'
import type { TransactionControl } from './transaction-control.js'
import { currentFrame, enclosingFrame, inFrame, outsideOf, TransactionFrame } from './transaction-frame.js'
import { checkTransactionOptions, type TransactionOptions } from './transaction-options.js'
import { retrying } from './transaction-retry.js'

/** The transactions of one database: which call is in which, and what they are to each other. */
export class Transactions {
  readonly #control: TransactionControl
  readonly #source: ConnectionSource

  constructor(control: TransactionControl, source: ConnectionSource) {
    this.#control = control
    this.#source = source
  }

  /** The transaction or savepoint that the current call is in. */
  current(): TransactionFrame | undefined {
    return currentFrame(this)
  }

  /**
   * Runs `fn` in a transaction of the application's, committed when it returns and rolled back when it throws. Calls below `fn` find it by
   * the async context.
   *
   * @throws {UnawaitedQueryError} a call in `fn` was still running when it returned; rolled back
   * @throws {TransactionAbortedError} what failed was caught in `fn`, and nothing can be kept; rolled back
   * @throws {QueryTimeoutError | AbortedError} `timeoutMs` passed, or the signal was aborted; rolled back
   * @throws {CommitUnknownError} the answer to COMMIT was lost
   * @throws {AfterCommitError} committed; work that waited for that failed
   * @throws {ConfigurationError} an option is unknown, of the wrong kind, or cannot be had inside another transaction
   */
  run<T>(fn: () => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    try {
      return this.#run(fn, options)
    } catch (error) {
      // not an async function: each promise costs more while async contexts are followed
      return Promise.reject(error)
    }
  }

  #run<T>(fn: () => Promise<T>, options: TransactionOptions): Promise<T> {
    const outer = this.current()
    checkTransactionOptions(options, outer !== undefined && !outer.isSandbox)
    const limits = limitsOf(options)
    const { propagation, retry } = options
    if (outer?.isSandbox || (outer?.isInSandbox && propagation === 'new')) return this.#simulated(LABEL, outer, fn, limits)
    if (outer !== undefined && propagation === 'join') return this.#joined(LABEL, outer, fn, limits, true)
    if (outer !== undefined && propagation !== 'new') return this.#nested(LABEL, outer, fn, limits)
    const begin = () => this.#begun(LABEL, fn, limits, options)
    return retry === undefined ? begin() : retrying({ pool: this.#source.name, label: LABEL, limits }, begin)
  }

  /** Runs `fn` in a transaction; in one already, in a savepoint of it. */
  nest<T>(label: string, fn: () => Promise<T>, limits?: CallLimits): Promise<T> {
    const outer = this.current()
    if (outer === undefined) return this.#begun(label, fn, limits, {})
    return outer.isSandbox ? this.#simulated(label, outer, fn, limits) : this.#nested(label, outer, fn, limits)
  }

  /**
   * Runs `fn` as one piece: in the current transaction, whose other calls wait for it, or in one of its own. Unlike {@link nest} it sets no
   * savepoint, so that an error may leave statements of `fn` behind in the current transaction.
   */
  join<T>(label: string, fn: () => Promise<T>, limits?: CallLimits): Promise<T> {
    const outer = this.current()
    if (outer === undefined) return this.#begun(label, fn, limits, {})
    return outer.isSandbox ? this.#simulated(label, outer, fn, limits) : this.#joined(label, outer, fn, limits, false)
  }

  /** Runs `fn` outside of this database's transactions. Nothing leaves a sandbox: there it is a part of them. */
  detached<T>(fn: () => Promise<T>): Promise<T> {
    return this.current()?.isInSandbox ? fn() : outsideOf(this, fn)
  }

  /**
   * Runs `fn` in a transaction that is rolled back in any case, and that nothing in `fn` takes for one: calls in it are whole or fail whole,
   * and transactions in it, which are savepoints, commit as far as they can tell.
   *
   * @returns what `fn` gave
   * @throws what `fn` threw
   */
  async sandbox<T>(fn: () => Promise<T>): Promise<T> {
    const undo = new Undo()
    let value: T | undefined
    const undone = async (): Promise<never> => {
      value = await fn()
      throw undo
    }
    const outer = this.current()
    const running =
      outer === undefined
        ? this.#begun('sandbox', undone, undefined, {}, true)
        : this.#savepoint('sandbox', outer, undone, undefined, () => undefined, true)
    return running.catch((error: unknown) => {
      if (error !== undo) throw error
      return value as T
    }) as Promise<T>
  }

  /**
   * Runs `work` after the outermost commit, in the async context of this call, and never if the commit does not come; at once where there
   * is no transaction.
   */
  async afterCommit(work: AfterCommit): Promise<void> {
    const frame = this.current()
    if (frame === undefined || frame.isSandbox) await work()
    else frame.waitForCommit(waitingWork(work))
  }

  async #begun<T>(
    label: string,
    fn: () => Promise<T>,
    limits: CallLimits | undefined,
    options: BeginOptions,
    isSandbox = false,
  ): Promise<T> {
    const access = options.readOnly === true ? 'read' : 'write'
    const opener = callSite('the transaction was begun here')
    const acquired = this.#source.acquire({ access, label, borrower: opener }, limits)
    // a promise more costs more than the question, while async contexts are followed
    const connection = acquired instanceof Promise ? await acquired : acquired
    const frame = this.#frame(connection, undefined, limits, { opener, isSandbox })
    let condition: Condition = 'broken'
    let value: T
    try {
      const beginning = this.#control.begin(connection, options, limits)
      if (beginning !== undefined) await beginning
      frame.idle?.begin()
      try {
        value = await this.#callback(frame, label, this.#source.slotsOf(connection), fn)
      } catch (error) {
        condition = await this.#control.rollback(frame)
        throw error
      }
      frame.idle?.end('commit')
      const committing = this.#control.commit(frame, limits)
      const end = committing instanceof Promise ? await committing : committing
      condition = end.condition
      if (end.error !== undefined) throw end.error
    } finally {
      this.#source.release(connection, condition)
    }
    // where the call itself is in a transaction, this one was independent of it: so is what follows it
    if (frame.waiting.length > 0) await outsideOf(this, () => runAfterCommit(frame.waiting, value))
    return value
  }

  /** @param isWhole an error of `fn` is one of the whole transaction, which can keep nothing then */
  async #joined<T>(
    label: string,
    outer: TransactionFrame,
    fn: () => Promise<T>,
    limits: CallLimits | undefined,
    isWhole: boolean,
  ): Promise<T> {
    const frame = this.#frame(outer.connection, outer, limits)
    const work = async () => {
      const value = await this.#callback(frame, label, outer.turns, fn).catch((error: unknown) => {
        if (frame.failure !== undefined) outer.fail(frame.failure)
        if (isWhole) outer.failWhole(new TransactionAbortedError('a transaction that had joined this one failed', { cause: error }))
        throw error
      })
      for (const waiting of frame.waiting) outer.waitForCommit(waiting)
      return value
    }
    return outer.run(work, label, limits)
  }

  #nested<T>(label: string, outer: TransactionFrame, fn: () => Promise<T>, limits: CallLimits | undefined): Promise<T> {
    const keep = ({ waiting }: TransactionFrame) => {
      for (const work of waiting) outer.waitForCommit(work)
    }
    return this.#savepoint(label, outer, fn, limits, keep)
  }

  /** A savepoint that is to `fn` what a transaction is outside of a sandbox. */
  async #simulated<T>(label: string, outer: TransactionFrame, fn: () => Promise<T>, limits: CallLimits | undefined): Promise<T> {
    let frame: TransactionFrame | undefined
    const value = await this.#savepoint(label, outer, fn, limits, (released) => {
      frame = released
    })
    await runAfterCommit(frame!.waiting, value)
    return value
  }

  /** @param onRelease is called while the others in `outer` wait still */
  async #savepoint<T>(
    label: string,
    outer: TransactionFrame,
    fn: () => Promise<T>,
    limits: CallLimits | undefined,
    onRelease: (frame: TransactionFrame) => void,
    isSandbox = false,
  ): Promise<T> {
    const frame = this.#frame(outer.connection, outer, limits, { isSandbox })
    const savepoint = `lw_${frame.depth}`
    const work = async () => {
      await this.#control.setSavepoint(outer, savepoint, limits)
      const value = await this.#callback(frame, label, outer.turns, fn).catch(async (error: unknown) => {
        await this.#control.undoSavepoint(outer, savepoint, frame, error)
        throw error
      })
      await this.#control.releaseSavepoint(outer, savepoint, limits)
      onRelease(frame)
      return value
    }
    return outer.run(work, label, limits)
  }

  #frame(
    connection: Connection,
    parent: TransactionFrame | undefined,
    limits: CallLimits | undefined,
    { opener = parent?.opener, isSandbox = false }: { readonly opener?: Error | undefined; readonly isSandbox?: boolean } = {},
  ): TransactionFrame {
    const survivesErrors = this.#control.statementErrorKeepsTransaction
    const idle = parent === undefined && !isSandbox ? new IdleTime(this.#source.name, opener) : parent?.idle
    return new TransactionFrame(this, connection, parent, enclosingFrame(), survivesErrors, limits, opener, idle, isSandbox)
  }

  /** The callback's value, if everything in it had settled by its end. The frame is closed either way, and with it what it holds. */
  async #callback<T>(frame: TransactionFrame, label: string, held: HeldResource, fn: () => Promise<T>): Promise<T> {
    try {
      const work = async () => {
        const value = await boundBy(frame.limits, label, () => inFrame(frame, fn))
        const ending = frame.endCursors()
        if (ending !== undefined) await ending
        // before the end of the step turns away those who still wait for their turn
        frame.requireComplete()
        return value
      }
      return await withResource(held, label, work, frame.opener)
    } catch (error) {
      // what undoes the transaction waits for them, for as long as that may take
      frame.endCursors()?.catch(() => undefined)
      throw error
    } finally {
      frame.close()
    }
  }
}

/** Thrown to roll a sandbox back, and seen by nobody else. */
class Undo extends Error {}

/** What a transaction of the application's is called in events, errors and the like. */
const LABEL = 'transaction'

function limitsOf({ timeoutMs, signal }: TransactionOptions): CallLimits | undefined {
  if (timeoutMs === undefined && signal === undefined) return undefined
  return { deadline: timeoutMs === undefined ? Number.POSITIVE_INFINITY : deadlineAfter(timeoutMs), signal }
}
