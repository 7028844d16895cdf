import { nodeEvents } from '../events.js'
import { Later } from '../later.js'
import { jsonSchemaOf } from '../model/json-schema.js'
import type { BoundModel } from '../query/bound-model.js'
import { nodeName } from '../query/bound-model.js'
import { createRow } from '../query/create-row.js'
import { deleteMany, deleteOne } from '../query/delete.js'
import { rowExists } from '../query/exists.js'
import { countRows, listRows } from '../query/list.js'
import type { PlanRunner } from '../query/query-plan.js'
import { readOne, readOneOrThrow } from '../query/read.js'
import { streamedLater } from '../query/stream-later.js'
import { updateMany, updateOne } from '../query/update.js'
import { withPart } from '../query/with-part.js'
import type { ModelNodes } from './model-nodes.js'
import { type AnyCall, describeNode, type Effect, type Node, observeNode, observeStream } from './node.js'
import { rememberSource } from './node-source.js'
import { type Run, readCall, type Surroundings, streamedCall, writeCall } from './surrounded-call.js'

/** What a node does: its effect, and the operation it runs. The node's schemas follow from the operation's name. */
interface Operation {
  readonly effect: Effect
  readonly run: (model: BoundModel, runner: PlanRunner, input: unknown, options?: never) => unknown
  /** Whether it gives rows one by one. Default false. */
  readonly isStream?: true
  /** Whether it goes by a key, which a view may lack. Default false. */
  readonly needsKey?: true
}

/** An operation that is loaded when it is first called. */
function later<Part>(name: string, load: () => Promise<Part>, operationOf: (part: Part) => Operation['run']): Operation['run'] {
  const part = new Later(name, load)
  return (model, runner, input, options) =>
    withPart(part, runner, model.labelOf(name), (loaded) => operationOf(loaded)(model, runner, input, options))
}

/**
 * Every operation on a model. A new one is a file in `lib/query` and a row here. Most reads, and changes of one row, are there at once; what
 * fewer applications use is loaded with its first call.
 */
const OPERATIONS: Readonly<Record<keyof ModelNodes<object>, Operation>> = {
  create: { effect: 'write', run: createRow },
  read: { effect: 'read', run: readOne, needsKey: true },
  readOrThrow: { effect: 'read', run: readOneOrThrow, needsKey: true },
  update: { effect: 'write', run: updateOne },
  delete: { effect: 'write', run: deleteOne },
  restore: {
    effect: 'write',
    run: later(
      'restore',
      () => import('../query/restore.js'),
      (part) => part.restoreOne,
    ),
  },
  readMany: {
    effect: 'read',
    run: later(
      'readMany',
      () => import('../query/read-many.js'),
      (part) => part.readRowsByKey,
    ),
    needsKey: true,
  },
  list: { effect: 'read', run: listRows },
  stream: { effect: 'read', run: streamedLater, isStream: true, needsKey: true },
  count: { effect: 'read', run: countRows },
  exists: { effect: 'read', run: rowExists },
  aggregate: {
    effect: 'read',
    run: later(
      'aggregate',
      () => import('../query/aggregate.js'),
      (part) => part.aggregateRows,
    ),
  },
  upsert: {
    effect: 'write',
    run: later(
      'upsert',
      () => import('../query/upsert.js'),
      (part) => part.upsertOne,
    ),
  },
  bulkCreate: {
    effect: 'write',
    run: later(
      'bulkCreate',
      () => import('../query/bulk-create.js'),
      (part) => part.createMany,
    ),
  },
  bulkUpdate: { effect: 'write', run: updateMany },
  bulkDelete: { effect: 'write', run: deleteMany },
  bulkUpsert: {
    effect: 'write',
    run: later(
      'bulkUpsert',
      () => import('../query/bulk-upsert.js'),
      (part) => part.upsertMany,
    ),
  },
  claim: {
    effect: 'write',
    run: later(
      'claim',
      () => import('../query/claim.js'),
      (part) => part.claimRows,
    ),
  },
}

type OperationName = keyof typeof OPERATIONS

/** The nodes of a model, by operation; of a view those that read, and need no key that it does not have. */
export function crudNodes(model: BoundModel, runner: PlanRunner, around: Surroundings): Readonly<Partial<Record<OperationName, Node>>> {
  const names = (Object.keys(OPERATIONS) as OperationName[]).filter((name) => isOffered(model, OPERATIONS[name]))
  return Object.freeze(Object.fromEntries(names.map((name) => [name, crudNode(model, runner, name, around)])))
}

function isOffered({ definition, keys }: BoundModel, { effect, needsKey }: Operation): boolean {
  return !(definition.isView && effect === 'write') && !(needsKey === true && keys.length === 0)
}

function crudNode(model: BoundModel, runner: PlanRunner, operation: OperationName, around: Surroundings): Node {
  const { effect, isStream = false } = OPERATIONS[operation]
  const { name } = model.definition
  const description = { name: nodeName(name, operation), model: name, operation, effect, isStream }
  const start = startOf(model, runner, operation, around)
  const call = isStream ? streamCall(description, start) : promiseCall(description, start)
  const node = describeNode(call, description, () => jsonSchemaOf(model.definition, operation))
  const { table, schema } = model.definition
  rememberSource(node, {
    table: schema === undefined ? table : `${schema}.${table}`,
    runner,
    runOn: (on, input) => OPERATIONS[operation].run(model, on, input),
  })
  return node
}

/** Runs the operation, with what stands around it. */
function startOf(model: BoundModel, runner: PlanRunner, operation: OperationName, around: Surroundings): AnyCall {
  const { effect, run: runOn, isStream = false } = OPERATIONS[operation]
  const run: Run = (on, input, options) => runOn(model, on, input, options as never)
  if (effect === 'write') return writeCall(model, runner, operation, around, run)
  return isStream ? streamedCall(model, runner, operation, run) : readCall(model, runner, operation, around, run)
}

type Description = Parameters<typeof observeNode>[0]

/** A refused input is a rejection like every other failure. Not an async function, which makes a second promise for every call. */
function promiseCall(description: Description, start: AnyCall): AnyCall {
  return (input, options) => {
    if (nodeEvents.hasSubscribers) return observeNode(description, () => start(input, options))
    try {
      const answer: unknown = start(input, options)
      return answer instanceof Promise ? answer : Promise.resolve(answer)
    } catch (error) {
      return Promise.reject(error)
    }
  }
}

/** Rows one by one; of a call that is explained one answer, as of any other node. */
function streamCall(description: Description, start: AnyCall): AnyCall {
  return (input, options) => {
    const answer = start(input, options)
    if (!nodeEvents.hasSubscribers) return answer
    if (answer instanceof Promise) return observeNode(description, () => answer)
    return observeStream(description, answer as AsyncGenerator<unknown, void, undefined>)
  }
}
