import { getEventListeners } from 'node:events'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { deadlineAfter, LATE, remainingMs, settledBy } from '../../lib/deadline.js'
import { AbortedError } from '../../lib/errors.js'

const never = new Promise<never>(() => undefined)

describe('settledBy', () => {
  afterEach(() => vi.restoreAllMocks())

  it('gives what the work gives', async () => {
    await expect(settledBy(Promise.resolve('done'), deadlineAfter(1_000))).resolves.toBe('done')
    await expect(settledBy(Promise.reject(new Error('failed')), Infinity)).rejects.toThrow('failed')
  })

  it('gives LATE when the deadline comes first, at once where it has passed', async () => {
    await expect(settledBy(never, deadlineAfter(5))).resolves.toBe(LATE)
    await expect(settledBy(never, deadlineAfter(-5))).resolves.toBe(LATE)
  })

  it('never gives LATE before the deadline, though a timer fires early', async () => {
    const { setTimeout } = globalThis
    const early = (fn: () => void, delayMs = 0) => setTimeout(fn, delayMs - 40)
    vi.spyOn(globalThis, 'setTimeout').mockImplementation(early as typeof setTimeout)
    const deadline = deadlineAfter(50)
    await expect(settledBy(never, deadline)).resolves.toBe(LATE)
    expect(remainingMs(deadline)).toBe(0)
  })

  it('gives what is there already, though the deadline has passed', async () => {
    await expect(settledBy(Promise.resolve('done'), deadlineAfter(-5))).resolves.toBe('done')
  })

  it('rejects with the reason of an aborted signal, and leaves no listener on it', async () => {
    const abort = new AbortController()
    const waiting = [settledBy(never, Infinity, abort.signal), settledBy(never, Infinity, abort.signal)]
    abort.abort('enough')
    for (const wait of waiting) await expect(wait).rejects.toMatchObject({ code: 'ABORTED', cause: 'enough' })
    expect(getEventListeners(abort.signal, 'abort')).toEqual([])
  })

  it('rejects at once on a signal aborted before, and answers for the work that then fails', async () => {
    const failing = Promise.reject(new Error('failed'))
    await expect(settledBy(failing, Infinity, AbortSignal.abort())).rejects.toBeInstanceOf(AbortedError)
  })
})

describe('remainingMs', () => {
  it('is never negative, and has no end without a deadline', () => {
    expect(remainingMs(deadlineAfter(-10))).toBe(0)
    expect(remainingMs(Infinity)).toBe(Infinity)
  })
})
