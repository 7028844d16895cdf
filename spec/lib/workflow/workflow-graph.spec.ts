import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { contracted, graphOf, wavesOf } from '../../../lib/workflow/workflow-graph.js'

/** Needs of a list without circles: each needs only some before it, and then all change places. */
const acyclic = fc
  .array(fc.array(fc.nat({ max: 30 }), { maxLength: 4 }), { maxLength: 30 })
  .map((lists) => lists.map((list, at) => [...new Set(list)].filter((need) => need < at)))
  .chain((needs) =>
    fc
      .shuffledSubarray(
        needs.map((_, at) => at),
        { minLength: needs.length },
      )
      .map((places) => moved(needs, places)),
  )

function moved(needs: readonly (readonly number[])[], places: readonly number[]): number[][] {
  const result: number[][] = needs.map(() => [])
  for (const [at, each] of needs.entries()) result[places[at]!] = each.map((need) => places[need]!)
  return result
}

describe('graphOf', () => {
  it('puts everything behind what it needs', () => {
    fc.assert(
      fc.property(acyclic, (needs) => {
        const graph = graphOf(needs)
        if ('cycle' in graph) throw new Error('there is none')
        expect([...graph.order].sort((a, b) => a - b)).toEqual(needs.map((_, at) => at))
        const place = new Map(graph.order.map((at, index) => [at, index]))
        const waves = wavesOf(needs, graph)
        for (const [at, each] of needs.entries()) {
          for (const need of each) {
            expect(place.get(need)).toBeLessThan(place.get(at)!)
            expect(waves[need]).toBeLessThan(waves[at]!)
          }
          expect(waves[at] === 0 || each.some((need) => waves[need] === waves[at]! - 1)).toBe(true)
        }
      }),
    )
  })

  it('finds a circle wherever there is one, and only what is in it', () => {
    fc.assert(
      fc.property(acyclic, fc.integer({ min: 1, max: 5 }), fc.nat(), (needs, length, from) => {
        const ring = Array.from({ length }, (_, index) => [needs.length + ((index + 1) % length)])
        const hanging = [[needs.length + (from % length)]]
        const all = [...needs, ...ring, ...hanging]
        const graph = graphOf(all)
        if (!('cycle' in graph)) throw new Error('there is one')
        expect(graph.cycle[0]).toBe(graph.cycle.at(-1))
        expect(new Set(graph.cycle).size).toBe(length)
        for (const [index, at] of graph.cycle.slice(0, -1).entries()) expect(all[at]).toContain(graph.cycle[index + 1])
      }),
    )
  })
})

describe('contracted', () => {
  it('makes one of those that belong together, and keeps what they need of others', () => {
    const groups = contracted([[], [0], [1], [0, 2]], (at) => (at === 1 || at === 3 ? 'pair' : undefined))
    expect(groups).toEqual({ members: [[0], [1, 3], [2]], needs: [[], [0, 2], [1]] })
    expect(graphOf(groups.needs)).toMatchObject({ cycle: [1, 2, 1] })
  })
})
