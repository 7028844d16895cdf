import { describe, expect, it } from 'vitest'
import { callShape } from '../../../lib/query/call-shape.js'

describe('callShape', () => {
  const keyOf = (input: unknown) => callShape('list', input)?.key

  it('is the same for calls that differ in the values of their filters alone, and gives these in order', () => {
    const one = callShape('list', { where: { id: { $gte: 1, $lt: 9n }, name: 'a' }, limit: 5 })!
    const other = callShape('list', { where: { id: { $gte: 'b', $lt: new Date(0) }, name: true }, limit: 5 })!
    expect(other.key).toBe(one.key)
    expect([one.values, other.values]).toEqual([
      [1, 9n, 'a'],
      ['b', new Date(0), true],
    ])
  })

  it('is another for other names, operators, orders of them, nesting, operations, and for what stands outside of the filter', () => {
    const inputs = [
      { where: { id: 1 } },
      { where: { id: null } },
      { where: { name: 1 } },
      { where: { id: { $eq: 1 } } },
      { where: { id: { $ne: 1 } } },
      { where: { id: 1, name: 1 } },
      { where: { name: 1, id: 1 } },
      { where: { a: { b: 1 }, c: 1 } },
      { where: { a: { b: 1, c: 1 } } },
      { where: { 'a?1:b': 1 } },
      { where: { a: 1, b: 1 } },
      { where: {} },
      {},
      { limit: 1 },
      { limit: '1' },
      { limit: 1n },
      { limit: true },
      { limit: 1, total: true },
      { orderBy: { id: 'asc' } },
      { orderBy: { id: 'desc' } },
    ]
    const keys = [...inputs.map(keyOf), callShape('count', { where: { id: 1 } })!.key]
    expect(keys).not.toContain(undefined)
    expect(new Set(keys).size).toBe(keys.length)
  })

  it('is none where there is more to look at than names and plain values', () => {
    let deep: object = {}
    for (let depth = 0; depth < 20; depth++) deep = { $not: deep }
    const wide = Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`field${index}`, 1]))
    const further = [
      { where: { id: [1] } },
      { where: { id: undefined } },
      { where: { id: () => 1 } },
      { where: { id: Symbol.iterator } },
      { where: { id: new Map() } },
      { where: [] },
      { where: deep },
      { where: wide },
      { orderBy: [{ id: 'asc' }] },
      { limit: new Date(0) },
      { limit: 'x'.repeat(100) },
      { limit: 1, offset: 1 },
      { limit: 1, after: 'cursor' },
      { limit: 1, before: 'cursor' },
      [],
      null,
      undefined,
      'list',
    ]
    for (const input of further) expect(keyOf(input)).toBeUndefined()
  })
})
