import type { SchemaDecision } from '../../lib/model/schema-change.js'
import { typeText } from '../schema-words.js'
import { flagName, pastedFlag } from './quoted-names.js'

/** A decision for people: what there is to decide, and the flags of which one decides it; none: a recipe says what to do. */
export interface DecisionText {
  readonly message: string
  readonly flags: readonly string[]
}

/** Says a decision in words. */
export function decisionText(decision: SchemaDecision): DecisionText {
  switch (decision.kind) {
    case 'renameTable':
      return {
        message: `table ${decision.removed} is gone and ${decision.added} is new${decision.sameColumns ? ', with the same columns' : ''}: renamed, or dropped?`,
        flags: [pastedFlag('--rename-table', `${flagName(decision.removed)}:${flagName(decision.added)}`), dropFlag(decision.removed)],
      }
    case 'renameColumn': {
      const { table, removed, added, sameType } = decision
      return {
        message: `column ${table}.${removed} is gone and ${added} is new, of ${sameType ? 'the same' : 'another'} type: renamed, or dropped?`,
        flags: [pastedFlag('--rename', `${flagName(`${table}.${removed}`)}:${flagName(added)}`), dropFlag(`${table}.${removed}`)],
      }
    }
    case 'dropTable':
      return { message: `table ${decision.table} is gone: dropping it loses its rows`, flags: [dropFlag(decision.table)] }
    case 'dropColumn': {
      const name = `${decision.table}.${decision.column}`
      return { message: `column ${name} is gone: dropping it loses its values`, flags: [dropFlag(name)] }
    }
    case 'fillColumn': {
      const name = `${decision.table}.${decision.column}`
      return {
        message: `column ${name} takes no null and has no default: what do rows get that are there?`,
        flags: [pastedFlag('--default', `${flagName(name)}=VALUE`)],
      }
    }
    case 'narrowType': {
      const name = `${decision.table}.${decision.column}`
      return {
        message: `column ${name} would hold less than it does (${typeText(decision.from.type)} to ${typeText(decision.to.type)}): add a new column, copy what fits by a data migration, drop the old one later`,
        flags: [],
      }
    }
    case 'addCounter':
      return {
        message: `column ${decision.table}.${decision.column} would start to count in a table that may have rows: make a new table and copy them by a data migration`,
        flags: [],
      }
    case 'changeEnum':
      return {
        message: `the values of enum type ${decision.name} are gone or in another order: make a new type, change the column by a hand-written migration (--empty), drop the old one`,
        flags: [],
      }
    case 'unfitDefault':
      return {
        message: `${decision.table}.${decision.column} cannot be given that default: ${decision.problem}`,
        flags: [pastedFlag('--default', `${flagName(`${decision.table}.${decision.column}`)}=VALUE`)],
      }
    case 'unknownFact':
      return { message: `${decision.fact} names ${decision.name}, which neither the models nor the last snapshot have`, flags: [] }
  }
}

function dropFlag(name: string): string {
  return pastedFlag('--drop', flagName(name))
}
