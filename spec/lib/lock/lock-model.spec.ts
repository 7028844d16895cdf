import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { lockPrograms, type Program, transactionPrograms } from './program.js'
import { type Clock, ProgramRun, type Tally } from './program-run.js'
import { TransactionRun } from './transaction-run.js'

const RUNS = 10_000
const realImmediate = setImmediate

const clock: Clock = {
  advance: (ms) => void vi.advanceTimersByTime(ms),
  async drain() {
    await nextTurn()
    if (vi.getTimerCount() === 0) return
    vi.advanceTimersByTime(0)
    await nextTurn()
  },
}

describe('locks under any program', () => {
  const warnings = vi.spyOn(process, 'emitWarning')

  beforeAll(() => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'performance'] })
    warnings.mockImplementation(() => undefined)
  })
  afterAll(() => {
    vi.useRealTimers()
    warnings.mockRestore()
  })

  it('have one holder, lose nobody, keep order and context, find every deadlock and no other', { timeout: 120_000 }, async () => {
    const tally = await runAll(lockPrograms, (program) => new ProgramRun(program, clock))
    expect(tally.deadlocks).toBeGreaterThan(200)
  })

  it('find every deadlock through connections and turns of transactions, and no other', { timeout: 120_000 }, async () => {
    const tally = await runAll(transactionPrograms, (program) => new TransactionRun(program, clock))
    expect(tally.deadlocks).toBeGreaterThan(200)
  })
})

/** What became of the waits of all runs. A check of nothing would show here. */
async function runAll(programs: fc.Arbitrary<Program>, runOf: (program: Program) => ProgramRun): Promise<Tally> {
  const sum: Tally = { served: 0, deadlocks: 0, timedOut: 0, aborted: 0, closed: 0 }
  const check = async (program: Program) => {
    const tally = await runOf(program).run()
    for (const name of Object.keys(sum) as (keyof Tally)[]) sum[name] += tally[name]
  }
  await fc.assert(fc.asyncProperty(programs, check), { numRuns: RUNS })
  return sum
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => realImmediate(resolve))
}
