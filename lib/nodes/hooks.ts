import { ConfigurationError } from '../errors.js'
import type { NewRow } from '../model/create-types.js'
import type { ModelClass } from '../model/model-definition.js'
import type { Row } from '../model/row-types.js'
import { isPlainObject, kindOf } from '../model/value-kind.js'
import { isView } from '../model/view.js'
import { requireKnownNames } from '../nearest-name.js'
import type { BoundModel } from '../query/bound-model.js'
import { limitsOf } from '../query/call-input.js'
import { InputIssues } from '../query/input-issues.js'
import type { PlanRunner } from '../query/query-plan.js'
import type {
  BulkCreateInput,
  BulkCreateResult,
  BulkUpdateInput,
  BulkUpsertInput,
  BulkUpsertResult,
  BulkWhere,
  ClaimInput,
  CountResult,
  DeleteRowInput,
  KeyInput,
  UpdateRowInput,
  UpsertInput,
  UpsertResult,
} from './model-nodes.js'

/** What a hook is told of the call that it stands around. */
export interface HookedCall<Input, Nodes> {
  /** Such as `UserCreateNode`. */
  readonly node: string
  readonly model: string
  readonly operation: string
  /**
   * As the caller, or the hook before this one, gave it: not yet checked. A frozen copy, down to the rows of a list: a hook that wants
   * another input returns one.
   */
  readonly input: Readonly<Input>
  /** The nodes of the database, for what is to be read or written with it. */
  readonly nodes: Nodes
}

/** Runs before a write. What it returns takes the place of the input, and is checked like any other. */
// biome-ignore lint/suspicious/noConfusingVoidType: a hook that returns nothing leaves the input as it is
export type BeforeHook<Input, Nodes> = (call: HookedCall<Input, Nodes>) => Input | void | Promise<Input | void>

/** Runs after a write, in its transaction. Rows are whole in it, whatever the caller selects. */
export type AfterHook<Input, Output, Nodes> = (call: HookedCall<Input, Nodes> & { readonly output: Output }) => void | Promise<void>

/** What runs before and after an operation: one function, or several in their order. */
export interface OperationHooks<Input, Output, Nodes> {
  readonly before?: BeforeHook<Input, Nodes> | readonly BeforeHook<Input, Nodes>[]
  readonly after?: AfterHook<Input, Output, Nodes> | readonly AfterHook<Input, Output, Nodes>[]
}

/** The hooks of a model, by operation. What an operation does to rows of other models, or of this one beside its own, calls none. */
export interface ModelHooks<M, Nodes> {
  readonly create?: OperationHooks<NewRow<M>, Row<M>, Nodes>
  readonly update?: OperationHooks<UpdateRowInput<M>, Row<M>, Nodes>
  readonly delete?: OperationHooks<DeleteRowInput<M>, Row<M>, Nodes>
  readonly restore?: OperationHooks<KeyInput<M>, Row<M>, Nodes>
  readonly upsert?: OperationHooks<UpsertInput<M>, UpsertResult<Row<M>>, Nodes>
  readonly bulkCreate?: OperationHooks<BulkCreateInput<M>, BulkCreateResult<Row<M>>, Nodes>
  readonly bulkUpdate?: OperationHooks<BulkUpdateInput<M>, CountResult, Nodes>
  readonly bulkDelete?: OperationHooks<BulkWhere<M>, CountResult, Nodes>
  readonly bulkUpsert?: OperationHooks<BulkUpsertInput<M>, BulkUpsertResult, Nodes>
  readonly claim?: OperationHooks<ClaimInput<M>, readonly Row<M>[], Nodes>
}

const HOOKED: readonly (keyof ModelHooks<object, unknown>)[] = [
  'create',
  'update',
  'delete',
  'restore',
  'upsert',
  'bulkCreate',
  'bulkUpdate',
  'bulkDelete',
  'bulkUpsert',
  'claim',
]

