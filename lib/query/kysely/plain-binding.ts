import { types } from 'node:util'
import type { Dialect } from '../../dialect/dialect.js'

/**
 * Binds values that stand against no field: those that not every driver takes go as a field of their type would.
 * What is in the driver's form already stays as it is.
 */
export function plainBinding(dialect: Dialect): (value: unknown) => unknown {
  const encodeDate = dialect.codec({ kind: 'timestamp', precision: 3 }, 'bigint').encode
  const encodeBoolean = dialect.codec({ kind: 'boolean' }, 'bigint').encode
  return (value) => {
    if (typeof value === 'boolean') return encodeBoolean === undefined ? value : encodeBoolean(value)
    // an invalid date has no text: the driver says what is wrong with it
    if (types.isDate(value) && !Number.isNaN(value.getTime())) return encodeDate === undefined ? value : encodeDate(value)
    return value
  }
}
