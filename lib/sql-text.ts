/** How an engine reads SQL text, as values: `Dialect.sqlTraits` has them. */
export interface SqlTraits {
  /** In `'…'` a backslash takes the next character with it (MySQL, MariaDB). */
  readonly backslashEscapes: boolean
  /** `E'…'` is a literal in which it does (PostgreSQL). */
  readonly escapeStrings: boolean
  /** What `"…"` is. As text it is read as `'…'` is (MySQL, MariaDB). */
  readonly doubleQuoted: 'name' | 'text'
  /** `` `…` `` is a name. */
  readonly backtickNames: boolean
  /** `[…]` is a name (SQLite). */
  readonly bracketNames: boolean
  /** `$tag$ … $tag$` is text (PostgreSQL). */
  readonly dollarQuotes: boolean
  /** A block comment may hold others (PostgreSQL). */
  readonly nestedComments: boolean
  /** `#` begins a comment (MySQL, MariaDB). */
  readonly hashComments: boolean
  /** `--` begins a comment only before white space or the end (MySQL, MariaDB). */
  readonly dashesNeedSpace: boolean
  /** What stands in `/*! … *\/` is run: its edges are symbols, and between them is SQL (MySQL, MariaDB). */
  readonly runComments: boolean
  /** A sticky pattern of the placeholders that the driver takes, such as `$1` or `?`. */
  readonly placeholder: RegExp
  /** What opens the body of a routine that holds statements: `BEGIN`, or only `BEGIN ATOMIC` (PostgreSQL). */
  readonly routineBody: 'begin' | 'begin atomic'
}

export type SqlTokenKind =
  | 'space'
  | 'comment'
  /** A string literal: quoted, or between dollar quotes. */
  | 'text'
  /** A quoted name. */
  | 'name'
  /** A keyword or a name without quotes. */
  | 'word'
  | 'number'
  /** `:name`, to be bound by that name. */
  | 'parameter'
  /** What the driver binds by position. */
  | 'placeholder'
  /** The semicolon. */
  | 'semicolon'
  | 'symbol'

export interface SqlToken {
  readonly kind: SqlTokenKind
  readonly text: string
  /** UTF-16 units before it. */
  readonly offset: number
  /** Counted from 1. */
  readonly line: number
  /** Its closing quote or comment mark is missing: it goes on to the end. */
  readonly isUnfinished: boolean
}

/** One statement of a text, without what surrounds it: white space, comments and the semicolon. */
export interface SqlStatement {
  readonly text: string
  /** Of its first token. */
  readonly offset: number
  readonly line: number
  /** From its first word to its last, comments and white space between them included. */
  readonly tokens: readonly SqlToken[]
}

/** Cuts a text into tokens. Nothing is lost: their texts make the text again. Never throws, and takes linear time. */
export function sqlTokens(sql: string, traits: SqlTraits): readonly SqlToken[] {
  const tokens: SqlToken[] = []
  let line = 1
  for (let offset = 0; offset < sql.length; ) {
    const { kind, end } = tokenAt(sql, offset, traits, tokens.at(-1))
    const stop = end ?? sql.length
    const text = sql.slice(offset, stop)
    tokens.push({ kind, text, offset, line, isUnfinished: end === undefined })
    line += lineBreaks(text)
    offset = stop
  }
  return tokens
}

/**
 * The statements of a text, in their order. A semicolon in the body of a trigger or routine ends none; what holds nothing but comments
 * is none.
 */
export function sqlStatements(sql: string, traits: SqlTraits): readonly SqlStatement[] {
  const statements: SqlStatement[] = []
  const tokens = sqlTokens(sql, traits)
  const positions = tokens.flatMap((token, position) => (isSignificant(token) ? [position] : []))
  const words = positions.map((position) => tokens[position]!)
  for (let first = 0; first < words.length; ) {
    const end = statementEnd(words, first, traits)
    if (end > first) statements.push(statementOf(tokens.slice(positions[first]!, positions[end - 1]! + 1)))
    first = end + 1
  }
  return statements
}

/** Whether a token is neither white space nor a comment. */
export function isSignificant({ kind }: SqlToken): boolean {
  return kind !== 'space' && kind !== 'comment'
}

interface Found {
  readonly kind: SqlTokenKind
  /** Undefined: it is not closed. */
  readonly end: number | undefined
}

