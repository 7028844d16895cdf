import type { Statement, StatementResult } from '../dialect/dialect.js'
import { PoolTimeoutError } from '../errors.js'
import type { MaybePromise } from '../maybe-promise.js'
import { outside } from '../pool/outside.js'
import type { QueryPlan, SharableRead } from './query-plan.js'

/** Most reads that go together in one statement. */
const MOST_READS = 1_024
/** As many reads are worth a statement of their own beside another one, so that the server works on one while the other's answers are read. */
const WORTH_A_STATEMENT = 8
/** Longest that a read waits for others to go with, while a statement of its group is under way. */
const LONGEST_WAIT_MS = 1

/** Runs a plan on a connection of its own. */
type RunAlone = <T>(plan: QueryPlan<T>) => MaybePromise<T>

/**
 * Lets reads of single rows go together where they come faster than they are answered. A read that comes alone goes out at once; those that
 * come while one of their group is under way gather, and go as one statement when it is answered, at the latest after a millisecond; where
 * there are enough for two, in two at a time. While a statement waits for a connection, it takes in more.
 */
export class ReadBatcher {
  readonly #groups = new Map<string, ReadGroup>()
  readonly #runAlone: RunAlone

  constructor(runAlone: RunAlone) {
    this.#runAlone = runAlone
  }

  /** What the plan gives. */
  run<T>(plan: QueryPlan<T>, read: SharableRead<T>): MaybePromise<T> {
    // while nothing is under way, as ever where the driver answers at once, a group need not be named
    const group = this.#groups.size === 0 ? undefined : this.#groups.get(read.reads.name)
    if (group !== undefined) return group.join(plan, read)
    const running = this.#runAlone(plan)
    if (running instanceof Promise) this.#begin(read.reads.name, running)
    return running
  }

  #begin(name: string, running: Promise<unknown>): void {
    const group = new ReadGroup(this.#runAlone, () => this.#groups.delete(name))
    this.#groups.set(name, group)
    group.follow(running, 1)
  }

  /** Sends what has gathered: nobody is to be waited for any more. */
  sendAll(): void {
    for (const group of this.#groups.values()) group.send()
  }
}

/** Reads that differ in nothing but the key, while at least one of them is under way. */
class ReadGroup {
  readonly #runAlone: RunAlone
  readonly #end: () => void
  /** Statements that are not answered, and reads in them. */
  #underWay = 0
  #readsUnderWay = 0
  /** What a read can still join. */
  #batch: ReadBatch | undefined

  constructor(runAlone: RunAlone, end: () => void) {
    this.#runAlone = runAlone
    this.#end = end
  }

  /** Counts a statement until it is answered. */
  follow(running: Promise<unknown>, reads: number): void {
    this.#underWay++
    this.#readsUnderWay += reads
    const landed = () => this.#landed(reads)
    running.then(landed, landed)
  }

