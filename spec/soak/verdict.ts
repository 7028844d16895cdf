/** What a look at the process and its server gave, while no call ran. */
export interface Sample {
  readonly atMinute: number
  /** After garbage was collected. */
  readonly heapMiB: number
  readonly rssMiB: number
  /** Undefined where the system does not tell. */
  readonly descriptors: number | undefined
  /** Kept prepared by the server; undefined where there is none. */
  readonly statements: number | undefined
}

/** Samples before this one show how caches fill. */
export const WARM_UP_MINUTES = 2
/** A line through fewer samples says nothing. */
const LEAST_SAMPLES = 6

/** What may grow by less than so much a minute, which is the noise of an otherwise flat line. */
const LIMITS = [
  { name: 'heap after garbage collection', unit: 'MiB', perMinute: 0.5, of: ({ heapMiB }) => heapMiB },
  { name: 'file descriptors', unit: 'descriptors', perMinute: 1, of: ({ descriptors }) => descriptors },
  { name: 'prepared statements', unit: 'statements', perMinute: 10, of: ({ statements }) => statements },
] as const satisfies readonly { name: string; unit: string; perMinute: number; of: (sample: Sample) => number | undefined }[]

/** So many standard errors beside a measured slope, the true one hardly lies. */
const SURE = 2

/** What a soak came to. */
export interface Verdict {
  /** Whether it went on for long enough to say something of every figure. */
  readonly isJudged: boolean
  /** One line for each figure that grows. */
  readonly complaints: readonly string[]
  /** One line for each figure: how fast it grows. */
  readonly growth: readonly string[]
}

interface Point {
  readonly x: number
  readonly y: number
}

/** Judges the samples after the warm-up: nothing may grow. Where a line goes up too fast, but its points lie too far from it to be sure, more of them are needed. */
export function verdictOn(samples: readonly Sample[]): Verdict {
  const warm = samples.filter(({ atMinute }) => atMinute >= WARM_UP_MINUTES)
  if (warm.length < LEAST_SAMPLES) return { isJudged: false, complaints: [], growth: [] }
  const lines = LIMITS.flatMap(({ name, unit, perMinute, of }) => {
    const points = warm.flatMap((sample) => {
      const value = of(sample)
      return value === undefined ? [] : [{ x: sample.atMinute, y: value }]
    })
    if (points.length < LEAST_SAMPLES) return []
    const { slope, error } = lineThrough(points)
    const text = `${name}: ${slope >= 0 ? '+' : ''}${slope.toFixed(3)} ± ${(SURE * error).toFixed(3)} ${unit} a minute (limit ${perMinute})`
    return [{ text, isTooFast: slope - SURE * error >= perMinute, isFlat: slope < perMinute }]
  })
  return {
    isJudged: lines.every(({ isTooFast, isFlat }) => isTooFast || isFlat),
    complaints: lines.filter(({ isTooFast }) => isTooFast).map(({ text }) => text),
    growth: lines.map(({ text }) => text),
  }
}

/** The line that lies nearest to all points, by least squares: its slope, and the slope's standard error. */
function lineThrough(points: readonly Point[]): { readonly slope: number; readonly error: number } {
  const mean = (of: (point: Point) => number) => points.reduce((sum, point) => sum + of(point), 0) / points.length
  const meanX = mean(({ x }) => x)
  const meanY = mean(({ y }) => y)
  const spread = mean(({ x }) => (x - meanX) ** 2)
  const slope = mean(({ x, y }) => (x - meanX) * (y - meanY)) / spread
  const scatter = mean(({ x, y }) => (y - meanY - slope * (x - meanX)) ** 2)
  return { slope, error: Math.sqrt(scatter / spread / (points.length - 2)) }
}
