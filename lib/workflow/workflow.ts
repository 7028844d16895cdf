import type { Node } from '../nodes/node.js'
import type { CallOptions } from '../query/query-plan.js'
import type { WorkflowJson } from './workflow-json.js'
import type { WorkflowPlan } from './workflow-plan.js'
import type { WorkflowHost } from './workflow-run.js'

/** How a workflow is called as a node. */
export type WorkflowCall<I, O> = (input: I, options?: CallOptions) => Promise<O>

/**
 * A built workflow. It is a node: it can be a step of another one, `db.register` makes it known by its name, and called by itself it runs
 * with what it needs. `R` are the results of its steps.
 */
export type Workflow<I, R, O> = Node<WorkflowCall<I, O>> & {
  /** The results of its steps: known to the compiler only. */
  readonly '~results'?: R
  /** What it is, for people and reviews: steps in order, what waits for what, transactions, statements, and which models are written. */
  plan(): WorkflowPlan
  /** A flowchart in Mermaid's language. */
  toMermaid(): string
  /**
   * The workflow as plain data, for `WorkflowBuilder.fromJSON`.
   *
   * @throws {WorkflowDefinitionError} a step has functions, which are no data
   */
  toJSON(): WorkflowJson
  /** The same workflow, with its transactions on a database. */
  bindTo(host: WorkflowHost): Workflow<I, R, O>
}