  join<T>(plan: QueryPlan<T>, read: SharableRead<T>): Promise<T> {
    this.#batch ??= new ReadBatch(() => this.send())
    const batch = this.#batch
    const answer = batch.add(plan, read)
    if (batch.size >= MOST_READS) {
      this.send()
      this.#batch = undefined
    } else if (this.#balances(batch)) this.send()
    return answer
  }

  /** Sends what has gathered, if it is not on its way already: in two statements where it is worth that and none is under way. */
  send(): void {
    const batch = this.#batch
    if (batch === undefined || batch.isStarted) return
    if (this.#underWay === 0 && batch.size >= 2 * WORTH_A_STATEMENT) this.#start(batch.half())
    this.#start(batch)
  }

  /** Whether as many have gathered as are under way in the one statement there is. */
  #balances({ size }: ReadBatch): boolean {
    return this.#underWay === 1 && size >= this.#readsUnderWay && size >= WORTH_A_STATEMENT && this.#readsUnderWay >= WORTH_A_STATEMENT
  }

  #start(batch: ReadBatch): void {
    const reads = batch.size
    // what runs for several callers belongs to none of them
    const running = outside(() => batch.run(this.#runAlone, () => this.#close(batch)))
    this.follow(running, reads)
  }

  #close(batch: ReadBatch): void {
    if (this.#batch === batch) this.#batch = undefined
  }

  #landed(reads: number): void {
    this.#underWay--
    this.#readsUnderWay -= reads
    // after those that have their answer now: what they ask for next goes with the others
    if (this.#batch !== undefined) setImmediate(() => this.send())
    else if (this.#underWay === 0) this.#end()
  }
}

interface Member {
  readonly plan: QueryPlan<unknown>
  readonly read: SharableRead
  readonly joinedMs: number
  resolve(value: unknown): void
  reject(error: unknown): void
}

/** Reads that go together. Others can join until the statement is sent. */
class ReadBatch {
  readonly #members: Member[]
  readonly #timer: NodeJS.Timeout | undefined
  #startedMs: number | undefined

  constructor(onTime: (() => void) | undefined, members: Member[] = []) {
    if (onTime !== undefined) this.#timer = setTimeout(onTime, LONGEST_WAIT_MS)
    this.#members = members
  }

  get isStarted(): boolean {
    return this.#startedMs !== undefined
  }

  get size(): number {
    return this.#members.length
  }

  /** Those that have waited longest, as a batch of their own. */
  half(): ReadBatch {
    return new ReadBatch(undefined, this.#members.splice(0, this.#members.length >> 1))
  }

  add<T>(plan: QueryPlan<T>, read: SharableRead<T>): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#members.push({ plan, read, joinedMs: performance.now(), resolve: resolve as Member['resolve'], reject } as Member)
    })
  }

  /** Settles when all have their answer. `onSent` is called when nobody can join any more. */
  async run(runAlone: RunAlone, onSent: () => void): Promise<void> {
    clearTimeout(this.#timer)
    this.#startedMs = performance.now()
    let sent: SentRead | undefined
    const send = () => {
      if (sent === undefined) {
        onSent()
        sent = sentRead(this.#members)
      }
      return sent
    }
    const { label } = this.#members[0]!.plan
    try {
      const result = await runAlone(new BatchPlan(label, send))
      send().answer(result)
    } catch (error) {
      onSent()
      await this.#runEach(runAlone, error, sent !== undefined)
    }
  }

  /** Each by itself, as if there were no others: what one of them is refused for is nothing to the rest. */
  async #runEach(runAlone: RunAlone, error: unknown, isSent: boolean): Promise<void> {
    // who has waited for a connection as long as anybody may has had its turn
    const hadItsTurn = ({ joinedMs }: Member) => !isSent && error instanceof PoolTimeoutError && joinedMs <= this.#startedMs!
    await Promise.all(
      this.#members.map(async (member) => {
        if (hadItsTurn(member)) return member.reject(error)
        try {
          member.resolve(await runAlone(member.plan))
        } catch (own) {
          member.reject(own)
        }
      }),
    )
  }
}

/**
 * The plan of a batch, whose statement is asked for when there is a connection to send it on. A class: an object with a getter of its own is
 * a shape of its own to V8, which kept all that the getter reached until a full collection, a quarter of the CPU of a read.
 */
class BatchPlan implements QueryPlan<StatementResult> {
  readonly label: string
  readonly access = 'read'
  readonly #send: () => SentRead

  constructor(label: string, send: () => SentRead) {
    this.label = label
    this.#send = send
  }

  get statement(): Statement {
    return this.#send().statement
  }

  read(result: StatementResult): StatementResult {
    return result
  }
}

/** A statement on its way, and how its result becomes the answers of those that wait for it. */
interface SentRead {
  readonly statement: Statement
  answer(result: StatementResult): void
}

function sentRead(members: readonly Member[]): SentRead {
  const [first] = members
  if (members.length === 1) {
    return { statement: first!.plan.statement, answer: (result) => settle(first!, () => first!.plan.read(result)) }
  }
  const { reads } = first!.read
  const texts = members.map(({ read }) => reads.textOf(read.key))
  const keys = new Map(members.map(({ read }, index) => [texts[index]!, read.key]))
  const plan = reads.together([...keys.values()])
  return {
    statement: plan.statement,
    answer(result) {
      const found = plan.read(result)
      // nobody's row is somebody else's too
      const given = keys.size === members.length ? undefined : new Set<string>()
      members.forEach((member, index) => {
        const text = texts[index]!
        const values = found.get(text)
        settle(member, () => reads.answerOf(given?.has(text) ? values?.map(copyOf) : values))
        given?.add(text)
      })
    },
  }
}

function settle({ resolve, reject }: Member, answer: () => unknown): void {
  try {
    resolve(answer())
  } catch (error) {
    reject(error)
  }
}

function copyOf(value: unknown): unknown {
  return value instanceof Uint8Array ? Uint8Array.prototype.slice.call(value) : value
}
