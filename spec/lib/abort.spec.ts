import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { eitherSignal } from '../../lib/abort.js'

describe('eitherSignal', () => {
  it('is aborted by either, with its reason', () => {
    for (const index of [0, 1]) {
      const both = [new AbortController(), new AbortController()] as const
      const { signal } = eitherSignal(both[0].signal, both[1].signal)
      expect(signal.aborted).toBe(false)
      both[index]!.abort(`by ${index}`)
      expect(signal).toMatchObject({ aborted: true, reason: `by ${index}` })
    }
  })

  it('is aborted already where one of them is', () => {
    const { signal } = eitherSignal(new AbortController().signal, AbortSignal.abort('before'))
    expect(signal).toMatchObject({ aborted: true, reason: 'before' })
  })

  it('leaves nothing behind in either when it has ended', () => {
    const [one, other] = [new AbortController(), new AbortController()]
    const joined = Array.from({ length: 1_000 }, () => eitherSignal(one.signal, other.signal))
    for (const { end } of joined) end()
    for (const { signal } of [one, other]) {
      expect(getEventListeners(signal, 'abort')).toEqual([])
      expect(Object.getOwnPropertySymbols(signal).filter((key) => sizeOf(signal, key) > 0)).toEqual([])
    }
    one.abort()
    expect(joined.filter(({ signal }) => signal.aborted)).toEqual([])
  })
})

/** How much the runtime keeps there: it has sets and maps of a kind of their own. */
function sizeOf(signal: AbortSignal, key: symbol): number {
  const kept = (signal as unknown as Record<symbol, unknown>)[key]
  return typeof kept === 'object' && kept !== null && 'size' in kept ? Number(kept.size) : 0
}
