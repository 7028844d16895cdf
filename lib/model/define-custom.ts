import { ModelError } from '../errors.js'
import { type ColumnKind, EXTREME_KINDS } from './column-type.js'
import type { CustomCodec } from './custom-codec.js'
import { type GivenOptions, innerOptions } from './define-column-type.js'

/** What a field of a type of the application's own takes beside the options of all. */
export const CUSTOM_OPTIONS: readonly string[] = ['type', 'encode', 'decode', 'ordered']

/** Kinds that have one order on every engine. */
const ORDERED_KINDS: ReadonlySet<ColumnKind> = new Set([...EXTREME_KINDS, 'uuid'])

/**
 * What a custom field is stored as, as the options of a field of that kind.
 *
 * @throws {ModelError} no kind, or an option that it does not take
 */
export function storageOptions(model: string, field: string, { type }: GivenOptions): GivenOptions {
  return innerOptions(model, field, 'type: expected the kind that values are stored as', typeof type === 'string' ? { kind: type } : type)
}

/**
 * The checked codec of a custom field.
 *
 * @param stored  the kind that its values are stored as
 * @throws {ModelError} a function is missing, or an order is promised that the stored kind does not have
 */
export function defineCustomCodec(model: string, field: string, options: GivenOptions, stored: ColumnKind): CustomCodec {
  const { ordered = false } = options
  if (typeof ordered !== 'boolean') throw new ModelError(model, field, `ordered: expected a boolean, got ${typeof ordered}`)
  if (ordered && !ORDERED_KINDS.has(stored)) throw new ModelError(model, field, `ordered: values stored as ${stored} have no order`)
  return Object.freeze({
    encode: functionOf(model, field, 'encode', options),
    decode: functionOf(model, field, 'decode', options),
    ordered,
  })
}

function functionOf(model: string, field: string, name: 'encode' | 'decode', options: GivenOptions): (value: unknown) => unknown {
  const given = options[name]
  if (typeof given === 'function') return given as (value: unknown) => unknown
  throw new ModelError(model, field, `${name}: expected a function, got ${typeof given}`)
}
