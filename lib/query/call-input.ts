import { type Deadline, deadlineAfter } from '../deadline.js'
import { isPlainObject, kindOf } from '../model/value-kind.js'
import { InputIssues, type Path } from './input-issues.js'
import type { CallLimits } from './query-plan.js'

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

/** Options of which only some operations know. They are checked where the model is known. */
interface OwnOptions {
  readonly select: unknown
  readonly include: unknown
  readonly for: unknown
  readonly skipLocked: unknown
  readonly noWait: unknown
  readonly deleted: unknown
}

/** A call's options, checked but for {@link OwnOptions}. */
export interface ParsedOptions extends CallLimits, OwnOptions {
  readonly transaction: boolean
  readonly batch: boolean
}

/** Options that every node takes beside its input. `redact` is for channels, which know no types: those of rows would be wrong. */
const CALL_OPTIONS = ['signal', 'timeoutMs', 'redact']

/** Longest `timeoutMs`: what a timer can hold. */
const MAX_TIMEOUT_MS = 2_147_483_647

/**
 * Checks a call's options; `more` are those of this operation alone. The time of `timeoutMs` runs from here, and what is parsed with
 * `issues` from here on keeps to `redact`.
 */
export function parseOptions(
  options: unknown,
  issues: InputIssues,
  more: readonly (keyof OwnOptions | 'transaction' | 'batch')[] = [],
): ParsedOptions | undefined {
  if (options === undefined) return undefined
  if (!isPlainObject(options)) {
    issues.add(['options'], `expected an object, got ${kindOf(options)}`)
    return undefined
  }
  const known: readonly string[] = [...CALL_OPTIONS, ...more]
  for (const name of Object.keys(options)) {
    if (!known.includes(name)) issues.addUnknown(['options', name], name, 'option')
  }
  const { signal, timeoutMs, select, include, for: lock, skipLocked, noWait, deleted } = options
  issues.isForOutsider = parseFlag(options.redact, 'redact', issues, ['options'])
  return {
    select,
    include,
    for: lock,
    skipLocked,
    noWait,
    deleted,
    transaction: parseFlag(options.transaction, 'transaction', issues, ['options'], true),
    batch: parseFlag(options.batch, 'batch', issues, ['options'], true),
    signal: parseSignal(signal, issues),
    deadline: parseTimeout(timeoutMs, issues),
  }
}

/** How long a call may take, for what stands around it. What is wrong with its options the call itself says. */
export function limitsOf(options: unknown): CallLimits | undefined {
  if (!isPlainObject(options) || (options.signal === undefined && options.timeoutMs === undefined)) return undefined
  const left = new InputIssues('', '')
  return { signal: parseSignal(options.signal, left), deadline: parseTimeout(options.timeoutMs, left) }
}

function parseSignal(signal: unknown, issues: InputIssues): AbortSignal | undefined {
  if (signal === undefined || signal instanceof AbortSignal) return signal
  issues.add(['options', 'signal'], `expected an AbortSignal, got ${kindOf(signal)}`)
  return undefined
}

function parseTimeout(timeoutMs: unknown, issues: InputIssues): Deadline {
  if (timeoutMs === undefined) return Number.POSITIVE_INFINITY
  if (typeof timeoutMs === 'number' && Number.isInteger(timeoutMs) && timeoutMs >= 1 && timeoutMs <= MAX_TIMEOUT_MS)
    return deadlineAfter(timeoutMs)
  issues.add(['options', 'timeoutMs'], `expected a whole number of milliseconds from 1 to ${MAX_TIMEOUT_MS}`)
  return Number.POSITIVE_INFINITY
}

/** `true`, `false`, or nothing, which means `unsaid`. */
export function parseFlag(value: unknown, name: string, issues: InputIssues, path: Path = [], unsaid = false): boolean {
  if (typeof value === 'boolean') return value
  if (value !== undefined) issues.add([...path, name], `expected true or false, got ${kindOf(value)}`)
  return unsaid
}

/** A whole number from 0, or nothing. */
export function parseCount(value: unknown, path: Path, issues: InputIssues): number | undefined {
  if (value !== undefined && !(Number.isSafeInteger(value) && (value as number) >= 0))
    issues.add(path, 'expected a whole number, 0 or more')
  return value as number | undefined
}
