import { InvalidValueError } from '../../errors.js'

/**
 * PostgreSQL's text form of a `timestamptz` in DateStyle ISO: `2024-01-02 03:04:05.678+00`, trailing zeros of
 * the fraction left out. Source: PostgreSQL 15 manual, 8.5.2 "Date/Time Output".
 */

/** A date, with what is finer than a millisecond cut off. */
export function dateOf(text: string): Date {
  const utc = inUtc(text)
  const year = twoDigits(utc, 0) * 100 + twoDigits(utc, 2)
  const date = new Date(
    Date.UTC(
      year,
      twoDigits(utc, 5) - 1,
      twoDigits(utc, 8),
      twoDigits(utc, 11),
      twoDigits(utc, 14),
      twoDigits(utc, 17),
      utc.charCodeAt(19) === POINT ? Number(fraction(utc, 3)) : 0,
    ),
  )
  // Date.UTC takes the years 0 to 99 for 1900 to 1999
  if (year < 100) date.setUTCFullYear(year)
  return date
}

/** `YYYY-MM-DDTHH:MM:SS.ffffffZ` */
export function microsecondsOf(text: string): string {
  const utc = inUtc(text)
  return `${utc.slice(0, 10)}T${utc.slice(11, 19)}.${fraction(utc, 6)}Z`
}

const HYPHEN = 45
const POINT = 46

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
