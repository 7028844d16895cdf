import { randomUUID } from 'node:crypto'
import { deadlineAfter } from '../deadline.js'
import { AfterCommitError, CommitUnknownError, ConfigurationError, WorkflowError } from '../errors.js'
import type { WorkflowEvent } from '../events.js'
import { withLockScope } from '../lock/lock-scope.js'
import { requireKnownNames } from '../nearest-name.js'
import { validated } from '../nodes/node-schema.js'
import type { CallOptions } from '../query/query-plan.js'
import { type RunNested, runStep, StepFailure } from './run-step.js'
import { runUnits } from './run-units.js'
import type { Workflow } from './workflow.js'
import { type AnyNode, type Step, type Unit, type UnitGraph, type WorkflowDefinition, workflowOf } from './workflow-definition.js'
import { type Done, type StepReport, type WorkflowHost, WorkflowRun } from './workflow-run.js'

/** How workflows are run. */
export interface RuntimeOptions {
  /** Most steps of a run side by side. 1 to 10,000; default 16. */
  readonly maxParallel?: number
}

/** What may be said of one run. */
export interface ExecuteOptions extends CallOptions {
  /** Default: a new UUID. */
  readonly runId?: string
  /** Hears of the run and of each step. What it throws fails the step. Default: nobody; the channel `latchwork:workflow` has the same. */
  readonly onEvent?: (event: WorkflowEvent) => void
}

/** What a run came to. */
export interface RunResult<R, O> {
  readonly runId: string
  /** Of each step that was not skipped, by its id. */
  readonly results: R
  /** What the workflow gives as a node. */
  readonly output: O
  /** In the order in which they ended. */
  readonly steps: readonly StepReport[]
  readonly durationMs: number
}

const DEFAULT_PARALLEL = 16
const MOST_PARALLEL = 10_000

/** Runs workflows in this process. */
export class LocalRuntime {
  readonly #host: WorkflowHost | undefined
  readonly #maxParallel: number

  /**
   * @param host  the database of their transactions; without one, none of them may have any
   * @throws {ConfigurationError} an option is unknown or out of bounds
   */
  constructor(host?: WorkflowHost, options: RuntimeOptions = {}) {
    requireKnownNames('', options, ['maxParallel'])
    const { maxParallel = DEFAULT_PARALLEL } = options
    if (!Number.isInteger(maxParallel) || maxParallel < 1 || maxParallel > MOST_PARALLEL)
      throw new ConfigurationError('maxParallel', `expected a whole number from 1 to ${MOST_PARALLEL}`)
    this.#host = host
    this.#maxParallel = maxParallel
  }

  /**
   * Runs a workflow: each step as soon as what it needs is there, in one lock scope and under one deadline.
   *
   * Where a step fails, none is begun any more, those under way are waited for, transactions are rolled back, and what stays is compensated,
   * the last step first.
   *
   * @throws {ValidationError} the input is not what the workflow takes; nothing has run
   * @throws {WorkflowError} a step failed, or the run was stopped; says which, and what stays
   */
  async execute<I, R, O>(workflow: Workflow<I, R, O>, input: I, options: ExecuteOptions = {}): Promise<RunResult<R, O>> {
    const definition = workflowOf(workflow)
    if (definition === undefined) throw new ConfigurationError('workflow', 'expected what WorkflowBuilder.build() gives')
    return this.#run(definition, input, options) as Promise<RunResult<R, O>>
  }

  async #run(definition: WorkflowDefinition, input: unknown, options: ExecuteOptions): Promise<RunResult<unknown, unknown>> {
    const { name } = definition
    if (definition.needsDatabase && this.#host === undefined)
      throw new ConfigurationError('workflow', `${name} has transactions; run it by new LocalRuntime(db), or give it to db.register`)
    const taken = definition.input === undefined ? input : await validated(name, 'input', definition.input, input)
    const { runId = randomUUID(), signal, timeoutMs, onEvent } = options
    const limits = { deadline: timeoutMs === undefined ? Number.POSITIVE_INFINITY : deadlineAfter(timeoutMs), signal }
    const run = new WorkflowRun(definition, runId, this.#host, limits, this.#maxParallel, onEvent, taken)
    let failure: unknown
    if (run.isHeard) run.tell({ workflow: name, runId, type: 'started' })
    try {
      return await withLockScope(() => this.#finish(run))
    } catch (error) {
      failure = error
      throw error
    } finally {
      run.end()
      if (run.isHeard) run.tell({ workflow: name, runId, type: 'ended', durationMs: performance.now() - run.startedMs, error: failure })
    }
  }

  async #finish(run: WorkflowRun): Promise<RunResult<unknown, unknown>> {
    const { definition, runId, values } = run
    try {
      await this.#runGraph(run, definition.graph, false, run.kept)
      const { input: _, ...results } = values
      const output = definition.output === undefined ? results : definition.output(values as never)
      return { runId, results, output, steps: [...run.reports.values()], durationMs: performance.now() - run.startedMs }
    } catch (error) {
      throw await failed(run, error)
    }
  }

  #runGraph(run: WorkflowRun, graph: UnitGraph, inTransaction: boolean, kept: Done[]): Promise<void> {
    return runUnits(run, graph, (unit) =>
      unit.inner === undefined ? this.#runOne(run, unit, inTransaction, kept) : this.#runRegion(run, unit, kept),
    )
  }

