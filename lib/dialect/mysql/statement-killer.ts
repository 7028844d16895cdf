import { setTimeout as sleep } from 'node:timers/promises'
import { type Deadline, deadlineAfter, LATE, remainingMs, settledBy } from '../../deadline.js'
import { ConnectionError } from '../../errors.js'
import type { Client } from './client.js'
import { errnoOf } from './errors.js'

/** For a `KILL` and the connection that carries it. They keep the process alive, and nothing else may wait for them. */
const KILL_TIMEOUT_MS = 1_500

/**
 * How long after that a connection with requests that the server has taken, and not answered, is still left to it. MariaDB holds a KILL up
 * to 2 s where its session is at an awkward place, and those behind it wait: sql_class.cc, THD::awake_no_mutex.
 */
const PATIENCE_MS = 1_000

/** Before another try at a server that has no room for one connection more: each statement that is killed makes some. */
const RETRY_MS = 50

/** "Unknown thread id": the session to stop has ended. */
const NO_SUCH_THREAD = 1094

/** The server, or the user, has as many connections as it may. */
const FULL: ReadonlySet<unknown> = new Set([1040, 1203, 1226])

/** Stops statements that run in sessions of one server: over a single connection for all that are to be stopped at a time. */
export class StatementKiller {
  readonly #dial: (deadline: Deadline) => Promise<Client>
  #client: Promise<Client> | undefined
  #users = 0
  readonly #unanswered = new Set<Promise<unknown>>()
  /** Settles when the one before is gone: the server shall not count two of them. */
  #ending: Promise<void> = Promise.resolve()

  constructor(dial: (deadline: Deadline) => Promise<Client>) {
    this.#dial = dial
  }

  /**
   * Stops what runs in the session `threadId`, or the session with it, if it `isWanted` still when everything is ready for it.
   *
   * @throws {ConnectionError} no connection in time, to carry the request
   */
  async kill(what: 'query' | 'connection', threadId: number, isWanted: () => boolean, timeoutMs = KILL_TIMEOUT_MS): Promise<void> {
    const deadline = deadlineAfter(timeoutMs)
    this.#users++
    try {
      const client = await this.#connected(deadline)
      if (isWanted()) await settledBy(this.#ask(client, `kill ${what} ${threadId}`), deadline)
    } catch (error) {
      if (errnoOf(error) !== NO_SUCH_THREAD) throw error
    } finally {
      if (--this.#users === 0) await settledBy(this.#end(), deadline)
    }
  }

  #ask(client: Client, request: string): Promise<unknown> {
    const answer = client.query(request).finally(() => this.#unanswered.delete(answer))
    this.#unanswered.add(answer)
    return answer
  }

  async #connected(deadline: Deadline): Promise<Client> {
    for (;;) {
      const isOurs = this.#client === undefined
      this.#client ??= this.#ending.then(() => this.#dial(deadline))
      const connecting = this.#client
      const client = await settledBy(connecting, deadline).catch((error: unknown) => this.#dialFailed(error, connecting, isOurs, deadline))
      if (client === LATE) throw new ConnectionError('no connection in time for the request to stop a statement')
      if (client === undefined) continue
      if (!client.isBroken) return client
      this.#forget(connecting)
    }
  }

  /** Settles when it is time for another try. */
  async #dialFailed(error: unknown, connecting: Promise<Client>, isOurs: boolean, deadline: Deadline): Promise<undefined> {
    this.#forget(connecting)
    if (remainingMs(deadline) <= RETRY_MS) throw error
    // one that was begun for another had the time of that
    if (!isOurs) return
    if (!isFull(error)) throw error
    await sleep(RETRY_MS)
  }

  // another one may have been begun since
  #forget(connecting: Promise<Client>): void {
    if (this.#client === connecting) this.#client = undefined
  }

  #end(): Promise<void> {
    const connecting = this.#client
    this.#client = undefined
    // one that could not be made has told those who waited for it
    this.#ending = connecting?.then((client) => this.#takeLeave(client)).catch(() => undefined) ?? this.#ending
    return this.#ending
  }

  async #takeLeave(client: Client): Promise<void> {
    if (this.#unanswered.size === 0) return client.end()
    // from now on it keeps no process alive
    client.unref()
    await Promise.race([Promise.allSettled(this.#unanswered), sleep(PATIENCE_MS, undefined, { ref: false })])
    client.destroy()
  }
}

function isFull(error: unknown): boolean {
  return FULL.has((error as { readonly cause?: { readonly errno?: unknown } }).cause?.errno)
}
