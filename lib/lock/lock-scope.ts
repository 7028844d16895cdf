import { AsyncLocalStorage } from 'node:async_hooks'
import { ConfigurationError, ScopeClosedError } from '../errors.js'
import { lockEvents } from '../events.js'
import { callSite, warn } from '../warn.js'
import { Frame, type Grip, type HeldResource, type Resource, type Wait } from './frame.js'
import { byLabel, type Hold, type SharedHold } from './hold.js'
import type { KeyHold } from './key-hold.js'
import { KeyedLock, type LockRequest } from './keyed-lock.js'
import { LockRegistry, processLocks } from './lock-registry.js'
import { beginWait, circleOf, deadlockError, endWait } from './wait-graph.js'

/** One call chain and the locks it holds. Opened by its first hold or transaction, or by {@link withLockScope}. */
export interface LockScope {
  readonly id: number
  /** What this point of the chain holds, outermost first. Locks taken beside it, in a sibling call, are not among them. */
  readonly holds: readonly Pick<Hold, 'key' | 'name' | 'label' | 'heldMs'>[]
}

export interface LockScopeOptions {
  /**
   * `own`: application locks taken in the scope are of a registry of its own, and exclude nobody outside of it: for a test, or
   * a tenant; locks of all processes exclude all the same. Default `shared`: the registry around it; at the outermost, that of the process.
   */
  readonly registry?: 'shared' | 'own'
}

const frames = new AsyncLocalStorage<Frame | undefined>()
const ownRegistries = new WeakMap<Frame, LockRegistry>()
/** Where calls below a hold queue for its key: they have it already, but not two of them at a time. */
const reentryLocks = new WeakMap<Hold, KeyedLock>()
let lastScopeId = 0

/** The lock scope of this call chain; undefined outside of one, and after its end. */
export function currentLockScope(): LockScope | undefined {
  const frame = firstOpen(frames.getStore())
  return frame && { id: frame.scopeId, holds: frame.holds }
}

/** The step of a call chain that this call is in; undefined where the chain holds nothing and is no scope. */
export function currentFrame(): Frame | undefined {
  return firstOpen(frames.getStore())
}

/** Stands for the scope of this call chain, that of the application or the one that its first hold made: the same for every call in it. */
export function currentScope(): object | undefined {
  let frame = currentFrame()
  while (frame?.parent !== undefined && frame.parent.scopeId === frame.scopeId) frame = frame.parent
  return frame
}

/** Gives what runs a function at this point of the call chain, under what is held here, whatever chain it is called from. */
export function atThisPoint(): <T>(fn: () => T) => T {
  const frame = frames.getStore()
  return (fn) => frames.run(frame, fn)
}

/**
 * Refuses a call that outlived a lock that it was made under: what the lock kept others from may be going on by now.
 *
 * @throws {ScopeClosedError} it has been released
 */
export function requireHeld(): void {
  for (let frame = frames.getStore(); frame !== undefined; frame = frame.parent) {
    if (frame.isEnded && frame.grip?.kind === 'lock') throw closedError(frame)
  }
}

/** The locks of the application that this call sees: of its scope's own registry, or of the process. */
export function currentLocks(): LockRegistry {
  for (let frame = frames.getStore(); frame !== undefined; frame = frame.parent) {
    const own = frame.isEnded ? undefined : ownRegistries.get(frame)
    if (own !== undefined) return own
  }
  return processLocks()
}

/**
 * Runs `fn` in a lock scope of its own. What the chain holds already, it holds in there too. Locks that were taken by hand in
 * the scope and not released are freed at its end, and reported as leaks.
 *
 * @throws {ScopeClosedError} a hold or transaction that this call descends from has ended: it was not awaited
 * @throws {ConfigurationError} an unknown registry
 */
export async function withLockScope<T>(fn: () => T | PromiseLike<T>, { registry = 'shared' }: LockScopeOptions = {}): Promise<T> {
  if (registry !== 'shared' && registry !== 'own') throw new ConfigurationError('registry', 'expected shared or own')
  const frame = new Frame(requireOpenChain(), ++lastScopeId, undefined)
  if (registry === 'own') ownRegistries.set(frame, new LockRegistry())
  return runInFrame(frame, fn)
}

