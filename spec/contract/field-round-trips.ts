import { isDeepStrictEqual } from 'node:util'
import { describe, expect, it } from 'vitest'
import { forEachEngine, type SpecEngine } from '../support/engines.js'
import type { FieldCase } from './field-values.js'
import { type HolderNodes, holdersOn, slotsWhere } from './holder.js'

/** Kinds that nothing can be sorted by. */
const UNORDERED: ReadonlySet<string> = new Set(['json', 'array', 'bytes'])

function isOrdered({ spec }: FieldCase): boolean {
  return spec.kind === 'custom' ? spec.ordered === true : !UNORDERED.has(spec.kind)
}

/** Declares, on every engine, that values of each type come back as they were given, whatever node they went through. */
export function describeRoundTrips(cases: readonly FieldCase[]): void {
  forEachEngine((engine) => {
    const { of: holders, ties } = holdersOn(engine, cases)

    describe.each(cases.map((each, index) => ({ ...each, index })))('$title', (each) => {
      const nodes = () => holders(each.index)
      itRoundTrips(each, { nodes, ties, within: (test) => test() }, engine)
      if (each.isOpaque !== true) itFindsByValue(each, nodes)
      if (isOrdered(each)) itPagesByValue(each, nodes)
    })
  })
}

/** The same of what is written and read in one transaction. */
export function describeRoundTripsInTransactions(cases: readonly FieldCase[]): void {
  forEachEngine((engine) => {
    const { of: holders, ties, transaction } = holdersOn(engine, cases)

    describe.each(cases.map((each, index) => ({ ...each, index })))('$title', (each) => {
      itRoundTrips(each, { nodes: () => holders(each.index), ties, within: transaction }, engine)
    })
  })
}

interface Place {
  nodes(): HolderNodes
  ties(): ReturnType<ReturnType<typeof holdersOn>['ties']>
  /** What every call of a test is made in. */
  within(test: () => Promise<void>): Promise<void>
}

function itRoundTrips({ values, canonical = [] }: FieldCase, { nodes, ties, within }: Place, { name }: SpecEngine): void {
  const pairs = [...values.map((value) => [value, value] as const), ...canonical, [null, null] as const]
  const given = pairs.map(([value], slot) => ({ slot, value }))
  const stored = pairs.map(([, value], slot) => ({ slot, value }))
  const select = ['slot', 'value'] as const
  const itIs = (what: string, test: () => Promise<void>) => it(`is ${what}`, () => within(test))

  itIs('given back by create, read and list, alone and among others', async () => {
    const { create, read, list, bulkDelete } = nodes()
    await bulkDelete({ all: true })
    for (const [position, row] of given.entries()) {
      const created = await create(row)
      expect(created).toStrictEqual({ id: created.id, ...stored[position]! })
      expect(await read({ where: { slot: row.slot } })).toStrictEqual(created)
      expect(await read({ where: { id: created.id } }, { select: ['value'] })).toStrictEqual({ value: stored[position]!.value })
    }
    expect((await list({ orderBy: { slot: 'asc' } }, { select })).rows).toStrictEqual(stored)
  })

  itIs('given back by update', async () => {
    const { create, read, update, bulkDelete } = nodes()
    await bulkDelete({ all: true })
    await create({ slot: 0, value: null })
    for (const { value, slot } of given) {
      const where = { slot: 0 }
      expect(await update({ where, set: { value } }, { select: ['value'] })).toStrictEqual({ value: stored[slot]!.value })
      expect((await read({ where }))!.value).toStrictEqual(stored[slot]!.value)
    }
  })

  itIs('given back by upsert, which sees whether it is there already', async () => {
    const { upsert, bulkDelete } = nodes()
    await bulkDelete({ all: true })
    for (const { value, slot } of given) {
      const call = (values: { slot: number; value: unknown }) => upsert({ on: ['slot'], values }, { select })
      expect(await call({ slot, value })).toStrictEqual({ row: stored[slot], outcome: 'created' })
      expect(await call({ slot, value })).toStrictEqual({ row: stored[slot], outcome: 'unchanged' })
      const other = given[isDeepStrictEqual(stored[slot]!.value, values[0]) ? 1 : 0]!
      expect(await call({ slot, value: other.value })).toStrictEqual({ row: { ...stored[other.slot]!, slot }, outcome: 'updated' })
    }
  })

  itIs('given back by bulkCreate', async () => {
    const { bulkCreate, list, bulkDelete } = nodes()
    await bulkDelete({ all: true })
    expect(await bulkCreate({ rows: given, returning: true }, { select })).toStrictEqual({ count: given.length, rows: stored })
    await bulkDelete({ all: true })
    await bulkCreate({ rows: given })
    expect((await list({ orderBy: { slot: 'asc' } }, { select })).rows).toStrictEqual(stored)
  })

  itIs('given back by bulkUpsert, which sees whether it is there already', async () => {
    const { bulkUpsert, list, bulkDelete } = nodes()
    await bulkDelete({ all: true })
    const count = given.length
    expect(await bulkUpsert({ on: ['slot'], rows: given })).toEqual({ created: count, updated: 0, unchanged: 0 })
    expect((await list({ orderBy: { slot: 'asc' } }, { select })).rows).toStrictEqual(stored)
    expect(await bulkUpsert({ on: ['slot'], rows: given })).toEqual({ created: 0, updated: 0, unchanged: count })
    // each slot gets its neighbour's value, which is another one
    const rotated = values.map((_, slot) => ({ slot, value: values[(slot + 1) % values.length] }))
    expect(await bulkUpsert({ on: ['slot'], rows: rotated })).toEqual({ created: 0, updated: rotated.length, unchanged: 0 })
    expect((await list({ where: { slot: { $lt: rotated.length } }, orderBy: { slot: 'asc' } }, { select })).rows).toStrictEqual(rotated)
  })

  itIs('given back in relations: joined, read after the rows, and below each other', async () => {
    const { bulkCreate, list, bulkDelete } = nodes()
    await bulkDelete({ all: true })
    await bulkCreate({ rows: given })
    const again = { select, include: { joined: { select }, single: { select }, listed: { select } } }
    // the compiler knows no relations of the holder
    const include = { joined: again, single: again, listed: again } as never
    const { rows } = await list({ orderBy: { slot: 'asc' }, include } as never, { select })
    const inner = stored.map((row) => ({ ...row, joined: row, single: row, listed: [row] }))
    expect(rows).toStrictEqual(stored.map((row, slot) => ({ ...row, joined: inner[slot], single: inner[slot], listed: [inner[slot]] })))
  })

  itIs('given back in the first rows of each owner, and by way of a model between', async () => {
    const { bulkCreate, list, bulkDelete } = nodes()
    await bulkDelete({ all: true })
    await ties().bulkDelete({ all: true })
    const { rows: made } = await bulkCreate({ rows: given, returning: true })
    const next = (slot: number) => (slot + 1) % given.length
    const pairsOf = ({ id }: { id: number }, slot: number) => [slot, next(slot)].map((to) => ({ fromId: id, toId: made![to]!.id }))
    await ties().bulkCreate({ rows: made!.flatMap(pairsOf) })
    const both = (slot: number) => [slot, next(slot)].toSorted((one, other) => one - other).map((each) => stored[each])
    const listWith = async (include: object) => (await list({ orderBy: { slot: 'asc' }, include } as never, { select })).rows
    const orderBy = { slot: 'asc' }
    expect(await listWith({ tied: { select, orderBy }, listed: { select, limit: 1 } })).toStrictEqual(
      stored.map((row, slot) => ({ ...row, tied: both(slot), listed: [row] })),
    )
    expect(await listWith({ tied: { select, orderBy, limit: 1 } })).toStrictEqual(
      stored.map((row, slot) => ({ ...row, tied: both(slot).slice(0, 1) })),
    )
  })

  itIs('given back by stream and readMany', async () => {
    const { bulkCreate, stream, readMany, bulkDelete } = nodes()
    await bulkDelete({ all: true })
    const { rows: made } = await bulkCreate({ rows: given, returning: true })
    const streamed: unknown[] = []
    for await (const row of stream({ orderBy: { slot: 'asc' } }, { select })) streamed.push(row)
    expect(streamed).toStrictEqual(stored)
    const keys = made!.map(({ id }) => ({ id }))
    expect(await readMany({ keys } as never, { select })).toStrictEqual(stored)
  })

  itIs(`no null on ${name}, and null is nothing else`, async () => {
    const { bulkCreate, count, bulkDelete } = nodes()
    await bulkDelete({ all: true })
    await bulkCreate({ rows: given })
    expect(await count({ where: { value: null } })).toBe(1)
    expect(await count({ where: { value: { $null: false } } })).toBe(given.length - 1)
  })
}

