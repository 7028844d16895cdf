import { createHash } from 'node:crypto'
import { types } from 'node:util'

/** Deepest nesting that is looked at: what lies deeper is refused by the checks of the call itself. */
const MAX_DEPTH = 200

/** SHA-256 of a call's payload, in hexadecimal digits: the same for the same values, in whatever order the entries of objects stand. */
export function payloadHash(payload: unknown): string {
  return createHash('sha256')
    .update(JSON.stringify(canonical(payload, 0)))
    .digest('hex')
}

/** Each value with its kind, so that no two of different kinds are the same text. */
function canonical(value: unknown, depth: number): unknown {
  if (depth > MAX_DEPTH) return ['deeper']
  if (typeof value !== 'object' || value === null) return [typeof value, String(value)]
  if (types.isDate(value)) return ['date', value.getTime()]
  if (types.isUint8Array(value)) return ['bytes', Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')]
  if (Array.isArray(value)) return ['list', value.map((each) => canonical(each, depth + 1))]
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined)
  const sorted = entries.toSorted(([one], [other]) => (one < other ? -1 : 1))
  return ['object', sorted.map(([name, entry]) => [name, canonical(entry, depth + 1)])]
}
