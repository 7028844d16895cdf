import type { ModelClass } from 'latchwork'
import { beforeAll, describe, expect, it } from 'vitest'
import { defineLooseModel } from '../../lib/model/define-model.js'
import type { FieldSpec } from '../../lib/model/field-spec.js'
import { forEachEngine } from '../support/engines.js'
import { FIELD_CASES } from './field-values.js'
import { useDatabase } from './use-database.js'

/** No key of MySQL's: they have no length. */
const LONG_KINDS: ReadonlySet<string> = new Set(['text', 'json', 'bytes', 'array'])

const CASES = FIELD_CASES.filter(({ spec }) => makesKey(spec)).map((each, index) => ({ ...each, index }))

function makesKey(spec: FieldSpec): boolean {
  if (spec.kind === 'custom') return !LONG_KINDS.has(typeof spec.type === 'string' ? spec.type : spec.type.kind)
  // a native enum is a type of its own table, which no other table's key can be of
  return !LONG_KINDS.has(spec.kind) && !(spec.kind === 'enum' && spec.native === true)
}

/** A model whose key is of the type, one whose rows refer to it, and one that stands between two of its rows. */
function modelsOf(spec: FieldSpec, index: number): Readonly<Record<string, ModelClass>> {
  class Owner {}
  class Part {}
  class Tie {}
  const counted = { kind: 'integer', primary: true, increment: true } as const
  defineLooseModel(Owner, {
    name: `Owner${index}`,
    fields: { key: { ...spec, primary: true }, slot: { kind: 'integer', unique: true } },
    relations: {
      parts: { kind: 'hasMany', target: () => Part, foreignKey: 'ownerKey' },
      others: { kind: 'manyToMany', target: () => Owner, through: () => Tie, foreignKey: 'fromKey', otherKey: 'toKey' },
    },
  })
  defineLooseModel(Part, {
    name: `Part${index}`,
    fields: { id: counted, ownerKey: spec, position: { kind: 'integer' } },
    relations: { owner: { kind: 'belongsTo', target: () => Owner, foreignKey: 'ownerKey' } },
  })
  defineLooseModel(Tie, { name: `Tie${index}`, fields: { id: counted, fromKey: spec, toKey: spec } })
  return { [`owners${index}`]: Owner, [`parts${index}`]: Part, [`ties${index}`]: Tie } as Readonly<Record<string, ModelClass>>
}

/** The calls, where the compiler knows no fields. */
interface LooseNodes {
  bulkCreate(input: { rows: readonly object[] }): Promise<unknown>
  list(input: object, options?: object): Promise<{ readonly rows: readonly Record<string, unknown>[] }>
  readOrThrow(input: object): Promise<Record<string, unknown>>
}

forEachEngine((engine) => {
  const house = useDatabase(
    engine,
    Object.assign({}, ...CASES.map(({ spec, index }) => modelsOf(spec, index))) as Record<string, ModelClass>,
  )

  describe.each(CASES)('rows related by a key of type $title', ({ values, index }) => {
    const nodes = (name: string) => house.nodes[`${name}${index}`] as unknown as LooseNodes
    const all = values.map((key, slot) => ({ key, slot }))
    const next = (slot: number) => (slot + 1) % values.length
    const inOrder = { orderBy: { slot: 'asc' } }
    const partsOf = (slot: number, count: number) => Array.from({ length: count }, (_, n) => ({ ownerKey: values[slot], position: 3 - n }))

    beforeAll(async () => {
      await nodes('owners').bulkCreate({ rows: all })
      // the owners' rows in turn, so that those of one are not beside each other
      const positions = [1, 2, 3]
      await nodes('parts').bulkCreate({ rows: positions.flatMap((position) => values.map((ownerKey) => ({ ownerKey, position }))) })
      await nodes('ties').bulkCreate({
        rows: values.flatMap((fromKey, slot) => [slot, next(slot)].map((to) => ({ fromKey, toKey: values[to] }))),
      })
    })

    it.each([1, 2, 3])('come to their owners, the first %i of each', async (limit) => {
      const include = { parts: { select: ['ownerKey', 'position'], orderBy: { position: 'desc' }, limit } }
      const { rows } = await nodes('owners').list({ ...inOrder, include })
      expect(rows).toStrictEqual(all.map((owner, slot) => ({ ...owner, parts: partsOf(slot, limit) })))
      const one = await nodes('owners').readOrThrow({ where: { key: values.at(-1) }, include })
      expect(one).toStrictEqual({ ...all.at(-1), parts: partsOf(values.length - 1, limit) })
    })

    it('come to their owners, all of them, and lead back', async () => {
      const include = { parts: { select: ['position'], orderBy: { position: 'desc' }, include: { owner: true } } }
      const { rows } = await nodes('owners').list({ ...inOrder, include })
      expect(rows).toStrictEqual(all.map((owner) => ({ ...owner, parts: [3, 2, 1].map((position) => ({ position, owner })) })))
    })

    it.each([undefined, 1, 2])('come by way of a model between, at most %s of each', async (limit) => {
      const include = { others: { ...inOrder, ...(limit === undefined ? {} : { limit }) } }
      const { rows } = await nodes('owners').list({ ...inOrder, include })
      const others = (slot: number) => [...new Set([slot, next(slot)])].toSorted((one, other) => one - other).map((each) => all[each])
      expect(rows).toStrictEqual(all.map((owner, slot) => ({ ...owner, others: others(slot).slice(0, limit) })))
    })

    it('are found by conditions on the others', async () => {
      const key = values.at(-1)
      const owners = await nodes('owners').list({ ...inOrder, where: { others: { $some: { key } } } })
      expect(owners.rows.map(({ slot }) => slot)).toEqual([...new Set([values.length - 2, values.length - 1])].filter((slot) => slot >= 0))
      const parts = await nodes('parts').list({ where: { owner: { key } }, orderBy: { position: 'asc' } })
      expect(parts.rows.map(({ position }) => position)).toEqual([1, 2, 3])
    })
  })
})
