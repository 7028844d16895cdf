import { assert, constantFrom, date, integer, property, string, tuple } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { instantMsOf } from '../../../lib/model/calendar.js'

describe('instantMsOf', () => {
  it('reads every instant from the year 1000 to 9999 as it was written', () => {
    const instants = date({ min: new Date('1000-01-01T00:00:00.000Z'), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
    assert(property(instants, (instant) => void expect(instantMsOf(instant.toISOString())).toBe(instant.getTime())))
  })

  it('reads no text with another character in any place', () => {
    const instant = '2024-02-29T23:59:58.123Z'
    const changed = tuple(integer({ min: 0, max: 23 }), constantFrom('/', ':', ' ', 'A', '٣', 'z', '-'))
    assert(
      property(changed, ([at, character]) => {
        if (instant[at] === character) return
        expect(instantMsOf(`${instant.slice(0, at)}${character}${instant.slice(at + 1)}`)).toBeNaN()
      }),
    )
  })

  it('reads no other text', () => {
    assert(property(string(), (text) => void expect(instantMsOf(text)).toBeNaN()))
  })

  it.each([
    '2023-02-29T00:00:00.000Z',
    '2024-04-31T00:00:00.000Z',
    '2024-13-01T00:00:00.000Z',
    '2024-00-01T00:00:00.000Z',
    '2024-01-00T00:00:00.000Z',
    '2024-01-01T24:00:00.000Z',
    '2024-01-01T00:60:00.000Z',
    '2024-01-01T00:00:60.000Z',
    '0999-12-31T23:59:59.999Z',
    '2024-01-01T00:00:00.0000Z',
    '2024-01-01T00:00:00.000+',
  ])('leaves %s to others', (text) => {
    expect(instantMsOf(text)).toBeNaN()
  })
})
