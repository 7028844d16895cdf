import type { StandardSchemaV1 } from '@standard-schema/spec'
import { ConfigurationError } from '../errors.js'
import type { JsonSchema } from '../model/field-json-schema.js'
import { isPlainObject, kindOf } from '../model/value-kind.js'
import { nearestName, requireKnownNames } from '../nearest-name.js'
import { parseOptions } from '../query/call-input.js'
import { InputIssues } from '../query/input-issues.js'
import type { CallOptions } from '../query/query-plan.js'
import type { SqlResult, SqlRunner, SqlStatementText } from '../query/sql-statement.js'
import { ownNode, requireSchema } from './define-node.js'
import type { AnyCall, Effect, Node } from './node.js'
import type { NodeHost, Unbound } from './node-host.js'
import { jsonSchemaOfStandard, type SchemaInput, type SchemaOutput, validated } from './node-schema.js'
import { rememberSource } from './node-source.js'
import { streamedRows } from './streamed-rows.js'

/** `all`: the rows, as a list. `one`: the first row, or null. `stream`: the rows one by one. `execute`: how many rows it changed. */
export type SqlFetch = 'all' | 'one' | 'stream' | 'execute'

/** A statement of the application's as a node. */
export interface SqlNodeDefinition<P, R, F> {
  /** A letter, then letters, digits and underscores; unique in its database. */
  readonly name: string
  /** One statement. `:name` stands for the value of that name in the input, and is bound, never pasted. */
  readonly sql: string
  /** Any Standard Schema that the input, an object of the values by name, must pass. Default: an object is taken as it is. */
  readonly params?: P
  /** The same for each row. Default: rows are taken as they are. */
  readonly result?: R
  /**
   * Default `'all'`. `'stream'` gives an async iterable, and takes a connection from its first row until its end, however that comes about;
   * rows are asked for as they are taken. For statements that read.
   */
  readonly fetch?: F
  /** What it does to the world. Default: `'read'` where its words are those of a read, else `'write'`. */
  readonly effect?: Effect
  /** Most milliseconds for a call that does not say; it is then stopped on the server. Default: none. */
  readonly timeoutMs?: number
}

type RowOf<R> = R extends StandardSchemaV1 ? SchemaOutput<R> : Record<string, unknown>
type ParamsOf<P> = P extends StandardSchemaV1 ? SchemaInput<P> : Readonly<Record<string, unknown>>
/** What a statement gives; of a stream, each piece. */
export type SqlOutput<R, F> = F extends 'stream'
  ? RowOf<R>
  : F extends 'one'
    ? RowOf<R> | null
    : F extends 'execute'
      ? { affectedRows: number }
      : RowOf<R>[]
/** The call of a node that {@link sqlNode} describes. */
export type SqlCall<P, R, F> = undefined extends P
  ? (input?: ParamsOf<P>, options?: CallOptions) => SqlAnswer<R, F>
  : (input: ParamsOf<P>, options?: CallOptions) => SqlAnswer<R, F>
type SqlAnswer<R, F> = F extends 'stream' ? AsyncGenerator<RowOf<R>, void, undefined> : Promise<SqlOutput<R, F>>

/** A node of a statement: `sql` is its text, with the engine's placeholders. */
export type SqlNode<P, R, F> = Node<SqlCall<P, R, F>> & { readonly sql: string }

const ENTRIES = ['name', 'sql', 'params', 'result', 'fetch', 'effect', 'timeoutMs']
const FETCHES: readonly SqlFetch[] = ['all', 'one', 'stream', 'execute']

/**
 * Describes a statement as a node. `db.register` makes the node, and says what is wrong with the statement.
 *
 * ```ts
 * const topSpenders = db.register(sqlNode({
 *   name: 'TopSpenders',
 *   sql: 'select name, sum(total) as spent from orders group by name having sum(total) >= :least',
 *   params: z.object({ least: z.number() }),
 *   result: z.object({ name: z.string(), spent: z.coerce.number() }),
 * }))
 * await topSpenders({ least: 1_000 })
 * ```
 *
 * @throws {ConfigurationError} an entry of the definition is unknown, missing or of the wrong kind
 */
export function sqlNode<
  const P extends StandardSchemaV1 | undefined = undefined,
  const R extends StandardSchemaV1 | undefined = undefined,
  const F extends SqlFetch = 'all',
