import { LATE, remainingMs, settledBy } from '../deadline.js'
import { LatchworkError, QueryTimeoutError } from '../errors.js'
import { contextOf, inputFrom } from './step-context.js'
import { type AnyNode, type RetryOptions, type Step, workflowOf } from './workflow-definition.js'
import type { Done, DoneItem, WorkflowRun } from './workflow-run.js'

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
 * Runs one step, and puts what it gave beside the other results and, unless it was skipped, to what is `kept`.
 *
 * @param inTransaction  a failure would cost the transaction around the step: what may be tried again needs a savepoint
 * @throws {StepFailure} it failed for good
 */
export function runStep(run: WorkflowRun, step: Step, inTransaction: boolean, kept: Done[], nested: RunNested): Promise<void> {
  const startedMs = performance.now()
  const attempt = new StepAttempts(run, step, inTransaction, nested)
  run.running.add(step.id)
  const failed = (error: unknown): never => {
    end(run, step, 'failed', startedMs, attempt.count, error)
    throw new StepFailure(step, error)
  }
  const done = (value: unknown) => {
    run.values[step.id] = value
    try {
      end(run, step, 'done', startedMs, attempt.count)
    } catch (error) {
      failed(error)
    }
    kept.push({ step, value, items: run.items.get(step.id) })
  }
  // not an async function: each promise costs more while async contexts are followed, and most steps need no other than their node's
  let running: Promise<unknown> | undefined
  try {
    running = started(run, step, attempt)
    if (running === undefined) {
      run.skipped.add(step.id)
      end(run, step, 'skipped', startedMs, attempt.count)
      return Promise.resolve()
    }
  } catch (error) {
    return Promise.reject(error).catch(failed)
  }
  return running.then(done, failed)
}

/** The work of a step; undefined: it is skipped. */
function started(run: WorkflowRun, step: Step, attempt: StepAttempts): Promise<unknown> | undefined {
  const context = contextOf(step, run.values)
  if (isSkipped(run, step, context)) return undefined
  if (run.isHeard) run.tell({ workflow: run.definition.name, runId: run.runId, type: 'stepStarted', step: step.id, node: step.node.name })
  return step.items === undefined ? attempt.outcome(context) : runItems(run, step, attempt, context)
}

function end(
  run: WorkflowRun,
  { id, node }: Step,
  status: 'done' | 'skipped' | 'failed',
  startedMs: number,
  attempts: number,
  error?: unknown,
): void {
  run.running.delete(id)
  const durationMs = performance.now() - startedMs
  if (status !== 'failed')
    run.reports.set(id, { step: id, node: node.name, status, startedMs: startedMs - run.startedMs, durationMs, attempts })
  if (!run.isHeard) return
  const { definition, runId } = run
  run.tell({ workflow: definition.name, runId, type: 'stepEnded', step: id, node: node.name, status, durationMs, attempts, error })
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
  const source = step.items!(context as never, (callLimits(run, undefined) ?? {}) as never) as Iterable<unknown> | AsyncIterable<unknown>
  const items = Symbol.asyncIterator in source ? source[Symbol.asyncIterator]() : source[Symbol.iterator]()
  const results: unknown[] = []
  const finished: DoneItem[] = []
  run.items.set(step.id, finished)
  let begun = 0
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
      const itemsDone = finished.push({ item: value, value: results[index] })
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

  outcome(context: unknown, item?: unknown, index?: number): Promise<unknown> {
    const { retry, onError } = this.step.options
    if (retry === undefined && onError === undefined) return this.#once(context, item, index, 1)
    return this.#handled(context, item, index)
  }

  async #handled(context: unknown, item: unknown, index: number | undefined): Promise<unknown> {
    const { retry, onError } = this.step.options
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

  /** Throws at once what making the input throws. */
  #once(context: unknown, item: unknown, index: number | undefined, attempts: number): Promise<unknown> {
    this.count = Math.max(this.count, attempts)
    const { step, run } = this
    const { options, bind } = step
    const input = bind === undefined ? inputFrom(step.inputs, step.connections, run.values) : bind(context as never, item as never, index)
    const limits = callLimits(run, options.timeoutMs)
    const running = input instanceof Promise ? input.then((made) => this.#call(made, limits)) : this.#call(input, limits)
    return options.timeoutMs === undefined ? running : this.#inTime(running, options.timeoutMs)
  }

  #call(input: unknown, limits: CallLimitsOptions | undefined): Promise<unknown> {
    const { node } = this.step
    if (workflowOf(node) !== undefined) return this.nested(node, input, this.run, limits)
    const answer = (node as unknown as (input: unknown, options?: unknown) => unknown)(input, limits)
    return answer instanceof Promise ? answer : Promise.resolve(answer)
  }

  async #inTime(running: Promise<unknown>, timeoutMs: number): Promise<unknown> {
    const outcome = await settledBy(running, performance.now() + timeoutMs, this.run.limits.signal)
    if (outcome === LATE) throw new QueryTimeoutError(`step ${this.step.id} ran past its timeoutMs`)
    return outcome
  }
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