/**
 * Runs `fn` while `key` of `lock` is held, and releases it when `fn` has settled.
 *
 * Re-entrant along the call chain: where a call that this one descends from holds the key, it is not waited for.
 * Two calls started side by side exclude each other all the same, below a common holder too.
 *
 * @throws {LockTimeoutError} the deadline passed before the key's turn came
 * @throws {AbortedError} the signal was aborted before the key's turn came
 * @throws {LockQueueFullError} `maxQueue` callers wait for it already
 * @throws {DeadlockError} the chain holds what those wait for who have the key
 * @throws {ScopeClosedError} a hold or transaction that this call descends from has ended: it was not awaited
 */
export async function withHold<T>(lock: KeyedLock, key: string, request: LockRequest, fn: (hold: Hold) => T | PromiseLike<T>): Promise<T> {
  // also where it is free at once: whoever was given a key before learns of it before
  const hold = await acquireIn(requireOpenChain(), lock, key, request)
  try {
    // where it waited, the chain may have ended just as its turn came, or a plain scope in it meanwhile
    const frame = frameOf(requireOpenChain(), { kind: 'lock', lock, hold })
    hold.frame = frame
    try {
      return await frames.run(frame, fn, hold)
    } finally {
      endFrame(frame)
    }
  } finally {
    hold.release()
  }
}

/**
 * Holds a key until it is released, at the latest until the lock scope, hold or transaction around this call ends. Everything
 * in that scope has the key then, one call at a time. Not part of the search for deadlocks: nobody knows who will release it.
 *
 * @throws {ConfigurationError} there is no scope that could free it
 * @throws see {@link withHold}
 */
export async function holdInScope(lock: KeyedLock, key: string, request: LockRequest): Promise<Hold> {
  const frame = requireOpenChain()
  if (frame === undefined)
    throw new ConfigurationError('scope', 'a lock taken by hand needs a scope that frees it; put withLockScope around it')
  const taker = callSite()
  const hold = await acquireIn(frame, lock, key, request)
  if (frame.isEnded) {
    hold.release()
    const message = `the scope that asked for lock "${hold.name}" ended before it came free; await every call made in it`
    throw new ScopeClosedError(message, { cause: taker })
  }
  const taken = { lock, hold, taker }
  frame.take(taken)
  const release = hold.release.bind(hold)
  hold.release = () => {
    frame.giveBack(taken)
    release()
  }
  return hold
}

/**
 * Runs `fn` in a step of the chain that holds one of `resource`, so that circles of waits through it are found.
 *
 * @param opener where that step was begun: the cause of the error for calls that come after its end
 * @throws {ScopeClosedError} a hold or transaction that this call descends from has ended: it was not awaited
 */
export async function withResource<T>(resource: HeldResource, label: string, fn: () => Promise<T>, opener?: Error): Promise<T> {
  const frame = frameOf(requireOpenChain(), { kind: 'resource', resource, label, opener })
  resource.heldBy(frame)
  try {
    return await frames.run(frame, fn)
  } finally {
    endFrame(frame)
    resource.freedBy(frame)
  }
}

/**
 * Settles as `granted` does, which is this call's wait for `resource`. Whoever asks answers for what is granted too late.
 *
 * @throws {DeadlockError} the chain holds what those wait for who have the resource
 * @throws {ScopeClosedError} the hold or transaction around the call has ended: it was not awaited
 */
export function waitFor<T>(resource: Resource, label: string, granted: Promise<T>): Promise<T> {
  const frame = currentFrame()
  // who holds nothing is waited for by nobody, and closes no circle
  if (frame === undefined || !frame.isHolder) return granted
  return new Promise((resolve, reject) => {
    const giveUp = (error: Error) => {
      endWait(wait)
      reject(error)
    }
    const wait: Wait = { frame, resource, label, cancel: giveUp }
    beginWait(wait)
    granted.finally(() => endWait(wait)).then(resolve, reject)
    const chains = circleOf(wait)
    if (chains !== undefined) giveUp(deadlockError(resource.description, chains))
  })
}

