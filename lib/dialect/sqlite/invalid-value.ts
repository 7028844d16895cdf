import { InvalidValueError } from '../../errors.js'
import { NOTHING_NAMED } from './named-constraint.js'

/** The error for a value whose column is not known where it is found. */
export function invalidValue(what: string, options?: ErrorOptions): InvalidValueError {
  return new InvalidValueError(what, NOTHING_NAMED, options)
}
