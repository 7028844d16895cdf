import fc from 'fast-check'

/** When a wait ends without its lock: never, 10 ms later, at once, or when somebody aborts it. */
export type Limit = 'none' | 'short' | 'late' | 'aborts'

/** Which lock, and its key. */
export type Key = `${0 | 1}:${string}`

/** One step of a call chain; a body's steps run one after the other. */
export type Step =
  | { readonly do: 'pause' | 'throw' }
  | { readonly do: 'hold'; readonly key: Key; readonly limit: Limit; readonly catches: boolean; readonly body: readonly Step[] }
  | { readonly do: 'scope'; readonly registry: 'shared' | 'own'; readonly body: readonly Step[] }
  /** Side by side. What fails fails the whole: at once, as with `Promise.all`, or when all have ended. */
  | { readonly do: 'all'; readonly endsTogether: boolean; readonly branches: readonly (readonly Step[])[] }
  /** Held until the body has ended, or left to the end of the scope. */
  | { readonly do: 'byHand'; readonly key: Key; readonly isReleased: boolean; readonly body: readonly Step[] }
  /** Not awaited. */
  | { readonly do: 'late'; readonly body: readonly Step[] }
  /** On a connection of the pool, or inside another of its owner on its turn. */
  | { readonly do: 'transaction'; readonly owner: number; readonly catches: boolean; readonly body: readonly Step[] }
  /** One that takes a while, in the transaction of its owner where there is one. */
  | { readonly do: 'statement'; readonly owner: number }

/** Call chains that start together, and how their steps are put in order. */
export interface Program {
  readonly chains: readonly (readonly Step[])[]
  /** Where the choices start of which step goes on, among those that could. */
  readonly seed: number
  /** Steps run while others are still on their way; else each has all its effects before the next. */
  readonly isRacing: boolean
  readonly connections: number
}

/** Keys of two locks: the first of each has the same name. */
const key = fc.constantFrom<Key>('0:a', '0:b', '1:a')
const pause: fc.Arbitrary<Step> = fc.constant({ do: 'pause' })
const fails: fc.Arbitrary<Step> = fc.constant({ do: 'throw' })
const catches = fc.boolean()

function steps(isWaiting: fc.Arbitrary<Limit>, others: (body: fc.Arbitrary<readonly Step[]>) => fc.WeightedArbitrary<Step>[]) {
  return fc.letrec<{ body: readonly Step[]; step: Step }>((tie) => {
    const body = tie('body')
    const hold = fc.record({ do: fc.constant('hold' as const), key, limit: isWaiting, catches, body })
    return {
      body: fc.array(tie('step'), { minLength: 1, maxLength: 3, depthIdentifier: 'calls' }),
      step: fc.oneof(
        { depthIdentifier: 'calls', maxDepth: 5 },
        { weight: 1, arbitrary: pause },
        { weight: 8, arbitrary: hold },
        ...others(body),
      ),
    }
  }).body
}

const limit = fc.oneof(
  { weight: 12, arbitrary: fc.constant<Limit>('none') },
  { weight: 1, arbitrary: fc.constantFrom<Limit>('short', 'late', 'aborts') },
)

function programs(body: fc.Arbitrary<readonly Step[]>, isRacing: fc.Arbitrary<boolean>): fc.Arbitrary<Program> {
  return fc.record({
    chains: fc.array(body, { minLength: 1, maxLength: 4 }),
    seed: fc.nat(),
    isRacing,
    connections: fc.integer({ min: 1, max: 3 }),
  })
}

const scope = (body: fc.Arbitrary<readonly Step[]>) =>
  fc.record({ do: fc.constant('scope' as const), registry: fc.constantFrom('shared', 'shared', 'own'), body })

/** Locks and scopes: what is well written, and what gives up. */
const plain = programs(
  steps(limit, (body) => [
    { weight: 1, arbitrary: fails },
    { weight: 1, arbitrary: scope(body) },
    { weight: 2, arbitrary: all(body, fc.boolean()) },
  ]),
  fc.boolean(),
)

/** Holds by hand too, and calls that nobody awaits. */
const careless = programs(
  steps(limit, (body) => [
    { weight: 1, arbitrary: fails },
    { weight: 2, arbitrary: scope(body) },
    { weight: 2, arbitrary: all(body, fc.boolean()) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('byHand' as const), key, isReleased: fc.boolean(), body }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('late' as const), body }) },
  ]),
  fc.boolean(),
)

/** Locks, scopes, holds by hand, and calls that nobody awaits. */
export const lockPrograms: fc.Arbitrary<Program> = fc.oneof(plain, careless)

const owner = fc.constantFrom(0, 0, 1)
const transaction = (body: fc.Arbitrary<readonly Step[]>) => fc.record({ do: fc.constant('transaction' as const), owner, catches, body })

/** Locks, the connections of one pool, and the turns of calls in a transaction. Every call is awaited. */
export const transactionPrograms: fc.Arbitrary<Program> = programs(
  steps(fc.constant('none'), (body) => [
    { weight: 1, arbitrary: fails },
    { weight: 3, arbitrary: all(body, fc.constant(true)) },
    { weight: 4, arbitrary: transaction(body) },
    // what is side by side in a transaction takes turns
    { weight: 6, arbitrary: transaction(fc.tuple(all(body, fc.constant(true)))) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('statement' as const), owner }) },
  ]),
  fc.boolean(),
)

function all(body: fc.Arbitrary<readonly Step[]>, endsTogether: fc.Arbitrary<boolean>): fc.Arbitrary<Step> {
  return fc.record({ do: fc.constant('all' as const), endsTogether, branches: fc.array(body, { minLength: 2, maxLength: 3 }) })
}
