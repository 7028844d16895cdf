import { poolEvents } from '../events.js'
import { type LatencyFigures, LatencyRecorder } from '../latency.js'
import { warn } from '../warn.js'
import type { EndReason } from './end-reason.js'

/** How long connections were waited for and kept. Pools that are one to their callers share it. */
export class PoolTimings {
  readonly #acquire = new LatencyRecorder()
  readonly #usage = new LatencyRecorder()

  acquired(waitedMs: number): void {
    this.#acquire.record(waitedMs)
  }

  released(heldMs: number): void {
    this.#usage.record(heldMs)
  }

  figures(): { readonly acquireMs: LatencyFigures; readonly usageMs: LatencyFigures } {
    return { acquireMs: this.#acquire.figures(), usageMs: this.#usage.figures() }
  }
}

/** What happens in a pool: timed, and told to whoever listens. */
export class PoolJournal {
  readonly #pool: string
  readonly #timings: PoolTimings

  constructor(pool: string, timings: PoolTimings) {
    this.#pool = pool
    this.#timings = timings
  }

  acquired(label: string, waitedMs: number): void {
    this.#timings.acquired(waitedMs)
    if (poolEvents.hasSubscribers) poolEvents.publish({ type: 'acquired', pool: this.#pool, label, waitedMs })
  }

  released(label: string, heldMs: number): void {
    this.#timings.released(heldMs)
    if (poolEvents.hasSubscribers) poolEvents.publish({ type: 'released', pool: this.#pool, label, heldMs })
  }

  connected(durationMs: number): void {
    if (poolEvents.hasSubscribers) poolEvents.publish({ type: 'connected', pool: this.#pool, durationMs })
  }

  connectFailed(durationMs: number, error: unknown): void {
    if (poolEvents.hasSubscribers) poolEvents.publish({ type: 'connectFailed', pool: this.#pool, durationMs, error })
  }

  disconnected(reason: EndReason, ageMs: number): void {
    if (poolEvents.hasSubscribers) poolEvents.publish({ type: 'disconnected', pool: this.#pool, reason, ageMs })
  }

  timedOut(label: string, waitedMs: number): void {
    if (poolEvents.hasSubscribers) poolEvents.publish({ type: 'timedOut', pool: this.#pool, label, waitedMs })
  }

  refused(label: string, waiting: number): void {
    if (poolEvents.hasSubscribers) poolEvents.publish({ type: 'refused', pool: this.#pool, label, waiting })
  }

  deadlock(label: string): void {
    if (poolEvents.hasSubscribers) poolEvents.publish({ type: 'deadlock', pool: this.#pool, label })
  }

  leaked(label: string, heldMs: number, stack: string | undefined): void {
    if (poolEvents.hasSubscribers) poolEvents.publish({ type: 'leaked', pool: this.#pool, label, heldMs, stack })
    const seconds = Math.round(heldMs / 1_000)
    warn('LATCHWORK_LEAK', `pool "${this.#pool}": ${label} has had a connection for ${seconds} s; is something not awaited?`, stack)
  }
}
