import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { WriteHold } from '../../../../lib/dialect/sqlite/write-hold.js'

describe('WriteHold', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
  afterEach(() => void vi.useRealTimers())

  function heldFor(ms: number): WriteHold {
    const hold = new WriteHold()
    hold.begun()
    vi.advanceTimersByTime(ms)
    hold.ended()
    return hold
  }

  it('asks for no rest after a short transaction, nor before the first', () => {
    expect(new WriteHold().restMs()).toBe(0)
    expect(heldFor(0).restMs()).toBe(0)
    expect(heldFor(19).restMs()).toBe(0)
  })

  it('leaves the lock to others for a twentieth of the time it was held, at most 5 ms', () => {
    expect(heldFor(20).restMs()).toBeCloseTo(1)
    expect(heldFor(60).restMs()).toBeCloseTo(3)
    expect(heldFor(10_000).restMs()).toBeCloseTo(5)
  })

  it('counts transactions that follow each other at once as one', () => {
    const hold = heldFor(12)
    hold.begun()
    vi.advanceTimersByTime(12)
    hold.ended()
    expect(hold.restMs()).toBeCloseTo(1.2)
    const withPauses = heldFor(12)
    vi.advanceTimersByTime(6)
    withPauses.begun()
    vi.advanceTimersByTime(12)
    withPauses.ended()
    expect(withPauses.restMs()).toBe(0)
  })

  it('asks for what is left of it, and for nothing more once it is over', () => {
    const hold = heldFor(100)
    vi.advanceTimersByTime(3)
    expect(hold.restMs()).toBeCloseTo(2)
    vi.advanceTimersByTime(3)
    expect(hold.restMs()).toBe(0)
    hold.begun()
    vi.advanceTimersByTime(1)
    hold.ended()
    expect(hold.restMs()).toBe(0)
  })
})
