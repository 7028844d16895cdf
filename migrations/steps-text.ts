import type { DdlStatement } from '../lib/dialect/ddl-statement.js'
import { factName, type SchemaChange } from '../lib/model/schema-change.js'

const BETWEEN = '\n\n-- latchwork:step\n'

/** Statements as a file of steps, with what the runner has to know of each. */
export function stepsText(statements: readonly DdlStatement[]): string {
  // a comment on a column, where an engine has none
  if (statements.length === 0) return '-- nothing to do on this engine\n'
  return `${statements.map(stepText).join(BETWEEN)}\n`
}

function stepText({ sql, ownTransaction, rebuild }: DdlStatement): string {
  const directives = [rebuild === undefined ? '' : `-- latchwork:rebuild ${rebuild}\n`, ownTransaction ? '-- latchwork:tx none\n' : '']
  return `${directives.join('')}${sql.trimEnd().replace(/;$/, '')};`
}

/** The lines at the top of a file that say which drops a person has approved. */
export function approvalsText(changes: readonly SchemaChange[]): string {
  const approvals = changes.flatMap((change) => {
    if (change.kind === 'dropTable') return `drop-table ${factName(change.table)}`
    return change.kind === 'dropColumn' ? `drop-column ${factName(change.before)}.${change.column.name}` : []
  })
  return approvals.map((approval) => `-- latchwork:approve ${approval}\n`).join('')
}
