import type { FailedMigration, RanMigration, RunDocument } from '../../documents.js'
import type { Terminal } from '../terminal.js'

/** What `up`, `down`, `redo`, `resume` and `mark` did, a line each; of a dry run the SQL. */
export function runText(document: RunDocument, { onResult }: Terminal): string {
  if (document.planned !== null && document.ok) return plannedText(document)
  const { applied, reverted, repeated, failed, pending } = document
  const lines = [
    ...reverted.map((migration) => `${onResult('yellow', 'reverted')}  ${ranText(migration)}`),
    ...applied.map((migration) => `${onResult('green', 'applied')}   ${ranText(migration)}`),
    ...repeated.map((repeatable) => `${onResult('green', 'repeated')}  ${ranText(repeatable)}`),
    ...(failed === null ? [] : [`${onResult('red', 'failed')}    ${failedText(failed)}`]),
    ...pending.map((id) => `pending   ${id}`),
  ]
  return lines.length === 0 && document.ok ? 'nothing to do' : lines.join('\n')
}

function plannedText({ planned }: RunDocument): string {
  if (planned!.length === 0) return '-- nothing to do'
  return planned!.map(({ id, direction, statements }) => [`-- ${direction} ${id}`, ...statements.map(ended)].join('\n')).join('\n\n')
}

function ended(statement: string): string {
  return /(;|^--.*)\s*$/.test(statement) ? statement : `${statement};`
}

function ranText({ id, ms, steps }: RanMigration): string {
  return `${id}  ${steps} ${steps === 1 ? 'step' : 'steps'}, ${Math.round(ms)} ms`
}

function failedText({ id, step, stepsTotal, sqlPreview, databaseUnchanged }: FailedMigration): string {
  const state = databaseUnchanged === null ? 'not known what stayed' : databaseUnchanged ? 'database unchanged' : 'partly applied'
  return `${id}  step ${step} of ${stepsTotal}, ${state}${sqlPreview === null ? '' : `\n          ${sqlPreview}`}`
}
