import type { StandardSchemaV1 } from '@standard-schema/spec'
import { eitherSignal } from '../abort.js'
import { LONGEST_TIMER_MS } from '../deadline.js'
import { ConfigurationError, QueryTimeoutError } from '../errors.js'
import { nodeEvents } from '../events.js'
import type { NodeSchemas } from '../model/json-schema.js'
import { kindOf } from '../model/value-kind.js'
import { requireKnownNames } from '../nearest-name.js'
import { parseOptions } from '../query/call-input.js'
import { InputIssues } from '../query/input-issues.js'
import type { CallOptions } from '../query/query-plan.js'
import { type AnyCall, describeNode, type Effect, type Node, observeNode, observeStream } from './node.js'
import { jsonSchemaOfStandard, type SchemaInput, type SchemaOutput, validated } from './node-schema.js'

/** What a node's function is told beside its input. */
export interface NodeContext {
  /** Aborted when the caller gives up, or when its `timeoutMs` has passed; undefined where neither can be. */
  readonly signal: AbortSignal | undefined
}

/** A node of the application's own. */
export interface NodeDefinition<I, O, R> {
  /** A letter, then letters, digits and underscores; unique in its database. */
  readonly name: string
  /** What it does to the world: whatever it does beside this database is `external`, and cannot be rolled back. */
  readonly effect: Effect
  /** Any Standard Schema (zod, valibot, arktype) that the input must pass. Default: anything is taken. */
  readonly input?: I
  /** The same for what it gives. Default: anything. */
  readonly output?: O
  readonly run: (input: SchemaOutput<I>, context: NodeContext) => R | Promise<R>
}

/** The call of a node that {@link defineNode} makes. */
export type DefinedCall<I, O, R> = (
  input: SchemaInput<I>,
  options?: CallOptions,
) => Promise<O extends StandardSchemaV1 ? SchemaOutput<O> : R>

const NAME = /^[A-Za-z]\w{0,99}$/

/**
 * Makes a node of a function: what services call, workflows compose, metrics name and channels project. Give it to `db.register` for
 * those that look for it by name.
 *
 * ```ts
 * const charge = defineNode({
 *   name: 'ChargeCard', effect: 'external', input: z.object({ cents: z.int() }), output: z.object({ chargeId: z.string() }),
 *   run: async ({ cents }, { signal }) => bank.charge(cents, { signal }),
 * })
 * ```
 *
 * A call throws `ValidationError` before `run` where the input does not pass, and after it where the output does not.
 *
 * @throws {ConfigurationError} an entry of the definition is unknown, missing or of the wrong kind
 */
export function defineNode<
  R,
  const I extends StandardSchemaV1 | undefined = undefined,
  const O extends StandardSchemaV1 | undefined = undefined,
>(definition: NodeDefinition<I, O, R>): Node<DefinedCall<I, O, R>> {
  requireKnownNames('node', definition, ['name', 'effect', 'input', 'output', 'run'])
  const { name, effect, input, output, run } = definition
  if (typeof run !== 'function') throw new ConfigurationError('node.run', `expected a function, got ${kindOf(run)}`)
  requireSchema('node.input', input)
  requireSchema('node.output', output)
  const call = async (given: unknown, options?: unknown) => {
    const value = input === undefined ? given : await validated(name, 'input', input, given)
    const result = await inTime(name, options, (signal) => run(value as SchemaOutput<I>, { signal }))
    return output === undefined ? result : validated(name, 'output', output, result)
  }
  const schemas = () => ({ input: jsonSchemaOfStandard(input, 'input'), output: jsonSchemaOfStandard(output, 'output') })
  return ownNode({ name, effect, operation: 'run' }, call, schemas) as Node<DefinedCall<I, O, R>>
}

/** A node that belongs to no model, and tells of its calls as others do. */
export function ownNode({ name, effect, operation, isStream = false }: OwnDescription, call: AnyCall, schemas: () => NodeSchemas): Node {
  if (typeof name !== 'string' || !NAME.test(name)) {
    throw new ConfigurationError('node.name', 'expected a letter, then letters, digits or underscores, 100 at most')
  }
  if (!EFFECTS.includes(effect)) throw new ConfigurationError('node.effect', `expected one of ${EFFECTS.join(', ')}`)
  const description = { name, model: undefined, operation, effect, isStream }
  const observed: AnyCall = (input, options) => {
    if (!nodeEvents.hasSubscribers) return call(input, options)
    return isStream
      ? observeStream(description, call(input, options) as AsyncGenerator<unknown, void, undefined>)
      : observeNode(description, () => call(input, options))
  }
  let known: NodeSchemas | undefined
  return describeNode(observed, description, () => {
    known ??= schemas()
    return known
  })
}

interface OwnDescription {
  readonly name: string
  readonly effect: Effect
  readonly operation: string
  /** Default false. */
  readonly isStream?: boolean
}

const EFFECTS: readonly Effect[] = ['read', 'write', 'external']

export function requireSchema(option: string, schema: StandardSchemaV1 | undefined): void {
  if (schema === undefined || typeof (schema as Partial<StandardSchemaV1>)['~standard']?.validate === 'function') return
  throw new ConfigurationError(option, `expected a Standard Schema, got ${kindOf(schema)}`)
}

/** Runs `fn` with a signal that ends it in time, where the options of the call ask for that. */
async function inTime(name: string, options: unknown, fn: (signal: AbortSignal | undefined) => unknown): Promise<unknown> {
  if (options === undefined) return fn(undefined)
  const issues = new InputIssues(name, 'call')
  const { signal, deadline } = parseOptions(options, issues)!
  issues.throwIfAny()
  signal?.throwIfAborted()
  if (deadline === Number.POSITIVE_INFINITY) return fn(signal)
  const clock = new AbortController()
  const late = () => clock.abort(new QueryTimeoutError(`${name} ran past its timeoutMs`))
  const timer = setTimeout(late, Math.min(deadline - performance.now(), LONGEST_TIMER_MS))
  const either = signal === undefined ? undefined : eitherSignal(signal, clock.signal)
  try {
    return await fn(either?.signal ?? clock.signal)
  } finally {
    clearTimeout(timer)
    either?.end()
  }
}
