/** Days, times and instants: of the Gregorian calendar, years 0001 to 9999, without leap seconds. */

const DAY = /^\d{4}-\d\d-\d\d$/
const TIME = /^(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?$/
const ISO_INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?(?:Z|[+-]\d\d:\d\d)$/

/** 0001-01-01T00:00:00.000Z */
const FIRST_MS = -62_135_596_800_000
/** 9999-12-31T23:59:59.999Z */
const LAST_MS = 253_402_300_799_999

const ZERO = 48

const DAYS_OF_MONTH = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]

/** Whether the text is `YYYY-MM-DD`, and a day that there is. */
export function isDay(text: string): boolean {
  if (!DAY.test(text)) return false
  const year = Number(text.slice(0, 4))
  const month = Number(text.slice(5, 7))
  const day = Number(text.slice(8, 10))
  return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysOf(year, month)
}

/** Whether the text is `HH:MM:SS`, with up to six digits after a point. */
export function isTime(text: string): boolean {
  return TIME.test(text)
}

/** Whether the text is `YYYY-MM-DDTHH:MM:SSZ`, with up to six digits after a point. */
export function isInstant(text: string): boolean {
  return text[10] === 'T' && text.at(-1) === 'Z' && isDay(text.slice(0, 10)) && isTime(text.slice(11, -1))
}

/** Whether the date is valid and within the years 0001 to 9999. */
export function isWithinYears(date: Date): boolean {
  // not the date's own getTime: that may have been replaced
  const instantMs = Date.prototype.getTime.call(date)
  return instantMs >= FIRST_MS && instantMs <= LAST_MS
}

/** A checked time without zeros at the end of its fraction. */
export function trimTime(time: string): string {
  return time.length === 8 ? time : time.replace(/\.?0+$/, '')
}

/** A checked instant with exactly six digits after the point. */
export function padInstant(instant: string): string {
  return instant.length === 20 ? `${instant.slice(0, 19)}.000000Z` : `${instant.slice(0, -1).padEnd(26, '0')}Z`
}

/**
 * The milliseconds of an instant as `toISOString` writes it, in half the time that `Date` takes to read it. NaN for all else, years before
 * 1000 among it.
 */
export function instantMsOf(text: string): number {
  if (text.length !== 24 || !isPunctuated(text)) return Number.NaN
  const year = pairAt(text, 0) * 100 + pairAt(text, 2)
  const month = pairAt(text, 5)
  const day = pairAt(text, 8)
  const hour = pairAt(text, 11)
  const minute = pairAt(text, 14)
  const second = pairAt(text, 17)
  const [tens, ones] = [pairAt(text, 20), pairAt(text, 21)]
  const isDate = year >= 1_000 && month >= 1 && month <= 12 && day >= 1 && (day <= 28 || day <= daysOf(year, month))
  const isTimeOfDay = hour >= 0 && hour < 24 && minute >= 0 && minute < 60 && second >= 0 && second < 60 && tens >= 0 && ones >= 0
  return isDate && isTimeOfDay ? Date.UTC(year, month - 1, day, hour, minute, second, tens * 10 + (ones % 10)) : Number.NaN
}

function isPunctuated(text: string): boolean {
  const isDay = text[4] === '-' && text[7] === '-' && text[10] === 'T'
  return isDay && text[13] === ':' && text[16] === ':' && text[19] === '.' && text[23] === 'Z'
}

/** Two digits as a number; far below zero where they are none. */
function pairAt(text: string, at: number): number {
  const tens = text.charCodeAt(at) - ZERO
  const ones = text.charCodeAt(at + 1) - ZERO
  return tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9 ? tens * 10 + ones : -1_000_000
}

/** The date of an ISO 8601 text with a zone and at most milliseconds; undefined where it is none. */
export function dateOfIso(text: string): Date | undefined {
  if (!ISO_INSTANT.test(text) || !isDay(text.slice(0, 10))) return undefined
  const date = new Date(text)
  return Number.isNaN(date.getTime()) ? undefined : date
}

function daysOf(year: number, month: number): number {
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return month === 2 && isLeap ? 29 : DAYS_OF_MONTH[month - 1]!
}

/**
 * Days from 1970-01-01 to a date of the Gregorian calendar; `Date.UTC` takes three times as long, which a list of rows feels.
 * Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", days_from_civil.
 */
export function daysSinceEpoch(year: number, month: number, day: number): number {
  // a year that ends with February has its leap day last
  const shifted = month > 2 ? year : year - 1
  const era = Math.floor(shifted / 400)
  const yearOfEra = shifted - era * 400
  const dayOfYear = Math.floor((153 * (month > 2 ? month - 3 : month + 9) + 2) / 5) + day - 1
  return era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
}
