import type { Effect } from '../nodes/node.js'
import { statementFor, tablesOf } from './node-tables.js'
import { plannedInput } from './planned-input.js'
import type { NodeTables } from './statement-tables.js'
import { type AnyNode, type Step, type WorkflowDefinition, workflowOf } from './workflow-definition.js'
import { wavesOf } from './workflow-graph.js'

/** One step as it is planned. */
export interface PlannedStep {
  readonly step: string
  readonly node: string
  readonly effect: Effect
  /** The model whose rows it works on, where it is one of a model's nodes. */
  readonly model: string | undefined
  /** Such as `create`; of others `sql`, `run` or `workflow`. */
  readonly operation: string
  /** Tables that it reads and writes, of a workflow those of its steps; undefined where it is a function of the application's. */
  readonly tables: NodeTables | undefined
  /**
   * Text of its statement, with placeholders; of a model's node that of the first one, for an input such as the step gives it. Undefined where
   * it is a function or a workflow, or where that takes more than the step to tell.
   */
  readonly sql: string | undefined
  /** Steps that have to end before. */
  readonly needs: readonly string[]
  /** Earliest round, from 0, in which it can run. */
  readonly wave: number
  /** Whether it runs once an item of a list. */
  readonly isMap: boolean
  /** Whether it may be skipped. */
  readonly isConditional: boolean
}

/** A workflow as it is planned. */
export interface WorkflowPlan {
  readonly workflow: string
  /** In an order in which each follows what it needs. */
  readonly steps: readonly PlannedStep[]
  /** Steps that can run side by side, round by round. Each begins as soon as what it needs has ended, not with its round. */
  readonly waves: readonly (readonly string[])[]
  /** Steps that are one transaction each. */
  readonly transactions: readonly (readonly string[])[]
  /** Tables that are written, in the order in which that begins: the same order in all workflows meets no deadlock. */
  readonly writes: readonly string[]
}

export function planOf({ name, steps, needs, order, graph }: WorkflowDefinition): WorkflowPlan {
  const waveOf = wavesOf(needs, { order, dependents: [], needCounts: [] })
  const planned = order.map((position) => plannedStep(steps, needs, waveOf, position))
  const waves: string[][] = []
  for (const { step, wave } of planned) {
    waves[wave] ??= []
    waves[wave].push(step)
  }
  const transactions = graph.units.filter(({ inner }) => inner !== undefined).map((unit) => unit.steps.map(({ id }) => id))
  const writes = planned.flatMap(({ tables }) => tables?.writes ?? [])
  return { workflow: name, steps: planned, waves, transactions, writes: [...new Set(writes)] }
}

function plannedStep(steps: readonly Step[], needs: WorkflowDefinition['needs'], waveOf: readonly number[], position: number): PlannedStep {
  const step = steps[position]!
  const { id, node, items, options } = step
  return {
    step: id,
    node: node.name,
    effect: node.effect,
    model: node.model,
    operation: node.operation,
    tables: plannedTables(node),
    sql: plannedStatement(step),
    needs: needs[position]!.map((need) => steps[need]!.id),
    wave: waveOf[position]!,
    isMap: items !== undefined,
    isConditional: isConditional(options),
  }
}

function plannedTables(node: AnyNode): NodeTables | undefined {
  const inner = workflowOf(node)
  if (inner === undefined) return tablesOf(node)
  const all = inner.order.flatMap((position) => plannedTables(inner.steps[position]!.node) ?? [])
  const reads = new Set(all.flatMap((tables) => tables.reads))
  const writes = new Set(all.flatMap((tables) => tables.writes))
  return { reads: [...reads], writes: [...writes] }
}

function plannedStatement(step: Step): string | undefined {
  const { sql } = step.node as { readonly sql?: unknown }
  return typeof sql === 'string' ? sql : statementFor(step.node, () => plannedInput(step))
}

/** Whether a step may be skipped. */
export function isConditional({ when, ifSkipped }: Step['options']): boolean {
  return when !== undefined || ifSkipped === 'skip'
}

/** A flowchart: transactions are boxes, conditional steps have round sides, steps once an item are stacked. */
export function mermaidOf(definition: WorkflowDefinition): string {
  const { steps, needs, graph } = definition
  const places = new Map(steps.map((step, position) => [step, position]))
  const shape = (step: Step) => `s${places.get(step)}${boxOf(step)}`
  const units = graph.units.flatMap(({ steps: members, inner }, index) =>
    inner === undefined
      ? members.map((step) => `  ${shape(step)}`)
      : [`  subgraph t${index}["transaction"]`, ...members.map((step) => `    ${shape(step)}`), '  end'],
  )
  const arrows = needs.flatMap((each, position) => each.map((need) => `  s${need} --> s${position}`))
  return ['flowchart TD', ...units, ...arrows, ''].join('\n')
}

function boxOf({ id, node, items, options }: Step): string {
  const text = `"${id}<br/>${node.name}"`
  if (items !== undefined) return `[[${text}]]`
  return isConditional(options) ? `(${text})` : `[${text}]`
}
