import { isPlainObject, kindOf } from '../model/value-kind.js'
import type { InputIssues } from './input-issues.js'
import type { CallOptions } from './query-plan.js'

/**
 * A call's input as an object with no other entries than `known`. What is wrong goes to `issues`; then the
 * answer is an empty object, so that the caller can go on and gather the rest.
 */
export function parseInput(input: unknown, known: readonly string[], issues: InputIssues): Record<string, unknown> {
  if (!isPlainObject(input)) {
    issues.add([], `expected an object with ${known.join(', ')}, got ${kindOf(input)}`)
    return {}
  }
  for (const name of Object.keys(input)) {
    if (!known.includes(name)) issues.addUnknown([name], name, 'entry')
  }
  return input
}

/** Options that every node takes beside its input. */
const CALL_OPTIONS = ['select', 'signal', 'timeoutMs']

/** Longest `timeoutMs`: what a timer can hold. */
const MAX_TIMEOUT_MS = 2_147_483_647

/** Checks a call's options; `more` are those of this operation alone. */
export function parseOptions<O extends CallOptions>(
  options: O | undefined,
  issues: InputIssues,
  more: readonly string[] = [],
): O | undefined {
  if (options === undefined) return undefined
  if (!isPlainObject(options)) {
    issues.add(['options'], `expected an object, got ${kindOf(options)}`)
    return undefined
  }
  for (const name of Object.keys(options)) {
    if (!CALL_OPTIONS.includes(name) && !more.includes(name)) issues.addUnknown(['options', name], name, 'option')
  }
  const { signal, timeoutMs } = options as CallOptions
  if (signal !== undefined && !(signal instanceof AbortSignal))
    issues.add(['options', 'signal'], `expected an AbortSignal, got ${kindOf(signal)}`)
  if (timeoutMs !== undefined && !(Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS)) {
    issues.add(['options', 'timeoutMs'], `expected a whole number of milliseconds from 1 to ${MAX_TIMEOUT_MS}`)
  }
  return options
}

/** `true`, `false` or nothing, which means `false`. */
export function parseFlag(value: unknown, name: string, issues: InputIssues): boolean {
  if (value !== undefined && typeof value !== 'boolean') issues.add([name], `expected true or false, got ${kindOf(value)}`)
  return value === true
}