/** Wider than the engines' own would cut names: to them a no-break space is a letter. */
const SPACE = /[ \t\n\r\f\v]+/y
const LINE = /[^\n]*/y
const WORD = /[A-Za-z_\u{80}-\u{10ffff}][\w$\u{80}-\u{10ffff}]*/uy
const NUMBER = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\w*/y
const PARAMETER = /:[A-Za-z_]\w*/y
const DOLLAR_QUOTE = /\$(?:[A-Za-z_\u0080-\uffff][\w\u0080-\uffff]*)?\$/y
const RUN_COMMENT = /\/\*M?!\d*/y
/** The next part of a literal, which is read as the part before it is. */
const NEXT_PART = /[ \t\r\f\v]*\n[ \t\n\r\f\v]*'/y
const BLOCK_EDGE = /\/\*|\*\//g

function tokenAt(sql: string, at: number, traits: SqlTraits, before: SqlToken | undefined): Found {
  const blank = matchEnd(SPACE, sql, at)
  if (blank !== undefined) return { kind: 'space', end: blank }
  return commentAt(sql, at, traits) ?? quotedAt(sql, at, traits) ?? plainAt(sql, at, traits, before)
}

function commentAt(sql: string, at: number, traits: SqlTraits): Found | undefined {
  if (sql.startsWith('--', at) && (!traits.dashesNeedSpace || /^\s?$/.test(sql.slice(at + 2, at + 3)))) return lineComment(sql, at)
  if (traits.hashComments && sql[at] === '#') return lineComment(sql, at)
  if (!sql.startsWith('/*', at)) return undefined
  const run = traits.runComments ? matchEnd(RUN_COMMENT, sql, at) : undefined
  return run === undefined ? { kind: 'comment', end: blockEnd(sql, at + 2, traits.nestedComments) } : { kind: 'symbol', end: run }
}

function lineComment(sql: string, at: number): Found {
  return { kind: 'comment', end: matchEnd(LINE, sql, at) }
}

function blockEnd(sql: string, from: number, isNested: boolean): number | undefined {
  if (!isNested) return endAfter(sql, '*/', from)
  BLOCK_EDGE.lastIndex = from
  for (let depth = 1; ; ) {
    const edge = BLOCK_EDGE.exec(sql)
    if (edge === null) return undefined
    depth += edge[0] === '/*' ? 1 : -1
    if (depth === 0) return BLOCK_EDGE.lastIndex
  }
}

function quotedAt(sql: string, at: number, traits: SqlTraits): Found | undefined {
  const first = sql[at]
  if (first === "'") return { kind: 'text', end: quoteEnd(sql, at, "'", traits.backslashEscapes) }
  if (first === '"')
    return { kind: traits.doubleQuoted, end: quoteEnd(sql, at, '"', traits.doubleQuoted === 'text' && traits.backslashEscapes) }
  if (first === '`' && traits.backtickNames) return { kind: 'name', end: quoteEnd(sql, at, '`', false) }
  if (first === '[' && traits.bracketNames) return { kind: 'name', end: endAfter(sql, ']', at + 1) }
  if ((first === 'e' || first === 'E') && traits.escapeStrings && sql[at + 1] === "'")
    return { kind: 'text', end: escapeStringEnd(sql, at + 1) }
  const opened = first === '$' && traits.dollarQuotes ? matchEnd(DOLLAR_QUOTE, sql, at) : undefined
  return opened === undefined ? undefined : { kind: 'text', end: endAfter(sql, sql.slice(at, opened), opened) }
}

/** A doubled quote stands for itself. */
function quoteEnd(sql: string, open: number, quote: string, hasEscapes: boolean): number | undefined {
  for (let at = open + 1; at < sql.length; at++) {
    if (hasEscapes && sql[at] === '\\') at++
    else if (sql[at] === quote) {
      if (sql[at + 1] !== quote) return at + 1
      at++
    }
  }
  return undefined
}

function escapeStringEnd(sql: string, open: number): number | undefined {
  for (let part = open; ; ) {
    const end = quoteEnd(sql, part, "'", true)
    const next = end === undefined ? undefined : matchEnd(NEXT_PART, sql, end)
    if (next === undefined) return end
    part = next - 1
  }
}

function endAfter(sql: string, mark: string, from: number): number | undefined {
  const at = sql.indexOf(mark, from)
  return at === -1 ? undefined : at + mark.length
}

function plainAt(sql: string, at: number, { placeholder }: SqlTraits, before: SqlToken | undefined): Found {
  if (sql[at] === ';') return { kind: 'semicolon', end: at + 1 }
  const bound = matchEnd(placeholder, sql, at)
  if (bound !== undefined) return { kind: 'placeholder', end: bound }
  const named = mayPrecedeParameter(before) ? matchEnd(PARAMETER, sql, at) : undefined
  if (named !== undefined) return { kind: 'parameter', end: named }
  const word = matchEnd(WORD, sql, at)
  if (word !== undefined) return { kind: 'word', end: word }
  const number = matchEnd(NUMBER, sql, at)
  if (number !== undefined) return { kind: 'number', end: number }
  const isPair = ['::', ':=', '*/'].some((pair) => sql.startsWith(pair, at))
  return { kind: 'symbol', end: at + (isPair ? 2 : 1) }
}

