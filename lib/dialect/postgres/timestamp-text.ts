import { InvalidValueError } from '../../errors.js'
import { daysSinceEpoch } from '../../model/calendar.js'

/**
 * PostgreSQL's text form of a `timestamptz` in DateStyle ISO: `2024-01-02 03:04:05.678+00`, trailing zeros of
 * the fraction left out. Source: PostgreSQL 15 manual, 8.5.2 "Date/Time Output".
 */

/** A date, with what is finer than a millisecond cut off. */
export function dateOf(text: string): Date {
  const utc = inUtc(text)
  const days = daysSinceEpoch(twoDigits(utc, 0) * 100 + twoDigits(utc, 2), twoDigits(utc, 5), twoDigits(utc, 8))
  const seconds = (days * 24 + twoDigits(utc, 11)) * 3_600 + twoDigits(utc, 14) * 60 + twoDigits(utc, 17)
  return new Date(seconds * 1_000 + (utc.charCodeAt(19) === POINT ? milliseconds(utc) : 0))
}

/** `YYYY-MM-DDTHH:MM:SS.ffffffZ` */
export function microsecondsOf(text: string): string {
  const utc = inUtc(text)
  return `${utc.slice(0, 10)}T${utc.slice(11, 19)}.${fraction(utc, 6)}Z`
}

/** Of one to six digits behind the point, what the first three say. */
function milliseconds(utc: string): number {
  let value = 0
  let unit = 100
  for (let at = 20; unit >= 1; at++) {
    const digit = utc.charCodeAt(at) - ZERO
    if (!(digit >= 0 && digit <= 9)) break
    value += digit * unit
    unit /= 10
  }
  return value
}

const HYPHEN = 45
const POINT = 46
const ZERO = 48

function twoDigits(text: string, at: number): number {
  return text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 528
}

function fraction(utc: string, digits: number): string {
  return utc.slice(20, -3).slice(0, digits).padEnd(digits, '0')
}

// every session is in UTC: anything else is a zone set by hand, a column without a zone, or out of range
function inUtc(text: string): string {
  return text.endsWith('+00') && text.charCodeAt(4) === HYPHEN ? text : moved(text)
}

const ZONED = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d+)?(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?$/

/** @throws {InvalidValueError} infinity, or outside the years 0001 to 9999 */
function moved(text: string): string {
  const [, day, time, decimals = '', sign, hours = '0', minutes = '0', seconds = '0'] = ZONED.exec(text) ?? []
  const offsetMs = (Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)) * (sign === '-' ? -1000 : 1000)
  const instantMs = Date.parse(`${day}T${time}Z`) - offsetMs
  const iso = Number.isNaN(instantMs) ? '' : new Date(instantMs).toISOString()
  if (iso.length !== 24) {
    const detail = { model: undefined, fields: [], constraint: undefined }
    throw new InvalidValueError('a stored timestamp lies outside the years 0001 to 9999', detail)
  }
  return `${iso.slice(0, 10)} ${iso.slice(11, 19)}${decimals}+00`
}
