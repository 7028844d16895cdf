import type { Generated } from 'kysely'
import type { ModelClass, ModelNodes } from '../../index.js'
import { defineLooseModel } from '../../lib/model/define-model.js'
import type { FieldSpec } from '../../lib/model/field-spec.js'
import type { SpecEngine } from '../support/engines.js'
import { useDatabase } from './use-database.js'

/** A row with one value, or null, of the type in question; `slot` says which. */
class Holder {
  id!: Generated<number>
  slot!: number
  value!: unknown
}

export type HolderNodes = ModelNodes<Holder>

/** Makes, before the specs of this block, a table for each type in a database of their own; gives the nodes of the nth. */
export function holdersOn(engine: SpecEngine, cases: readonly { readonly spec: FieldSpec }[]): (index: number) => HolderNodes {
  const models = Object.fromEntries(cases.map(({ spec }, index) => [`case${index}`, holderOf(spec, index)]))
  const house = useDatabase(engine, models)
  return (index) => house.nodes[`case${index}`]!
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
