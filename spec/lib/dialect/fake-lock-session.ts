import type { Dialect, LockSession } from '../../../lib/dialect/dialect.js'
import type { LatchworkError } from '../../../lib/errors.js'

/** A session whose answers a spec decides, for what is about time and order. */
export class FakeLockSession implements LockSession {
  /** What it was asked, in order: `try a`, `unlock a`, `holder a`, `ping`, `close`. */
  readonly asked: string[] = []
  #onLost: ((error: Error) => void) | undefined

  /** Each may be replaced. */
  answers = {
    tryLock: async (_name: string): Promise<boolean> => true,
    unlock: async (_name: string): Promise<void> => undefined,
    holderOf: async (_name: string): Promise<string | undefined> => 'somebody',
    ping: async (): Promise<void> => undefined,
  }

  tryLock(name: string): Promise<boolean> {
    this.asked.push(`try ${name}`)
    return this.answers.tryLock(name)
  }

  unlock(name: string): Promise<void> {
    this.asked.push(`unlock ${name}`)
    return this.answers.unlock(name)
  }

  holderOf(name: string): Promise<string | undefined> {
    this.asked.push(`holder ${name}`)
    return this.answers.holderOf(name)
  }

  ping(): Promise<void> {
    this.asked.push('ping')
    return this.answers.ping()
  }

  onLost(listener: (error: Error) => void): void {
    this.#onLost = listener
  }

  async close(): Promise<void> {
    this.asked.push('close')
  }

  /** As if the server had ended it. */
  lose(error: Error): void {
    this.#onLost?.(error)
  }
}

/** As much of a dialect as locks need. */
export function fakeDialect(openLockSession: () => Promise<LockSession>): Dialect {
  const parts: Partial<Dialect> = {
    target: 'fake:shop',
    openLockSession,
    toDataError: (error) => error as LatchworkError,
    evicts: () => false,
  }
  return parts as Dialect
}
