/** One way to do the same work. */
export interface Contender {
  readonly name: string
  /** Does its share of a round, and gives what a call of it took. */
  turn(): Promise<Cost>
  /** Runs after its turn, and costs nothing. */
  afterTurn?(): Promise<void>
}

/** What one call took, in microseconds. */
export interface Cost {
  /** Processor time of the process that made it, garbage collection included. */
  readonly cpuUs: number
  readonly wallUs: number
}

export interface CallsOptions {
  /** Calls under way at once. */
  readonly callers: number
  /** Calls that are made at least. */
  readonly calls: number
  /** How long calls are begun at least. Default 0. */
  readonly forMs?: number
}

/** A median of fewer rounds is a matter of luck: limits on times are not judged by it. */
export const LEAST_ROUNDS = 3

export interface RoundCounts {
  /** Those that count. */
  readonly rounds: number
  /** Those before them: the first calls are interpreted, prepared and planned, and each is compiled a few times over as it is made again. */
  readonly warmUpRounds: number
}

/**
 * The cost of a call in each round, by contender. They take turns within a round, another one first each time, so that
 * what else the machine does hits all of them alike.
 */
export async function inRounds(
  contenders: readonly Contender[],
  { rounds, warmUpRounds }: RoundCounts,
): Promise<readonly (readonly Cost[])[]> {
  const costs: Cost[][] = contenders.map(() => [])
  for (let round = -warmUpRounds; round < rounds; round++) {
    for (let turn = 0; turn < contenders.length; turn++) {
      const index = (turn + round + warmUpRounds) % contenders.length
      const cost = await contenders[index]!.turn()
      await contenders[index]!.afterTurn?.()
      if (round >= 0) costs[index]!.push(cost)
    }
  }
  return costs
}

/** What a call costs when it is made again and again by so many callers, each waiting for its own. */
export async function costOf(call: () => Promise<unknown>, { callers, calls, forMs = 0 }: CallsOptions): Promise<Cost> {
  let made = 0
  const cpu = process.cpuUsage()
  const startedMs = performance.now()
  const isOver = () => made >= calls && performance.now() - startedMs >= forMs
  const caller = async () => {
    while (!isOver()) {
      made++
      await call()
    }
  }
  await Promise.all(Array.from({ length: callers }, caller))
  const wallUs = (performance.now() - startedMs) * 1_000
  const { user, system } = process.cpuUsage(cpu)
  return { cpuUs: (user + system) / made, wallUs: wallUs / made }
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
