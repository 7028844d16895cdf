import { onAbort } from '../abort.js'
import { type Deadline, deadlineAfter, LATE, remainingMs, settledBy } from '../deadline.js'
import { AbortedError, ConnectionError, ConnectionLostError, LockTimeoutError, PoolExhaustedError } from '../errors.js'
import { byLabel } from '../lock/hold.js'

/** How to wait for a lock of the database. */
export interface DatabaseLockRequest {
  /** When to give up. Default: never. */
  readonly deadline?: Deadline | undefined
  readonly signal?: AbortSignal | undefined
  /** Who asks, for messages: a node's name. */
  readonly label?: string | undefined
}

const FIRST_PAUSE_MS = 10
const LONGEST_PAUSE_MS = 250
/** With less time left than this, it is time to find out who has the lock: a caller does not wait for the answer past its deadline. */
const LAST_WORDS_MS = 250

/** One caller who waits for a lock, from the first question to the last. */
export class DatabaseLockWait {
  readonly name: string
  readonly label: string | undefined
  readonly #target: string
  readonly #deadline: Deadline
  readonly #sinceMs = performance.now()
  readonly #end = new AbortController()
  readonly #unlink: () => void
  #pauseMs = FIRST_PAUSE_MS
  #isOver = false
  #hasAsked = false
  #refusals = 0
  #hasLastWords = false
  #holder: string | undefined
  #trouble: unknown

  constructor(target: string, name: string, { deadline = Infinity, signal, label }: DatabaseLockRequest) {
    this.#target = target
    this.name = name
    this.label = label
    this.#deadline = deadline
    this.#unlink = signal === undefined ? () => undefined : this.#linkTo(signal)
  }

  /** False once nobody waits any more. */
  get isWanted(): boolean {
    return !this.#isOver && !this.#end.signal.aborted && performance.now() < this.#deadline
  }

  /** Somebody has the lock. Answers whether to ask who: once the wait is none of a moment, and again when hardly any time is left. */
  refused(): boolean {
    this.#refusals++
    if (this.#hasLastWords || remainingMs(this.#deadline) >= LAST_WORDS_MS) return this.#refusals === 2
    this.#hasLastWords = true
    return true
  }

  /** There was a connection to ask on. */
  hasConnection(): void {
    this.#hasAsked = true
  }

  heldBy(holder: string | undefined): void {
    this.#holder = holder
  }

  /** Ends it early. */
  stop(error: Error): void {
    this.#end.abort(error)
  }

  /** Nobody waits any more. */
  over(): void {
    this.#isOver = true
    this.#unlink()
  }

  /**
   * What `work` gives, while somebody waits for it.
   *
   * @throws {LockTimeoutError} the deadline came first
   * @throws {AbortedError} the caller's signal was aborted first
   * @throws what {@link stop} was given; what `work` throws
   */
  async settled<T>(work: Promise<T>): Promise<T> {
    const outcome = await this.#settled(work, this.#deadline)
    if (outcome === LATE) throw this.#timeout()
    return outcome
  }

  /** Waits a little, longer each time, and less towards the deadline. Throws as {@link settled} does. */
  async pause(): Promise<void> {
    // jitter keeps processes that were refused together from coming back together
    const wishedMs = this.#pauseMs * (0.75 + Math.random() / 2)
    const pauseMs = Math.min(wishedMs, Math.max(remainingMs(this.#deadline) / 2, FIRST_PAUSE_MS))
    this.#pauseMs = Math.min(this.#pauseMs * 2, LONGEST_PAUSE_MS)
    // a new one each time: it would remember everybody who ever waited for it
    const nothing = new Promise<never>(() => undefined)
    await this.#settled(nothing, Math.min(deadlineAfter(pauseMs), this.#deadline))
    if (remainingMs(this.#deadline) === 0) throw this.#timeout()
  }

  /** Whether trouble with the connection is to be waited out: not where there has never been one. */
  bears(error: unknown): boolean {
    const isBroken = error instanceof ConnectionLostError || error instanceof ConnectionError || error instanceof PoolExhaustedError
    if (!this.#hasAsked || !isBroken) return false
    this.#trouble = error
    return true
  }

  async #settled<T>(work: Promise<T>, deadline: Deadline): Promise<T | typeof LATE> {
    const { signal } = this.#end
    try {
      return await settledBy(work, deadline, signal)
    } catch (error) {
      throw signal.aborted ? signal.reason : error
    }
  }

  #linkTo(signal: AbortSignal): () => void {
    const abort = () => this.stop(new AbortedError(`the wait for ${this.#what} was aborted`, { cause: signal.reason }))
    if (signal.aborted) abort()
    return onAbort(signal, abort)
  }

  get #what(): string {
    return `lock "${this.name}" of ${this.#target}`
  }

  #timeout(): LockTimeoutError {
    const waited = `${Math.round(performance.now() - this.#sinceMs)} ms`
    const asked = this.#hasAsked ? `was not free within ${waited}` : `could not be asked for within ${waited}: there was no connection yet`
    const held = this.#holder === undefined ? '' : `; held by ${this.#holder}`
    const wanted = this.label === undefined ? '' : `, wanted${byLabel(this.label)},`
    return new LockTimeoutError(`${this.#what}${wanted} ${asked}${held}; raise the time-out or find what holds it`, {
      cause: this.#trouble,
    })
  }
}
