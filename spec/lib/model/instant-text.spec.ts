import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { instantText } from '../../../lib/model/instant-text.js'

describe('instantText', () => {
  it('is what toISOString gives, for any instant of the years that a text of four digits can say', () => {
    const dates = fc.date({ min: new Date('0000-01-01T00:00:00.000Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
    fc.assert(
      fc.property(dates, (date) => instantText(date) === date.toISOString()),
      { numRuns: 20_000 },
    )
  })

  it('is so on every first and last day of a month, leap years of all kinds among them', () => {
    for (const year of [1, 4, 99, 100, 400, 1600, 1899, 1900, 1969, 1970, 1999, 2000, 2023, 2024, 2100, 9996, 9999]) {
      for (let month = 0; month <= 12; month++) {
        const first = new Date(0)
        first.setUTCFullYear(year, month, 1)
        for (const ms of [-1, 0, 1, 59_999, 3_599_999, 86_399_999]) {
          const date = new Date(first.getTime() + ms)
          expect(instantText(date)).toBe(date.toISOString())
        }
      }
    }
  })

  it('leaves what it cannot say to the date itself', () => {
    for (const text of ['0000-02-29T23:59:59.999Z', '-000001-01-01T00:00:00.000Z', '+010000-01-01T00:00:00.000Z'])
      expect(instantText(new Date(text))).toBe(text)
    expect(() => instantText(new Date(Number.NaN))).toThrow(RangeError)
  })
})
