import type { MaybePromise, Statement, StatementResult } from '../dialect/dialect.js'
import { PoolTimeoutError } from '../errors.js'
import { outside } from '../pool/outside.js'
import type { QueryPlan, SharableRead } from './query-plan.js'

/** Most reads that go together in one statement. */
const MOST_READS = 1_024
/** Longest that a read waits for others to go with, while a statement of its group is under way. */
const LONGEST_WAIT_MS = 1

/** Runs a plan on a connection of its own. */
type RunAlone = <T>(plan: QueryPlan<T>) => MaybePromise<T>

/**
 * Lets reads of single rows go together where they come faster than they are answered. A read that comes alone goes out at once; those that
 * come while one of their group is under way gather, and go as one statement when it is answered, at the latest after a millisecond. While
 * that one waits for a connection, it takes in more.
 */
export class ReadBatcher {
  readonly #groups = new Map<string, ReadGroup>()
  readonly #runAlone: RunAlone

  constructor(runAlone: RunAlone) {
    this.#runAlone = runAlone
  }

  /** What the plan gives. */
  run<T>(plan: QueryPlan<T>, read: SharableRead): MaybePromise<T> {
    const name = `${plan.label} ${read.group}`
    const group = this.#groups.get(name)
    if (group !== undefined) return group.join(plan, read)
    const running = this.#runAlone(plan)
    if (running instanceof Promise) {
      const made = new ReadGroup(this.#runAlone, () => this.#groups.delete(name))
      this.#groups.set(name, made)
      made.follow(running)
    }
    return running
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
  #underWay = 0
  /** What a read can still join. */
  #batch: ReadBatch | undefined

  constructor(runAlone: RunAlone, end: () => void) {
    this.#runAlone = runAlone
    this.#end = end
  }

  /** Counts a statement until it is answered. */
  follow(running: Promise<unknown>): void {
    this.#underWay++
    const landed = () => this.#landed()
    running.then(landed, landed)
  }

  join<T>(plan: QueryPlan<T>, read: SharableRead): Promise<T> {
    this.#batch ??= new ReadBatch(() => this.send())
    const batch = this.#batch
    const answer = batch.add(plan, read)
    if (batch.isFull) {
      this.send()
      this.#batch = undefined
    }
    return answer
  }

  /** Sends what has gathered, if it is not on its way already. */
  send(): void {
    const batch = this.#batch
    if (batch === undefined || batch.isStarted) return
    // what runs for several callers belongs to none of them
    this.follow(outside(() => batch.run(this.#runAlone, () => this.#close(batch))))
  }

  #close(batch: ReadBatch): void {
    if (this.#batch === batch) this.#batch = undefined
  }

  #landed(): void {
    this.#underWay--
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
  readonly #members: Member[] = []
  readonly #timer: NodeJS.Timeout
  #startedMs: number | undefined

  constructor(onTime: () => void) {
    this.#timer = setTimeout(onTime, LONGEST_WAIT_MS)
  }

  get isStarted(): boolean {
    return this.#startedMs !== undefined
  }

  get isFull(): boolean {
    return this.#members.length >= MOST_READS
  }

  add<T>(plan: QueryPlan<T>, read: SharableRead): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      this.#members.push({ plan, read, joinedMs: performance.now(), resolve: resolve as Member['resolve'], reject })
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
      const result = await runAlone({
        label,
        access: 'read',
        // asked for when there is a connection to send it on
        get statement() {
          return send().statement
        },
        read: (result) => result,
      })
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

/** A statement on its way, and how its result becomes the answers of those that wait for it. */
interface SentRead {
  readonly statement: Statement
  answer(result: StatementResult): void
}

function sentRead(members: readonly Member[]): SentRead {
  const [first] = members
  if (members.length === 1) return { statement: first!.plan.statement, answer: (result) => answer(first!, result) }
  const keys = new Map(members.map(({ read }) => [read.keyText, read.key]))
  const plan = first!.read.together([...keys.values()])
  return {
    statement: plan.statement,
    answer(result) {
      const found = plan.read(result)
      const given = new Set<string>()
      for (const member of members) {
        const { keyText } = member.read
        const values = found.get(keyText)
        // nobody's row is somebody else's too
        const rows = values === undefined ? [] : [given.has(keyText) ? values.map(copyOf) : values]
        given.add(keyText)
        answer(member, { ...result, rows })
      }
    },
  }
}

function answer({ plan, resolve, reject }: Member, result: StatementResult): void {
  try {
    resolve(plan.read(result))
  } catch (error) {
    reject(error)
  }
}

function copyOf(value: unknown): unknown {
  return value instanceof Uint8Array ? Uint8Array.prototype.slice.call(value) : value
}
