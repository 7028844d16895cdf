import type { Schema } from '../../../lib/model/schema.js'
import type { SchemaDecision, SchemaFacts } from '../../../lib/model/schema-change.js'
import { diffSchemas } from '../../../lib/model/schema-diff.js'

/** Facts that answer every decision; undefined where no fact could. */
export function decided(from: Schema, to: Schema, picks: readonly number[]): SchemaFacts | undefined {
  let facts: Required<SchemaFacts> = { renamedTables: {}, renamedColumns: {}, drops: [], defaults: {} }
  for (let turn = 0; turn < 40; turn++) {
    const [open] = diffSchemas(from, to, facts).decisions
    if (open === undefined) return facts
    const next = answer(facts, open, picks[turn % picks.length]!)
    if (next === undefined) return undefined
    facts = next
  }
  return undefined
}

function answer(facts: Required<SchemaFacts>, open: SchemaDecision, pick: number): Required<SchemaFacts> | undefined {
  switch (open.kind) {
    case 'renameTable':
      if (pick < 3) return { ...facts, renamedTables: { ...facts.renamedTables, [open.removed]: open.added } }
      return { ...facts, drops: [...facts.drops, open.removed] }
    case 'renameColumn': {
      const column = `${open.table}.${open.removed}`
      if (open.sameType && pick > 0) return { ...facts, renamedColumns: { ...facts.renamedColumns, [column]: open.added } }
      return { ...facts, drops: [...facts.drops, column] }
    }
    case 'dropTable':
      return { ...facts, drops: [...facts.drops, open.table] }
    case 'dropColumn':
      return { ...facts, drops: [...facts.drops, `${open.table}.${open.column}`] }
    case 'fillColumn':
      return { ...facts, defaults: { ...facts.defaults, [`${open.table}.${open.column}`]: pick < 3 ? '1' : 'glad' } }
    default:
      return undefined
  }
}
