import { describe } from 'vitest'
import { describeRoundTrips } from './field-round-trips.js'
import { FIELD_CASES } from './field-values.js'

describe('a value of type', () => {
  describeRoundTrips(FIELD_CASES)
})
