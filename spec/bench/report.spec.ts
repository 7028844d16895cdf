import { describe, expect, it, vi } from 'vitest'
import { loadLimits } from '../../bench/load/load-limits.js'
import type { LoadRow } from '../../bench/load/load-row.js'
import { exitCodeOf, type Limit, publish } from '../../bench/support/report.js'

const LIMIT: Limit = { name: 'p95', measured: 2, atMost: 1, unit: 'ms' }

/** The lines of the table of limits. */
async function printed(limits: readonly Limit[]): Promise<readonly string[]> {
  const log = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  await publish('load', { engines: undefined } as never, { tables: [], limits })
  const text = log.mock.calls.flat().join('\n')
  log.mockRestore()
  return text.split('\n').filter((line) => line.startsWith('| p95'))
}

describe('a limit', () => {
  it('that does not hold says NO and makes the run fail', async () => {
    expect(await printed([LIMIT])).toEqual(['| p95 | ≤ 1 ms | 2 ms | NO |'])
    expect(exitCodeOf([{ ...LIMIT, measured: 1 }, LIMIT])).toBe(1)
    expect(exitCodeOf([{ ...LIMIT, measured: Number.NaN }])).toBe(1)
  })

  it('that holds says yes', async () => {
    expect(await printed([{ ...LIMIT, measured: 1 }])).toEqual(['| p95 | ≤ 1 ms | 1 ms | yes |'])
    expect(exitCodeOf([{ ...LIMIT, measured: 1 }])).toBe(0)
  })

  it('that the run was too small to judge says so, and fails nothing', async () => {
    const unjudged = { ...LIMIT, isJudged: false }
    expect(await printed([unjudged])).toEqual(['| p95 | ≤ 1 ms | 2 ms | not judged |'])
    expect(exitCodeOf([unjudged])).toBe(0)
    expect(exitCodeOf([])).toBe(0)
  })
})

describe('the limits of a load', () => {
  const row: Partial<LoadRow> = { mode: 'nodes', pool: 'warm', pools: 1, successRate: 1, meanRatioToRaw: 1.5 }
  const limitsOf = (n: number, rounds: number, successRate = 1) =>
    loadLimits('postgres', { n, rounds }, [], [{ ...row, successRate } as LoadRow])

  it.each([
    [300, 3, 1],
    [100, 3, 0],
    [300, 2, 0],
  ])('judge times of %i workflows in %i rounds: exit code %i', (n, rounds, expected) => {
    expect(exitCodeOf(limitsOf(n, rounds))).toBe(expected)
  })

  it('judge success in the smallest run too', () => {
    expect(exitCodeOf(limitsOf(20, 1, 0.99))).toBe(1)
  })
})
