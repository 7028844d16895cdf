import { AsyncLocalStorage } from 'node:async_hooks'
import { ConfigurationError } from '../errors.js'
import { MAX_ACTOR_LENGTH } from '../model/define-audit.js'
import { kindOf } from '../model/value-kind.js'

/** By whom a call on one database is made, and what is around that. */
interface ActorScope {
  readonly owner: object
  readonly actor: string
  readonly enclosing: ActorScope | undefined
}

const storage = new AsyncLocalStorage<ActorScope>()

/** By whom the calls on one database are made. */
export class Actors {
  /**
   * Runs `fn` so that all calls below it are made by an actor.
   *
   * @throws {ConfigurationError} no text of 1 to 200 characters
   */
  async with<T>(actor: string, fn: () => Promise<T>): Promise<T> {
    if (typeof actor !== 'string' || actor === '' || actor.length > MAX_ACTOR_LENGTH) {
      const got = typeof actor === 'string' ? `one of ${actor.length}` : kindOf(actor)
      throw new ConfigurationError('actor', `expected a text of 1 to ${MAX_ACTOR_LENGTH} characters, got ${got}`)
    }
    return storage.run({ owner: this, actor, enclosing: storage.getStore() }, fn)
  }

  /** Who makes the current call; undefined: nobody has said. */
  get current(): string | undefined {
    let scope = storage.getStore()
    while (scope !== undefined && scope.owner !== this) scope = scope.enclosing
    return scope?.actor
  }
}
