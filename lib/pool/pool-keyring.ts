import { createHmac, randomBytes } from 'node:crypto'

/** A pool's identity. Both parts may be logged. */
export interface PoolKey {
  /** The same for two configurations exactly when they are the same everywhere. */
  readonly key: string
  /** Such as `postgres:127.0.0.1:5432/shop#3f9a02c7`. */
  readonly name: string
}

/**
 * Makes pool keys. The hash has a random key that never leaves this object: a password cannot be guessed from a pool's name.
 */
export class PoolKeyring {
  readonly #secret = randomBytes(32)
  readonly #ids = new WeakMap<object, number>()
  #lastId = 0

  keyOf(target: string, identity: unknown): PoolKey {
    const key = createHmac('sha256', this.#secret).update(this.#canonical(identity)).digest('hex')
    return { key, name: `${target}#${key.slice(0, 8)}` }
  }

  /** A text that is the same for equal plain values, whatever the order of their keys, and differs for all others. */
  #canonical(value: unknown): string {
    if (typeof value === 'string') return JSON.stringify(value)
    if (typeof value === 'bigint') return `${value}n`
    if (typeof value === 'function') return this.#identified(value)
    if (typeof value !== 'object' || value === null) return String(value)
    if (Array.isArray(value)) return `[${value.map((element) => this.#canonical(element)).join()}]`
    if (value instanceof Date) return `date ${value.getTime()}`
    if (value instanceof Uint8Array) return `bytes ${Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('hex')}`
    if (isPlain(value)) return this.#canonicalObject(value)
    return this.#identified(value)
  }

  /** A property that is undefined is one that was not given. */
  #canonicalObject(value: object): string {
    const given = Object.entries(value).filter(([, property]) => property !== undefined)
    const sorted = given.sort(([a], [b]) => (a < b ? -1 : 1))
    return `{${sorted.map(([name, property]) => `${JSON.stringify(name)}:${this.#canonical(property)}`).join()}}`
  }

  /** What cannot be read, such as a function that gives passwords, is the same only as itself. */
  #identified(value: object): string {
    const id = this.#ids.get(value) ?? ++this.#lastId
    this.#ids.set(value, id)
    return `object ${id}`
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}
