import { ConfigurationError } from './errors.js'

const underWay = new Set<Promise<unknown>>()

/**
 * A part of the package that is loaded when it is first wanted, and not with `import 'latchwork'`: what an application that only reads and
 * writes rows would pay for and never use. The import stands at one place, so that bundlers find it:
 *
 * ```ts
 * const DDL = new Later('PostgreSQL DDL', () => import('./ddl.js'))
 * const { ddl } = await DDL.load()
 * ```
 */
export class Later<Part> {
  readonly #name: string
  readonly #import: () => Promise<Part>
  #part: Part | undefined
  #loading: Promise<Part> | undefined

  /** @param name what it is called where it cannot be loaded */
  constructor(name: string, load: () => Promise<Part>) {
    this.#name = name
    this.#import = load
  }

  /** The part, where it has been loaded: who finds it here needs no promise. */
  get part(): Part | undefined {
    return this.#part
  }

  /**
   * Loads the part, once.
   *
   * @throws {ConfigurationError} it is not there, or cannot be run; the next call tries again
   */
  load(): Promise<Part> {
    if (this.#loading === undefined) {
      const loading = this.#load()
      this.#loading = loading
      underWay.add(loading)
      const done = () => underWay.delete(loading)
      loading.then(done, done)
    }
    return this.#loading
  }

  async #load(): Promise<Part> {
    try {
      this.#part = await this.#import()
      return this.#part
    } catch (cause) {
      this.#loading = undefined
      throw new ConfigurationError(
        'latchwork',
        `its part "${this.#name}" could not be loaded; see that all files of the package are where it runs`,
        { cause },
      )
    }
  }
}

/** Settles when no part is being loaded any more: the calls that waited for one go on before. Undefined where none is. */
export function laterSettled(): Promise<void> | undefined {
  return underWay.size === 0 ? undefined : allSettled()
}

async function allSettled(): Promise<void> {
  while (underWay.size > 0) await Promise.allSettled(underWay)
}
