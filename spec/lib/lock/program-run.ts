import { AsyncLocalStorage } from 'node:async_hooks'
import { deadlineAfter } from '../../../lib/deadline.js'
import { AbortedError, DeadlockError, LockTimeoutError, PoolSelfDeadlockError, ScopeClosedError } from '../../../lib/errors.js'
import type { Frame } from '../../../lib/lock/frame.js'
import { KeyedLock, type LockRequest } from '../../../lib/lock/keyed-lock.js'
import { LockMeter } from '../../../lib/lock/lock-metrics.js'
import { type LockRegistry, processLocks } from '../../../lib/lock/lock-registry.js'
import { currentFrame, currentLockScope, currentLocks, holdInScope, withHold, withLockScope } from '../../../lib/lock/lock-scope.js'
import { Call, type Line, type OpenWait, Oracle } from './oracle.js'
import type { Key, Limit, Program, Step } from './program.js'

const SHORT_MS = 10
/** Which call is under way: every piece of a program has to go on in its own. */
const callId = new AsyncLocalStorage<number>()

/** How the clock of a run is moved on, and how everything is let happen that can without it. */
export interface Clock {
  advance(ms: number): void
  drain(): Promise<void>
}

/** What became of the waits of a run. */
export type Tally = Record<'served' | 'deadlocks' | 'timedOut' | 'aborted' | 'closed', number>

/** The locks did not do what the oracle says. */
export class Mismatch extends Error {}

/** Runs a program on real locks, and compares each thing that happens with what the oracle says. */
export class ProgramRun {
  readonly tally: Tally = { served: 0, deadlocks: 0, timedOut: 0, aborted: 0, closed: 0 }
  protected readonly oracle = new Oracle()
  protected readonly program: Program
  readonly #clock: Clock
  readonly #meter = new LockMeter()
  readonly #locks = [new KeyedLock({ meter: this.#meter }), new KeyedLock({ meter: this.#meter })]
  readonly #ownLocks = new Map<Call, LockRegistry>()
  readonly #frames = new Set<Frame>()
  readonly #mayGoOn: (() => void)[] = []
  readonly #mismatches: Error[] = []
  readonly #hasHoldsByHand: boolean
  #lastId = 0
  #running = 0
  #state: number

  constructor(program: Program, clock: Clock) {
    this.program = program
    this.#clock = clock
    this.#state = program.seed
    this.#hasHoldsByHand = JSON.stringify(program.chains).includes('"byHand"')
  }

