import { isSignificant, type SqlToken } from '../sql-text.js'

/** Which tables a node reads and writes, as far as that is known without running it; by their names in the database. */
export interface NodeTables {
  readonly reads: readonly string[]
  readonly writes: readonly string[]
}

/** Words that end a list of tables. */
const AFTER_TABLES = new Set(['where', 'group', 'order', 'limit', 'set', 'union', 'having', 'window', 'returning', 'select', 'values'])

/**
 * Which tables a statement reads and writes, as far as its words tell: what stands after `from`, `join`, `into`, `update` and their like,
 * less what a `with` of its own names.
 */
export function statementTables(tokens: readonly SqlToken[]): NodeTables {
  const words = tokens.filter(isSignificant)
  const reads = new Set<string>()
  const writes = new Set<string>()
  const own = new Set(words.flatMap((token, at) => (isWord(words[at + 1], 'as') && words[at + 2]?.text === '(' ? [nameOf(token)] : [])))
  for (let at = 0; at < words.length; at++) {
    const before = words[at - 1]
    const word = wordOf(words[at])
    const isWrite =
      word === 'into' ||
      (word === 'update' && !isWord(before, 'for') && !isWord(words[at + 1], 'set')) ||
      (word === 'from' && isWord(before, 'delete'))
    const target = isWrite ? writes : reads
    if (!isWrite && word !== 'from' && word !== 'join' && word !== 'using') continue
    const name = tableAt(words, isWord(words[at + 1], 'only') ? at + 2 : at + 1)
    if (name !== undefined && !own.has(name)) target.add(name)
    if (word !== 'from') continue
    for (const next of furtherTables(words, at + 1)) if (!own.has(next)) target.add(next)
  }
  return { reads: [...reads], writes: [...writes] }
}

/** Of `from a, b c, d` those after the first. */
function furtherTables(words: readonly SqlToken[], from: number): readonly string[] {
  const found: string[] = []
  let depth = 0
  for (let at = from; at < words.length; at++) {
    const { text } = words[at]!
    if (text === '(') depth++
    if (text === ')' && --depth < 0) break
    if (depth > 0) continue
    if (AFTER_TABLES.has(wordOf(words[at]) ?? '')) break
    const name = text === ',' ? tableAt(words, at + 1) : undefined
    if (name !== undefined) found.push(name)
  }
  return found
}

/** A name, with that of its schema; undefined where something else stands there, such as a query in brackets, or a function. */
function tableAt(words: readonly SqlToken[], at: number): string | undefined {
  const token = words[at]
  if (token === undefined || !isName(token)) return undefined
  if (words[at + 1]?.text === '.' && words[at + 2] !== undefined) return `${nameOf(token)}.${nameOf(words[at + 2]!)}`
  return words[at + 1]?.text === '(' && !isWord(words[at - 1], 'into') ? undefined : nameOf(token)
}

function isName({ kind, text }: SqlToken): boolean {
  return (kind === 'word' && !AFTER_TABLES.has(text.toLowerCase())) || /^["`[]/.test(text)
}

function nameOf({ text }: SqlToken): string {
  return /^["`[]/.test(text) ? text.slice(1, -1) : text
}

function wordOf(token: SqlToken | undefined): string | undefined {
  return token?.kind === 'word' ? token.text.toLowerCase() : undefined
}

function isWord(token: SqlToken | undefined, word: string): boolean {
  return wordOf(token) === word
}
