import { setTimeout as sleep } from 'node:timers/promises'
import { deadlineAfter, remainingMs } from '../lib/deadline.js'
import type { MigrationLockHolder } from '../lib/dialect/migration-parts.js'
import { AbortedError } from '../lib/errors.js'
import { MigrationLockError } from './errors.js'
import type { RunContext } from './run-context.js'

/**
 * Takes the lock of a run, on its own connection. Asks again and again rather than wait on the server, where a waiter would be in
 * the way of what the holder does.
 *
 * @returns the milliseconds that it took
 * @throws {MigrationLockError} it was not free within `lockTimeoutMs`
 * @throws {AbortedError} the signal was aborted
 */
export async function takeLock(context: RunContext): Promise<number> {
  const { session, options, signal } = context
  const sinceMs = performance.now()
  const deadline = deadlineAfter(options.lockTimeoutMs)
  const waited = () => Math.round(performance.now() - sinceMs)
  let holder: MigrationLockHolder | undefined
  for (let tries = 0; ; tries++) {
    context.throwIfAborted()
    if (await session.tryLock()) break
    if (tries === 0) {
      holder = await session.holder()
      context.progress({ type: 'waiting', holder })
    }
    if (remainingMs(deadline) === 0) throw notFree((await session.holder()) ?? holder, waited())
    // jitter keeps processes that were refused together from coming back together
    const pauseMs = Math.min(session.lockPollMs * (0.8 + Math.random() * 0.4), remainingMs(deadline))
    await sleep(pauseMs, undefined, signal === undefined ? {} : { signal }).catch((error: unknown) => {
      throw new AbortedError('the wait for the lock of migrations was aborted', { cause: error })
    })
  }
  context.progress({ type: 'locked', waitedMs: waited() })
  return waited()
}

function notFree(holder: MigrationLockHolder | undefined, waitedMs: number): MigrationLockError {
  return new MigrationLockError(
    `the lock of migrations was not free within ${waitedMs} ms; held by ${describeHolder(holder)}; nothing was run; next: latchwork migrate lock`,
    holder,
    ['latchwork migrate lock', 'latchwork migrate up --lock-timeout 30m'],
  )
}

export function describeHolder(holder: MigrationLockHolder | undefined): string {
  if (holder === undefined) return 'another process'
  const { id, application, user, host, since, activity } = holder
  const parts = [
    application === null ? '' : ` of "${application}"`,
    user === null ? '' : ` (${user}${host === null ? '' : ` from ${host}`})`,
  ]
  return `session ${id}${parts.join('')}${since === null ? '' : `, since ${since}`}${activity === null ? '' : `, ${activity}`}`
}
