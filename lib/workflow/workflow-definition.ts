import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { NodeDescription } from '../nodes/node.js'
import type { Graph } from './workflow-graph.js'

/** Anything that a step can run, where its types are not known. */
export type AnyNode = NodeDescription & ((input: never, options?: never) => unknown)

/** What a step's functions see: the input of the run, and the results of other steps by their ids. */
export type AnyContext = Readonly<Record<string, unknown>>

/** How often a step is tried, and how long it rests in between. */
export interface RetryOptions {
  /** Tries in all, the first included. 2 to 100. */
  readonly attempts: number
  /** Most milliseconds of the first pause, which is of random length; each further one may be twice as long. Default 100. */
  readonly delayMs?: number
  /** The longest pause in milliseconds. Default 10,000. */
  readonly maxDelayMs?: number
  /** Whether an error is worth another try. Default: those of the layer that are `retryable`, and all that are not of the layer. */
  readonly when?: (error: unknown) => boolean
}

/** How a step is run, where its types are not known. */
export interface AnyStepOptions {
  readonly after?: readonly string[]
  readonly when?: (context: never) => boolean
  readonly ifSkipped?: 'skip' | 'undefined'
  readonly retry?: RetryOptions
  readonly timeoutMs?: number
  readonly onError?: (error: unknown, context: never) => unknown
  readonly compensate?: (result: never, context: never) => unknown
  readonly compensateItem?: (result: never, context: never, item: never) => unknown
  readonly maxParallel?: number
}

/** A value of one step that goes into the input of another. */
export interface Connection {
  /** A step, or `input`. */
  readonly from: string
  /** Path in its result, such as `row.id`; empty for the whole of it. */
  readonly output: string
  /** Path in the input of the step. */
  readonly to: string
}

/** One step, checked. */
export interface Step {
  readonly id: string
  readonly node: AnyNode
  /** Makes the input; of a step that runs once an item, that of an item. */
  readonly bind: ((context: never, item?: never, index?: number) => unknown) | undefined
  /** Input of a step that is described by data: values, and what comes from other steps. */
  readonly inputs: Readonly<Record<string, unknown>>
  readonly connections: readonly Connection[]
  /** Of a step that runs once an item: the items. */
  readonly items: ((context: never, limits: never) => unknown) | undefined
  readonly options: AnyStepOptions
  /** Steps whose results it takes. */
  readonly results: ReadonlySet<string>
}

/** Steps that run as one piece: one by itself, or those of a transaction. */
export interface Unit {
  readonly steps: readonly Step[]
  /** Of a transaction: the order of its steps. */
  readonly inner: UnitGraph | undefined
  /** It may be run again as a whole: nothing in it reaches beyond the database. */
  readonly isRepeatable: boolean
}

export interface UnitGraph extends Graph {
  readonly units: readonly Unit[]
}

/** What is a transaction: all steps together, each by itself, or these together. */
export type TransactionScope = 'workflow' | 'step' | readonly string[]

/** A workflow, checked. */
export interface WorkflowDefinition {
  readonly name: string
  readonly input: StandardSchemaV1 | undefined
  readonly output: ((context: never) => unknown) | undefined
  readonly transaction: TransactionScope | undefined
  readonly steps: readonly Step[]
  /** By position in `steps`: those that have to end before. */
  readonly needs: readonly (readonly number[])[]
  readonly order: readonly number[]
  readonly graph: UnitGraph
  /** Whether a step of it is in a transaction. */
  readonly needsDatabase: boolean
}

const definitions = new WeakMap<object, WorkflowDefinition>()

/** The definition of a node that is a workflow; undefined of any other. */
export function workflowOf(node: object): WorkflowDefinition | undefined {
  return definitions.get(node)
}

export function rememberWorkflow(node: object, definition: WorkflowDefinition): void {
  definitions.set(node, definition)
}