function itFindsByValue({ values }: FieldCase, nodes: () => HolderNodes): void {
  it('is found by each value, and by no other', async () => {
    const { bulkCreate, bulkDelete } = nodes()
    await bulkDelete({ all: true })
    await bulkCreate({ rows: [...values, null].map((value, slot) => ({ slot, value })) })
    const all = values.map((_, slot) => slot)
    for (const [slot, value] of values.entries()) {
      expect(await slotsWhere(nodes(), value)).toEqual([slot])
      expect(await slotsWhere(nodes(), { $in: [value] })).toEqual([slot])
      expect(await slotsWhere(nodes(), { $ne: value })).toEqual(all.filter((other) => other !== slot))
      expect(await slotsWhere(nodes(), { $nin: [value] })).toEqual(all.filter((other) => other !== slot))
    }
    expect(await slotsWhere(nodes(), { $in: values })).toEqual(all)
  })
}

function itPagesByValue({ values }: FieldCase, nodes: () => HolderNodes): void {
  const ORDERS = (['asc', 'desc'] as const).flatMap((direction) => (['first', 'last'] as const).map((nulls) => ({ direction, nulls })))

  it.each(ORDERS)('is a place to go on from: $direction, nulls $nulls', async (value) => {
    const { bulkCreate, list, stream, bulkDelete } = nodes()
    await bulkDelete({ all: true })
    await bulkCreate({ rows: [null, ...values, null].map((each, slot) => ({ slot, value: each })) })
    // by the slot too: two rows are null
    const orderBy = [{ value }, { slot: 'asc' }] as never
    const inOrder = (await list({ orderBy }, { select: ['slot'] })).rows
    expect(inOrder).toHaveLength(values.length + 2)

    const forward: unknown[] = []
    let after: string | undefined
    let last: string | undefined
    do {
      const { rows, nextCursor, previousCursor } = await list(
        { orderBy, limit: 2, ...(after === undefined ? {} : { after }) },
        { select: ['slot'] },
      )
      forward.push(...rows)
      after = nextCursor
      last = previousCursor
    } while (after !== undefined)
    expect(forward).toStrictEqual(inOrder)

    const backward: unknown[] = inOrder.slice(-(inOrder.length % 2 === 0 ? 2 : 1))
    for (let before = last; before !== undefined; ) {
      const { rows, previousCursor } = await list({ orderBy, limit: 2, before }, { select: ['slot'] })
      backward.unshift(...rows)
      before = previousCursor
    }
    expect(backward).toStrictEqual(inOrder)

    const streamed: unknown[] = []
    for await (const row of stream({ orderBy }, { select: ['slot'] })) streamed.push(row)
    expect(streamed).toStrictEqual(inOrder)
  })
}