>(definition: SqlNodeDefinition<P, R, F>): Unbound<SqlNode<P, R, F>> {
  requireKnownNames('sqlNode', definition, ENTRIES)
  const { name, sql, params, result, fetch } = definition
  if (typeof sql !== 'string') throw new ConfigurationError('sqlNode.sql', `expected a text, got ${kindOf(sql)}`)
  if (fetch !== undefined && !FETCHES.includes(fetch))
    throw new ConfigurationError('sqlNode.fetch', `expected one of ${FETCHES.join(', ')}`)
  requireSchema('sqlNode.params', params)
  requireSchema('sqlNode.result', result)
  return { name, bindTo: (host) => boundNode(definition, host) as SqlNode<P, R, F> }
}

type AnyDefinition = SqlNodeDefinition<StandardSchemaV1 | undefined, StandardSchemaV1 | undefined, SqlFetch>

function boundNode(definition: AnyDefinition, { statements }: NodeHost): Node {
  const { name, params, result, fetch = 'all', timeoutMs } = definition
  const parsed = parsedFor(definition, statements)
  const effect = definition.effect ?? (parsed.isRead ? 'read' : 'write')
  const text = { ...parsed, isRead: effect === 'read' }
  const inputSchema = params === undefined ? openSchema(parsed.names) : jsonSchemaOfStandard(params, 'input')
  requireDeclared(name, parsed.names, inputSchema)
  const isStream = fetch === 'stream'
  if (isStream && effect !== 'read')
    throw new ConfigurationError(`sqlNode ${name}`, "fetch 'stream' is for statements that read; say effect: 'read' if this one does")
  const checked = async (input: unknown = {}, options?: unknown) => {
    const issues = new InputIssues(name, 'input')
    const limits = parseOptions(timeoutMs === undefined || isLimited(options) ? options : { ...(options as object), timeoutMs }, issues)
    if (!isPlainObject(input)) issues.add([], `expected an object, got ${kindOf(input)}`)
    issues.throwIfAny()
    const values = (await validated(name, 'input', params, input)) as Record<string, unknown>
    return { values, limits }
  }
  const call: AnyCall = isStream
    ? (input, options) => {
        const start = async () => {
          const { values, limits } = await checked(input, options)
          return { limits, batches: statements.batches(name, text, values, limits) }
        }
        return streamedRows({ name, schema: result, start })
      }
    : async (input, options) => {
        const { values, limits } = await checked(input, options)
        return resultOf(name, fetch, result, await statements.run(name, text, values, limits))
      }
  const schemas = () => ({ input: inputSchema, output: outputSchema(fetch, jsonSchemaOfStandard(result, 'output')) })
  const node = ownNode({ name, effect, operation: 'sql', isStream }, call, schemas)
  rememberSource(node, { tokens: parsed.tokens })
  return Object.defineProperty(node, 'sql', { value: parsed.sql, enumerable: true })
}

function parsedFor({ name, sql }: AnyDefinition, statements: SqlRunner): SqlStatementText {
  try {
    return statements.parse(sql)
  } catch (error) {
    throw new ConfigurationError(`sqlNode ${name}`, (error as Error).message, { cause: error })
  }
}

/** Refuses a name in the statement that the schema of its values does not have. */
function requireDeclared(node: string, names: readonly string[], { properties }: { readonly properties?: unknown }): void {
  if (!isPlainObject(properties)) return
  const declared = Object.keys(properties)
  const unknown = names.find((name) => !declared.includes(name))
  if (unknown === undefined) return
  const near = nearestName(unknown, declared)
  const hint = near === undefined ? '' : `; did you mean :${near}?`
  throw new ConfigurationError(`sqlNode ${node}`, `:${unknown} is not among its params, ${declared.join(', ')}${hint}`)
}

function isLimited(options: unknown): boolean {
  return isPlainObject(options) && options.timeoutMs !== undefined
}

async function resultOf(
  node: string,
  fetch: SqlFetch,
  schema: StandardSchemaV1 | undefined,
  { rows, affectedRows }: SqlResult,
): Promise<unknown> {
  if (fetch === 'execute') return { affectedRows }
  if (fetch === 'one') return rows[0] === undefined ? null : validated(node, 'result', schema, rows[0])
  return schema === undefined ? rows : Promise.all(rows.map((row) => validated(node, 'result', schema, row)))
}

function openSchema(names: readonly string[]) {
  return { type: 'object', properties: Object.fromEntries(names.map((name) => [name, {}])), required: [...new Set(names)] }
}

function outputSchema(fetch: SqlFetch, row: JsonSchema): JsonSchema {
  if (fetch === 'one') return { anyOf: [row, { type: 'null' }] }
  if (fetch === 'all') return { type: 'array', items: row }
  if (fetch === 'stream') return row
  return { type: 'object', properties: { affectedRows: { type: 'integer', minimum: 0 } }, required: ['affectedRows'] }
}
