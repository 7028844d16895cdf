/** What stands for every value that came when there was no room for one more. */
const OTHER = 'other'

/** The values that one label may take: so many and no more, since each is a time series of its own for as long as anybody keeps them. */
export class LabelValues {
  readonly #known = new Set<string>()
  readonly #limit: number

  constructor(limit: number) {
    this.#limit = limit
  }

  /** The value, or `other` where there are enough already. */
  of(value: string): string {
    if (this.#known.has(value)) return value
    if (this.#known.size >= this.#limit) return OTHER
    this.#known.add(value)
    return value
  }
}
