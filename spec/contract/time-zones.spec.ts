import { afterAll, describe, expect, it } from 'vitest'
import { describeRoundTrips } from './field-round-trips.js'
import { TIME_CASES } from './field-values.js'

const given = process.env.TZ

afterAll(() => {
  if (given === undefined) delete process.env.TZ
  else process.env.TZ = given
})

// hours with a half or three quarters show what is read as local time; one has a summer time, the other has not
describe.each([
  ['America/St_Johns', 210],
  ['Asia/Kathmandu', -345],
])('in the time zone %s', (zone, offsetMinutes) => {
  it('is in that zone', () => {
    process.env.TZ = zone
    expect(new Date(2024, 0, 1).getTimezoneOffset()).toBe(offsetMinutes)
  })

  describeRoundTrips(TIME_CASES)
})
