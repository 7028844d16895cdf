import type { MatchedSchemas, MatchedTable } from './match-schemas.js'
import { factName, type ObjectName } from './schema-change.js'
import type { SchemaDraft } from './schema-draft.js'
import { asideName } from './schema-names.js'

/** Renames tables, then columns. A name that is still in use moves out of the way first, for good where its owner is to be dropped. */
export function renameAll(draft: SchemaDraft, { matched }: MatchedSchemas): void {
  renameTables(draft, matched)
  for (const table of matched) renameColumns(draft, table)
}

function renameTables(draft: SchemaDraft, matched: readonly MatchedTable[]): void {
  const pending = matched
    .filter(({ before, after }) => factName(before) !== factName(after))
    .map(({ before, after }) => ({ from: objectName(before), to: objectName(after) }))
  for (const rename of pending) {
    if (draft.has(rename.to)) {
      const aside = objectName({ ...rename.to, name: asideName(rename.to.name) })
      draft.alter(rename.to, { kind: 'renameTable', to: aside })
      const other = pending.find(({ from }) => factName(from) === factName(rename.to))
      if (other !== undefined) other.from = aside
    }
    draft.alter(rename.from, { kind: 'renameTable', to: rename.to })
  }
}

function renameColumns(draft: SchemaDraft, { after, columns }: MatchedTable): void {
  const pending = [...columns].filter(([from, to]) => from !== to).map(([from, to]) => ({ from, to }))
  for (const rename of pending) {
    if (draft.table(after).columns.some(({ name }) => name === rename.to)) {
      const aside = asideName(rename.to)
      draft.alter(after, { kind: 'renameColumn', from: rename.to, to: aside })
      const other = pending.find(({ from }) => from === rename.to)
      if (other !== undefined) other.from = aside
    }
    draft.alter(after, { kind: 'renameColumn', from: rename.from, to: rename.to })
  }
}

function objectName({ schema, name }: ObjectName): ObjectName {
  return { ...(schema === undefined ? {} : { schema }), name }
}
