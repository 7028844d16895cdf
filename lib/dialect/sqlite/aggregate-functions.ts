import type Sqlite from 'better-sqlite3'
import { decimalKey, decimalText, decimalUnits } from './decimal-functions.js'

/** What SQLite runs over the rows of a group: `step` gets the total so far and the row's arguments. */
interface AggregateFunction<T> {
  readonly start: () => T
  readonly step: (total: T, ...row: unknown[]) => T
  readonly result: (total: T) => string | null
}

/** Makes an aggregate known on a connection. */
export function registerAggregate<T>(
  database: Sqlite.Database,
  name: string,
  options: Sqlite.RegistrationOptions,
  run: AggregateFunction<T>,
) {
  // the driver's types take a row's arguments for values of the total's type
  database.aggregate(name, { ...options, ...run } as never)
}

interface DecimalTotal {
  readonly units: bigint
  readonly scale: number
}

/** The exact sum of decimals, with the scale of their column; null of none. */
export const decimalSum: AggregateFunction<DecimalTotal | null> = {
  start: () => null,
  step(total, value, scale) {
    if (value === null) return total
    return { units: (total?.units ?? 0n) + decimalUnits(value, Number(scale)), scale: Number(scale) }
  },
  result: (total) => (total === null ? null : decimalText(total.units, total.scale)),
}

interface Extreme {
  readonly value: string
  readonly key: string
}

/** The decimal whose key is before all others by `isBetter`; null of none. */
export function decimalExtreme(isBetter: (key: string, best: string) => boolean): AggregateFunction<Extreme | null> {
  return {
    start: () => null,
    step(best, value) {
      const key = decimalKey(value)
      return key !== null && (best === null || isBetter(key, best.key)) ? { value: String(value), key } : best
    },
    result: (best) => best?.value ?? null,
  }
}

/** The sum of integers of 64 bits as text, of any length; null of none. */
export const integerSum: AggregateFunction<bigint | null> = {
  start: () => null,
  step: (total, value) => (value === null ? total : (total ?? 0n) + BigInt(value as bigint)),
  result: (total) => (total === null ? null : String(total)),
}
