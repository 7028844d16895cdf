import type { Engine } from '../../lib/dialect/dialect.js'
import type { DOCUMENT_SCHEMA } from '../documents.js'
import type { LintLevel, LintRuleId } from './rule.js'

/** Something dangerous at one place of a migration. */
export interface LintFinding {
  readonly rule: LintRuleId
  readonly level: LintLevel
  /** The migration. */
  readonly id: string
  /** Null: of the folder, whatever the engine. */
  readonly engine: Engine | null
  /** From the working directory. */
  readonly file: string
  /** Of the step, from 1. */
  readonly line: number
  /** What is there. */
  readonly message: string
  /** Why it is dangerous. */
  readonly danger: string
  /** What to write instead. */
  readonly rewrite: string
}

/** Of `lint`. */
export interface LintDocument {
  readonly schema: typeof DOCUMENT_SCHEMA
  readonly command: 'lint'
  readonly ok: boolean
  readonly exitCode: 0 | 11
  readonly error: { readonly code: string; readonly message: string } | null
  readonly dialects: readonly Engine[]
  /** What was looked at. */
  readonly ids: readonly string[]
  readonly findings: readonly LintFinding[]
  /** How many findings `approve` and `nolint` have covered. */
  readonly covered: number
  readonly next: readonly string[]
  readonly warnings: readonly string[]
}
