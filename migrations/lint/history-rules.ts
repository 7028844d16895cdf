import { join } from 'node:path'
import type { Engine } from '../../lib/dialect/dialect.js'
import type { HistoryProblem } from '../documents.js'
import type { MigrationFolder } from '../migration-files.js'
import { headsOf } from '../plan.js'
import { ALL_ENGINES, type HistoryRuleId, type RuleText } from './rule.js'

/** Every rule that looks at the folder, by its id. */
export const HISTORY_RULES: Readonly<Record<HistoryRuleId, RuleText>> = {
  'edited-after-applied': {
    level: 'error',
    engines: ALL_ENGINES,
    danger: 'Databases that have applied it do not get the change, and up refuses to go on there.',
    rewrite: 'Put it back as it was, and write the change as a new migration.',
  },
  'two-heads': {
    level: 'error',
    engines: ALL_ENGINES,
    danger: 'Two branches were merged and their migrations were not: up and generate refuse to run.',
    rewrite: 'latchwork migrate merge.',
  },
  'missing-down': {
    level: 'warning',
    engines: ALL_ENGINES,
    danger: 'It cannot be reverted, nor rolled back where it failed in the middle.',
    rewrite: 'A down file with one step for each of the up file, the last first.',
  },
}

/** Something in the files of a folder. */
export interface HistoryFound {
  readonly rule: HistoryRuleId
  readonly id: string
  /** Absolute. */
  readonly path: string
  readonly message: string
}

export function twoHeads({ path, migrations }: MigrationFolder): readonly HistoryFound[] {
  const heads = headsOf(migrations)
  if (heads.length < 2) return []
  return [
    { rule: 'two-heads', id: heads.at(-1)!, path: join(path, 'HEAD'), message: `there are ${heads.length} heads: ${heads.join(', ')}` },
  ]
}

export function missingDown({ migrations }: MigrationFolder, engine: Engine): readonly HistoryFound[] {
  return migrations
    .filter(({ up, down }) => up.kind === 'sql' && down === undefined)
    .map(({ id, up }) => ({ rule: 'missing-down', id, path: up.file, message: `there is no down.${engine}.sql` }))
}

/** @param problems  of `verify` on a database */
export function editedWhereApplied({ migrations }: MigrationFolder, problems: readonly HistoryProblem[]): readonly HistoryFound[] {
  const modified = new Set(problems.filter(({ kind }) => kind === 'modified').flatMap(({ ids }) => ids))
  return migrations
    .filter(({ id }) => modified.has(id))
    .map(({ id, up }) => ({ rule: 'edited-after-applied', id, path: up.file, message: 'the database has applied it as it was before' }))
}
