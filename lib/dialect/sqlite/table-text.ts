/** What the text of a CREATE TABLE says that no pragma tells. */
export interface TableText {
  readonly checks: readonly { readonly name: string; readonly sql: string }[]
  /** How many checks have no name. */
  readonly namelessChecks: number
  /** Names of foreign keys by their columns, in JSON. */
  readonly foreignKeys: ReadonlyMap<string, string>
  readonly primaryKey: string | undefined
  readonly isCounting: boolean
}

const NAME = `"(?:[^"]|"")*"|\`(?:[^\`]|\`\`)*\`|\\[[^\\]]*\\]|[\\p{L}_][\\p{L}\\p{N}_$]*`
const CHECK = new RegExp(`(?:constraint\\s+(${NAME})\\s+)?check\\s*\\(`, 'giu')
const KEY = new RegExp(`constraint\\s+(${NAME})\\s+primary\\s+key`, 'iu')
const TABLE_FOREIGN_KEY = new RegExp(`^constraint\\s+(${NAME})\\s+foreign\\s+key\\s*\\(`, 'iu')
const COLUMN_FOREIGN_KEY = new RegExp(`^(${NAME})\\s.*constraint\\s+(${NAME})\\s+references\\s`, 'isu')

/** Reads the text that SQLite keeps of a table. */
export function readTableText(sql: string): TableText {
  const items = itemsOf(sql.slice(sql.indexOf('(')))
  const checks: { name: string; sql: string }[] = []
  const foreignKeys = new Map<string, string>()
  let namelessChecks = 0
  for (const item of items) {
    for (const found of item.matchAll(CHECK)) {
      if (isQuoted(item, found.index)) continue
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
  }
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

function isQuoted(text: string, position: number): boolean {
  let isOutside = false
  walk(text, 0, (at) => {
    if (at === position) isOutside = true
    return at >= position
  })
  return !isOutside
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
