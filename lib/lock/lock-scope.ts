import { AsyncLocalStorage } from 'node:async_hooks'
import { ScopeClosedError } from '../errors.js'
import { byLabel, type Hold } from './hold.js'
import { KeyedLock, type LockRequest } from './keyed-lock.js'

/** One call chain and the locks it holds. Opened by its first hold, or by {@link withLockScope}. */
export interface LockScope {
  readonly id: number
  /** What this point of the chain holds, outermost first. Locks taken beside it, in a sibling call, are not among them. */
  readonly holds: readonly Pick<Hold, 'key' | 'label' | 'heldMs'>[]
}

/** One step of a call chain: everything called in it descends from it. */
class Frame implements LockScope {
  readonly id: number
  isEnded = false
  #reentries: KeyedLock | undefined

  constructor(
    readonly parent: Frame | undefined,
    readonly held: { readonly lock: KeyedLock; readonly hold: Hold } | undefined,
    id: number,
  ) {
    this.id = id
  }

  get holds(): readonly Hold[] {
    const outer = this.parent?.holds ?? []
    return this.held === undefined || this.isEnded ? outer : [...outer, this.held.hold]
  }

  /** Where calls below this hold queue for the same key: they have it already, but not two of them at a time. */
  get reentries(): KeyedLock {
    this.#reentries ??= new KeyedLock({ isReentry: true })
    return this.#reentries
  }
}

const frames = new AsyncLocalStorage<Frame>()
let lastScopeId = 0

/** The lock scope of this call chain; undefined outside of one, and after its end. */
export function currentLockScope(): LockScope | undefined {
  return firstOpen(frames.getStore())
}

/**
 * Runs `fn` in a lock scope of its own. What the chain holds already, it holds in there too.
 *
 * @throws {ScopeClosedError} a hold that this call descends from has been released: it was not awaited
 */
export async function withLockScope<T>(fn: () => T | PromiseLike<T>): Promise<T> {
  return runInFrame(new Frame(requireOpenChain(), undefined, ++lastScopeId), fn)
}

/**
 * Runs `fn` while `key` of `lock` is held, and releases it when `fn` has settled.
 *
 * Re-entrant along the call chain: where a call that this one descends from holds the key, it is not waited for.
 * Two calls started side by side exclude each other all the same, below a common holder too.
 *
 * @throws {LockTimeoutError} the deadline passed before the key's turn came
 * @throws {AbortedError} the signal was aborted before the key's turn came
 * @throws {ScopeClosedError} a hold that this call descends from has been released: it was not awaited
 */
export async function withHold<T>(lock: KeyedLock, key: string, request: LockRequest, fn: () => T | PromiseLike<T>): Promise<T> {
  const parent = requireOpenChain()
  const holder = holderOf(parent, lock, key)
  const hold = await (holder?.reentries ?? lock).acquire(key, request)
  try {
    // the chain may have ended while this call waited
    requireOpenChain()
    return await runInFrame(new Frame(parent, { lock, hold }, parent?.id ?? ++lastScopeId), fn)
  } finally {
    hold.release()
  }
}

async function runInFrame<T>(frame: Frame, fn: () => T | PromiseLike<T>): Promise<T> {
  try {
    return await frames.run(frame, fn)
  } finally {
    frame.isEnded = true
  }
}

/** The innermost frame that has not ended. A plain scope that has ended is passed over: what it started may outlive it. */
function requireOpenChain(): Frame | undefined {
  const innermost = frames.getStore()
  for (let frame = innermost; frame !== undefined; frame = frame.parent) {
    if (frame.isEnded && frame.held !== undefined) throw closedError(frame.held.hold)
  }
  return firstOpen(innermost)
}

function firstOpen(frame: Frame | undefined): Frame | undefined {
  while (frame?.isEnded) frame = frame.parent
  return frame
}

function holderOf(frame: Frame | undefined, lock: KeyedLock, key: string): Frame | undefined {
  while (frame !== undefined && !(frame.held?.lock === lock && frame.held.hold.key === key)) frame = frame.parent
  return frame
}

function closedError({ key, label }: Hold): ScopeClosedError {
  return new ScopeClosedError(`lock "${key}", held${byLabel(label)} above this call, has been released; await every call made under a lock`)
}
