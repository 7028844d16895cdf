import type { MigrationDialect } from '../lib/dialect/migration-dialect.js'
import { leadingWords } from '../lib/dialect/migration-parts.js'
import { nearestName } from '../lib/nearest-name.js'
import { type SqlStatement, type SqlToken, sqlStatements, sqlTokens } from '../lib/sql-text.js'
import { durationMs } from './duration.js'
import { MigrationUsageError } from './errors.js'
import type { SqlSource, Step } from './migration.js'

const DIRECTIVE = /^--[ \t]*latchwork:(\S*)[ \t]*(.*)$/
const DIRECTIVES = ['step', 'tx', 'approve', 'nolint', 'timeout', 'rebuild']

/** What the runner does itself. */
const TRANSACTION_CONTROL =
  /^(?:begin(?! not atomic)|start transaction|commit|rollback|end|abort|savepoint|release|set autocommit|set transaction|lock tables|unlock tables)\b/

/** A line such as `-- latchwork:timeout 30m`. */
export interface Directive {
  readonly name: string
  readonly value: string
  readonly line: number
}

/** A part of a file between two markers. */
export interface Part {
  readonly tokens: SqlToken[]
  readonly directives: Directive[]
  /** Its lines, from 1. */
  readonly firstLine: number
  lastLine: number
}

/**
 * The steps of a file: one statement each, separated by lines `-- latchwork:step`.
 *
 * @throws {MigrationUsageError} a step has more than one statement, a quote is not closed, a directive is unknown
 */
export function stepsOf(source: SqlSource, dialect: MigrationDialect): readonly Step[] {
  return partsOf(source, dialect).flatMap((part) => stepOf(part, source.file, dialect) ?? [])
}

/** @throws {MigrationUsageError} a quote is not closed */
export function partsOf({ file, text }: SqlSource, dialect: MigrationDialect): readonly Part[] {
  const parts: Part[] = [{ tokens: [], directives: [], firstLine: 1, lastLine: 1 }]
  for (const token of sqlTokens(text, dialect.sqlTraits)) {
    if (token.isUnfinished) throw new MigrationUsageError('begins a quote or comment that is not closed', { file, line: token.line })
    const directive = token.kind === 'comment' ? DIRECTIVE.exec(token.text) : null
    parts.at(-1)!.lastLine = token.line
    if (directive === null) parts.at(-1)!.tokens.push(token)
    else if (directive[1] === 'step') parts.push({ tokens: [], directives: [], firstLine: token.line, lastLine: token.line })
    else parts.at(-1)!.directives.push({ name: directive[1]!, value: directive[2]!.trim(), line: token.line })
  }
  return parts
}

/**
 * The step that a part is; undefined where there is nothing to run. Throws as {@link stepsOf} does.
 */
export function stepOf({ tokens, directives }: Part, file: string, dialect: MigrationDialect): Step | undefined {
  const firstLine = tokens[0]?.line ?? 1
  const found = sqlStatements(tokens.map(({ text }) => text).join(''), dialect.sqlTraits)
  // the lines of directives are in no part's text
  const lineOf = (statement: SqlStatement) => lineAt(tokens, statement.offset) ?? firstLine
  const { rebuilds, timeoutMs, isAlone } = readDirectives(directives, file)
  if (found.length === 0) {
    const stray = directives.find(({ name }) => name !== 'approve' && name !== 'nolint')
    if (stray === undefined) return undefined
    throw new MigrationUsageError(`latchwork:${stray.name} is of the step it stands in, and that has no statement`, {
      file,
      line: stray.line,
    })
  }
  refuseSeveral(found, rebuilds, lineOf, file)
  for (const statement of found) refuseControl(statement, lineOf(statement), file)
  if (rebuilds !== undefined && dialect.migrations.rebuild === undefined)
    throw new MigrationUsageError('latchwork:rebuild is for engines that cannot alter their tables', { file, line: firstLine })
  return {
    file,
    line: lineOf(found[0]!),
    statements: found.map(({ text }) => text),
    rebuilds,
    isTransactional: !isAlone && found.every(({ text }) => dialect.migrations.isTransactional(text)),
    timeoutMs,
  }
}

function lineAt(tokens: readonly SqlToken[], offset: number): number | undefined {
  let at = 0
  for (const { text, line } of tokens) {
    if (at === offset) return line
    at += text.length
  }
  return undefined
}

function readDirectives(
  directives: Part['directives'],
  file: string,
): { rebuilds: string | undefined; timeoutMs: number | undefined; isAlone: boolean } {
  let rebuilds: string | undefined
  let timeoutMs: number | undefined
  let isAlone = false
  for (const { name, value, line } of directives) {
    if (!DIRECTIVES.includes(name)) {
      const near = nearestName(name, DIRECTIVES)
      throw new MigrationUsageError(
        `unknown directive latchwork:${name}; ${near === undefined ? '' : `did you mean ${near}? `}known are ${DIRECTIVES.join(', ')}`,
        { file, line },
      )
    }
    if (name === 'rebuild') rebuilds = value
    if (name === 'timeout') timeoutMs = durationMs(value)
    if (name === 'tx') isAlone = value === 'none'
    if ((name === 'rebuild' && value === '') || (name === 'tx' && !isAlone) || (name === 'timeout' && timeoutMs === undefined)) {
      throw new MigrationUsageError(`latchwork:${name} takes ${{ rebuild: 'a table', tx: 'none', timeout: 'a time such as 30m' }[name]}`, {
        file,
        line,
      })
    }
  }
  return { rebuilds, timeoutMs, isAlone }
}

function refuseSeveral(
  found: readonly SqlStatement[],
  rebuilds: string | undefined,
  lineOf: (statement: SqlStatement) => number,
  file: string,
): void {
  const allowed = rebuilds === undefined ? 1 : 2
  const second = found[allowed]
  if (second === undefined) return
  const line = lineOf(second)
  throw new MigrationUsageError(`a step is one statement; put a line "-- latchwork:step" before line ${line}`, { file, line })
}

function refuseControl({ text }: SqlStatement, line: number, file: string): void {
  const words = leadingWords(text, 3).replace(/;$/, '')
  if (!TRANSACTION_CONTROL.test(words)) return
  throw new MigrationUsageError(
    `begins or ends a transaction, which the runner does: leave it out, and say "-- latchwork:tx none" for a step outside of one`,
    { file, line },
  )
}
