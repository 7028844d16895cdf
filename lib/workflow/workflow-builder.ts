import type { StandardSchemaV1 } from '@standard-schema/spec'
import { ConfigurationError, WorkflowDefinitionError, type WorkflowIssue } from '../errors.js'
import { isPlainObject, kindOf } from '../model/value-kind.js'
import { requireKnownNames } from '../nearest-name.js'
import { requireSchema } from '../nodes/define-node.js'
import type { NodeDescription } from '../nodes/node.js'
import type { CallOptions } from '../query/query-plan.js'
import { issue } from './check-steps.js'
import { defineWorkflow } from './define-workflow.js'
import type { NodeSource } from './node-source.js'
import { INPUT, namesReadBy } from './step-context.js'
import type { MapOptions, StepOptions, WorkflowOptions } from './step-options.js'
import type { Workflow } from './workflow.js'
import type { AnyNode, AnyStepOptions, Connection, Step } from './workflow-definition.js'
import { JSON_VERSION, type StepJson, type WorkflowJson } from './workflow-json.js'
import { workflowNode } from './workflow-node.js'

type Callable = NodeDescription & ((input: never, options?: never) => unknown)
/** What a node takes. */
export type NodeInput<N> = N extends (input: infer I, ...more: never[]) => unknown ? I : never
/** An input as it may be written down: a list that stands there is of its very values. */
type Written<In> =
  In extends Exclude<Whole, Iterable<unknown>>
    ? In
    : In extends readonly unknown[]
      ? { readonly [K in keyof In]: Written<In[K]> }
      : In extends Iterable<unknown>
        ? In
        : In extends object
          ? { readonly [K in keyof In]: Written<In[K]> }
          : In
/** Makes the input of a node: literals stay what they are, and an entry that the node does not know is refused. */
type Binding<Given extends unknown[], B, In> = ((...given: Given) => B) & ((...given: Given) => KnownTo<In, B>)
/** An input less what its node does not know. */
type KnownTo<In, B> = unknown extends In
  ? B
  : B extends Whole
    ? B
    : { [K in keyof B]: K extends KeyOf<In> ? KnownTo<ValueAt<In, K>, B[K]> : never }
/** What has no entries of its own to look at. */
type Whole =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Date
  | Iterable<unknown>
  | AsyncIterable<unknown>
  | ((...given: never[]) => unknown)
type KeyOf<T> = T extends unknown ? keyof T : never
type ValueAt<T, K> = T extends unknown ? (K extends keyof T ? T[K] : never) : never
/** What a node resolves to. */
export type NodeOutput<N> = N extends (...given: never[]) => infer O ? Awaited<O> : never

/** What the functions of a step see: `input`, that of the run, and the results of the steps before, by their ids. */
export type StepContext<I, R> = { readonly input: I } & Readonly<R>
/** The same where a step is skipped with those that it takes results from: those that may be skipped are there. */
type PresentContext<I, R, S> = { readonly input: I } & { readonly [K in keyof R]: K extends S ? Exclude<R[K], undefined> : R[K] }
interface Conditional<C> {
  readonly when: (context: C) => boolean
}
interface SkippedWithOthers {
  readonly ifSkipped: 'skip'
}
/** The results with one more. */
export type WithResult<R, Id extends string, Out> = { [K in keyof R | Id]: K extends Id ? Out : K extends keyof R ? R[K] : never }

const ID = /^[A-Za-z_]\w{0,99}$/
const STEP_OPTIONS = ['after', 'when', 'ifSkipped', 'retry', 'timeoutMs', 'onError', 'compensate', 'maxParallel', 'compensateItem']

/**
 * Composes nodes into a workflow.
 *
 * ```ts
 * const signUp = new WorkflowBuilder('signUp', { input: z.object({ email: z.email() }), transaction: 'workflow' })
 *   .add('user', users.create, ({ input }) => ({ email: input.email }))
 *   .add('welcome', posts.create, ({ user }) => ({ authorId: user.id, title: 'Hello' }))
 *   .build()
 * ```
 *
 * `I` is the input as steps see it, `Given` what a run is given, which a schema may make something else of, `R` the results of the steps, `S` those steps that may be skipped, `O` what the workflow gives.
 */
export class WorkflowBuilder<I = Readonly<Record<string, unknown>>, Given = I, R extends object = object, S extends string = never, O = R> {
  readonly #name: string
  readonly #options: WorkflowOptions<StandardSchemaV1 | undefined>
  readonly #nodes: NodeSource | undefined
  readonly #steps = new Map<string, Step>()
  readonly #issues: WorkflowIssue[] = []
  #output: ((context: never) => unknown) | undefined

