const DAY_MS = 86_400_000

/** Days of 400 years of the Gregorian calendar, after which it repeats itself; and from 0000-03-01 to 1970-01-01. */
const ERA_DAYS = 146_097
const DAYS_TO_EPOCH = 719_468

/** 0000-03-01 and the end of 9999: what four digits of a year can say from there on. */
const FIRST_MS = -DAYS_TO_EPOCH * DAY_MS
const END_MS = 253_402_300_800_000

const TWO = digits(100, 2)
const THREE = digits(1_000, 3)

/**
 * What `date.toISOString()` gives, `2026-01-31T09:05:00.123Z`, in a third of its time. Years begin in March here, so that the day
 * that comes and goes is their last. Source: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
 *
 * @throws {RangeError} the date is invalid
 */
export function instantText(date: Date): string {
  const instantMs = date.getTime()
  if (!(instantMs >= FIRST_MS && instantMs < END_MS)) return date.toISOString()
  const sinceEpoch = Math.floor(instantMs / DAY_MS)
  const ms = instantMs - sinceEpoch * DAY_MS
  const days = sinceEpoch + DAYS_TO_EPOCH
  const era = whole(days / ERA_DAYS)
  const ofEra = days - era * ERA_DAYS
  const yearOfEra = whole((ofEra - whole(ofEra / 1_460) + whole(ofEra / 36_524) - whole(ofEra / 146_096)) / 365)
  const ofYear = ofEra - (365 * yearOfEra + whole(yearOfEra / 4) - whole(yearOfEra / 100))
  const monthFromMarch = whole((5 * ofYear + 2) / 153)
  const day = ofYear - whole((153 * monthFromMarch + 2) / 5) + 1
  const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
  const year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
  const seconds = whole(ms / 1_000)
  const minutes = whole(seconds / 60)
  const hours = whole(minutes / 60)
  const dayText = `${TWO[whole(year / 100)]}${TWO[year % 100]}-${TWO[month]}-${TWO[day]}`
  return `${dayText}T${TWO[hours]}:${TWO[minutes - hours * 60]}:${TWO[seconds - minutes * 60]}.${THREE[ms - seconds * 1_000]}Z`
}

/** Of a number from 0 that fits 32 bits. */
function whole(value: number): number {
  return value | 0
}

function digits(count: number, length: number): readonly string[] {
  return Array.from({ length: count }, (_, value) => String(value).padStart(length, '0'))
}
