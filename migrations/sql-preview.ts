import { leadingWords } from '../lib/dialect/migration-parts.js'
import { isSignificant, type SqlTraits, sqlTokens } from '../lib/sql-text.js'

const LENGTH = 200

/** A statement on one line, at most 200 characters, without its comments and texts; of a statement on rows without its numbers too. */
export function sqlPreview(sql: string, traits: SqlTraits): string {
  const isOnRows = /^(?:insert|update|delete|replace|merge|select|with|values|call|do|copy)\b/.test(leadingWords(sql, 1))
  const parts = sqlTokens(sql, traits).map((token) => {
    if (token.kind === 'text' || (isOnRows && token.kind === 'number')) return '?'
    return isSignificant(token) ? token.text : ' '
  })
  const line = parts.join('').replace(/\s+/g, ' ').trim()
  return line.length <= LENGTH ? line : `${line.slice(0, LENGTH - 1)}…`
}
