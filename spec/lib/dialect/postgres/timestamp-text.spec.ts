import { describe, expect, it } from 'vitest'
import { dateOf, microsecondsOf } from '../../../../lib/dialect/postgres/timestamp-text.js'
import { InvalidValueError } from '../../../../lib/errors.js'

// what PostgreSQL 15 writes for the same instant in zones that a session may be set to
const SAME_INSTANT = [
  '2024-01-02 03:04:05.6789+00',
  '2024-01-02 08:49:05.6789+05:45',
  '2024-01-01 23:34:05.6789-03:30',
  // a column without a zone holds UTC
  '2024-01-02 03:04:05.6789',
  '2024-01-02 03:05:20.6789+00:01:15',
]

const OUT_OF_RANGE = ['infinity', '-infinity', '0044-03-15 00:00:00+00 BC', '10000-01-01 00:00:00+00', '9999-12-31 23:00:00-05']

describe('dateOf', () => {
  it('gives the instant, whatever zone it is written in', () => {
    for (const text of SAME_INSTANT) expect(dateOf(text).toISOString()).toBe('2024-01-02T03:04:05.678Z')
  })

  it('takes the first hundred years for what they are', () => {
    expect(dateOf('0001-01-01 00:00:00+00').toISOString()).toBe('0001-01-01T00:00:00.000Z')
    expect(dateOf('0004-02-29 00:00:00.5+00').toISOString()).toBe('0004-02-29T00:00:00.500Z')
  })

  it('agrees with the calendar of the runtime from the first year to the last, ends of months and leap days among them', () => {
    const wrong: string[] = []
    const check = (ms: number) => {
      const iso = new Date(ms).toISOString()
      if (
        dateOf(
          `${iso.slice(0, 10)} ${iso
            .slice(11, 23)
            .replace(/(\.\d*?)0+$/, '$1')
            .replace(/\.$/, '')}+00`,
        ).getTime() !== ms
      )
        wrong.push(iso)
    }
    // an odd step goes through all times of the day
    for (let ms = Date.parse('0001-01-01T00:00:00.001Z'); ms < Date.parse('9999-12-31T00:00:00Z'); ms += 2_000_000_333) check(ms)
    for (let year = 1; year < 10_000; year++) {
      for (const day of ['01-01', '02-28', '03-01', '12-31']) check(Date.parse(`${String(year).padStart(4, '0')}-${day}T23:59:59.999Z`))
    }
    expect(wrong).toEqual([])
  })

  it('refuses what lies outside the years 0001 to 9999', () => {
    for (const text of OUT_OF_RANGE) expect(() => dateOf(text), text).toThrow(InvalidValueError)
  })
})

describe('microsecondsOf', () => {
  it('gives all six digits, whatever zone the instant is written in', () => {
    for (const text of SAME_INSTANT) expect(microsecondsOf(text)).toBe('2024-01-02T03:04:05.678900Z')
    expect(microsecondsOf('2024-01-02 03:04:05+00')).toBe('2024-01-02T03:04:05.000000Z')
    expect(microsecondsOf('2024-01-02 03:04:05.000001+00')).toBe('2024-01-02T03:04:05.000001Z')
  })

  it('refuses what lies outside the years 0001 to 9999', () => {
    for (const text of OUT_OF_RANGE) expect(() => microsecondsOf(text), text).toThrow(InvalidValueError)
  })
})
