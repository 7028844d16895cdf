import type { SchemaLoss } from '../../../lib/model/revert-diff.js'
import type { Operation } from '../../operation.js'
import type { GenerateDocument, Undecided } from '../generate.js'
import type { Terminal } from '../terminal.js'

/** What was written and what it does, or what has to be decided first. */
export function generateText(document: GenerateDocument, { onResult }: Terminal): string {
  const { id, files, operations, losses, warnings, ambiguous, decisions } = document
  if (ambiguous.length + decisions.length > 0) return [...ambiguous, ...decisions].map(undecidedText).join('\n')
  if (operations.length === 0 && id === null) return 'the models are as the last migration left them'
  return [
    ...(id === null ? [] : [`${onResult('green', 'wrote')} ${id}`, ...files.map((file) => `  ${file}`)]),
    ...operations.map((operation) => `  ${operationText(operation)}`),
    ...losses.map((loss) => `  ${onResult('yellow', 'down loses')}: ${lossText(loss)}`),
    ...warnings.map((warning) => `  ${onResult('yellow', 'warning')}: ${warning}`),
  ].join('\n')
}

function undecidedText({ message, flags }: Undecided): string {
  return [message, ...flags.map((flag) => `  ${flag}`)].join('\n')
}

/** `addColumn users.email`, `renameTable people → users`. */
export function operationText({ kind, table, name, to }: Operation): string {
  const what = [table, name].filter((part) => part !== undefined).join('.')
  return `${kind} ${what}${to === undefined ? '' : ` → ${to}`}`
}

function lossText(loss: SchemaLoss): string {
  const what = `${loss.table}${loss.column === undefined ? '' : `.${loss.column}`}`
  if (loss.kind === 'notRestored') return `${what} comes back without what was in it`
  return loss.kind === 'dropped'
    ? `${what} goes with what is written until then`
    : `${what} goes back to a narrower type, and fails where a value does not fit`
}
