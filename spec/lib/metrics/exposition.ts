import { expect } from 'vitest'

/** One line of a scrape. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** A scrape, read as Prometheus reads it. */
export interface Exposition {
  readonly types: Readonly<Record<string, string>>
  readonly samples: readonly Sample[]
  /** The value that stands under exactly these labels; undefined: there is none. */
  value(name: string, labels?: Readonly<Record<string, string>>): number | undefined
  /** The values of a name, added up over all labels that have these among them. */
  sum(name: string, labels?: Readonly<Record<string, string>>): number
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (-?[0-9.e+-]+|\+Inf|-Inf|NaN)$/
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(,|$)/y

/**
 * Reads Prometheus' text format (0.0.4).
 *
 * @throws the text is not valid: an unreadable line, a sample without a type, two samples of one series, buckets that do not add up
 */
export function parseExposition(text: string): Exposition {
  expect(text.endsWith('\n')).toBe(true)
  const types: Record<string, string> = {}
  const samples: Sample[] = []
  for (const line of text.split('\n')) {
    if (line === '') continue
    const [, kind, rest] = /^# (HELP|TYPE) (.*)$/.exec(line) ?? []
    if (kind === 'TYPE') addType(types, rest!)
    else if (kind === 'HELP') expect(rest).toMatch(NAME)
    else samples.push(parseSample(line, types))
  }
  const byKey = new Map(samples.map((sample) => [keyOf(sample.name, sample.labels), sample.value]))
  // fewer where two samples are of one series
  expect(byKey.size).toBe(samples.length)
  for (const [name, type] of Object.entries(types)) if (type === 'histogram') requireBuckets(name, samples, byKey)
  return {
    types,
    samples,
    value: (name, labels = {}) => byKey.get(keyOf(name, labels)),
    sum: (name, labels = {}) => {
      const wanted = Object.entries(labels)
      const matching = samples.filter((sample) => sample.name === name && wanted.every(([label, value]) => sample.labels[label] === value))
      return matching.reduce((sum, { value }) => sum + value, 0)
    },
  }
}

function addType(types: Record<string, string>, rest: string): void {
  const [name, type] = rest.split(' ') as [string, string]
  expect(['counter', 'gauge', 'histogram']).toContain(type)
  expect(types[name]).toBeUndefined()
  if (type === 'counter') expect(name).toMatch(/_total$/)
  types[name] = type
}

function parseSample(line: string, types: Readonly<Record<string, string>>): Sample {
  const [, name, labelText = '', value] = SAMPLE.exec(line) ?? []
  if (name === undefined) throw new Error(`not a sample: ${line}`)
  const family = types[name] === undefined ? name.replace(/_(bucket|sum|count)$/, '') : name
  if (types[family] === undefined) throw new Error(`no type before: ${line}`)
  return { name, labels: parseLabels(labelText), value: value === '+Inf' ? Number.POSITIVE_INFINITY : Number(value) }
}

function parseLabels(text: string): Record<string, string> {
  const labels: Record<string, string> = {}
  LABEL.lastIndex = 0
  while (LABEL.lastIndex < text.length) {
    const match = LABEL.exec(text)
    if (match === null) throw new Error(`not labels: ${text}`)
    expect(labels[match[1]!]).toBeUndefined()
    labels[match[1]!] = match[2]!.replaceAll(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped))
  }
  return labels
}

function requireBuckets(name: string, samples: readonly Sample[], byKey: ReadonlyMap<string, number>): void {
  const counts = new Map<string, number>()
  for (const { labels, value } of samples.filter((sample) => sample.name === `${name}_bucket`)) {
    const { le, ...others } = labels
    const key = keyOf(name, others)
    expect(value).toBeGreaterThanOrEqual(counts.get(key) ?? 0)
    counts.set(key, value)
    if (le === '+Inf') expect(byKey.get(keyOf(`${name}_count`, others))).toBe(value)
  }
}

function keyOf(name: string, labels: Readonly<Record<string, string>>): string {
  return `${name}${JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)))}`
}