  #runOne(run: WorkflowRun, { steps }: Unit, inTransaction: boolean, kept: Done[]): Promise<void> {
    const step = steps[0]!
    const running = runStep(run, step, inTransaction, kept, this.#nested)
    return step.items === undefined ? running : running.catch((error: unknown) => this.#keepItems(run, step, kept, error))
  }

  /** Remembers the items that were done before another one failed. */
  #keepItems(run: WorkflowRun, step: Step, kept: Done[], error: unknown): never {
    const items = run.items.get(step.id) ?? []
    if (items.length > 0) kept.push({ step, value: undefined, items, isPartial: true })
    throw error
  }

  /** Runs the steps of a region in a transaction; what they did is kept when that is committed. */
  async #runRegion(run: WorkflowRun, { steps, inner, isRepeatable }: Unit, kept: Done[]): Promise<void> {
    const { deadline, signal } = run.limits
    const host = run.host!
    let done: Done[] = []
    const work = async () => {
      // the transaction may be run again
      done = []
      for (const { id } of steps) {
        delete run.values[id]
        run.skipped.delete(id)
        run.reports.delete(id)
      }
      await this.#runGraph(run, inner!, true, done)
    }
    try {
      await host.transaction(work, {
        ...(isRepeatable && !host.isInTransaction ? { retry: 'serialization' } : {}),
        ...(deadline === Number.POSITIVE_INFINITY ? {} : { timeoutMs: Math.max(1, Math.ceil(deadline - performance.now())) }),
        ...(signal === undefined ? {} : { signal }),
      })
    } catch (error) {
      if (error instanceof CommitUnknownError) run.unknown.push(...changes(done))
      if (error instanceof AfterCommitError) kept.push(...done)
      throw error
    }
    kept.push(...done)
  }

  readonly #nested: RunNested = async (node, input, _run, options = {}) => (await this.#run(workflowOf(node)!, input, options)).output
}

/** Undoes what stays, the last first, and says what became of the run. */
async function failed(run: WorkflowRun, thrown: unknown): Promise<WorkflowError> {
  const { definition, runId } = run
  const running = [...run.running]
  const compensated: string[] = []
  const compensationErrors: { readonly step: string; readonly error: unknown }[] = []
  for (const done of run.kept.toReversed()) {
    const { step } = done
    if (!isUndoable(done)) continue
    let error: unknown
    try {
      await undo(done, run.values)
      compensated.push(step.id)
    } catch (caught) {
      error = caught
      compensationErrors.push({ step: step.id, error })
    }
    if (run.isHeard) run.tell({ workflow: definition.name, runId, type: 'compensated', step: step.id, error })
  }
  const committed = changes(run.kept).filter((step) => !compensated.includes(step))
  const { step, node, cause } = placeOf(thrown)
  return new WorkflowError(
    { workflow: definition.name, runId, step, node, committed, unknown: run.unknown, running, compensated, compensationErrors },
    cause,
  )
}

function isUndoable({ step: { options }, isPartial }: Done): boolean {
  return options.compensateItem !== undefined || (options.compensate !== undefined && isPartial !== true)
}

async function undo({ step: { options }, value, items = [] }: Done, values: WorkflowRun['values']): Promise<void> {
  if (options.compensate !== undefined) await options.compensate(value as never, values as never)
  if (options.compensateItem === undefined) return
  for (const done of items.toReversed()) await options.compensateItem(done.value as never, values as never, done.item as never)
}

function placeOf(thrown: unknown): { readonly step: string | undefined; readonly node: string | undefined; readonly cause: unknown } {
  if (!(thrown instanceof StepFailure)) return { step: undefined, node: undefined, cause: thrown }
  return { step: thrown.step.id, node: thrown.step.node.name, cause: thrown.cause }
}

/** The steps that did more than read. */
function changes(done: readonly Done[]): readonly string[] {
  return done.filter(({ step }) => (step.node as AnyNode).effect !== 'read').map(({ step }) => step.id)
}