/** A promise where the key is not free. */
function acquireIn(frame: Frame | undefined, lock: KeyedLock, key: string, request: LockRequest): KeyHold | Promise<KeyHold> {
  const held = holdOf(frame, lock, key)
  if (held !== undefined) lock.countReentry(request.name ?? key)
  const queue = held === undefined ? lock : reentriesOf(held, lock)
  return queue.tryAcquire(key, request) ?? queue.acquire(key, request, frame)
}

function frameOf(parent: Frame | undefined, grip: Grip): Frame {
  return new Frame(parent, parent?.scopeId ?? ++lastScopeId, grip)
}

async function runInFrame<T>(frame: Frame, fn: () => T | PromiseLike<T>): Promise<T> {
  try {
    return await frames.run(frame, fn)
  } finally {
    endFrame(frame)
  }
}

/** What nobody awaited is turned away where the frame held something, and what was left held is freed. */
function endFrame(frame: Frame): void {
  frame.isEnded = true
  if (frame.grip !== undefined) for (const wait of [...frame.waits]) wait.cancel(closedError(frame))
  for (const { lock, hold, taker } of [...frame.taken]) {
    const { name, label, heldMs } = hold
    const stack = taker?.stack
    hold.release()
    if (lockEvents.hasSubscribers)
      lockEvents.publish({ type: 'leaked', kind: lock.kind, key: name, label, isReentry: false, heldMs, stack })
    warn('LATCHWORK_LEAK', `lock "${name}"${byLabel(label)} was not released before its scope ended; it is free now`, stack)
  }
}

/**
 * The innermost frame that has not ended. A plain scope that has ended is passed over: what was first made in it, such as a timer or a
 * cache, may outlive it, and is reported once.
 */
function requireOpenChain(): Frame | undefined {
  const innermost = frames.getStore()
  for (let frame = innermost; frame !== undefined; frame = frame.parent) {
    if (!frame.isEnded) continue
    if (frame.grip !== undefined) throw closedError(frame)
    if (!frame.isReported) reportLateCall(frame)
  }
  return firstOpen(innermost)
}

function reportLateCall(frame: Frame): void {
  frame.isReported = true
  warn(
    'LATCHWORK_ENDED_SCOPE',
    'a call came from a lock scope that has ended, and runs in one of its own; a timer or a cache that was first made in a scope does that, and so does a missing await',
    callSite()?.stack,
  )
}

function firstOpen(frame: Frame | undefined): Frame | undefined {
  while (frame?.isEnded) frame = frame.parent
  return frame
}

/** The nearest hold of a key that the call descends from. */
function holdOf(innermost: Frame | undefined, lock: KeyedLock, key: string): SharedHold | undefined {
  for (let frame = innermost; frame !== undefined; frame = frame.parent) {
    const hold = frame.isEnded ? undefined : frame.holdOf(lock, key)
    if (hold !== undefined) return hold
  }
  return undefined
}

function reentriesOf(hold: SharedHold, { kind }: KeyedLock): KeyedLock {
  const known = reentryLocks.get(hold)
  if (known !== undefined) return known
  const lock = new KeyedLock({ kind, isReentry: true })
  reentryLocks.set(hold, lock)
  hold.lastReentry = () => (lock.size === 0 ? undefined : lock.acquire(hold.key, { maxQueue: Number.POSITIVE_INFINITY }))
  return lock
}

function closedError({ grip }: Frame): ScopeClosedError {
  if (grip?.kind !== 'lock')
    return new ScopeClosedError('the call came after the end of its transaction; await it inside the callback', { cause: grip?.opener })
  // without a cause: to note where each lock is taken would cost all that are given back in time
  const { name, label } = grip.hold
  return new ScopeClosedError(
    `lock "${name}", held${byLabel(label)} above this call, has been released; await every call made under a lock`,
  )
}
