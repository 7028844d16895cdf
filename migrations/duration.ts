const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** The milliseconds of `500ms`, `5s`, `10m`, `2h`, or of `0`; undefined: it is none of them. */
export function durationMs(text: string): number | undefined {
  const [, count, unit] = /^(\d{1,9})(ms|s|m|h)$/.exec(text) ?? []
  if (count !== undefined) return Number(count) * UNITS[unit!]!
  return text === '0' ? 0 : undefined
}
