import type { PlanRunner } from '../query/query-plan.js'
import type { SqlToken } from '../sql-text.js'

/** What there is to learn of a node without running it. */
export interface NodeSource {
  /** Of a statement of the application's: its words. */
  readonly tokens?: readonly SqlToken[]
  /** Of an operation on a model: its table, by its name in the database, and how the operation runs on a runner. */
  readonly table?: string
  readonly runner?: PlanRunner
  readonly runOn?: (runner: PlanRunner, input: unknown) => unknown
}

const sources = new WeakMap<object, NodeSource>()

/** Undefined of a node that is a function of the application's. */
export function sourceOf(node: object): NodeSource | undefined {
  return sources.get(node)
}

export function rememberSource(node: object, source: NodeSource): void {
  sources.set(node, source)
}
