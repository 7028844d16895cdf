import { describe, expect, it } from 'vitest'
import { Generations } from '../../../lib/query/generations.js'

describe('Generations', () => {
  it('keeps what is asked for again, and forgets what is not', () => {
    const kept = new Generations<number>()
    kept.set('used', 1)
    kept.set('unused', 2)
    for (let index = 0; index < 2_000; index++) {
      kept.set(`other ${index}`, index)
      if (index % 100 === 0) expect(kept.get('used')).toBe(1)
    }
    expect(kept.get('unused')).toBeUndefined()
    expect(kept.get('other 0')).toBeUndefined()
    expect(kept.get('other 1999')).toBe(1_999)
  })
})
