import type { BaselineDocument, DriftDocument, DriftReport, NotCompared, SchemaDifference } from '../../documents.js'
import type { Terminal } from '../terminal.js'

/** What differs, table by table, and what nobody can say. */
export function driftText(document: DriftDocument, terminal: Terminal): string {
  const { against, ok } = document
  const last = against.length === 0 ? 'nothing: no migration is applied' : against.join(' and ')
  return [`${ok ? 'no drift; compared' : 'compared'} with ${last}`, ...reportLines(document, terminal)].join('\n')
}

/** Which ids were written down; where it was refused, what differs. */
export function baselineText(document: BaselineDocument, terminal: Terminal): string {
  const { baselined, pending } = document
  return [
    ...baselined.map((id) => `${terminal.onResult('green', 'baselined')} ${id}`),
    ...(document.ok ? pending.map((id) => `pending   ${id}`) : []),
    ...reportLines(document, terminal),
  ].join('\n')
}

function reportLines({ differences, notCompared, unmanaged }: DriftReport, { onResult }: Terminal): readonly string[] {
  const lines: string[] = []
  let table: string | undefined
  for (const difference of differences) {
    if (difference.table !== table) lines.push('', onResult('bold', difference.table))
    table = difference.table
    const { kind } = difference
    lines.push(`  ${onResult(kind === 'different' ? 'yellow' : 'red', kind.padEnd(10))}  ${differenceText(difference)}`)
  }
  if (notCompared.length > 0) lines.push('', 'not compared, since how the database writes them was not kept when they were made:')
  lines.push(...notCompared.flatMap(notComparedLines))
  if (unmanaged.length > 0) lines.push('', `unmanaged: ${unmanaged.join(', ')}`)
  return lines
}

function differenceText({ what, name, expected, actual, kind }: SchemaDifference): string {
  const object = name === null ? what : `${what} ${name}`
  if (kind === 'missing') return `${object}: ${expected}`
  if (kind === 'unexpected' || expected === null) return `${object}: ${actual}`
  return `${object}\n${' '.repeat(14)}expected  ${expected}\n${' '.repeat(14)}there is  ${actual}`
}

function notComparedLines({ table, what, name, expected, actual }: NotCompared): readonly string[] {
  return [`  ${what} ${table}.${name}`, `    expected  ${expected}`, `    there is  ${actual}`]
}
