import { deadlineAfter } from '../deadline.js'
import type { ConnectionSource } from '../dialect/connection-source.js'
import type { Connection, Dialect, Statement, StatementResult } from '../dialect/dialect.js'
import type { LearnedConstraints } from '../dialect/learned-constraints.js'
import {
  AbortedError,
  ConnectionLostError,
  ConstraintError,
  ForeignKeyViolationError,
  type LatchworkError,
  QueryTimeoutError,
} from '../errors.js'
import { Later } from '../later.js'
import { currentFrame, currentScope, requireHeld } from '../lock/lock-scope.js'
import { type MaybePromise, orElse } from '../maybe-promise.js'
import { DebugValues } from './debug-values.js'
import { type Interruption, interruptible, requireNotInterrupted } from './interruptible.js'
import { QueryObserver } from './query-observer.js'
import type { CallLimits, PlanRunner, QueryPlan } from './query-plan.js'
import { ReadBatcher } from './read-batcher.js'
import { Transactions } from './transaction.js'
import { TransactionControl } from './transaction-control.js'
import { nearestLimits, type TransactionFrame } from './transaction-frame.js'

export interface RunnerOptions {
  /** Statements that take longer are told of as slow; undefined: none is. */
  readonly slowQueryMs?: number | undefined
  /** Errors tell of their statements, values and all. Default false. */
  readonly debugValues?: boolean
  /** Reads of single rows by key may go together. Default true. */
  readonly batchReads?: boolean
}

const BATCHES = new Later('row batches', () => import('./row-batches.js'))

/** Most milliseconds to wait for a second connection, which all others may have. */
const LEARN_WITHIN_MS = 500

type StoredConstraints = Awaited<ReturnType<Dialect['storedConstraints']>>
type ReadOn = (connection: Connection) => Promise<StoredConstraints>

/**
 * Runs the plans of one database: on the ambient transaction's connection, or on one taken from the pool for the call.
 * Gives a result at once, without a promise, where pool and driver do.
 */
export class QueryRunner implements PlanRunner {
  readonly #transactions: Transactions
  readonly observer: QueryObserver
  readonly #debug: DebugValues | undefined
  readonly #reads = new ReadBatcher((plan) => this.#runPooled(plan, undefined))
  readonly #batchesReads: boolean

  constructor(
    readonly dialect: Dialect,
    readonly source: ConnectionSource,
    readonly catalogue: LearnedConstraints,
    { slowQueryMs, debugValues = false, batchReads = true }: RunnerOptions = {},
  ) {
    this.#batchesReads = batchReads
    this.#debug = debugValues ? new DebugValues(dialect) : undefined
    const toError = (thrown: unknown, statement: Statement) => this.#toldBy(this.#errorOf(thrown), thrown, statement)
    const control = new TransactionControl(dialect, toError, source.acquireTimeoutMs)
    this.#transactions = new Transactions(control, source)
    this.observer = new QueryObserver(source.name, slowQueryMs, (thrown) => this.#errorOf(thrown))
  }

  get isInTransaction(): boolean {
    const frame = this.#transactions.current()
    return frame !== undefined && !frame.isSandbox
  }

  get scope(): object | undefined {
    return this.#transactions.current()?.outermost ?? currentScope()
  }

  run<T>(plan: QueryPlan<T>, limits?: CallLimits): MaybePromise<T> {
    const frame = this.#transactions.current()
    // outside of a sandbox, a statement that fails would cost nothing but itself
    if (frame?.isSandbox && !frame.survivesErrors) return this.#transactions.nest(plan.label, async () => this.run(plan, limits), limits)
    if (frame !== undefined) return this.#runWithin(frame, plan, limits)
    const interruption = interruptionOf(plan.label, limits)
    requireHeld()
    // what may be stopped on the server is the call's own; and who holds something waits for a connection in the graph of waits
    const canShare = this.#batchesReads && interruption === undefined && currentFrame()?.isHolder !== true
    return plan.sharable === undefined || !canShare ? this.#runPooled(plan, interruption) : this.#reads.run(plan, plan.sharable)
  }

  batches<T>(plan: QueryPlan<T>, given?: CallLimits): AsyncGenerator<T, void, undefined> {
    const frame = this.#transactions.current()
    // a cursor's failure would cost a sandbox all that came before, and a savepoint cannot last as long as a cursor
    if (frame?.isSandbox && !frame.survivesErrors) return this.#wholeBatch(plan, given)
    const { limits, end } = nearestLimits(frame?.limits, given)
    return this.#rowBatches(plan, frame, interruptionOf(plan.label, limits), end)
  }

  async *#rowBatches<T>(
    plan: QueryPlan<T>,
    frame: TransactionFrame | undefined,
    interruption: Interruption | undefined,
    endLimits: (() => void) | undefined,
  ): AsyncGenerator<T, void, undefined> {
    const { rowBatches } = await BATCHES.load()
    yield* rowBatches(this, plan, frame, interruption, endLimits)
  }

