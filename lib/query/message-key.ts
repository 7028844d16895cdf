import { hash } from 'node:crypto'

const BLOCK_BYTES = 64

/**
 * A key for HMAC-SHA-256, for short messages: two hashes at one go, where the runtime's own HMAC sets up an object and looks its algorithm up
 * for every message. Source: RFC 2104.
 */
export class MessageKey {
  readonly #inner: Buffer
  readonly #outer: Buffer

  constructor(text: string) {
    const given = Buffer.from(text)
    const key = given.length > BLOCK_BYTES ? hash('sha256', given, 'buffer') : given
    this.#inner = padded(key, 0x36)
    this.#outer = padded(key, 0x5c)
  }

  /** The 32 bytes that only holders of the key can make of a message. */
  sign(message: Buffer): Buffer {
    return hash('sha256', Buffer.concat([this.#outer, hash('sha256', Buffer.concat([this.#inner, message]), 'buffer')]), 'buffer')
  }
}

function padded(key: Buffer, pad: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES, pad)
  for (const [index, byte] of key.entries()) block[index] = byte ^ pad
  return block
}