// elsewhere the colon is that of a slice, a label or a JSON member: a[1:n], again:loop, json_object('k':v)
function mayPrecedeParameter(before: SqlToken | undefined): boolean {
  if (before === undefined) return true
  const isOperand = ['word', 'number', 'text', 'name', 'parameter', 'placeholder'].includes(before.kind)
  return !isOperand && before.text !== ']' && before.text !== ')'
}

function matchEnd(pattern: RegExp, sql: string, at: number): number | undefined {
  pattern.lastIndex = at
  return pattern.test(sql) && pattern.lastIndex > at ? pattern.lastIndex : undefined
}

function lineBreaks(text: string): number {
  let count = 0
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) count++
  return count
}

function statementOf(tokens: readonly SqlToken[]): SqlStatement {
  const { offset, line } = tokens[0]!
  return { text: tokens.map(({ text }) => text).join(''), offset, line, tokens }
}

/** Position of the semicolon that ends the statement that begins at `first`, else how many words there are. */
function statementEnd(words: readonly SqlToken[], first: number, traits: SqlTraits): number {
  const hasBody = isCompound(words, first) || createsRoutine(words, first)
  let depth = 0
  for (let at = first; at < words.length; at++) {
    if (words[at]!.kind === 'semicolon' && depth <= 0) return at
    if (hasBody) depth += depthChange(words, at, traits)
  }
  return words.length
}

/** MariaDB: `BEGIN NOT ATOMIC … END` outside of a routine. */
function isCompound(words: readonly SqlToken[], first: number): boolean {
  return isWord(words[first], 'begin') && isWord(words[first + 1], 'not') && isWord(words[first + 2], 'atomic')
}

const ROUTINES = ['trigger', 'procedure', 'function', 'event', 'package']
const OTHERS = ['table', 'view', 'index', 'type', 'operator', 'cast', 'schema', 'database', 'sequence', 'domain', 'user', 'role']
/** `CREATE OR REPLACE DEFINER = 'a'@'b' AGGREGATE FUNCTION` is about the longest way there. */
const KIND_WITHIN = 16

function createsRoutine(words: readonly SqlToken[], first: number): boolean {
  if (!isWord(words[first], 'create')) return false
  const kind = words.slice(first, first + KIND_WITHIN).find((word) => isWord(word, ...ROUTINES, ...OTHERS))
  return isWord(kind, ...ROUTINES)
}

/** What follows `END` where that closes a statement of its own kind. */
const CLOSED = ['if', 'case', 'loop', 'while', 'repeat', 'for']
/** After these a statement begins. */
const STARTS = ['begin', 'atomic', 'then', 'else', 'do', 'loop', 'repeat', 'row', 'deterministic', 'data', 'sql']

function depthChange(words: readonly SqlToken[], at: number, { routineBody }: SqlTraits): -1 | 0 | 1 {
  const word = words[at]!
  if (word.kind !== 'word' || words[at - 1]?.text === '.') return 0
  const name = word.text.toLowerCase()
  if (name === 'end') return -1
  if (isWord(words[at - 1], 'end') && CLOSED.includes(name)) return 0
  if (name === 'begin') return routineBody === 'begin' || isWord(words[at + 1], 'atomic') ? 1 : 0
  if (name === 'case') return 1
  return CLOSED.includes(name) && startsStatement(words[at - 1]) && isBlock(words, at, name) ? 1 : 0
}

function startsStatement(before: SqlToken | undefined): boolean {
  return before !== undefined && (before.kind === 'semicolon' || [':', ')'].includes(before.text) || isWord(before, ...STARTS))
}

/** Whether `IF` is the statement and not the function: whether `THEN` is the next thing to come. `REPEAT` is one before no parenthesis. */
function isBlock(words: readonly SqlToken[], at: number, name: string): boolean {
  if (name === 'repeat') return words[at + 1]?.text !== '('
  if (name === 'for') return !isWord(words[at + 1], 'each', 'update', 'share')
  if (name !== 'if') return true
  for (let next = at + 1; next < words.length && words[next]!.kind !== 'semicolon'; next++) {
    if (isWord(words[next], 'then', 'else', 'when', 'end')) return isWord(words[next], 'then')
  }
  return false
}

function isWord(token: SqlToken | undefined, ...names: readonly string[]): boolean {
  return token?.kind === 'word' && names.includes(token.text.toLowerCase())
}