  async *#wholeBatch<T>(plan: QueryPlan<T>, limits: CallLimits | undefined): AsyncGenerator<T, void, undefined> {
    yield await this.run(plan, limits)
  }

  failureOf(thrown: unknown, statement: Statement): { readonly error: LatchworkError; readonly costsConnection: boolean } {
    const error = this.#errorOf(thrown)
    return { error: this.#toldBy(error, thrown, statement), costsConnection: this.#costsConnection(thrown, error) }
  }

  /** Sends reads that wait to go with others: see {@link ReadBatcher}. */
  sendGathered(): void {
    this.#reads.sendAll()
  }

  meetServer(label: string, limits?: CallLimits): Promise<void> | undefined {
    return this.source.hasMetServer ? undefined : this.#meetServer(label, limits)
  }

  async #meetServer(label: string, limits?: CallLimits): Promise<void> {
    requireHeld()
    await this.source.meetServer({ access: 'write', label }, interruptionOf(label, limits))
  }

  transaction<T>(label: string, fn: () => Promise<T>, limits?: CallLimits): Promise<T> {
    return this.#transactions.nest(label, fn, limits)
  }

  /** The transactions of the application. */
  get transactions(): Pick<Transactions, 'run' | 'detached' | 'afterCommit' | 'sandbox'> {
    return this.#transactions
  }

  together<T>(label: string, fn: () => Promise<T>, limits?: CallLimits): Promise<T> {
    return this.#transactions.join(label, fn, limits)
  }

  attempt<T>(label: string, fn: () => T | Promise<T>, limits?: CallLimits): T | Promise<T> {
    return this.#transactions.current() === undefined ? fn() : this.#transactions.nest(label, async () => fn(), limits)
  }

  #runPooled<T>(plan: QueryPlan<T>, interruption: Interruption | undefined): MaybePromise<T> {
    const connection = this.source.acquire(plan, interruption)
    if (connection instanceof Promise) return connection.then((acquired) => this.#runOn(acquired, plan, interruption))
    return this.#runOn(connection, plan, interruption)
  }

  #runOn<T>(connection: Connection, plan: QueryPlan<T>, interruption: Interruption | undefined): MaybePromise<T> {
    const condition = plan.taints === true ? 'tainted' : 'clean'
    const done = (result: StatementResult) => {
      this.source.release(connection, condition)
      return plan.read(result)
    }
    const ended = (thrown: unknown, error: LatchworkError) => {
      this.source.release(connection, this.#costsConnection(thrown, error) ? 'broken' : condition)
      throw this.#toldBy(error, thrown, plan.statement)
    }
    const failed = (thrown: unknown) => {
      const error = this.#errorOf(thrown)
      if (!this.#isUnknown(error)) return ended(thrown, error)
      return this.#learned(thrown, (read) => read(connection)).then((learned) => ended(thrown, learned))
    }
    let result: MaybePromise<StatementResult>
    try {
      result = this.#send(connection, plan, interruption, false)
    } catch (thrown) {
      return failed(thrown)
    }
    return result instanceof Promise ? result.then(done, failed) : done(result)
  }

  #runWithin<T>(frame: TransactionFrame, plan: QueryPlan<T>, given: CallLimits | undefined): MaybePromise<T> {
    const { limits, end } = nearestLimits(frame.limits, given)
    const run = () => this.#runInFrame(frame, plan, interruptionOf(plan.label, limits))
    return end === undefined ? run() : followedBy(end, run)
  }

  #runInFrame<T>(frame: TransactionFrame, plan: QueryPlan<T>, interruption: Interruption | undefined): MaybePromise<T> {
    let isSent = false
    const done = (result: StatementResult) => {
      frame.idle?.begin()
      return plan.read(result)
    }
    const failed = (thrown: unknown) => {
      const error = this.#errorOf(thrown)
      if (!this.#isUnknown(error)) return ended(thrown, error)
      return this.#learned(thrown, (read) => this.#runBeside(frame, plan.label, read)).then((learned) => ended(thrown, learned))
    }
    const ended = (thrown: unknown, error: LatchworkError) => {
      frame.idle?.begin()
      if (!isSent) throw error
      const told = this.#toldBy(error, thrown, plan.statement)
      frame.fail(told)
      if (this.#costsConnection(thrown, error)) frame.spend()
      throw told
    }
    const send = (connection: Connection) => {
      if (interruption !== undefined) requireNotInterrupted(interruption)
      isSent = true
      frame.idle?.end(plan.label)
      return this.#send(connection, plan, interruption, true)
    }
    if (plan.taints === true) frame.taint()
    let result: MaybePromise<StatementResult>
    try {
      result = frame.run(send, plan.label, interruption)
    } catch (thrown) {
      return failed(thrown)
    }
    return result instanceof Promise ? result.then(done, failed) : done(result)
  }

  #send<T>(
    connection: Connection,
    plan: QueryPlan<T>,
    interruption: Interruption | undefined,
    inTransaction: boolean,
  ): MaybePromise<StatementResult> {
    const sent = inTransaction || plan.statement.reread === undefined ? plan : { ...plan, statement: { ...plan.statement, isAlone: true } }
    if (!this.observer.isHeard) return this.#start(connection, sent, interruption)
    return this.observer.observe(plan, inTransaction, () => this.#start(connection, sent, interruption))
  }

  #start<T>(connection: Connection, plan: QueryPlan<T>, interruption: Interruption | undefined): MaybePromise<StatementResult> {
    if (plan.foreignKeyProbes === undefined) return this.#runOnce(connection, plan, interruption)
    return orElse(
      () => this.#runOnce(connection, plan, interruption),
      (thrown) => this.#rejectNamed(connection, plan, thrown),
    )
  }

  #runOnce<T>(connection: Connection, plan: QueryPlan<T>, interruption: Interruption | undefined): MaybePromise<StatementResult> {
    if (interruption === undefined) return started(connection, plan, plan.statement)
    requireNotInterrupted(interruption)
    const running = started(connection, plan, { ...plan.statement, deadline: interruption.deadline })
    return running instanceof Promise ? interruptible(connection, running, interruption) : running
  }

  /** Throws what was thrown; where that is a foreign key without a name, with the one that probes on this connection find. */
  async #rejectNamed<T>(connection: Connection, { foreignKeyProbes }: QueryPlan<T>, thrown: unknown): Promise<never> {
    const error = this.#errorOf(thrown)
    if (!(error instanceof ForeignKeyViolationError) || error.constraint !== undefined) throw thrown
    for (const { statement, origin } of await foreignKeyProbes!()) {
      const { rows } = await connection.run(statement)
      if (rows.length === 0) continue
      const named = new ForeignKeyViolationError(origin, { cause: error.cause })
      throw this.#debug === undefined ? named : this.#debug.remember(named, thrown)
    }
    throw thrown
  }

  /** Whether an error names a constraint that no model has, and that the database may tell of. */
  #isUnknown(error: LatchworkError): boolean {
    return error instanceof ConstraintError && error.model === undefined && error.constraint !== undefined && this.catalogue.isDue
  }

  /** The error for what was thrown, once the catalogue has asked the database for its names. */
  async #learned(thrown: unknown, withConnection: (read: ReadOn) => MaybePromise<StoredConstraints>): Promise<LatchworkError> {
    try {
      await this.catalogue.learn(async (tables) => withConnection((connection) => this.dialect.storedConstraints(connection, tables)))
    } catch {
      // without them it is the same error, and says less
    }
    return this.#errorOf(thrown)
  }

  /** On the connection of a transaction, or on another where its engine takes nothing more in a transaction that failed. */
  async #runBeside(frame: TransactionFrame, label: string, read: ReadOn): Promise<StoredConstraints> {
    if (this.dialect.capabilities.statementErrorKeepsTransaction) return frame.run(read, label)
    const connection = await this.source.acquire({ access: 'read', label }, { deadline: deadlineAfter(LEARN_WITHIN_MS), signal: undefined })
    try {
      return await read(connection)
    } finally {
      this.source.release(connection, 'clean')
    }
  }

  /** The one place where a driver's error becomes one of ours. */
  #errorOf(thrown: unknown): LatchworkError {
    return this.dialect.toDataError(thrown, this.catalogue)
  }

  /** What the caller gets: with `debugValues`, an error that tells of the statement. */
  #toldBy(error: LatchworkError, thrown: unknown, statement: Statement): LatchworkError {
    return this.#debug === undefined ? error : this.#debug.tell(error, thrown, statement)
  }

  #costsConnection(thrown: unknown, error: LatchworkError): boolean {
    // an interrupted statement may still be running there
    const isBusy = error instanceof QueryTimeoutError || error instanceof AbortedError
    return isBusy || error instanceof ConnectionLostError || this.dialect.evicts(thrown)
  }
}

function started<T>(connection: Connection, { inspect }: QueryPlan<T>, statement: Statement): MaybePromise<StatementResult> {
  const running = connection.run(statement)
  return inspect === undefined ? running : inspected(running, inspect)
}

async function inspected(running: MaybePromise<StatementResult>, inspect: (result: StatementResult) => MaybePromise<void>) {
  const result = await running
  await inspect(result)
  return result
}

async function followedBy<T>(end: () => void, work: () => MaybePromise<T>): Promise<T> {
  try {
    return await work()
  } finally {
    end()
  }
}

/** Undefined where nothing can stop the call. */
function interruptionOf(label: string, limits: CallLimits | undefined): Interruption | undefined {
  if (limits === undefined) return undefined
  const { deadline, signal } = limits
  return deadline === Number.POSITIVE_INFINITY && signal === undefined ? undefined : { label, deadline, signal }
}