  /**
   * @param name  of the node that the workflow is: a letter, then letters, digits and underscores
   * @throws {ConfigurationError} an option is unknown or of the wrong kind
   */
  constructor(name: string, options: WorkflowOptions<StandardSchemaV1<Given, I> | undefined> = {}) {
    requireKnownNames('workflow', options, ['input', 'transaction', 'allowExternal', 'nodes'])
    requireSchema('workflow.input', options.input)
    this.#name = name
    this.#options = options
    this.#nodes = options.nodes
  }

  /**
   * Adds a step: `bind` makes the input of a node from the input of the run and the results of steps before. It is called once by
   * {@link add} itself, with values that stand for anything, to learn which results it reads: it should do nothing else.
   */
  add<const Id extends string, N extends Callable, const B extends Written<NodeInput<N>>>(
    id: Id,
    node: N,
    bind: Binding<[context: PresentContext<I, R, S>], B, NodeInput<N>>,
    options: StepOptions<PresentContext<I, R, S>, NodeOutput<N>> & SkippedWithOthers,
  ): WorkflowBuilder<I, Given, WithResult<R, Id, NodeOutput<N> | undefined>, S | Id>
  add<const Id extends string, N extends Callable, const B extends Written<NodeInput<N>>>(
    id: Id,
    node: N,
    bind: Binding<[context: StepContext<I, R>], B, NodeInput<N>>,
    options: StepOptions<StepContext<I, R>, NodeOutput<N>> & Conditional<StepContext<I, R>>,
  ): WorkflowBuilder<I, Given, WithResult<R, Id, NodeOutput<N> | undefined>, S | Id>
  add<const Id extends string, N extends Callable, const B extends Written<NodeInput<N>>>(
    id: Id,
    node: N,
    bind: Binding<[context: StepContext<I, R>], B, NodeInput<N>>,
    options?: StepOptions<StepContext<I, R>, NodeOutput<N>>,
  ): WorkflowBuilder<I, Given, WithResult<R, Id, NodeOutput<N>>, S>
  add(id: string, node: Callable, bind: (context: never) => unknown, options: object = {}): unknown {
    return this.#add({ id, node: node as AnyNode, bind, items: undefined, inputs: {}, connections: [], options })
  }

  /**
   * Adds a step that runs once for each item of a list, or of what else can be iterated, at most `maxParallel` (8) side by side. Its result is
   * the list of results, in the order of the items. `items` is given the limits of the run too, for a stream to be stopped with it. `retry`,
   * `timeoutMs` and `onError` are those of each item.
   */
  map<const Id extends string, N extends Callable, T, const B extends Written<NodeInput<N>>>(
    id: Id,
    node: N,
    items: (context: StepContext<I, R>, limits: CallOptions) => Iterable<T> | AsyncIterable<T>,
    bind: Binding<[item: T, context: StepContext<I, R>, index: number], B, NodeInput<N>>,
    options: MapOptions<StepContext<I, R>, NodeOutput<N>, NoInfer<T>> & (Conditional<StepContext<I, R>> | SkippedWithOthers),
  ): WorkflowBuilder<I, Given, WithResult<R, Id, NodeOutput<N>[] | undefined>, S | Id>
  map<const Id extends string, N extends Callable, T, const B extends Written<NodeInput<N>>>(
    id: Id,
    node: N,
    items: (context: StepContext<I, R>, limits: CallOptions) => Iterable<T> | AsyncIterable<T>,
    bind: Binding<[item: T, context: StepContext<I, R>, index: number], B, NodeInput<N>>,
    options?: MapOptions<StepContext<I, R>, NodeOutput<N>, NoInfer<T>>,
  ): WorkflowBuilder<I, Given, WithResult<R, Id, NodeOutput<N>[]>, S>
  map(
    id: string,
    node: Callable,
    items: (context: never, limits: never) => Iterable<unknown>,
    bind: (item: never, context: never, index: number) => unknown,
    options: object = {},
  ): unknown {
    const perItem = (context: never, item?: never, index?: number) => bind(item as never, context, index as number)
    return this.#add({ id, node: node as AnyNode, bind: perItem, items, inputs: {}, connections: [], options })
  }

  /** Adds a step by data: the node or its name, and values of its input. What comes from other steps {@link addConnection} says. */
  addNode<const Id extends string>(
    node: string | Callable,
    id: Id,
    inputs: Readonly<Record<string, unknown>> = {},
    options: Pick<AnyStepOptions, 'after' | 'ifSkipped' | 'retry' | 'timeoutMs'> = {},
  ): WorkflowBuilder<I, Given, WithResult<R, Id, unknown>, S> {
    if (!isPlainObject(inputs)) this.#issues.push(issue('WRONG_INPUT', id, `inputs: expected an object, got ${kindOf(inputs)}`))
    const found = typeof node === 'string' ? this.#named(node, id) : (node as AnyNode)
    if (found !== undefined) this.#add({ id, node: found, bind: undefined, items: undefined, inputs, connections: [], options })
    return this as never
  }

