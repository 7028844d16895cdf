import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MessageKey } from '../../../lib/query/message-key.js'

describe('MessageKey', () => {
  it("signs as the runtime's own HMAC-SHA-256 does, with keys of any length", () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 200 }), fc.uint8Array({ maxLength: 300 }), (text, message) => {
        const signed = new MessageKey(text).sign(Buffer.from(message))
        expect(signed).toEqual(createHmac('sha256', text).update(message).digest())
      }),
    )
  })
})
