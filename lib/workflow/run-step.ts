import { LATE, remainingMs, settledBy } from '../deadline.js'
import { LatchworkError, QueryTimeoutError } from '../errors.js'
import { contextOf, inputFrom } from './step-context.js'
import { type AnyNode, type RetryOptions, type Step, workflowOf } from './workflow-definition.js'
import type { WorkflowRun } from './workflow-run.js'

/** Which step failed, on its way through what is around the step. */
export class StepFailure extends Error {
  constructor(
    readonly step: Step,
    cause: unknown,
  ) {
    super(`step ${step.id} failed`, { cause })
  }
}

/** Runs a workflow inside another one. */
export type RunNested = (node: AnyNode, input: unknown, run: WorkflowRun, options: CallLimitsOptions | undefined) => Promise<unknown>

interface CallLimitsOptions {
  readonly signal?: AbortSignal
  readonly timeoutMs?: number
}

/**
 * Runs one step, and puts what it gave beside the other results. False: it was skipped.
 *
 * @param inTransaction  a failure would cost the transaction around the step: what may be tried again needs a savepoint
 * @throws {StepFailure} it failed for good
 */
export async function runStep(run: WorkflowRun, step: Step, inTransaction: boolean, nested: RunNested): Promise<boolean> {
  const { id, node } = step
  const startedMs = performance.now()
  const attempt = new StepAttempts(run, step, inTransaction, nested)
  const workflow = run.definition.name
  const { runId } = run
  run.running.add(id)
  const report = (status: 'done' | 'skipped' | 'failed', error?: unknown) => {
    const durationMs = performance.now() - startedMs
    if (status !== 'failed')
      run.reports.set(id, { step: id, node: node.name, status, startedMs: startedMs - run.startedMs, durationMs, attempts: attempt.count })
    if (run.isHeard)
      run.tell({ workflow, runId, type: 'stepEnded', step: id, node: node.name, status, durationMs, attempts: attempt.count, error })
  }
  try {
    const context = contextOf(step, run.values)
    if (isSkipped(run, step, context)) {
      run.skipped.add(id)
      report('skipped')
      return false
    }
    if (run.isHeard) run.tell({ workflow, runId, type: 'stepStarted', step: id, node: node.name })
    run.values[id] = step.items === undefined ? await attempt.outcome(context) : await runItems(run, step, attempt, context)
    report('done')
    return true
  } catch (error) {
    report('failed', error)
    throw new StepFailure(step, error)
  } finally {
    run.running.delete(id)
  }
}

function isSkipped(run: WorkflowRun, { results, options }: Step, context: unknown): boolean {
  if (options.ifSkipped === 'skip' && run.skipped.size > 0) {
    for (const name of results) if (run.skipped.has(name)) return true
  }
  return options.when !== undefined && !options.when(context as never)
}

/** Items that a step runs for side by side, unless it says. */
const ITEMS_AT_ONCE = 8

/** Runs the step once an item, so many at a time; results are in the order of the items. After a failure none is begun. */
async function runItems(run: WorkflowRun, step: Step, attempt: StepAttempts, context: unknown): Promise<unknown[]> {
  const source = step.items!(context as never) as Iterable<unknown> | AsyncIterable<unknown>
  const items = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
  const results: unknown[] = []
  let begun = 0
  let itemsDone = 0
  let isOver = false
  let pulled: Promise<unknown> = Promise.resolve()
  // one at a time: an async iterator may be a stream of rows
  const pull = (): Promise<IteratorResult<unknown>> => {
    const next = pulled.then(() => items.next())
    pulled = next.catch(() => undefined)
    return next
  }
  const lane = async () => {
    while (!isOver && run.stopReason === undefined) {
      const { done, value } = await pull()
      if (done === true) isOver = true
      if (isOver) return
      const index = begun++
      results[index] = await attempt.outcome(context, value, index)
      itemsDone++
      if (run.isHeard) run.tell({ workflow: run.definition.name, runId: run.runId, type: 'itemDone', step: step.id, itemsDone })
    }
  }
  const lanes = Array.from({ length: step.options.maxParallel ?? ITEMS_AT_ONCE }, () =>
    lane().catch((error: unknown) => {
      isOver = true
      throw error
    }),
  )
  const settled = await Promise.allSettled(lanes)
  const failed = settled.find((each) => each.status === 'rejected')
  if (failed === undefined && run.stopReason === undefined) return results
  await items.return?.()
  throw failed?.reason ?? run.stopReason
}

