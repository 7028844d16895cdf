import type { LockMode, LockWait } from '../dialect/dialect.js'
import { kindOf } from '../model/value-kind.js'
import type { BoundModel } from './bound-model.js'
import { type ParsedOptions, parseFlag } from './call-input.js'
import type { Query } from './include-join.js'
import type { InputIssues } from './input-issues.js'
import type { PlanRunner } from './query-plan.js'

/** The call options that lock rows. */
export const ROW_LOCK_OPTIONS = ['for', 'skipLocked', 'noWait'] as const

/** A lock on the rows that a SELECT reads, held to the end of the transaction. */
export interface RowLock {
  /** Part of the statement's shape. */
  readonly key: string
  apply(query: Query): Query
}

/** The lock of a row that is about to be changed. */
export function updateLock(model: BoundModel): RowLock {
  return rowLock(model, 'update', 'wait')
}

/** The lock of rows of which those are left out that somebody has already. */
export function claimLock(model: BoundModel): RowLock {
  return rowLock(model, 'update', 'skip')
}

/** Checks whether and how a call locks the rows that it reads; undefined: it does not. */
export function parseRowLock(
  model: BoundModel,
  runner: PlanRunner,
  options: ParsedOptions | undefined,
  issues: InputIssues,
): RowLock | undefined {
  if (options === undefined) return undefined
  const { for: mode } = options
  const skipsLocked = parseFlag(options.skipLocked, 'skipLocked', issues, ['options'])
  const fails = parseFlag(options.noWait, 'noWait', issues, ['options'])
  if (skipsLocked && fails) issues.add(['options', 'noWait'], 'contradicts skipLocked: give one of them')
  if (mode === undefined) {
    if (skipsLocked || fails) issues.add(['options', skipsLocked ? 'skipLocked' : 'noWait'], 'needs a lock to speak of: for')
    return undefined
  }
  if (mode !== 'update' && mode !== 'share') {
    issues.add(['options', 'for'], `expected 'update' or 'share', got ${typeof mode === 'string' ? 'another text' : kindOf(mode)}`)
    return undefined
  }
  if (!runner.isInTransaction) issues.add(['options', 'for'], 'needs a transaction around the call: the lock would end with the statement')
  return rowLock(model, mode, skipsLocked ? 'skip' : fails ? 'fail' : 'wait')
}

function rowLock({ dialect }: BoundModel, mode: LockMode, wait: LockWait): RowLock {
  return {
    key: ` ${mode} ${wait}`,
    apply: (query) => {
      const clause = dialect.expressions.rowLock(mode, wait)
      return clause === undefined ? query : query.modifyEnd(clause)
    },
  }
}
