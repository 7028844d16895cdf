import { statSync } from 'node:fs'

/** Between two looks. A look takes some 3 µs. */
const LOOK_EVERY_MS = 1_000

/**
 * Notices that a database file was deleted or replaced under a connection that has it open: SQLite goes on with the file that
 * it opened, and what it writes there is gone when the connection is closed.
 */
export class FileWatch {
  readonly #file: string
  readonly #identity: string | undefined
  #lookedAtMs = performance.now()
  #isThere = true

  /** To be made when the file has just been opened. */
  constructor(file: string) {
    this.#file = file
    this.#identity = identityOf(file)
  }

  /** Whether the path still leads to the file that was opened, at the last look. */
  isThere(): boolean {
    const nowMs = performance.now()
    if (nowMs - this.#lookedAtMs < LOOK_EVERY_MS) return this.#isThere
    this.#lookedAtMs = nowMs
    this.#isThere = identityOf(this.#file) === this.#identity
    return this.#isThere
  }
}

/** Undefined where the path leads to no file, or to none that can be looked at: opening it anew says why. */
function identityOf(file: string): string | undefined {
  try {
    const { dev, ino } = statSync(file, { bigint: true })
    return `${dev}:${ino}`
  } catch {
    return undefined
  }
}
