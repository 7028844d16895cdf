import { nearestName } from '../../lib/nearest-name.js'
import { MigrationUsageError } from '../errors.js'
import type { LintDirective, LintFile } from './lint-file.js'
import { type Found, LINT_RULE_IDS, type LintRuleId } from './rule.js'

/** What the file says of itself: which findings a person has looked at. */
export interface Consent {
  covers(rule: LintRuleId, found: Found): boolean
  /** Lines `-- latchwork:nolint` that cover nothing: what they were for is gone. */
  unused(): readonly { readonly line: number; readonly rule: string }[]
}

/**
 * Reads `-- latchwork:nolint <rule> <reason>`, which is for its step, or for the file where it stands before the first step and a marker
 * of its own; and `-- latchwork:approve <rule> <object>`, which is for the file.
 *
 * @throws {MigrationUsageError} there is no such rule, a reason or an object is missing
 */
export function consentOf({ directives, path }: LintFile): Consent {
  const said = directives.map((directive) => ({ ...directive, ...spoken(directive, path), isUsed: false }))
  return {
    covers: (rule, found) => {
      const its = said.filter(
        (each) => each.rule === rule && (each.name === 'nolint' ? isIn(found.line, each) : each.rest === found.object),
      )
      for (const each of its) each.isUsed = true
      return its.length > 0
    },
    unused: () => said.filter(({ name, isUsed }) => name === 'nolint' && !isUsed),
  }
}

function isIn(line: number, { lines }: LintDirective): boolean {
  return lines === undefined || (lines[0] <= line && line <= lines[1])
}

function spoken({ name, value, line }: LintDirective, file: string): { readonly rule: string; readonly rest: string } {
  const [, rule = '', rest = ''] = /^(\S*)\s*(.*)$/.exec(value)!
  if (!(LINT_RULE_IDS as readonly string[]).includes(rule)) {
    const near = nearestName(rule, LINT_RULE_IDS)
    const hint = near === undefined ? '' : `; did you mean ${near}?`
    throw new MigrationUsageError(`latchwork:${name} has to name a rule of lint, and "${rule}" is none${hint}`, { file, line })
  }
  if (rest !== '') return { rule, rest }
  const missing =
    name === 'nolint' ? `a reason: -- latchwork:nolint ${rule} <why it may be>` : `what it approves: -- latchwork:approve ${rule} <object>`
  throw new MigrationUsageError(`latchwork:${name} needs ${missing}`, { file, line })
}
