import type { NodeSource } from './node-source.js'
import type { RetryOptions, TransactionScope } from './workflow-definition.js'

/** How a workflow is built. */
export interface WorkflowOptions<I> {
  /** Any Standard Schema that the input of a run must pass; what it makes of it is the input that steps see. Default: anything is taken. */
  readonly input?: I
  /**
   * What is one transaction: all steps together (`'workflow'`), each by itself (`'step'`), or these together. Where the database could not
   * serialise it with others it is run again, if no step of it reaches beyond the database. Default: every write is committed by itself.
   */
  readonly transaction?: TransactionScope | undefined
  /** Let nodes that reach beyond the database stand in a transaction. A rollback does not undo them. Default false. */
  readonly allowExternal?: boolean
  /** Where `addNode` finds nodes by name: a database. */
  readonly nodes?: NodeSource
}

/** How a step is run. `C` is what its functions see, `Out` what its node gives, `Result` what the step gives. */
export interface StepOptions<C, Out, Result = Out> {
  /** Steps that have to end before, beside those whose results it takes. */
  readonly after?: readonly string[]
  /** Whether it runs at all. Default: it does. */
  readonly when?: (context: C) => boolean
  /**
   * What becomes of it where a step was skipped whose result it takes. `'skip'`: it is skipped too. `'undefined'`: it runs, with undefined in
   * place of the result. Has to be said where that can be.
   */
  readonly ifSkipped?: 'skip' | 'undefined'
  /** Tries it again. In a transaction each try is a savepoint. Default: one try. */
  readonly retry?: RetryOptions
  /** Most milliseconds for each try. Default: no limit but that of the run. */
  readonly timeoutMs?: number
  /** Gives a result in place of the one that the last try did not give, or throws. Default: the run fails. */
  readonly onError?: (error: unknown, context: C) => Out | Promise<Out>
  /**
   * Undoes the step where the run fails later on and what the step did stays. Called without a transaction, the last step's first; not for
   * what is rolled back.
   */
  readonly compensate?: (result: Result, context: C) => unknown
}

/** How a step is run that runs once an item. */
export interface MapOptions<C, Out, T = unknown> extends StepOptions<C, Out, Out[]> {
  /** Most items side by side. 1 to 10,000; default 8. */
  readonly maxParallel?: number
  /**
   * Undoes one item, in place of `compensate`, which undoes them all together: those that were done, the last first, also where the step failed
   * at another one.
   */
  readonly compensateItem?: (result: Out, context: C, item: T) => unknown
}