/** The tries of one step. */
class StepAttempts {
  /** How often it was tried at the most, over its items. */
  count = 0

  constructor(
    readonly run: WorkflowRun,
    readonly step: Step,
    readonly inTransaction: boolean,
    readonly nested: RunNested,
  ) {}

  async outcome(context: unknown, item?: unknown, index?: number): Promise<unknown> {
    const { retry, onError } = this.step.options
    if (retry === undefined && onError === undefined) return this.#once(context, item, index, 1)
    try {
      return await this.#again(context, item, index, retry)
    } catch (error) {
      if (onError === undefined || this.run.stopReason !== undefined) throw error
      return onError(error, context as never)
    }
  }

  async #again(context: unknown, item: unknown, index: number | undefined, retry: RetryOptions | undefined): Promise<unknown> {
    const { host, runId, definition } = this.run
    for (let attempts = 1; ; attempts++) {
      try {
        const once = () => this.#once(context, item, index, attempts)
        // in a transaction, so that what failed costs only itself
        return await (this.inTransaction ? host!.transaction(once) : once())
      } catch (error) {
        if (retry === undefined || attempts >= retry.attempts || this.run.stopReason !== undefined) throw error
        if (!(retry.when ?? isWorthATry)(error)) throw error
        const { delayMs: first = 100, maxDelayMs = 10_000 } = retry
        const delayMs = Math.random() * Math.min(maxDelayMs, first * 2 ** (attempts - 1))
        if (remainingMs(this.run.limits.deadline) <= delayMs) throw error
        if (this.run.isHeard)
          this.run.tell({ workflow: definition.name, runId, type: 'stepRetried', step: this.step.id, attempts, delayMs, error })
        await pause(this.run, delayMs)
      }
    }
  }

  async #once(context: unknown, item: unknown, index: number | undefined, attempts: number): Promise<unknown> {
    this.count = Math.max(this.count, attempts)
    const { step, run } = this
    const { node, options, bind } = step
    const input = bind === undefined ? inputFrom(step.inputs, step.connections, run.values) : bind(context as never, item as never, index)
    const limits = callLimits(run, options.timeoutMs)
    const running = workflowOf(node) === undefined ? callNode(node, await input, limits) : this.nested(node, await input, run, limits)
    if (options.timeoutMs === undefined) return running
    const outcome = await settledBy(running, performance.now() + options.timeoutMs, run.limits.signal)
    if (outcome === LATE) throw new QueryTimeoutError(`step ${step.id} ran past its timeoutMs`)
    return outcome
  }
}

async function callNode(node: AnyNode, input: unknown, limits: CallLimitsOptions | undefined): Promise<unknown> {
  return (node as unknown as (input: unknown, options?: unknown) => unknown)(input, limits)
}

function callLimits({ limits: { deadline, signal } }: WorkflowRun, timeoutMs: number | undefined): CallLimitsOptions | undefined {
  const isEndless = deadline === Number.POSITIVE_INFINITY && timeoutMs === undefined
  if (isEndless && signal === undefined) return undefined
  const leftMs = Math.min(timeoutMs ?? Number.POSITIVE_INFINITY, Math.max(1, Math.ceil(remainingMs(deadline))))
  return { ...(isEndless ? {} : { timeoutMs: Math.min(leftMs, LONGEST_MS) }), ...(signal === undefined ? {} : { signal }) }
}

const LONGEST_MS = 2_147_483_647

function isWorthATry(error: unknown): boolean {
  return error instanceof LatchworkError ? error.retryable : true
}

function pause(run: WorkflowRun, ms: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      endListening()
      resolve()
    }, ms)
    const endListening = run.onStop((reason) => {
      clearTimeout(timer)
      endListening()
      reject(reason)
    })
  })
}