/** The hooks of an operation where its types are not known. */
export type AnyHooks = OperationHooks<unknown, unknown, unknown>

/**
 * Checks the hooks of a database's options.
 *
 * @param models its models, by their names in code
 * @throws {ConfigurationError} a name is unknown or that of a view, or what stands there is no function
 */
export function checkHooks(hooks: unknown, models: Readonly<Record<string, ModelClass>>): void {
  if (hooks === undefined) return
  requireObject('hooks', hooks)
  requireKnownNames('hooks', hooks, Object.keys(models))
  for (const [model, operations] of Object.entries(hooks)) {
    const path = `hooks.${model}`
    if (isView(models[model]!)) throw new ConfigurationError(path, 'a view is never written')
    requireObject(path, operations)
    requireKnownNames(path, operations, HOOKED)
    for (const [operation, moments] of Object.entries(operations)) checkMoments(`${path}.${operation}`, moments)
  }
}

function checkMoments(path: string, moments: unknown): void {
  requireObject(path, moments)
  requireKnownNames(path, moments, ['before', 'after'])
  for (const [moment, given] of Object.entries(moments)) {
    const isHooks = listOf(given).every((hook) => typeof hook === 'function')
    if (!isHooks) throw new ConfigurationError(`${path}.${moment}`, 'expected a function, or a list of functions')
  }
}

function requireObject(path: string, value: unknown): asserts value is Record<string, unknown> {
  if (!isPlainObject(value)) throw new ConfigurationError(path, `expected an object, got ${kindOf(value)}`)
}

/** The call of a node that hooks stand around. */
export interface HookedRun {
  readonly operation: string
  readonly hooks: AnyHooks
  /** The nodes of the database; asked for when all of them are made. */
  readonly nodes: () => unknown
  readonly run: (input: unknown, options: unknown) => Promise<unknown>
}

/** Runs a write with the hooks before and after it, all in one transaction: what any of them throws undoes it. */
export async function runHooked(
  model: BoundModel,
  runner: PlanRunner,
  hooked: HookedRun,
  input: unknown,
  options: unknown,
): Promise<unknown> {
  const { operation, hooks, nodes, run } = hooked
  const { name } = model.definition
  refuseChunks(name, operation, options)
  const node = model.labelOf(operation)
  const call = { node, model: name, operation, nodes: nodes() }
  const work = async () => {
    let current = frozen(input)
    for (const before of listOf(hooks.before)) {
      const changed = await before({ ...call, input: current })
      if (changed !== undefined) current = frozen(changed)
    }
    const output = await run(current, options)
    for (const after of listOf(hooks.after)) await after({ ...call, input: current, output })
    return output
  }
  return runner.transaction(node, work, limitsOf(options))
}

/** The input, what stands in it, and the rows of a list. */
const FROZEN_LEVELS = 3

/** The caller's own object stays as it is, and the call means the same when it is repeated. Bounded: nothing is checked yet. */
function frozen(value: unknown, levels = FROZEN_LEVELS): Readonly<unknown> {
  if (levels === 0) return value as Readonly<unknown>
  if (Array.isArray(value)) return Object.freeze(value.map((entry) => frozen(entry, levels - 1)))
  if (!isPlainObject(value)) return value as Readonly<unknown>
  const copy = { ...value }
  for (const name of Object.keys(copy)) copy[name] = frozen(copy[name], levels - 1)
  return Object.freeze(copy)
}

function refuseChunks(model: string, operation: string, options: unknown): void {
  if (!isPlainObject(options) || options.transaction !== false) return
  const issues = new InputIssues(model, operation)
  issues.add(['options', 'transaction'], 'is one with the hooks of the operation: leave it out')
  issues.throwIfAny()
}

function listOf<T>(given: T | readonly T[] | undefined): readonly T[] {
  if (given === undefined) return []
  return Array.isArray(given) ? given : [given as T]
}
