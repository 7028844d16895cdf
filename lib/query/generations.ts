/** Most entries of one generation: more shapes than an application writes, a bound for one that builds filters freely. */
const GENERATION_SIZE = 500

/** A bounded map. Two generations: what was not asked for during a whole one is forgotten. */
export class Generations<T> {
  #young = new Map<string, T>()
  #old = new Map<string, T>()

  get(key: string): T | undefined {
    const young = this.#young.get(key)
    if (young !== undefined) return young
    const old = this.#old.get(key)
    if (old !== undefined) this.set(key, old)
    return old
  }

  set(key: string, value: T): void {
    if (this.#young.size >= GENERATION_SIZE) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, value)
  }
}
