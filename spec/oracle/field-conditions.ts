import fc from 'fast-check'

/** Few of each, so that filters are met. */
export const SIZES = [null, -1, 0, 9, 10]
export const NAMES = [null, '', 'a', 'a%', 'A', 'ab']
export const PRICES = [null, '-1.0', '9.5', '10.0', '10.5']

/** Conditions on one field: one to three operators, `$not` among them. */
function conditions(values: readonly (number | string | null)[], more: Record<string, fc.Arbitrary<unknown>> = {}): fc.Arbitrary<unknown> {
  const orNull = fc.constantFrom(...values)
  const value = fc.constantFrom(...values.filter((each) => each !== null))
  const list = fc.array(value, { maxLength: 3 })
  const compared = { $gt: value, $gte: value, $lt: value, $lte: value, $between: fc.tuple(value, value) }
  const operators = { $eq: orNull, $ne: orNull, $in: list, $nin: list, $null: fc.boolean(), ...compared, ...more }
  const some = (nested: fc.Arbitrary<unknown>) =>
    fc.record({ ...operators, $not: nested }, { requiredKeys: [] }).chain((all) => {
      const names = Object.keys(all) as (keyof typeof all)[]
      return names.length === 0
        ? fc.constant({ $null: false })
        : fc
            .subarray(names, { minLength: 1, maxLength: Math.min(3, names.length) })
            .map((kept) => Object.fromEntries(kept.map((name) => [name, all[name]])))
    })
  return fc.oneof({ weight: 1, arbitrary: orNull }, { weight: 5, arbitrary: some(some(fc.constant({ $null: true }))) })
}

const part = fc.constantFrom('', 'a', '%', 'b')
/** Conditions on a number, a text and a decimal. */
export const FIELD_CONDITIONS = {
  size: conditions(SIZES),
  name: conditions(NAMES, { $contains: part, $startsWith: part, $endsWith: part }),
  price: conditions(PRICES),
}