  /** @throws {Mismatch} */
  async run(): Promise<Tally> {
    for (const steps of this.program.chains) this.start(steps, undefined)
    while (this.#running > 0 && this.#mismatches.length === 0) {
      await this.#settle()
      if (!this.program.isRacing) this.#checkTurnedAway()
      if (this.#mayGoOn.length > 0) this.#goOn()
      else if (this.#running > 0 && !(await this.#outwaited())) this.must(false, 'somebody waits for ever')
    }
    await this.#clock.drain()
    if (this.#mismatches.length === 0) {
      await this.finish()
      this.#checkNothingLeft()
    }
    if (this.#mismatches.length > 0) throw this.#mismatches[0]!
    return this.tally
  }

  /** Closes what the run opened. */
  protected async finish(): Promise<void> {}

  protected must(isTrue: boolean, otherwise: string): void {
    if (!isTrue) this.#mismatches.push(new Mismatch(otherwise))
  }

  /** Starts steps that nobody waits for; what they throw is theirs. */
  protected start(steps: readonly Step[], call: Call | undefined): void {
    this.#running++
    const ended = () => void this.#running--
    callId
      .run(this.#lastId, () => this.steps(steps, call))
      .then(ended, (error: unknown) => {
        ended()
        this.must(isExpected(error), `unexpected: ${String((error as Error).stack)}`)
      })
  }

  protected async steps(steps: readonly Step[], call: Call | undefined): Promise<void> {
    for (const step of steps) {
      const id = callId.getStore()
      await this.turn()
      await this.step(step, call)
      this.must(callId.getStore() === id, 'a call goes on in the context of another')
    }
  }

  protected async step(step: Step, call: Call | undefined): Promise<void> {
    if (step.do === 'throw') throw new Thrown()
    if (step.do === 'late') this.start(step.body, call)
    else if (step.do === 'all') await this.#all(step, call)
    else if (step.do === 'scope') await this.#scope(step, call)
    else if (step.do === 'hold') await this.caught(step.catches, this.#hold(step, call))
    else if (step.do === 'byHand') await this.#byHand(step, call)
  }

  /** Settles when it is this call's turn to go on. */
  protected turn(): Promise<void> {
    return new Promise((resolve) => this.#mayGoOn.push(resolve))
  }

  protected async caught(catches: boolean, work: Promise<unknown>): Promise<void> {
    await work.catch((error: unknown) => {
      if (!catches || !isExpected(error)) throw error
    })
  }

  /** Notes a wait and what should become of it, until the function given back is called. */
  protected wait(call: Call | undefined, wanted: OpenWait['wanted']): { readonly isStuck: boolean; readonly over: () => void } {
    const wait: OpenWait = { call: Oracle.firstOpen(call), wanted }
    this.oracle.waits.add(wait)
    return { isStuck: this.oracle.isStuck(wait), over: () => this.oracle.waits.delete(wait) }
  }

  /** Compares how a wait ended with what was expected. */
  protected checkDeadlock(error: unknown, isStuck: boolean): void {
    const isDeadlock = error instanceof DeadlockError || error instanceof PoolSelfDeadlockError
    if (isDeadlock) this.tally.deadlocks++
    // while steps race, one may have gone on that the oracle does not know of yet
    if (this.program.isRacing || isDeadlock === isStuck) return
    this.must(false, isDeadlock ? 'a deadlock where there is none' : `a deadlock was not found: ${String(error)}`)
  }

  /** Runs a body inside what it holds; checks there what the chain knows of itself. */
  protected async body(steps: readonly Step[], call: Call): Promise<void> {
    try {
      await callId.run(call.id, async () => {
        this.#frames.add(currentFrame()!)
        this.#checkHolds(call)
        await this.steps(steps, call)
        if (!call.isEnded) this.#checkHolds(call)
      })
    } finally {
      this.oracle.ended(call)
    }
  }

  protected nextId(): number {
    return ++this.#lastId
  }

  protected drained(): Promise<void> {
    return this.#clock.drain()
  }

  async #all({ branches, endsTogether }: Step & { do: 'all' }, call: Call | undefined): Promise<void> {
    this.#running += branches.length
    const each = branches.map((steps) => this.steps(steps, call).finally(() => void this.#running--))
    if (endsTogether) await Promise.allSettled(each)
    await Promise.all(each)
  }

  async #scope({ registry, body }: Step & { do: 'scope' }, parent: Call | undefined): Promise<void> {
    const isClosed = Oracle.isClosed(parent)
    const call = new Call(this.nextId(), Oracle.parentOf(parent), undefined, registry === 'own')
    try {
      await withLockScope(() => this.body(body, call), { registry })
    } catch (error) {
      if (isClosed && !this.program.isRacing) this.must(error instanceof ScopeClosedError, 'a scope opened after the end')
      throw error
    } finally {
      this.oracle.ended(call)
    }
  }

  async #hold(step: Step & { do: 'hold' }, parent: Call | undefined): Promise<void> {
    await this.#locked(step, parent, (lock, request, line, served) => {
      return withHold(lock, line.key, request, async () => {
        const call = new Call(this.nextId(), Oracle.parentOf(parent), { kind: 'lock', line })
        served()
        this.oracle.holds(line, call)
        line.holder = call
        await this.body(step.body, call)
      })
    })
  }

  async #byHand({ key, isReleased, body }: Step & { do: 'byHand' }, parent: Call | undefined): Promise<void> {
    const owner = Oracle.firstOpen(parent)
    if (owner === undefined) return
    const taken: { hold?: Disposable; end?: () => void } = {}
    await this.#locked({ key, limit: 'short' }, parent, async (lock, request, line, served) => {
      taken.hold = await holdInScope(lock, line.key, request)
      served()
      this.must(!owner.isEnded || this.program.isRacing, 'a hold by hand in a scope that has ended')
      if (!owner.isEnded) taken.end = this.oracle.holdsByHand(line, owner)
    })
    await this.steps(body, parent)
    if (!isReleased || owner.isEnded) return
    taken.end?.()
    taken.hold?.[Symbol.dispose]()
  }

