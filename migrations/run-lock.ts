import { setTimeout as sleep } from 'node:timers/promises'
import { deadlineAfter, remainingMs } from '../lib/deadline.js'
import type { MigrationLockHolder, MigrationSession } from '../lib/dialect/migration-parts.js'
import { AbortedError } from '../lib/errors.js'
import type { LockDocument } from './documents.js'
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

/** Ends whoever has the lock, where the engine can. */
export const END_HOLDER = 'latchwork migrate unlock --terminate'

/** The way where it cannot. */
export const END_PROCESS = 'wait for that process, or end it on its machine; the lock is free with it'

/**
 * Ends the session that has the lock, where that is said.
 *
 * @returns who had it; null: it was free
 * @throws {MigrationLockError} somebody has it, and may not or cannot be ended
 */
export async function freeLock(
  session: MigrationSession,
  terminate: boolean,
  endsHolders: boolean,
): Promise<Pick<LockDocument, 'holder' | 'terminated'>> {
  const holder = await session.holder()
  if (holder === undefined) return { holder: null, terminated: false }
  const who = describeHolder(holder)
  if (!terminate && endsHolders) throw new MigrationLockError(`the lock is held by ${who}; it is free when that ends`, holder, [END_HOLDER])
  if (terminate && (await session.endHolder(holder))) return { holder, terminated: true }
  throw new MigrationLockError(
    `the lock is held by ${who}, which cannot be ended from here: ${endsHolders ? 'end that process; the lock is free with it' : END_PROCESS}`,
    holder,
    endsHolders ? [] : ['latchwork migrate lock'],
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
