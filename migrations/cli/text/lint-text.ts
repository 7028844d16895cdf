import type { LintDocument, LintFinding } from '../../lint/lint-document.js'
import type { Terminal } from '../terminal.js'
import { githubText } from './lint-github.js'
import { sarifText } from './lint-sarif.js'

export type LintFormat = 'text' | 'json' | 'sarif' | 'github'

/** The findings, in the form that was asked for. */
export function lintText(document: LintDocument, format: LintFormat, terminal: Terminal): string {
  if (format === 'json') return JSON.stringify(document)
  if (format === 'sarif') return sarifText(document)
  return format === 'github' ? githubText(document) : plainText(document, terminal)
}

function plainText({ findings, ids, covered, warnings }: LintDocument, terminal: Terminal): string {
  const lines = findings.map((finding) => findingText(finding, terminal))
  const count = (level: LintFinding['level']) => findings.filter((each) => each.level === level).length
  const more = covered === 0 ? '' : `; ${covered} more are covered by approve and nolint`
  return [...lines, ...warnings, `${ids.length} migrations: ${count('error')} errors, ${count('warning')} warnings${more}`].join('\n')
}

function findingText({ file, line, level, rule, message, danger, rewrite }: LintFinding, { onResult }: Terminal): string {
  const label = onResult(level === 'error' ? 'red' : 'yellow', level)
  return [`${file}:${line}  ${label}  ${rule}  ${message}`, `    ${danger}`, `    → ${rewrite}`].join('\n')
}
