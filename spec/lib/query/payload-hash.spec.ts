import { describe, expect, it } from 'vitest'
import { payloadHash } from '../../../lib/query/payload-hash.js'

/** Shows nothing but its text. */
class Price {
  readonly #amount: number
  constructor(amount: number) {
    this.#amount = amount
  }
  toString(): string {
    return String(this.#amount)
  }
}

describe('payloadHash', () => {
  it('is the same for the same values, in whatever order the entries stand', () => {
    const one = payloadHash({ a: 1, b: [{ c: 2n, d: new Date(0) }], e: undefined })
    expect(one).toMatch(/^[0-9a-f]{64}$/)
    expect(payloadHash({ b: [{ d: new Date(0), c: 2n }], a: 1 })).toBe(one)
  })

  it('differs for values of different kinds that have the same text, and for lists in another order', () => {
    const bytes = new Uint8Array([1])
    const values = [
      1,
      '1',
      1n,
      true,
      'true',
      null,
      'null',
      new Date(1),
      bytes,
      'AQ==',
      ['1'],
      [1],
      { 0: 1 },
      [],
      {},
      [1, 2],
      [2, 1],
      ['date', 1],
      new Price(1),
      new Price(2),
    ]
    expect(new Set(values.map((value) => payloadHash({ value }))).size).toBe(values.length)
  })

  it('ends for what has no end', () => {
    const endless: Record<string, unknown> = {}
    endless.self = endless
    expect(payloadHash(endless)).toMatch(/^[0-9a-f]{64}$/)
  })
})