  /** Takes a lock by `take`, and checks whether and when it was served. */
  async #locked(
    { key: of, limit: asked }: { readonly key: Key; readonly limit: Limit },
    parent: Call | undefined,
    take: (lock: KeyedLock, request: LockRequest, line: Line, served: () => void) => Promise<unknown>,
  ): Promise<void> {
    const limit = asked === 'none' && this.#hasHoldsByHand ? 'short' : asked
    const key = of.slice(2)
    const lock = this.#lockOf(of, parent)
    const line = this.oracle.lineOf(parent, lock, key)
    const isClosed = Oracle.isClosed(parent)
    const isUnsure = this.program.isRacing && hasEnded(parent)
    const wait = isClosed ? { isStuck: false, over: () => {} } : this.wait(parent, line)
    const { request, isOver } = this.#requestOf(limit)
    const number = ++this.#lastId
    let isServed = false
    const served = () => {
      isServed = true
      wait.over()
      // while steps race, one may come before the end of a body has come through
      this.must(!isClosed || this.program.isRacing, 'a lock was given after the end')
      if (!isUnsure) {
        this.must(number > line.lastServed, `${key} was given out of turn`)
        line.lastServed = number
      }
      this.checkDeadlock(undefined, wait.isStuck)
      this.tally.served++
    }
    try {
      await take(lock, request, line, served)
    } catch (error) {
      wait.over()
      if (!isServed) this.#checkRefusal(error, wait.isStuck, isClosed, limit, isOver(), parent)
      throw error
    }
  }

  #checkRefusal(error: unknown, isStuck: boolean, isClosed: boolean, limit: Limit, isOver: boolean, parent: Call | undefined): void {
    if (isClosed && !this.program.isRacing) {
      this.must(error instanceof ScopeClosedError, `expected the scope to be closed, got ${String(error)}`)
      this.#count(error)
      return
    }
    this.checkDeadlock(error, isStuck)
    this.#count(error)
    if (error instanceof LockTimeoutError) this.must(isOver && (limit === 'short' || limit === 'late'), 'a time-out before its time')
    else if (error instanceof AbortedError) this.must(isOver, 'an abort that nobody asked for')
    else if (error instanceof ScopeClosedError) this.must(hasEnded(parent), 'a closed scope that is open')
    else this.must(error instanceof DeadlockError, `unexpected: ${String(error)}`)
  }

  #count(error: unknown): void {
    if (error instanceof LockTimeoutError) this.tally.timedOut++
    else if (error instanceof AbortedError) this.tally.aborted++
    else if (error instanceof ScopeClosedError) this.tally.closed++
  }

  /** The lock that the call sees. While steps race, the end of a scope may not have come through. */
  #lockOf(key: Key, call: Call | undefined): KeyedLock {
    const own = call?.chain.find(({ isOwnRegistry, isEnded }) => isOwnRegistry && !isEnded)
    const seen = currentLocks()
    if (seen === processLocks()) {
      this.must(own === undefined || this.program.isRacing, 'not the registry of the scope')
      return this.#locks[Number(key[0])]!
    }
    if (own === undefined) {
      this.must(this.program.isRacing, 'the registry of a scope that has ended')
      return seen.application(key[0]!)
    }
    const known = this.#ownLocks.get(own) ?? seen
    this.#ownLocks.set(own, known)
    this.must(known === seen, 'the registry of another scope')
    return known.application(key[0]!)
  }

  #requestOf(limit: Limit): { readonly request: LockRequest; readonly isOver: () => boolean } {
    if (limit === 'none') return { request: {}, isOver: () => false }
    if (limit !== 'aborts') {
      const deadline = limit === 'late' ? 0 : deadlineAfter(SHORT_MS)
      return { request: { deadline }, isOver: () => performance.now() >= deadline }
    }
    const aborter = new AbortController()
    this.#mayGoOn.push(() => aborter.abort())
    return { request: { signal: aborter.signal }, isOver: () => aborter.signal.aborted }
  }

  #checkHolds(call: Call): void {
    const held = currentLockScope()?.holds.map(({ key }) => key) ?? []
    const expected = Oracle.keysOf(call)
    this.must(this.program.isRacing || held.join() === expected.join(), `holds ${held.join()} where it should hold ${expected.join()}`)
  }

  #choose(count: number): number {
    // Numerical Recipes' generator; its high bits are the random ones
    this.#state = (Math.imul(this.#state, 1_664_525) + 1_013_904_223) >>> 0
    return (this.#state >>> 8) % count
  }

  async #settle(): Promise<void> {
    if (!this.program.isRacing) return this.#clock.drain()
    const microtasks = this.#choose(7)
    if (microtasks === 6) return this.#clock.drain()
    for (let done = 0; done < microtasks; done++) await Promise.resolve()
    if (this.#mayGoOn.length === 0) await this.#clock.drain()
  }

  #goOn(): void {
    const chosen = this.#choose(this.#mayGoOn.length + 1)
    if (chosen === this.#mayGoOn.length) this.#clock.advance(SHORT_MS / 2)
    else this.#mayGoOn.splice(chosen, 1)[0]!()
  }

  /** Whether anything goes on when all limits have passed. */
  async #outwaited(): Promise<boolean> {
    this.#clock.advance(2 * SHORT_MS)
    await this.#clock.drain()
    await this.#clock.drain()
    return this.#running === 0 || this.#mayGoOn.length > 0
  }

  #checkTurnedAway(): void {
    for (const { call } of this.oracle.waits) this.must(!Oracle.isClosed(call), 'a wait goes on below a hold that has ended')
  }

  #checkNothingLeft(): void {
    const { held, waiting, acquisitions, timeouts, aborted, deadlocks } = this.#meter.metrics().total
    this.must(held === 0 && waiting === 0, `${held} held and ${waiting} waiting at the end`)
    this.must(acquisitions + timeouts + aborted + deadlocks <= this.#lastId, 'more waits counted than there were')
    const own = [...this.#ownLocks.values()].flatMap((registry) => [registry.application('0'), registry.application('1')])
    for (const lock of [...this.#locks, ...own]) this.must(lock.size === 0, `${lock.size} keys are left`)
    for (const { waits, taken } of this.#frames) this.must(waits.size + taken.size === 0, 'a frame is left with waits or holds')
  }
}

function hasEnded(call: Call | undefined): boolean {
  return call?.chain.some(({ isEnded }) => isEnded) ?? false
}

class Thrown extends Error {}

function isExpected(error: unknown): boolean {
  return [Thrown, DeadlockError, PoolSelfDeadlockError, LockTimeoutError, AbortedError, ScopeClosedError].some(
    (expected) => error instanceof expected,
  )
}
