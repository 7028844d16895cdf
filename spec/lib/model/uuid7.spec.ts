import { describe, expect, it } from 'vitest'
import { createUuid7, uuid7 } from '../../../lib/model/uuid7.js'

const FORM = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

describe('uuid7', () => {
  it('makes UUIDs of version 7 and variant 10, in lower case', () => {
    for (let i = 0; i < 1000; i++) expect(uuid7()).toMatch(FORM)
  })

  it('begins with the milliseconds since 1970', () => {
    const made = createUuid7(() => 0x0123_4567_89ab)()
    expect(made.slice(0, 13)).toBe('01234567-89ab')
  })

  it('makes keys that sort in the order they were made, within a millisecond and across them', () => {
    let now = 1_700_000_000_000
    const next = createUuid7(() => now)
    const made = Array.from({ length: 50_000 }, (_, at) => {
      if (at % 1000 === 0) now++
      return next()
    })
    expect([...made].sort()).toEqual(made)
    expect(new Set(made).size).toBe(made.length)
  })

  it('keeps the order when the clock steps back', () => {
    let now = 1_700_000_000_000
    const next = createUuid7(() => now)
    const before = next()
    now -= 60_000
    const after = next()
    expect(after > before).toBe(true)
    expect(after.slice(0, 13)).toBe(before.slice(0, 13))
  })

  it('never repeats between two makers at the same millisecond', () => {
    const makers = [createUuid7(() => 1), createUuid7(() => 1)]
    const made = makers.flatMap((next) => Array.from({ length: 1000 }, next))
    expect(new Set(made).size).toBe(made.length)
  })
})
