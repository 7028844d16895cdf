import { DeadlockError, type WaitChain } from '../errors.js'
import type { Frame, Wait } from './frame.js'

/** Notes that a chain waits, with every frame around it: none of them ends before the wait does. */
export function beginWait(wait: Wait): void {
  for (let frame: Frame | undefined = wait.frame; frame !== undefined; frame = frame.parent) frame.addWait(wait)
}

export function endWait(wait: Wait): void {
  for (let frame: Frame | undefined = wait.frame; frame !== undefined; frame = frame.parent) frame.endWait(wait)
}

/**
 * The chains that would wait for each other for ever with this wait, its own first; undefined where there is no such circle.
 *
 * A frame ends when all the calls in it have ended, so that it is stuck as soon as one wait below it is. A wait is stuck when all
 * who hold its resource are: one would do. What has no stuck wait left after that is a circle. Circles are closed by the wait that
 * begins last and by nothing else, so that it is enough to look then.
 */
export function circleOf(wait: Wait): readonly WaitChain[] | undefined {
  // nobody waits for a chain that holds nothing
  if (!wait.frame.isHolder) return undefined
  const reached = reachableFrom(wait)
  if (reached === undefined) return undefined
  // the farthest first: what goes on there lets one after the other go on, in one walk along a chain of any length
  reached.reverse()
  const stuck = new Set(reached)
  let size: number
  do {
    size = stuck.size
    for (const each of reached) if (stuck.has(each) && !isStuck(each, stuck)) stuck.delete(each)
    if (!stuck.has(wait)) return undefined
  } while (stuck.size < size)
  return chainsOf(wait, stuck)
}

/** Every wait that the end of this one may depend on, the nearest first; undefined where it depends on none. */
function reachableFrom(wait: Wait): Wait[] | undefined {
  // nearly always: whoever has it goes on
  if (goesOn(wait)) return undefined
  const reached = new Set([wait])
  // a set gives what is added to it while it is walked
  for (const each of reached) {
    for (const holder of each.resource.holders() ?? []) for (const next of holder.waits) if (!goesOn(next)) reached.add(next)
  }
  return [...reached]
}

/** Whether somebody has what is waited for who waits for nothing, as far as is known. */
function goesOn({ resource }: Wait): boolean {
  const holders = resource.holders()
  return holders === undefined || holders.some(({ waits }) => waits.size === 0)
}

function isStuck(wait: Wait, stuck: ReadonlySet<Wait>): boolean {
  const holders = wait.resource.holders()
  return holders !== undefined && holders.length > 0 && holders.every((holder) => stuckWaitOf(holder, stuck) !== undefined)
}

function stuckWaitOf(frame: Frame, stuck: ReadonlySet<Wait>): Wait | undefined {
  for (const wait of frame.waits) if (stuck.has(wait)) return wait
  return undefined
}

/** One way around, from the wait back to a frame that it descends from. */
function chainsOf(start: Wait, stuck: ReadonlySet<Wait>): readonly WaitChain[] {
  const path: Wait[] = []
  for (let wait: Wait | undefined = start; wait !== undefined && !path.includes(wait); wait = nextOf(wait, stuck)) path.push(wait)
  return path.map(({ frame, resource, label }) => [...frame.describe(), `${label ?? 'a call'} waits for ${resource.description}`])
}

function nextOf(wait: Wait, stuck: ReadonlySet<Wait>): Wait | undefined {
  const [holder] = wait.resource.holders() ?? []
  return holder && stuckWaitOf(holder, stuck)
}

/** The error of a wait that would have closed a circle, told by those who wait in it. */
export function deadlockError(wanted: string, chains: readonly WaitChain[]): DeadlockError {
  return new DeadlockError(`${wanted} would never come free: ${describeCircle(chains)}`, { chains })
}

/** Chains in words: `UserCreateNode holds lock "a", waits for lock "b"; …`. */
export function describeCircle(chains: readonly WaitChain[]): string {
  return chains.map((chain) => chain.join(', ')).join('; ')
}
