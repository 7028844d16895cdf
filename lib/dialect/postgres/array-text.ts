/**
 * PostgreSQL's text form of an array: `{1,2}`, `{"a \"b\"",NULL}`, `{{1,2},{3,4}}`.
 * Source: PostgreSQL 15 manual, 8.15.6 "Array Input and Output Syntax".
 */

const OPEN = 123 // {
const CLOSE = 125 // }
const COMMA = 44
const QUOTE = 34
const BACKSLASH = 92

/** The text form of a list whose elements are in the driver's form: strings, numbers, bytes, null, lists of these. */
export function arrayText(elements: readonly unknown[]): string {
  const texts = new Array<string>(elements.length)
  for (let index = 0; index < elements.length; index++) texts[index] = elementText(elements[index])
  return `{${texts.join(',')}}`
}

function elementText(element: unknown): string {
  if (element === null || element === undefined) return 'NULL'
  if (typeof element === 'string') return quoted(element)
  if (Array.isArray(element)) return arrayText(element)
  if (element instanceof Uint8Array) return `"\\\\x${Buffer.from(element.buffer, element.byteOffset, element.byteLength).toString('hex')}"`
  return String(element)
}

// always in quotes: bare, an empty text, the word null and outer spaces would mean something else
function quoted(text: string): string {
  return text.includes('"') || text.includes('\\') ? `"${text.replace(/["\\]/g, '\\$&')}"` : `"${text}"`
}

/** The elements of an array's text form, each through `decode`; NULL stays null. */
export function parseArrayText(text: string, decode?: (element: string) => unknown): unknown[] {
  // bounds other than 1 stand before the list: [0:2]={1,2,3}
  const start = text.charCodeAt(0) === OPEN ? 0 : text.indexOf('=') + 1
  return new ArrayReader(text, start, decode).list()
}

class ArrayReader {
  constructor(
    readonly text: string,
    private at: number,
    readonly decode: ((element: string) => unknown) | undefined,
  ) {}

  list(): unknown[] {
    const elements: unknown[] = []
    this.at++
    if (this.text.charCodeAt(this.at) === CLOSE) {
      this.at++
      return elements
    }
    do elements.push(this.#element())
    while (this.text.charCodeAt(this.at++) === COMMA)
    return elements
  }

  #element(): unknown {
    const first = this.text.charCodeAt(this.at)
    if (first === OPEN) return this.list()
    const element = first === QUOTE ? this.#quoted() : this.#bare()
    return element === null || this.decode === undefined ? element : this.decode(element)
  }

  #bare(): string | null {
    const start = this.at
    let end = start
    for (let code = this.text.charCodeAt(end); code !== COMMA && code !== CLOSE && end < this.text.length; ) {
      code = this.text.charCodeAt(++end)
    }
    this.at = end
    const element = this.text.slice(start, end)
    return element === 'NULL' ? null : element
  }

  #quoted(): string {
    const start = this.at + 1
    let end = this.text.indexOf('"', start)
    const whole = this.text.slice(start, end)
    if (!whole.includes('\\')) {
      this.at = end + 1
      return whole
    }
    const parts: string[] = []
    let from = start
    for (end = start; this.text.charCodeAt(end) !== QUOTE; end++) {
      if (this.text.charCodeAt(end) !== BACKSLASH) continue
      parts.push(this.text.slice(from, end))
      from = ++end
    }
    parts.push(this.text.slice(from, end))
    this.at = end + 1
    return parts.join('')
  }
}
