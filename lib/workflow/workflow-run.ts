import { onAbort } from '../abort.js'
import { type Deadline, LONGEST_TIMER_MS, remainingMs } from '../deadline.js'
import { AbortedError, QueryTimeoutError } from '../errors.js'
import { type WorkflowEvent, workflowEvents } from '../events.js'
import type { TransactionOptions } from '../query/transaction-options.js'
import { INPUT } from './step-context.js'
import type { Step, WorkflowDefinition } from './workflow-definition.js'

/** What a run needs of a database: that it has transactions. */
export interface WorkflowHost {
  readonly isInTransaction: boolean
  transaction<T>(fn: () => Promise<T>, options?: TransactionOptions): Promise<T>
}

/** How one step went. */
export interface StepReport {
  readonly step: string
  readonly node: string
  readonly status: 'done' | 'skipped'
  /** Milliseconds from the start of the run. */
  readonly startedMs: number
  readonly durationMs: number
  /** How often it was tried, the last time included; 0 where it was skipped. */
  readonly attempts: number
}

/** A step that ended well, and what it gave: what a compensation undoes. */
export interface Done {
  readonly step: Step
  readonly value: unknown
  /** Of a step that runs once an item: those that were done, in the order in which they ended. */
  readonly items?: readonly DoneItem[] | undefined
  /** It failed at another item: what its functions take for its result is not there. */
  readonly isPartial?: boolean
}

/** An item that a step ran for, and what that gave. */
export interface DoneItem {
  readonly item: unknown
  readonly value: unknown
}

export interface RunLimits {
  readonly deadline: Deadline
  readonly signal: AbortSignal | undefined
}

/** One run of a workflow: what it knows, and when it has to stop. */
export class WorkflowRun {
  /** The input, and the results by step. */
  readonly values: Record<string, unknown>
  readonly skipped = new Set<string>()
  /** By step, of those that run once an item. */
  readonly items = new Map<string, DoneItem[]>()
  readonly reports = new Map<string, StepReport>()
  readonly running = new Set<string>()
  /** What stays whatever happens, in the order in which it ended. */
  readonly kept: Done[] = []
  /** Of transactions whose COMMIT was not answered. */
  readonly unknown: string[] = []
  readonly startedMs = performance.now()
  #stopReason: Error | undefined
  readonly #stopped = new Set<(reason: Error) => void>()
  #endLimits: (() => void) | undefined

  constructor(
    readonly definition: WorkflowDefinition,
    readonly runId: string,
    readonly host: WorkflowHost | undefined,
    readonly limits: RunLimits,
    readonly maxParallel: number,
    readonly onEvent: ((event: WorkflowEvent) => void) | undefined,
    input: unknown,
  ) {
    this.values = Object.assign(Object.create(null), { [INPUT]: input })
    this.#watchLimits()
  }

  /** Whether anybody listens. */
  get isHeard(): boolean {
    return this.onEvent !== undefined || workflowEvents.hasSubscribers
  }

  tell(event: WorkflowEvent): void {
    this.onEvent?.(event)
    if (workflowEvents.hasSubscribers) workflowEvents.publish(event)
  }

  /** Why it has to stop. */
  get stopReason(): Error | undefined {
    return this.#stopReason
  }

  /** Calls back once, when the run has to stop. */
  onStop(callback: (reason: Error) => void): () => void {
    this.#stopped.add(callback)
    return () => this.#stopped.delete(callback)
  }

  /** Nothing is waited for any more. */
  end(): void {
    this.#endLimits?.()
  }

  #watchLimits(): void {
    const { deadline, signal } = this.limits
    if (deadline === Number.POSITIVE_INFINITY && signal === undefined) return
    const { name } = this.definition
    const abort = () => this.#stop(new AbortedError(`workflow ${name} was aborted`, { cause: signal?.reason }))
    let timer: NodeJS.Timeout | undefined
    const watch = () => {
      const leftMs = remainingMs(deadline)
      if (leftMs > 0) timer = setTimeout(watch, Math.min(Math.ceil(leftMs), LONGEST_TIMER_MS))
      else this.#stop(new QueryTimeoutError(`workflow ${name} ran past its timeoutMs`))
    }
    if (deadline !== Number.POSITIVE_INFINITY) watch()
    if (signal?.aborted) abort()
    const endListening = signal === undefined ? undefined : onAbort(signal, abort)
    this.#endLimits = () => {
      clearTimeout(timer)
      endListening?.()
    }
  }

  #stop(reason: Error): void {
    if (this.#stopReason !== undefined) return
    this.#stopReason = reason
    for (const callback of [...this.#stopped]) callback(reason)
  }
}