  /** Puts a value of one step, or of `input`, into the input of another. Paths are names joined by dots; an empty one is the whole value. */
  addConnection(from: string, output: string, to: string, input: string): this {
    const step = this.#steps.get(to)
    if (step === undefined) this.#issues.push(issue('UNKNOWN_STEP', to, `addConnection: there is no step "${to}" yet`))
    else if (step.bind !== undefined)
      this.#issues.push(issue('INVALID_OPTION', to, 'addConnection: the step is bound by a function; add it by addNode'))
    else this.#connect(step, { from, output, to: input })
    return this
  }

  #connect(step: Step, connection: Connection): void {
    ;(step.connections as Connection[]).push(connection)
    if (connection.from !== INPUT) (step.results as Set<string>).add(connection.from)
  }

  /** What the workflow gives as a node. Default: the results of all steps. */
  output<Out>(make: (context: StepContext<I, R>) => Out): WorkflowBuilder<I, Given, R, S, Out> {
    this.#output = make
    return this as never
  }

  /**
   * The workflow, checked.
   *
   * @throws {WorkflowDefinitionError} with all that is wrong with it
   */
  build(): Workflow<Given, R, O extends object ? (object extends O ? R : O) : O> {
    const { input, transaction, allowExternal = false } = this.#options
    const draft = {
      name: this.#name,
      input,
      output: this.#output,
      transaction,
      allowExternal,
      steps: new Map(this.#steps),
      issues: this.#issues,
    }
    return workflowNode(defineWorkflow(draft))
  }

  /**
   * The workflow that {@link Workflow.toJSON} gave, checked against the nodes that there are now.
   *
   * @param json  the object, or its text
   * @throws {WorkflowDefinitionError} it is of a newer version, or not right
   */
  static fromJSON(
    json: WorkflowJson | string,
    nodes: NodeSource,
  ): Workflow<Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>, Readonly<Record<string, unknown>>> {
    const { latchworkWorkflow: version, name, transaction, steps } = parsed(json)
    if (!Number.isInteger(version) || version > JSON_VERSION || version < 1) {
      const message = `its JSON is of version ${version}, and this release reads up to ${JSON_VERSION}; update latchwork`
      throw new WorkflowDefinitionError(String(name), [issue('NEWER_VERSION', undefined, message)])
    }
    if (!Array.isArray(steps)) throw new ConfigurationError('json.steps', `expected a list, got ${kindOf(steps)}`)
    const builder = new WorkflowBuilder(name, { nodes, ...(transaction === undefined ? {} : { transaction }) })
    for (const { id, node, inputs, ...options } of steps as readonly StepJson[]) {
      const { connections: _, ...rest } = options
      builder.addNode(node, id, inputs, rest)
    }
    for (const { id, connections = [] } of steps as readonly StepJson[]) {
      for (const { from, output, to } of connections) builder.addConnection(from, output, id, to)
    }
    return builder.build() as never
  }

  #named(name: string, id: string): AnyNode | undefined {
    if (this.#nodes === undefined) throw new ConfigurationError('workflow.nodes', `nodes by name need a database; say { nodes: db }`)
    try {
      return this.#nodes.node(name) as AnyNode
    } catch (error) {
      this.#issues.push(issue('UNKNOWN_NODE', id, (error as Error).message.replace(/^node: /, '')))
      return undefined
    }
  }

  #add(step: Omit<Step, 'results'>): this {
    const { id, bind, items, options } = step
    requireKnownNames(`step ${id}`, options, STEP_OPTIONS)
    if (typeof id !== 'string' || !ID.test(id) || id === INPUT)
      this.#issues.push(issue('INVALID_OPTION', String(id), 'expected an id of letters, digits and underscores, and not "input"'))
    if (this.#steps.has(id)) this.#issues.push(issue('DUPLICATE_STEP', id, 'there is a step of this id already'))
    const results = new Set([bind, items, options.when].flatMap((fn) => (fn === undefined ? [] : [...namesReadBy(fn)])))
    results.delete(INPUT)
    this.#steps.set(id, { ...step, results })
    return this
  }
}

function parsed(json: WorkflowJson | string): WorkflowJson {
  const value: unknown = typeof json === 'string' ? JSON.parse(json) : json
  if (!isPlainObject(value)) throw new ConfigurationError('json', `expected an object, got ${kindOf(value)}`)
  return value as unknown as WorkflowJson
}
