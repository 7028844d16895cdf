import { ConfigurationError } from '../../lib/errors.js'

/** The form of names that hold what separates them, for messages. */
const HOW = `write a name that holds : = or , in double quotes: '"a:b"'`

/**
 * A name at the beginning of a flag's text, without its quotes, and what is behind the separator. Dots stay: names are compared as a whole.
 *
 * @param example  what the flag takes
 * @returns `rest` undefined: there is no separator
 * @throws {ConfigurationError} there is no name, or a quote has no end
 */
export function nameBefore(
  separator: ':' | '=' | ',',
  flag: string,
  text: string,
  example: string,
): { readonly name: string; readonly rest: string | undefined } {
  const [written] = new RegExp(`^(?:[^"${separator}]|"[^"]*")+`).exec(text) ?? ['']
  // no name holds a quote: models refuse it
  const name = written.replaceAll('"', '')
  const isWhole = written.length === text.length
  if (name === '' || !(isWhole || text[written.length] === separator)) throw unreadable(flag, text, example)
  return { name, rest: isWhole ? undefined : text.slice(written.length + 1) }
}

/** The error for a text that is no name, or not as many as the flag takes. */
export function unreadable(flag: string, text: string, example: string): ConfigurationError {
  return new ConfigurationError(flag, `expected ${example}, got ${text}; ${HOW}`)
}

/** A name as flags take it: in double quotes where it holds what separates names. */
export function flagName(name: string): string {
  return /[:=,]/.test(name) ? `"${name}"` : name
}

/** A flag with its value, as a POSIX shell takes it. */
export function pastedFlag(flag: string, value: string): string {
  return `${flag} ${/^[\w.:=,@/+-]+$/.test(value) ? value : `'${value}'`}`
}
