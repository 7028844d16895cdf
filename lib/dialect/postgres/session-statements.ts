/**
 * What a text of SQL needs a session of its own for, in words for people; undefined where it is of one transaction. It looks at
 * the text alone: not into functions of the database and `DO` blocks, and not at bound values.
 *
 * Source: PgBouncer's manual, "SQL feature map for pooling modes".
 */
export function sessionNeedOf(sql: string): string | undefined {
  if (!MAY_NEED_SESSION.test(sql)) return undefined
  for (const statement of withoutTexts(sql).split(';')) {
    const need = needOf(statement.trim())
    if (need !== undefined) return need
  }
  return undefined
}

/** Most statements hold none of these words, and are looked at no further. */
const MAY_NEED_SESSION =
  /\b(?:set|reset|discard|listen|unlisten|prepare|deallocate|load|hold|temp|temporary|set_config)\b|advisory_(?:un)?lock/i

/** What stands at the head of a statement and holds for a session; a `SET` that holds for the transaction is left out. */
const SESSION_COMMAND =
  /^(?:set(?!\s+(?:local|transaction|constraints)\b)|reset|discard|listen|unlisten|prepare(?!\s+transaction\b)|deallocate|load)\b/i

const TEMPORARY = String.raw`(?:(?:local|global)\s+)?temp(?:orary)?\b`
const CREATES_TEMPORARY = new RegExp(String.raw`^create\s+(?:or\s+replace\s+)?${TEMPORARY}`, 'i')
const SELECTS_INTO_TEMPORARY = new RegExp(String.raw`(?<!\b(?:insert|merge)\s+)\binto\s+${TEMPORARY}\s+["\w]`, 'i')

function needOf(statement: string): string | undefined {
  const command = SESSION_COMMAND.exec(statement)
  if (command !== null) return command[0].toUpperCase()
  if (/^declare\b.*\bwith\s+hold\b/is.test(statement)) return 'DECLARE … WITH HOLD'
  if (CREATES_TEMPORARY.test(statement)) return /\bon\s+commit\s+drop\b/i.test(statement) ? undefined : 'a temporary table'
  if (SELECTS_INTO_TEMPORARY.test(statement)) return 'a temporary table'
  const lock = /\bpg_(?:try_)?advisory_(?:un)?lock\w*(?=\s*\()/i.exec(statement)
  if (lock !== null) return `${lock[0].toLowerCase()}()`
  return setsConfigOfSession(statement) ? 'set_config() whose third argument is not a plain true' : undefined
}

function setsConfigOfSession(statement: string): boolean {
  for (const { index, 0: call } of statement.matchAll(/\bset_config\s*\(/gi)) {
    if (lastArgument(statement, index + call.length) !== 'true') return true
  }
  return false
}

/** The last argument of a call whose first one begins at `start`. */
function lastArgument(statement: string, start: number): string {
  let depth = 0
  let begin = start
  for (let at = start; at < statement.length; at++) {
    const character = statement[at]
    if (character === '(') depth++
    else if (character === ',' && depth === 0) begin = at + 1
    else if (character === ')' && depth-- === 0) return statement.slice(begin, at).trim().toLowerCase()
  }
  return ''
}

const TEXTS = new RegExp(
  [
    String.raw`--[^\n]*`,
    // without those nested in it: what is left of an outer one is no statement that anybody would write
    String.raw`/\*[\s\S]*?\*/`,
    String.raw`\b[eE]'(?:[^'\\]|\\[\s\S]|'')*'`,
    `'(?:[^']|'')*'`,
    '"(?:[^"]|"")*"',
    String.raw`(?<![\w$])\$(\w*)\$[\s\S]*?\$\1\$`,
  ].join('|'),
  'g',
)

/** Texts, comments and bodies of functions become empty; of quoted names the letters stay, since `"pg_advisory_lock"(1)` is a call. */
function withoutTexts(sql: string): string {
  return sql.replace(TEXTS, (part) => {
    if (part.startsWith('"')) return part.slice(1, -1).replace(/\W/g, '_')
    return part.startsWith('-') || part.startsWith('/') ? ' ' : `''`
  })
}
