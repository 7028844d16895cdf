import { setTimeout as sleep } from 'node:timers/promises'
import { LatchworkError } from 'latchwork'

/** How one call went. */
export interface Outcome {
  readonly startedMs: number
  readonly endedMs: number
  /** The code of its error; undefined where it went well. */
  readonly code: string | undefined
}

/** Calls that go on without end, from several callers, whatever becomes of them. */
export class Traffic {
  readonly outcomes: Outcome[] = []
  readonly #callers: Promise<void>[]
  #isOver = false

  /** @param call what each caller does again and again, with a moment of rest between */
  constructor(callers: number, call: () => Promise<unknown>) {
    this.#callers = Array.from({ length: callers }, () => this.#goOn(call))
  }

  async stop(): Promise<readonly Outcome[]> {
    this.#isOver = true
    await Promise.all(this.#callers)
    return this.outcomes
  }

  /** Milliseconds from `sinceMs` until a call that began after it had gone well. */
  firstSuccessAfter(sinceMs: number): number {
    const ends = this.outcomes.filter(({ startedMs, code }) => code === undefined && startedMs >= sinceMs).map(({ endedMs }) => endedMs)
    return Math.min(...ends) - sinceMs
  }

  /** Settles when a call that began after `sinceMs` has gone well, at the latest after two seconds. */
  async goesWellAgain(sinceMs: number): Promise<void> {
    while (this.firstSuccessAfter(sinceMs) === Number.POSITIVE_INFINITY && performance.now() - sinceMs < 2_000) await sleep(5)
  }

  /** What the calls that began in this time failed with. */
  codesBetween(fromMs: number, toMs = Number.POSITIVE_INFINITY): readonly string[] {
    const within = this.outcomes.filter(({ startedMs }) => startedMs >= fromMs && startedMs < toMs)
    return [...new Set(within.flatMap(({ code }) => code ?? []))].sort()
  }

  get longestMs(): number {
    return Math.max(...this.outcomes.map(({ startedMs, endedMs }) => endedMs - startedMs))
  }

  async #goOn(call: () => Promise<unknown>): Promise<void> {
    while (!this.#isOver) {
      const startedMs = performance.now()
      const code = await codeOf(call())
      this.outcomes.push({ startedMs, endedMs: performance.now(), code })
      await sleep(5)
    }
  }
}

async function codeOf(call: Promise<unknown>): Promise<string | undefined> {
  try {
    await call
    return undefined
  } catch (error) {
    // anything else is a fault of ours
    if (!(error instanceof LatchworkError)) throw error
    return error.code
  }
}
