import type { SqlConstant } from './read-constant.js'

const TOKEN =
  /[eE]'((?:[^'\\]|''|\\.)*)'|'((?:[^']|'')*)'|"((?:[^"]|"")*)"|`((?:[^`]|``)*)`|([xX])'([0-9a-fA-F]*)'|(::|<>|!=|<=|>=|\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|[\p{L}_][\p{L}\p{N}_$]*|\S)/gu

type Token = { readonly kind: 'text' | 'name' | 'word'; readonly text: string }

/** Reads the SQL that a catalogue gives back of defaults and conditions: names, constants, casts and brackets; nothing of it is run. */
export class SqlReader {
  readonly #tokens: readonly Token[]
  #at = 0

  constructor(sql: string) {
    this.#tokens = [...sql.matchAll(TOKEN)]
      .map(tokenOf)
      .filter(({ kind, text }) => kind !== 'word' || !/^_(utf8mb[34]|latin1|ascii|binary)$/i.test(text))
  }

  get isAtEnd(): boolean {
    return this.#at === this.#tokens.length
  }

  /** Goes on behind these words or signs where they come next. */
  take(...words: readonly string[]): boolean {
    const isNext = words.every((word, at) => {
      const token = this.#tokens[this.#at + at]
      return token?.kind === 'word' && token.text.toLowerCase() === word
    })
    if (isNext) this.#at += words.length
    return isNext
  }

  /** What `read` gives; where it gives nothing, stays where it was. */
  attempt<T>(read: () => T | undefined): T | undefined {
    const at = this.#at
    const found = read()
    if (found === undefined) this.#at = at
    return found
  }

  /** `name`, `(name)::text` */
  name(): string | undefined {
    return this.attempt(() => this.#bracketed(() => this.#name()))
  }

  /** `'open'::text`, `-5`, `true` */
  constant(): SqlConstant | undefined {
    return this.attempt(() => this.#bracketed(() => this.#constant()))
  }

  /** Constants with commas between them, up to a closing bracket. */
  constants(closing: string): readonly SqlConstant[] | undefined {
    return this.attempt(() => {
      const found: SqlConstant[] = []
      do {
        const constant = this.constant()
        if (constant === undefined) return undefined
        found.push(constant)
      } while (this.take(','))
      return this.take(closing) ? found : undefined
    })
  }

  /** A type behind `::`, which says nothing new. */
  skipCast(): void {
    while (this.take('::')) {
      this.#at++
      if (this.take('.')) this.#at++
      for (let isMore = true; isMore; ) {
        isMore = ['varying', 'precision', 'with', 'without', 'time', 'zone'].some((word) => this.take(word))
        if (this.attempt(() => (this.take('(') ? this.constants(')') : undefined)) !== undefined) isMore = true
        if (this.take('[', ']')) isMore = true
      }
    }
  }

  #bracketed<T>(read: () => T | undefined): T | undefined {
    const inner = this.attempt(() => {
      if (!this.take('(')) return undefined
      const found = this.#bracketed(read)
      return found !== undefined && this.take(')') ? found : undefined
    })
    const found = inner ?? read()
    if (found !== undefined) this.skipCast()
    return found
  }

  #name(): string | undefined {
    const token = this.#tokens[this.#at]
    if (token === undefined || (token.kind !== 'name' && !(token.kind === 'word' && /^[\p{L}_]/u.test(token.text)))) return undefined
    this.#at++
    return token.text
  }

  /** MariaDB's way to write a text with a backslash. */
  #converted(): SqlConstant | undefined {
    if (!this.take('convert', '(')) return undefined
    const hex = this.constant()
    if (hex === undefined || !this.take('using', 'utf8mb4', ')')) return undefined
    return { text: Buffer.from(hex.text.slice(2), 'hex').toString(), isQuoted: true }
  }

  #constant(): SqlConstant | undefined {
    const converted = this.attempt(() => this.#converted())
    if (converted !== undefined) return converted
    const sign = this.take('-') ? '-' : ''
    const token = this.#tokens[this.#at]
    if (token?.kind === 'text' && sign === '') {
      this.#at++
      return { text: token.text, isQuoted: true }
    }
    if (token?.kind !== 'word' || !/^(\d.*|true|false)$/i.test(token.text)) return undefined
    this.#at++
    return { text: `${sign}${token.text}`, isQuoted: false }
  }
}

function tokenOf([, escaped, text, standard, ticked, , hex, rest]: RegExpExecArray): Token {
  if (escaped !== undefined) return { kind: 'text', text: escaped.replaceAll("''", "'").replaceAll('\\\\', '\\') }
  if (text !== undefined) return { kind: 'text', text: text.replaceAll("''", "'") }
  if (hex !== undefined) return { kind: 'text', text: `\\x${hex}` }
  if (standard !== undefined) return { kind: 'name', text: standard.replaceAll('""', '"') }
  return ticked === undefined ? { kind: 'word', text: rest! } : { kind: 'name', text: ticked.replaceAll('``', '`') }
}
