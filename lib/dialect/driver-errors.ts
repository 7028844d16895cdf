import { LatchworkError, QueryError } from '../errors.js'
import type { Later } from '../later.js'
import type { Dialect } from './dialect.js'

/** What is known of the errors of an engine's driver. */
export type DriverErrors = Pick<Dialect, 'toDataError' | 'wordsOf' | 'evicts'>

/** The errors of a driver that is loaded with the first connection: before it there is nothing that could throw them. */
export function driverErrors(connections: Later<DriverErrors>): DriverErrors {
  const known = () => connections.part ?? UNKNOWN
  return {
    toDataError: (error, catalogue) => known().toDataError(error, catalogue),
    wordsOf: (error) => known().wordsOf(error),
    evicts: (error) => known().evicts(error),
  }
}

const UNKNOWN: DriverErrors = {
  toDataError: (error) =>
    error instanceof LatchworkError ? error : new QueryError('the statement could not be run', undefined, { cause: error }),
  wordsOf: (error) => ({ message: error instanceof Error ? error.message : String(error) }),
  evicts: () => false,
}
