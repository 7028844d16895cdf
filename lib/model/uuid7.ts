import { randomFillSync } from 'node:crypto'

/** RFC 9562 §6.2 method 1: a counter of this many values follows the millisecond and keeps keys in order within it. */
const COUNTER_VALUES = 2 ** 32

/**
 * A maker of UUIDs of version 7 (RFC 9562): 48 bits of time, a 32-bit counter, 42 random bits.
 *
 * Each is greater than all before it from the same maker, also as text, also when the clock steps back.
 * @param nowMs  the clock, milliseconds since 1970
 */
export function createUuid7(nowMs: () => number = Date.now): () => string {
  const bytes = Buffer.alloc(16)
  let lastMs = -1
  let counter = 0
  return () => {
    const now = nowMs()
    randomFillSync(bytes)
    if (now > lastMs) {
      lastMs = now
      // the upper half is left free, so that a millisecond has room for two thousand million keys
      counter = bytes.readUInt32BE(6) >>> 1
    } else if (++counter === COUNTER_VALUES) {
      lastMs++
      counter = 0
    }
    return write(bytes, lastMs, counter)
  }
}

function write(bytes: Buffer, ms: number, counter: number): string {
  bytes.writeUIntBE(ms, 0, 6)
  // 12 bits of the counter beside the version, 20 behind the variant
  bytes.writeUInt16BE(0x7000 | (counter >>> 20), 6)
  bytes.writeUInt16BE(0x8000 | ((counter >>> 6) & 0x3fff), 8)
  bytes[10] = ((counter & 0x3f) << 2) | (bytes[10]! & 0x03)
  const hex = bytes.toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

/** A UUID of version 7 from this process's maker: keys made later sort later. */
export const uuid7: () => string = createUuid7()
