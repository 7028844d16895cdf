import { describe, expect, it } from 'vitest'
import { remembered } from '../../../lib/metrics/series.js'

describe('remembered', () => {
  it('makes what belongs to a key once', () => {
    const made: string[] = []
    const lengthOf = remembered((key: string) => made.push(key))
    expect([lengthOf('a'), lengthOf('b'), lengthOf('a')]).toEqual([1, 2, 1])
    expect(made).toEqual(['a', 'b'])
  })

  it('holds no more than a thousand, however many keys there are', () => {
    let made = 0
    const numberOf = remembered((_key: number) => ++made)
    for (let key = 0; key < 10_000; key++) numberOf(key)
    // backwards: what is still known is asked for before anything new could take its place
    const known = Array.from({ length: 10_000 }, (_, at) => 9_999 - at).filter((key) => numberOf(key) <= 10_000)
    expect(known.length).toBeGreaterThan(0)
    expect(known.length).toBeLessThanOrEqual(1_000)
  })
})
