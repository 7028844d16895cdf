import { createHash } from 'node:crypto'
import { types } from 'node:util'
import { isPlainObject } from '../model/value-kind.js'
import type { BoundModel } from './bound-model.js'

/**
 * SHA-256 of a call's payload, in hexadecimal digits: the same for the same values, in whatever order the entries of objects stand.
 *
 * @param model whose rows the `input` of the payload holds: values of its custom fields count as what they are stored as
 */
export function payloadHash(payload: unknown, model?: BoundModel): string {
  return digest(['payload', new PayloadHash().of(payload, model)])
}

/** Deepest nesting that is looked at: what lies deeper is refused by the checks of the call itself. */
const MAX_DEPTH = 200

class PayloadHash {
  /** Of objects that were met: one that stands in many places is looked at once, and one that stands in itself has an end. */
  readonly #known = new Map<object, string>()

  of(value: unknown, model?: BoundModel, depth = 0): unknown {
    if (typeof value !== 'object' || value === null) return [typeof value, String(value)]
    const known = this.#known.get(value)
    if (known !== undefined) return known
    this.#known.set(value, 'around')
    const hash = depth > MAX_DEPTH ? 'deeper' : digest(this.#partsOf(value, model, depth + 1))
    this.#known.set(value, hash)
    return hash
  }

  /** Each value with its kind, so that no two of different kinds are the same text. */
  #partsOf(value: object, model: BoundModel | undefined, depth: number): readonly unknown[] {
    if (types.isDate(value)) return ['date', value.getTime()]
    if (types.isUint8Array(value)) return ['bytes', Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')]
    if (Array.isArray(value)) return ['list', value.map((each) => this.of(each, model, depth))]
    const entries = Object.entries(value).filter(([, entry]) => entry !== undefined)
    const sorted = entries.toSorted(([one], [other]) => (one < other ? -1 : 1))
    const parts = sorted.map(([name, entry]) => [name, this.#entry(name, entry, model, depth)])
    // of a class of the application's: what it says of itself may be all that is known of it
    return isPlainObject(value) ? ['object', parts] : ['instance', String(value), parts]
  }

  #entry(name: string, value: unknown, model: BoundModel | undefined, depth: number): unknown {
    const custom = model?.fieldByName.get(name)?.definition.custom
    if (custom === undefined || value === null) return this.of(value, model?.relations.get(name)?.target, depth)
    try {
      return this.of(custom.encode(value), undefined, depth)
    } catch {
      // the check of the call says so
      return 'unknown'
    }
  }
}

function digest(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}
