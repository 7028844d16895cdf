import { InvalidArgumentError } from 'commander'
import { durationMs } from '../duration.js'

/** `10m`, `5s`, `250ms`, `1h` or `0` in milliseconds. */
export function duration(text: string): number {
  const ms = durationMs(text)
  if (ms === undefined) throw new InvalidArgumentError('Expected a time such as 5s, 10m, 250ms or 0.')
  return ms
}

/** A whole number from 1. */
export function count(text: string): number {
  if (!/^[1-9]\d{0,8}$/.test(text)) throw new InvalidArgumentError('Expected a whole number from 1.')
  return Number(text)
}

/** A whole number from 0. */
export function countOrNone(text: string): number {
  return text === '0' ? 0 : count(text)
}

/** For an option that may be given several times, or once with commas. */
export function list(text: string, before: readonly string[] = []): readonly string[] {
  const parts = text.split(',').map((part) => part.trim())
  if (parts.includes('')) throw new InvalidArgumentError('Expected names with commas between them.')
  return [...before, ...parts]
}

/** For an option that may be given several times. */
export function repeated(text: string, before: readonly string[] = []): readonly string[] {
  return [...before, text]
}
