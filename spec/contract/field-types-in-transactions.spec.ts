import { describe } from 'vitest'
import { describeRoundTripsInTransactions } from './field-round-trips.js'
import { FIELD_CASES } from './field-values.js'

describe('in a transaction, a value of type', () => {
  describeRoundTripsInTransactions(FIELD_CASES)
})
