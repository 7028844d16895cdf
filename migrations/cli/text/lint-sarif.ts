import { HISTORY_RULES } from '../../lint/history-rules.js'
import type { LintDocument, LintFinding } from '../../lint/lint-document.js'
import { LINT_RULE_IDS, type LintRuleId, type RuleText } from '../../lint/rule.js'
import { SQL_RULES } from '../../lint/sql-rules.js'
import { toolVersion } from '../../tool-version.js'
import { slashed } from './lint-github.js'

const TEXTS: Readonly<Record<LintRuleId, RuleText>> = { ...SQL_RULES, ...HISTORY_RULES }

/** The findings as SARIF 2.1.0, which code hosts and editors read. Source: OASIS, "Static Analysis Results Interchange Format". */
export function sarifText({ findings }: LintDocument): string {
  const driver = { name: 'latchwork', semanticVersion: toolVersion(), rules: LINT_RULE_IDS.map(ruleOf) }
  const run = { tool: { driver }, columnKind: 'utf16CodeUnits', results: findings.map(resultOf) }
  return JSON.stringify({ $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] }, null, 2)
}

function ruleOf(id: LintRuleId): object {
  const { level, danger, rewrite } = TEXTS[id]
  return {
    id,
    shortDescription: { text: danger },
    help: { text: rewrite },
    defaultConfiguration: { level: level === 'size' ? 'warning' : level },
  }
}

function resultOf({ rule, level, message, rewrite, file, line }: LintFinding): object {
  const artifactLocation = { uri: slashed(file).split('/').map(encodeURIComponent).join('/') }
  return {
    ruleId: rule,
    ruleIndex: LINT_RULE_IDS.indexOf(rule),
    level,
    message: { text: `${message}. ${rewrite}` },
    locations: [{ physicalLocation: { artifactLocation, region: { startLine: line } } }],
  }
}
