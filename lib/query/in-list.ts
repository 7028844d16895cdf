import type { BoundField, BoundModel } from './bound-model.js'
import { type Condition, NEVER } from './condition.js'
import type { StatementShape } from './statement-cache.js'

/** Most entries of a list that is bound as one value. */
const MOST_IN_ONE_VALUE = 50_000
/** Most entries where each is bound by itself. */
const MOST_VALUES = 8_192
/** Most keys of several fields: each is a condition of its own. */
const MOST_COMPOSITE = 128

/** That a field has one of the encoded values; these go to the shape. */
export function inList({ dialect }: BoundModel, field: BoundField, encoded: readonly unknown[], shape: StatementShape): Condition {
  const one = dialect.expressions.encodeList(encoded, field.definition.type)
  if (one !== undefined) {
    shape.key += '[]'
    return { kind: 'in', field, list: shape.add(one) }
  }
  const padded = paddedToPowerOfTwo(encoded)
  shape.key += `[${padded.length}]`
  return { kind: 'in', field, list: padded.map((value) => shape.add(value)) }
}

/** That the fields have the values of one of the keys, each encoded and in the order of the fields; they go to the shape. */
export function inKeys(
  model: BoundModel,
  fields: readonly BoundField[],
  keys: readonly (readonly unknown[])[],
  shape: StatementShape,
): Condition {
  if (keys.length === 0) return NEVER
  shape.key += fields.map(({ name }) => name).join()
  if (fields.length === 1)
    return inList(
      model,
      fields[0]!,
      keys.map((key) => key[0]),
      shape,
    )
  const padded = paddedToPowerOfTwo(keys)
  shape.key += `[${padded.length}]`
  const parts = padded.map((key): Condition => ({ kind: 'and', parts: fields.map((field, index) => equals(field, key[index], shape)) }))
  return { kind: 'or', parts }
}

/** The keys in lists that {@link inKeys} can take. */
export function chunksOfKeys<K>({ dialect }: BoundModel, fields: readonly BoundField[], keys: readonly K[]): readonly (readonly K[])[] {
  const isOneValue = dialect.expressions.encodeList([], fields[0]!.definition.type) !== undefined
  const size = fields.length > 1 ? MOST_COMPOSITE : isOneValue ? MOST_IN_ONE_VALUE : MOST_VALUES
  return Array.from({ length: Math.ceil(keys.length / size) }, (_, index) => keys.slice(index * size, (index + 1) * size))
}

function equals(field: BoundField, value: unknown, shape: StatementShape): Condition {
  return { kind: 'compare', field, operator: '=', value: shape.add(value) }
}

/** With its last entry again and again, so that lists of any length share few statements. */
function paddedToPowerOfTwo<T>(list: readonly T[]): readonly T[] {
  const length = 2 ** Math.ceil(Math.log2(list.length))
  return Array.from({ length }, (_, position) => list[Math.min(position, list.length - 1)]!)
}
