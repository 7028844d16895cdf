import { padInstant, trimTime } from '../model/calendar.js'
import { jsonText } from '../model/json-text.js'

const TOKEN =
  /[eE]'(?:[^'\\]|''|\\.)*'|'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|[xX]'[0-9a-fA-F]*'|::|<>|!=|<=|>=|\|\||->>?|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[\p{L}_][\p{L}\p{N}_$]*|\S/gu

/** What may follow `::` on PostgreSQL; the text form of every type that a column of ours can have, and of enum types. */
const CAST =
  /::\s*(?:character varying|timestamp(?:\(\d\))? with(?:out)? time zone|time(?:\(\d\))? with(?:out)? time zone|double precision|(?:"(?:[^"]|"")*"|[\w]+)(?:\.(?:"(?:[^"]|"")*"|\w+))?)(?:\(\d+(?:,\s*\d+)?\))?(?:\[\])*/giu

const SAME_WORDS: Readonly<Record<string, string>> = { lcase: 'lower', ucase: 'upper', '!=': '<>' }

/**
 * An SQL expression in a form in which what an engine gives back of it is what was written: without parentheses, casts, quotes of
 * names and introducers, constants in one form.
 *
 * It is for telling whether a default, check or index is still the one that was made; two that differ by nothing but parentheses are alike.
 */
export function expressionText(sql: string): string {
  const tokens = (sql.replaceAll(CAST, castAway).match(TOKEN) ?? []).flatMap(plainToken)
  const joined: string[] = []
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at]!
    // PostgreSQL has a list as an array, and every engine has a list of one as an equation
    if ((token === '=' || token === '<>') && (tokens[at + 1] === 'any' || tokens[at + 1] === 'all') && tokens[at + 2] === 'array') {
      joined.push(...(token === '=' ? ['in'] : ['not', 'in']))
      at += 2
    } else joined.push(token)
  }
  return joined
    .filter((token) => token !== '')
    .join(' ')
    .replace(/\bnot in (\S+)(?! ,)(?=$| )/gu, '<> $1')
    .replace(/\bin (\S+)(?! ,)(?=$| )/gu, '= $1')
}

function castAway(cast: string, at: number, whole: string): string {
  // within a text it is none
  const quotes = whole.slice(0, at).replaceAll("''", '').split("'").length - 1
  return quotes % 2 === 0 ? '' : cast
}

function plainToken(token: string): readonly string[] {
  if ('()[]'.includes(token)) return []
  if (/^[eE]?'/.test(token)) return [constantText(textOf(token))]
  if (/^[xX]'/.test(token)) return [constantText(`\\x${token.slice(2, -1).toLowerCase()}`)]
  if (token.startsWith('"') || token.startsWith('`')) return [token.slice(1, -1).toLowerCase()]
  if (/^\d/.test(token)) return [numberText(token)]
  const word = token.toLowerCase()
  return /^_(utf8mb4|utf8mb3|utf8|latin1|ascii|binary)$/.test(word) ? [] : [SAME_WORDS[word] ?? word]
}

function textOf(token: string): string {
  const isEscaped = /^[eE]/.test(token)
  const inner = token.slice(isEscaped ? 2 : 1, -1).replaceAll("''", "'")
  return isEscaped ? inner.replaceAll('\\\\', '\\') : inner
}

const INSTANT = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d(:\d\d)?)?$/

/** Numbers in quotes are numbers, instants are in UTC, JSON has its keys in order; spaces are kept apart from those between tokens. */
function constantText(text: string): string {
  if (/^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(text)) return text.startsWith('-') ? `- ${numberText(text.slice(1))}` : numberText(text)
  if (INSTANT.test(text)) return instantText(text)
  if (/^\d\d:\d\d:\d\d(\.\d+)?$/.test(text)) return `'${trimTime(text)}'`
  if (/^\s*[[{]/.test(text)) {
    try {
      return `'${jsonText(JSON.parse(text)).replaceAll(' ', '\u00a0')}'`
    } catch {
      // a text that begins like JSON
    }
  }
  return `'${text.replaceAll(' ', '\u00a0')}'`
}

function instantText(text: string): string {
  const [, fraction = '', zone = 'Z'] = INSTANT.exec(text)!
  const offset = zone === 'Z' || zone.length > 3 ? zone : `${zone}:00`
  const whole = text.slice(0, 19).replace(' ', 'T')
  const seconds = new Date(`${whole}${offset}`)
  if (Number.isNaN(seconds.getTime())) return `'${text}'`
  return `'${padInstant(`${seconds.toISOString().slice(0, 19)}${fraction}Z`)}'`
}

function numberText(digits: string): string {
  if (/[eE]/.test(digits) || digits.length > 100) return String(Number(digits))
  const [whole, fraction = ''] = digits.split('.')
  const kept = fraction.replace(/0+$/, '')
  return `${whole!.replace(/^0+(?=\d)/, '')}${kept === '' ? '' : `.${kept}`}`
}
