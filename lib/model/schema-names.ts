import { createHash } from 'node:crypto'

/** What a name in the schema belongs to; it is the name's ending. */
export type SchemaObjectKind = 'pkey' | 'key' | 'idx' | 'fkey' | 'check'

/** PostgreSQL cuts at 63 bytes; MySQL takes 64 characters, four of which a hidden column's prefix needs. */
const MAX_NAME_BYTES = 60

/**
 * The name of a constraint or index: `users_email_key`; from the second of its kind on the same columns, `users_email_key2`.
 * A name over 60 bytes is cut and carries 4 hex digits of the hash of the whole: `…_3f9a_key`.
 */
export function objectName(table: string, columns: readonly string[], kind: SchemaObjectKind, nth = 1): string {
  return fitName([table, ...columns].join('_'), `_${kind}${nth === 1 ? '' : nth}`)
}

/** `stem` and `suffix` together, in at most `maxBytes` bytes of UTF-8; what is cut off lives on in a hash. */
export function fitName(stem: string, suffix = '', maxBytes = MAX_NAME_BYTES): string {
  const whole = stem + suffix
  if (Buffer.byteLength(whole) <= maxBytes) return whole
  const ending = `_${createHash('sha256').update(whole).digest('hex').slice(0, 4)}${suffix}`
  return cutToBytes(stem, maxBytes - Buffer.byteLength(ending)) + ending
}

/** A name that an object has while its own is in use. */
export function asideName(name: string): string {
  return fitName(`_lw_${name}`, '_aside')
}

function cutToBytes(text: string, maxBytes: number): string {
  let cut = ''
  let bytes = 0
  for (const character of text) {
    bytes += Buffer.byteLength(character)
    if (bytes > maxBytes) break
    cut += character
  }
  return cut
}
