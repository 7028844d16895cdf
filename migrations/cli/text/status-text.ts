import type { MigrationStatus, StatusDocument, VerifyDocument } from '../../documents.js'
import type { Terminal } from '../terminal.js'

type Style = Parameters<Terminal['onResult']>[0]

const STYLES: Readonly<Partial<Record<MigrationStatus['state'], Style>>> = {
  applied: 'green',
  pending: 'yellow',
  applying: 'red',
  failed: 'red',
  reverting: 'red',
}

/** Every migration with its state, a line each, and what is wrong with it. */
export function statusText({ migrations, repeatables, pending, heads }: StatusDocument, { onResult }: Terminal): string {
  if (migrations.length + repeatables.length === 0) return 'there are no migrations'
  const lines = migrations.map((migration) => {
    const { id, state } = migration
    const [label, style] = [state.padEnd(9), STYLES[state]]
    return [style === undefined ? label : onResult(style, label), id, ...remarksOn(migration)].join('  ')
  })
  const several = heads.length > 1 ? [`${heads.length} heads: ${heads.join(', ')}`] : []
  const due = pending.length + repeatables.filter(({ state }) => state === 'pending' || state === 'changed').length
  const repeated = repeatables.map(({ id, state, at }) => {
    const label = state.padEnd(9)
    const style = state === 'applied' ? 'green' : 'yellow'
    return [onResult(style, label), id, ...(at === null ? [] : [at])].join('  ')
  })
  return [...lines, ...repeated, ...several, '', due === 0 ? 'up to date' : `${due} pending`].join('\n')
}

function remarksOn({
  state,
  onDisk,
  modified,
  late,
  finishedAt,
  durationMs,
  stepsDone,
  stepsTotal,
  lastError,
}: MigrationStatus): readonly string[] {
  return [
    finishedAt === null ? '' : `${finishedAt}${durationMs === null ? '' : `  ${Math.round(durationMs)} ms`}`,
    onDisk ? '' : 'NOT IN THE FOLDER',
    modified ? 'CHANGED SINCE IT WAS APPLIED' : '',
    late ? 'came late by a merge' : '',
    ['failed', 'applying', 'reverting'].includes(state) ? `${stepsDone} of ${stepsTotal} steps done` : '',
    lastError === null ? '' : `last try: ${lastError.code === null ? '' : `${lastError.code} `}${lastError.message}`,
  ].filter((remark) => remark !== '')
}

/** What does not fit together, a line each. */
export function verifyText({ problems, ok }: VerifyDocument, { onResult }: Terminal): string {
  if (ok && problems.length === 0) return 'files, snapshots and history fit together'
  return problems.map(({ kind, message }) => `${onResult('red', kind)}  ${message}`).join('\n')
}
