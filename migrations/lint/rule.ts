import type { Engine } from '../../lib/dialect/dialect.js'
import type { LintFile } from './lint-file.js'

/** `error` ends the command with 11; `warning` is said, and no more. */
export type LintLevel = 'error' | 'warning'

/** Rules that look at the SQL of one migration for one engine. */
export const SQL_RULE_IDS = [
  'drop-table',
  'drop-column',
  'truncate',
  'narrow-type',
  'rename-in-place',
  'index-not-concurrent',
  'fk-not-valid',
  'check-not-valid',
  'not-null-unvalidated',
  'volatile-default',
  'mysql-copy',
  'unique-not-using-index',
  'several-tables-one-tx',
  'concurrently-in-tx',
  'enum-value-same-tx',
  'sqlite-rebuild-with-children',
  'multi-table-drop',
  'timestamp-without-zone',
  'int-primary-key',
  'identifier-too-long',
  'reserved-word',
  'missing-fk-index',
  'long-index-prefix',
  'data-with-ddl',
  'no-lock-timeout',
] as const

/** Rules that look at the files of a folder together. */
export const HISTORY_RULE_IDS = ['edited-after-applied', 'two-heads', 'missing-down'] as const

export type SqlRuleId = (typeof SQL_RULE_IDS)[number]
export type HistoryRuleId = (typeof HISTORY_RULE_IDS)[number]
export type LintRuleId = SqlRuleId | HistoryRuleId
export const LINT_RULE_IDS: readonly LintRuleId[] = [...SQL_RULE_IDS, ...HISTORY_RULE_IDS]

/** What a rule says of itself: in a finding, and in SARIF. */
export interface RuleText {
  /** `size`: a warning; an error of a table that is known to be large, and nothing of one that is known to be small. */
  readonly level: LintLevel | 'size'
  /** Where it is looked for. */
  readonly engines: readonly Engine[]
  /** What is dangerous. */
  readonly danger: string
  /** What to write instead. */
  readonly rewrite: string
}

/** A rule on the SQL of one migration. There is no parser behind it: it looks at the first words of a statement and of its clauses. */
export interface SqlRule extends RuleText {
  find(file: LintFile): readonly Found[]
}

/** One place at which a rule found something. */
export interface Found {
  /** From 1. */
  readonly line: number
  /** What is there, in a few words. */
  readonly message: string
  /** What `-- latchwork:approve <rule> <object>` has to name: `users`, `users.nick`. */
  readonly object?: string
  /** Whose rows tell how bad it is. */
  readonly table?: string
  /** Where it is worse or better than the rule says. */
  readonly level?: LintLevel
}

export const ALL_ENGINES: readonly Engine[] = ['postgres', 'mysql', 'sqlite']
