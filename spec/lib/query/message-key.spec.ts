import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { MessageKey } from '../../../lib/query/message-key.js'

const TEXT = fc.string({ unit: 'grapheme', maxLength: 200 })
const sha256 = (text: string) => createHash('sha256').update(text)

describe('MessageKey', () => {
  it('signs by a hash around a hash, each with a secret block of its own', () => {
    fc.assert(
      fc.property(TEXT, TEXT, (secret, text) => {
        const inner = sha256(sha256(`inner\n${secret}`).digest('hex') + text).digest('hex')
        expect(new MessageKey(secret).sign(text)).toBe(sha256(sha256(`outer\n${secret}`).digest('hex') + inner).digest('base64url'))
      }),
    )
  })

  it('signs differently what differs in anything, by keys that differ', () => {
    const signatures = ['', 'a', 'ab'].flatMap((secret) => ['', 'b', 'ab'].map((text) => new MessageKey(secret).sign(text)))
    expect(new Set(signatures).size).toBe(signatures.length)
  })
})
