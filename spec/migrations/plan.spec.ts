import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Migration } from '../../migrations/migration.js'
import {
  type Applied,
  fileProblems,
  headsOf,
  historyProblems,
  inOrder,
  lateOf,
  pendingOf,
  revertOrder,
  withAncestors,
} from '../../migrations/plan.js'

function migration(id: string, ...parents: string[]): Migration {
  const up = { kind: 'sql', file: '', text: '', checksum: `sum of ${id}` } as const
  return { id, parents, isLossyDown: false, replaces: [], folder: '', up, down: undefined }
}

function applied(id: string, finishedAtMs = 0): Applied {
  return { id, state: 'applied', checksum: `sum of ${id}`, finishedAtMs }
}

const idsOf = (migrations: readonly { readonly id: string }[]) => migrations.map(({ id }) => id)

/** Some branches that were merged. */
const BRANCHED = [migration('a'), migration('b', 'a'), migration('c', 'a'), migration('d', 'b', 'c')]

describe('the order of migrations', () => {
  it('is that of their parents, ties by id, however they were read', () => {
    expect(idsOf(inOrder(BRANCHED.toReversed()))).toEqual(['a', 'b', 'c', 'd'])
    expect(idsOf(inOrder([migration('a', 'z'), migration('z')]))).toEqual(['z', 'a'])
  })

  it('has every parent before its children, for any that make no circle', () => {
    const graphs = fc
      .array(fc.array(fc.nat()), { maxLength: 30 })
      .map((lists) =>
        lists.map((parents, at) => migration(`m${at}`, ...new Set(at === 0 ? [] : parents.map((parent) => `m${parent % at}`)))),
      )
    fc.assert(
      fc.property(graphs, (migrations) => {
        const order = idsOf(inOrder(migrations))
        expect(order.toSorted()).toEqual(idsOf(migrations).toSorted())
        for (const { id, parents } of migrations)
          for (const parent of parents) expect(order.indexOf(parent)).toBeLessThan(order.indexOf(id))
        // what is reverted goes the other way, whenever it was applied
        const rows = migrations.map(({ id }, at) => applied(id, (at * 7) % 5))
        const back = idsOf(revertOrder(inOrder(migrations), rows, new Set()))
        for (const { id, parents } of migrations)
          for (const parent of parents) expect(back.indexOf(parent)).toBeGreaterThan(back.indexOf(id))
      }),
    )
  })
})

describe('what is wrong with files', () => {
  it('is two heads, a parent that is not there, a circle, and a HEAD that says something else', () => {
    expect(fileProblems(BRANCHED, 'd')).toEqual([])
    expect(headsOf(BRANCHED.slice(0, 3))).toEqual(['b', 'c'])
    expect(fileProblems(BRANCHED.slice(0, 3), 'b')).toMatchObject([{ kind: 'heads', ids: ['b', 'c'] }])
    expect(fileProblems([migration('b', 'a')], 'b')).toMatchObject([{ kind: 'unknown-parent', ids: ['b', 'a'] }])
    expect(fileProblems([migration('a', 'b'), migration('b', 'a'), migration('c', 'a')], 'c')).toMatchObject([
      { kind: 'cycle', ids: ['a', 'b', 'c'] },
    ])
    expect(fileProblems(BRANCHED, '<<<<<<< ours\nd\n=======\ne\n>>>>>>> theirs')).toMatchObject([
      { kind: 'head-file', message: expect.stringContaining('conflict') },
    ])
  })
})

describe('what files and history make together', () => {
  it('is what is pending, those that came late among it', () => {
    const rows = [applied('a'), applied('c')]
    expect(idsOf(pendingOf(inOrder(BRANCHED), rows))).toEqual(['b', 'd'])
    expect([...lateOf(inOrder(BRANCHED), rows)]).toEqual(['b'])
    expect(historyProblems(BRANCHED, rows)).toEqual([])
  })

  it('is a problem where a file was changed or is missing, or an applied one stands on a pending one', () => {
    expect(historyProblems(BRANCHED, [{ ...applied('a'), checksum: 'another' }])).toMatchObject([{ kind: 'modified', ids: ['a'] }])
    expect(historyProblems(BRANCHED, [applied('x')])).toMatchObject([{ kind: 'missing', ids: ['x'] }])
    expect(historyProblems(BRANCHED, [applied('a'), applied('b'), applied('d')])).toMatchObject([{ kind: 'skipped', ids: ['c', 'd'] }])
  })

  it('says what is reverted: the last that was applied first, whatever its id, and not what has to stay', () => {
    const rows = [applied('a', 1), applied('c', 2), applied('b', 3)]
    expect(idsOf(revertOrder(inOrder(BRANCHED), rows, new Set()))).toEqual(['b', 'c', 'a'])
    expect(idsOf(revertOrder(inOrder(BRANCHED), rows, withAncestors(BRANCHED, 'c')))).toEqual(['b'])
  })
})
