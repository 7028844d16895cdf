import { describe, expect, it } from 'vitest'
import { LatencyRecorder } from '../../lib/latency.js'

describe('LatencyRecorder', () => {
  it('gives zeros where nothing happened', () => {
    expect(new LatencyRecorder().figures()).toEqual({ count: 0, p50: 0, p95: 0, p99: 0, max: 0 })
  })

  it('gives the values themselves while they are few', () => {
    expect(recorded([5]).figures()).toEqual({ count: 1, p50: 5, p95: 5, p99: 5, max: 5 })
    expect(recorded([4, 1, 3, 2]).figures()).toEqual({ count: 4, p50: 2, p95: 4, p99: 4, max: 4 })
  })

  it.each([1, 15, 16, 17, 18, 1_000])('gives each of %i equal values to a hundredth of it', (count) => {
    const { count: counted, ...figures } = recorded(Array.from({ length: count }, () => 250)).figures()
    expect(counted).toBe(count)
    for (const ms of Object.values(figures)) expect(Math.abs(ms - 250)).toBeLessThanOrEqual(2.5)
  })

  it.each([16, 17, 1_000])('tells the slow ones of %i apart', (count) => {
    const figures = recorded(Array.from({ length: count }, (_, index) => (index < count * 0.8 ? 10 : 1_000))).figures()
    expect(figures.p50).toBeCloseTo(10, 0)
    expect(figures.p95).toBeGreaterThan(980)
    expect(figures.max).toBeGreaterThan(980)
  })

  it('takes what is shorter than a microsecond for one, and what is longer than a day for a day', () => {
    expect(recorded([0]).figures().max).toBe(0.001)
    expect(recorded([1e12]).figures().max).toBe(86_400_000)
  })
})

function recorded(values: readonly number[]): LatencyRecorder {
  const recorder = new LatencyRecorder()
  for (const ms of values) recorder.record(ms)
  return recorder
}
