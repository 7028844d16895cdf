import { sqlTokens } from '../../sql-text.js'
import type { Remark } from '../introspection.js'
import { sqlTraits } from './sql-traits.js'

/** What the text of a CREATE TABLE says that no pragma tells. */
export interface TableText {
  readonly checks: readonly { readonly name: string; readonly sql: string }[]
  /** How many checks have no name. */
  readonly namelessChecks: number
  /** Names of foreign keys by their columns, in JSON. */
  readonly foreignKeys: ReadonlyMap<string, string>
  readonly primaryKey: string | undefined
  readonly isCounting: boolean
  readonly remarks: readonly Remark[]
}

const NAME = `"(?:[^"]|"")*"|\`(?:[^\`]|\`\`)*\`|\\[[^\\]]*\\]|[\\p{L}_][\\p{L}\\p{N}_$]*`
const CHECK = new RegExp(`(?:constraint\\s+(${NAME})\\s+)?check\\s*\\(`, 'giu')
const KEY = new RegExp(`constraint\\s+(${NAME})\\s+primary\\s+key`, 'iu')
const TABLE_FOREIGN_KEY = new RegExp(`^constraint\\s+(${NAME})\\s+foreign\\s+key\\s*\\(`, 'iu')
const COLUMN = new RegExp(`^(?!(?:constraint|primary|unique|check|foreign)\\b)(${NAME})`, 'iu')
/** What stands in a column or constraint beside its words for a model, and what it means. */
const REMARKS: readonly (readonly [clause: RegExp, problem: (found: string) => string])[] = [
  [/\bcollate\s+["'`[]?(?!binary\b)(\w+)/giu, (collation) => `has the collation ${collation}, which no model says`],
  [/\bdeferrable\s+initially\s+(deferred)\b/giu, () => 'has a key that is DEFERRABLE INITIALLY DEFERRED, which no model says'],
  [/\bon\s+conflict\s+(rollback|fail|ignore|replace)\b/giu, (way) => `has ON CONFLICT ${way.toUpperCase()}, which no model says`],
]
const COLUMN_FOREIGN_KEY = new RegExp(`^(${NAME})\\s.*constraint\\s+(${NAME})\\s+references\\s`, 'isu')

/** Reads the text that SQLite keeps of a table. */
export function readTableText(sql: string): TableText {
  const text = withoutComments(sql)
  const items = itemsOf(text.slice(text.indexOf('(')))
  const checks: { name: string; sql: string }[] = []
  const foreignKeys = new Map<string, string>()
  let namelessChecks = 0
  for (const item of items) {
    for (const found of item.matchAll(CHECK)) {
      if (depthAt(item, found.index) === undefined) continue
      const inner = enclosed(item, found.index + found[0].length - 1)
      if (found[1] === undefined) namelessChecks++
      else checks.push({ name: plainName(found[1]), sql: inner })
    }
    const ofTable = TABLE_FOREIGN_KEY.exec(item)
    const ofColumn = COLUMN_FOREIGN_KEY.exec(item)
    if (ofTable !== null)
      foreignKeys.set(JSON.stringify(itemsOf(item.slice(item.indexOf('(', ofTable[0].length - 1))).map(plainName)), plainName(ofTable[1]!))
    else if (ofColumn !== null) foreignKeys.set(JSON.stringify([plainName(ofColumn[1]!)]), plainName(ofColumn[2]!))
  }
  const key = items.map((item) => KEY.exec(item)?.[1]).find((name) => name !== undefined)
  return {
    checks,
    namelessChecks,
    foreignKeys,
    primaryKey: key === undefined ? undefined : plainName(key),
    isCounting: items.some((item) => /\bautoincrement\b/i.test(item)),
    remarks: items.flatMap(remarksOn),
  }
}

function remarksOn(item: string): readonly Remark[] {
  const column = COLUMN.exec(item)?.[1]
  return REMARKS.flatMap(([clause, problem]) =>
    [...item.matchAll(clause)]
      .filter(({ index }) => depthAt(item, index) === 0)
      .map(([, found]) => ({ ...(column === undefined ? {} : { object: plainName(column) }), problem: problem(found!) })),
  )
}

function withoutComments(sql: string): string {
  return sqlTokens(sql, sqlTraits)
    .map(({ kind, text }) => (kind === 'comment' ? ' ' : text))
    .join('')
}

/** Reads the text that SQLite keeps of an index: from its list of columns on, and behind that. */
export function readIndexText(sql: string): { readonly all: string; readonly rest: string } {
  let open = -1
  walk(sql, 0, (at) => {
    if (sql[at] === '(') open = at
    return open !== -1
  })
  const all = sql.slice(open)
  return { all, rest: all.slice(enclosed(all, 0).length + 2).trim() }
}

/** A name without its quotes. */
function plainName(name: string): string {
  const trimmed = name.trim()
  const quote = trimmed[0]
  if (quote === '"' || quote === '`') return trimmed.slice(1, -1).replaceAll(quote + quote, quote)
  return quote === '[' ? trimmed.slice(1, -1) : trimmed
}

/** What stands between the parenthesis at the beginning and its partner, split at commas of its own. */
function itemsOf(text: string): readonly string[] {
  const inner = enclosed(text, 0)
  const items: string[] = []
  let begin = 0
  walk(inner, 0, (at, depth) => {
    if (inner[at] === ',' && depth === 0) {
      items.push(inner.slice(begin, at).trim())
      begin = at + 1
    }
    return false
  })
  return [...items, inner.slice(begin).trim()]
}

function enclosed(text: string, open: number): string {
  let end = text.length
  walk(text, open, (at, depth) => {
    if (text[at] !== ')' || depth !== 0) return false
    end = at
    return true
  })
  return text.slice(open + 1, end)
}

/** How many parentheses are open at a position; undefined: it is in quotes. */
function depthAt(text: string, position: number): number | undefined {
  let found: number | undefined
  walk(text, 0, (at, depth) => {
    if (at === position) found = depth
    return at >= position
  })
  return found
}

/** Visits each character that is in no quotes, with how many parentheses are open after it; until `visit` says stop. */
function walk(text: string, from: number, visit: (at: number, depth: number) => boolean): void {
  let depth = 0
  for (let at = from; at < text.length; at++) {
    const character = text[at]!
    const closing = character === '[' ? ']' : `"'\``.includes(character) ? character : undefined
    if (closing !== undefined) {
      if (visit(at, depth)) return
      at = text.indexOf(closing, at + 1)
      if (at === -1) return
      continue
    }
    if (character === '(') depth++
    if (character === ')') depth--
    if (visit(at, depth)) return
  }
}
