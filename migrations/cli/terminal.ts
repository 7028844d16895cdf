import { styleText } from 'node:util'

type Style = Parameters<typeof styleText>[0]

export interface TerminalOptions {
  /** The result is one JSON document. */
  readonly json: boolean
  /** Nothing on stderr but what went wrong. */
  readonly quiet: boolean
  /** False: no colours, whatever the streams say. */
  readonly color: boolean
}

/** Where a command writes: results on stdout, all else on stderr. Colours only where the stream shows them, and none with `NO_COLOR`. */
export class Terminal {
  readonly json: boolean
  readonly quiet: boolean
  readonly #hasColors: boolean
  readonly #secrets = new Set<string>()

  constructor({ json, quiet, color }: TerminalOptions) {
    this.json = json
    this.quiet = quiet
    this.#hasColors = color && !process.env.NO_COLOR
  }

  /** Somebody sits before it and can be asked. */
  get canAsk(): boolean {
    return !this.json && process.stdin.isTTY === true && process.stderr.isTTY === true
  }

  /** What moves can be shown. */
  get canMove(): boolean {
    return !this.quiet && process.stderr.isTTY === true && process.env.TERM !== 'dumb'
  }

  /** What was asked for. */
  result(text: string): void {
    process.stdout.write(`${text}\n`)
  }

  /** What happens meanwhile. */
  log(text: string): void {
    if (!this.quiet) process.stderr.write(`${text}\n`)
  }

  /** What went wrong; said even where it is quiet. */
  problem(text: string): void {
    process.stderr.write(`${text}\n`)
  }

  /** From now on {@link redacted} takes the URL's password out. */
  hidePassword(url: string): void {
    const [, password] = /^\w+:\/\/[^/?#]*?:([^/?#]*)@/.exec(url) ?? []
    if (password) for (const form of [password, decoded(password)]) this.#secrets.add(form)
  }

  /** A text that others wrote, without the passwords that are known and those of URLs in it. */
  redacted(text: string): string {
    return withoutPasswords([...this.#secrets].reduce((rest, secret) => rest.replaceAll(secret, '***'), text))
  }

  /** Text for {@link result}. */
  readonly onResult = (style: Style, text: string): string => this.#styled(style, text, process.stdout)

  /** Text for {@link log} and {@link problem}. */
  readonly onLog = (style: Style, text: string): string => this.#styled(style, text, process.stderr)

  #styled(style: Style, text: string, stream: NodeJS.WriteStream): string {
    return this.#hasColors ? styleText(style, text, { stream }) : text
  }
}

/** A text without the passwords of URLs in it. */
export function withoutPasswords(text: string): string {
  return text.replaceAll(/(\w+:\/\/[^\s:/?#@]*):[^\s/?#]*@/g, '$1:***@')
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
