/** One way to do the same work. */
export interface Contender {
  readonly name: string
  /** Does the work once. */
  call(): Promise<unknown>
  /** Runs after the calls of a round, and costs nothing. */
  afterRound?(): Promise<void>
}

/** What one call took, in microseconds. */
export interface Cost {
  /** Processor time of this process, garbage collection included. */
  readonly cpuUs: number
  readonly wallUs: number
}

export interface RoundsOptions {
  readonly rounds: number
  /** Calls a contender and round. */
  readonly calls: number
  /** Calls under way at once. */
  readonly callers: number
}

/** A median of fewer rounds is a matter of luck: limits on times are not judged by it. */
export const LEAST_ROUNDS = 3

/** Rounds before those that count: the first calls are interpreted, prepared and planned. */
const WARM_UP_ROUNDS = 2

/**
 * The cost of a call in each round, by contender. They take turns within a round, another one first each time, so that
 * what else the machine does hits all of them alike.
 */
export async function inRounds(contenders: readonly Contender[], options: RoundsOptions): Promise<readonly (readonly Cost[])[]> {
  const costs: Cost[][] = contenders.map(() => [])
  for (let round = -WARM_UP_ROUNDS; round < options.rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const index = (turn + round + WARM_UP_ROUNDS) % contenders.length
      const cost = await costOf(contenders[index]!, options)
      await contenders[index]!.afterRound?.()
      if (round >= 0) costs[index]!.push(cost)
    }
  }
  return costs
}

async function costOf(contender: Contender, { calls, callers }: RoundsOptions): Promise<Cost> {
  const cpu = process.cpuUsage()
  const startedMs = performance.now()
  await callMany(contender, calls, callers)
  const wallUs = (performance.now() - startedMs) * 1_000
  const { user, system } = process.cpuUsage(cpu)
  return { cpuUs: (user + system) / calls, wallUs: wallUs / calls }
}

async function callMany(contender: Contender, calls: number, callers: number): Promise<void> {
  let started = 0
  const caller = async () => {
    while (started++ < calls) await contender.call()
  }
  await Promise.all(Array.from({ length: callers }, caller))
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((left, right) => left - right)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** The median over rounds of how two contenders compare within a round. */
export function medianOf(left: readonly Cost[], right: readonly Cost[], compare: (left: Cost, right: Cost) => number): number {
  return median(left.map((cost, round) => compare(cost, right[round]!)))
}
