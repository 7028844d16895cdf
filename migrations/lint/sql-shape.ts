import { isSignificant, type SqlToken } from '../../lib/sql-text.js'

/** A name, quoted or not, in the text that {@link plainText} gives. Captures nothing. */
export const ONE = String.raw`(?:"(?:[^"]|"")*"|[\w$\u0080-\uffff]+)`

/** A table, with its schema before it or not. Captures. */
export const TABLE = String.raw`(${ONE}(?:\.${ONE})?)`

/** A column, index or constraint. Captures. */
export const NAME = `(${ONE})`

/** What may stand before a constraint. Captures nothing. */
export const CONSTRAINT_NAME = `(?:constraint ${ONE} )?`

/**
 * A statement as rules read it: no comments, one space between words, words in small letters, every name that was quoted in double
 * quotes, every text as `'?'`.
 */
export function plainText(tokens: readonly SqlToken[]): string {
  const parts: string[] = []
  for (const token of tokens.filter(isSignificant)) {
    const before = parts.at(-1)
    const isJoined = token.text === '.' || before === '.'
    if (before !== undefined && !isJoined) parts.push(' ')
    parts.push(wordOf(token))
  }
  return parts.join('')
}

function wordOf({ kind, text }: SqlToken): string {
  if (kind === 'text') return "'?'"
  if (kind !== 'name') return text.toLowerCase()
  const quote = text[0]!
  const inner = text.slice(1, -1)
  const bare = quote === '[' ? inner : inner.replaceAll(quote + quote, quote)
  return `"${bare.replaceAll('"', '""')}"`
}

/** A name without its quotes: `users`, `hr.users`. Rules take names that differ in case alone for one. */
export function bareName(name: string): string {
  return name
    .split(/\.(?=(?:[^"]*"[^"]*")*[^"]*$)/)
    .map((part) => (part.startsWith('"') ? part.slice(1, -1).replaceAll('""', '"') : part))
    .join('.')
}

export function sameName(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase()
}

/** The parts of a {@link plainText} between commas that are in no parentheses. */
export function splitByComma(text: string): readonly string[] {
  const parts: string[] = []
  let [depth, from, isQuoted] = [0, 0, false]
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '"') isQuoted = !isQuoted
    if (isQuoted) continue
    if (character === '(') depth++
    if (character === ')') depth--
    if (character !== ',' || depth > 0) continue
    parts.push(text.slice(from, at).trim())
    from = at + 1
  }
  return [...parts, text.slice(from).trim()].filter((part) => part !== '')
}

/** What stands in the parentheses that open at the first one of a text; undefined: there are none. */
export function inParentheses(text: string): string | undefined {
  let [depth, from, isQuoted] = [0, -1, false]
  for (let at = 0; at < text.length; at++) {
    const character = text[at]
    if (character === '"') isQuoted = !isQuoted
    if (isQuoted) continue
    if (character === '(' && depth++ === 0) from = at + 1
    if (character === ')' && --depth === 0) return text.slice(from, at).trim()
  }
  return undefined
}

/** Names in a list such as `"a", b (10) desc`; an expression among them is left out. */
export function namesIn(list: string): readonly string[] {
  const pattern = new RegExp(`^${NAME}(?: |$)`)
  return splitByComma(list).flatMap((part) => {
    const found = pattern.exec(part)
    return found === null || /^[\w$]+ \(/.test(part.replace(/^\S+ \( \d+ \)/, '')) ? [] : [bareName(found[1]!)]
  })
}
