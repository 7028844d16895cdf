import type { Generated } from 'kysely'
import type { ModelClass, ModelNodes } from '../../index.js'
import { defineLooseModel, defineModel } from '../../lib/model/define-model.js'
import type { FieldSpec } from '../../lib/model/field-spec.js'
import type { SpecEngine } from '../support/engines.js'
import { useDatabase } from './use-database.js'

/** A row with one value, or null, of the type in question; `slot` says which. */
class Holder {
  id!: Generated<number>
  slot!: number
  value!: unknown
}

/** Stands between two holders of one table. */
class Tie {
  id!: Generated<number>
  fromId!: number
  toId!: number
}

defineModel(Tie, {
  fields: { id: { kind: 'integer', primary: true, increment: true }, fromId: { kind: 'integer' }, toId: { kind: 'integer' } },
})

export type HolderNodes = ModelNodes<Holder>

interface Holders {
  /** The nodes of the nth type. */
  of(index: number): HolderNodes
  /** What ties holders of each of the types. */
  ties(): ModelNodes<Tie>
  transaction<T>(fn: () => Promise<T>): Promise<T>
}

/** Makes, before the specs of this block, a table for each type in a database of their own. */
export function holdersOn(engine: SpecEngine, cases: readonly { readonly spec: FieldSpec }[]): Holders {
  const models = Object.fromEntries(cases.map(({ spec }, index) => [`case${index}`, holderOf(spec, index)]))
  const house = useDatabase(engine, { ...models, ties: Tie })
  return {
    of: (index) => (house.nodes as unknown as Readonly<Record<string, HolderNodes>>)[`case${index}`]!,
    ties: () => house.nodes.ties,
    transaction: (fn) => house.db.transaction(fn),
  }
}

function holderOf(spec: FieldSpec, index: number): ModelClass<Holder> {
  const target = class extends Holder {}
  defineLooseModel(target, {
    name: `Holder${index}`,
    table: `holder_${index}`,
    fields: {
      id: { kind: 'integer', primary: true, increment: true },
      slot: { kind: 'integer', unique: true },
      value: { ...spec, nullable: true },
    },
    // to itself, by the slot, which is one row's alone
    relations: {
      joined: { kind: 'belongsTo', target: () => target, foreignKey: 'slot', references: 'slot', constraint: false },
      single: { kind: 'hasOne', target: () => target, foreignKey: 'slot', references: 'slot' },
      listed: { kind: 'hasMany', target: () => target, foreignKey: 'slot', references: 'slot' },
      tied: { kind: 'manyToMany', target: () => target, through: () => Tie, foreignKey: 'fromId', otherKey: 'toId' },
    },
  })
  return target
}

/** The slots of the rows whose value meets the conditions. */
export async function slotsWhere({ list }: HolderNodes, value: unknown): Promise<number[]> {
  // the holder's property is of unknown type, for which the compiler offers no comparison
  const { rows } = await list({ where: { value } as never, orderBy: { slot: 'asc' } }, { select: ['slot'] })
  return rows.map(({ slot }) => slot)
}
