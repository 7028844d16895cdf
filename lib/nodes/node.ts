import { nodeEvents } from '../events.js'
import type { JsonSchema } from '../model/field-json-schema.js'
import type { NodeSchemas } from '../model/json-schema.js'
import { withoutValues } from '../query/debug-values.js'

/** What a node does to the world. */
export type Effect = 'read' | 'write' | 'external'

/** What is known of a node without running it: for logs, metrics, workflows and channels. */
export interface NodeDescription {
  /** Unique in its database, such as `UserCreateNode`. */
  readonly name: string
  /** The model it works on; undefined for a node of the application's own. */
  readonly model: string | undefined
  /** What it does to the model, such as `create`; of others `sql`, `run` or `workflow`. */
  readonly operation: string
  readonly effect: Effect
  /** It gives its output piece by piece: an async iterable in place of a promise. */
  readonly isStream: boolean
  /** JSON Schema (draft 2020-12) of the input, for outsiders: redacted fields can be set and not asked for. */
  readonly inputSchema: JsonSchema
  /** JSON Schema (draft 2020-12) of what it resolves to, redacted fields left out; of a stream, of each piece. */
  readonly outputSchema: JsonSchema
}

/** A described async function: called as it is, or by `run`. */
export type Node<Call extends (...args: never[]) => Promise<unknown> | AsyncIterable<unknown> = AnyCall> = Call &
  NodeDescription & { readonly run: Call }

/** A node's call where its types are not known. */
export type AnyCall = (input: unknown, options?: unknown) => Promise<unknown> | AsyncIterable<unknown>

/** Runs a node's work and publishes how it went. */
export async function observeNode(
  description: Omit<NodeDescription, 'inputSchema' | 'outputSchema'>,
  start: () => unknown,
): Promise<unknown> {
  const { name: node, model, operation, effect } = description
  const startedMs = performance.now()
  const publish = (error: Error | undefined) => {
    nodeEvents.publish({ node, model, operation, effect, durationMs: performance.now() - startedMs, error })
  }
  try {
    const output = await start()
    publish(undefined)
    return output
  } catch (error) {
    publish(withoutValues(error as Error))
    throw error
  }
}

/** As {@link observeNode}, for what comes piece by piece: the time in which the caller uses a piece does not count. */
export async function* observeStream(
  description: Omit<NodeDescription, 'inputSchema' | 'outputSchema'>,
  pieces: AsyncIterator<unknown>,
): AsyncGenerator<unknown, void, undefined> {
  const { name: node, model, operation, effect } = description
  let durationMs = 0
  let error: Error | undefined
  try {
    for (;;) {
      const startedMs = performance.now()
      const next = await pieces.next().finally(() => {
        durationMs += performance.now() - startedMs
      })
      if (next.done === true) return
      yield next.value
    }
  } catch (thrown) {
    error = withoutValues(thrown as Error)
    throw thrown
  } finally {
    await pieces.return?.()
    nodeEvents.publish({ node, model, operation, effect, durationMs, error })
  }
}

/** Makes a node of a function and its description. The schemas are made when they are first asked for. */
export function describeNode(
  call: AnyCall,
  description: Omit<NodeDescription, 'inputSchema' | 'outputSchema'>,
  schemas: () => NodeSchemas,
): Node {
  const fixed = Object.entries(description).map(([name, value]) => [name, { value, enumerable: true }])
  return Object.defineProperties(call, {
    ...Object.fromEntries(fixed),
    run: { value: call, enumerable: false },
    inputSchema: { get: () => schemas().input, enumerable: true },
    outputSchema: { get: () => schemas().output, enumerable: true },
  }) as Node
}
