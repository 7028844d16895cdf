import { WorkflowDefinitionError, type WorkflowIssue } from '../errors.js'
import { hint, issue, stepIssues } from './check-steps.js'
import { INPUT } from './step-context.js'
import { type Step, type TransactionScope, type Unit, type UnitGraph, type WorkflowDefinition, workflowOf } from './workflow-definition.js'
import { contracted, graphOf } from './workflow-graph.js'

/** What a builder has gathered. */
export interface WorkflowDraft extends Pick<WorkflowDefinition, 'name' | 'input' | 'output' | 'transaction'> {
  readonly steps: ReadonlyMap<string, Step>
  /** Whether a node that reaches beyond the database may be in a transaction, which cannot undo it. */
  readonly allowExternal: boolean
  /** What went wrong while the steps were gathered. */
  readonly issues: readonly WorkflowIssue[]
}

/**
 * Checks a workflow, and decides in which order its steps can run.
 *
 * @throws {WorkflowDefinitionError} with all that is wrong with it
 */
export function defineWorkflow({
  name,
  input,
  output,
  transaction,
  steps: byId,
  allowExternal,
  issues: found,
}: WorkflowDraft): WorkflowDefinition {
  const issues = [...found, ...stepIssues(byId, input), ...transactionIssues(transaction, byId, allowExternal)]
  throwIfAny(name, issues)
  const steps = [...byId.values()]
  const positions = new Map(steps.map(({ id }, position) => [id, position]))
  const needs = steps.map((step) => needsOf(step, positions))
  const graph = graphOf(needs)
  if ('cycle' in graph) throwIfAny(name, [cycleIssue(steps, graph.cycle)])
  const { order } = graph as UnitGraph
  const units = unitGraph(name, steps, needs, regionOf(transaction, steps))
  const needsDatabase = steps.some(({ node }) => workflowOf(node)?.needsDatabase) || units.units.some(({ inner }) => inner !== undefined)
  return Object.freeze({ name, input, output, transaction, steps, needs, order, graph: units, needsDatabase })
}

function throwIfAny(name: string, issues: readonly WorkflowIssue[]): void {
  if (issues.length > 0) throw new WorkflowDefinitionError(name, issues)
}

function needsOf({ results, connections, options }: Step, positions: ReadonlyMap<string, number>): readonly number[] {
  const names = new Set([...results, ...connections.map(({ from }) => from), ...(options.after ?? [])])
  names.delete(INPUT)
  return [...names].map((each) => positions.get(each)!)
}

function cycleIssue(steps: readonly Step[], cycle: readonly number[]): WorkflowIssue {
  const ids = cycle.map((position) => steps[position]!.id)
  // needs lead backwards: the way that results take is the other one
  return issue('CYCLE', ids[0], `its steps wait for each other: ${ids.toReversed().join(' → ')}`)
}

function transactionIssues(
  transaction: TransactionScope | undefined,
  steps: ReadonlyMap<string, Step>,
  allowExternal: boolean,
): readonly WorkflowIssue[] {
  if (transaction === undefined) return []
  if (typeof transaction === 'string' && transaction !== 'workflow' && transaction !== 'step')
    return [issue('INVALID_OPTION', undefined, "transaction: expected 'workflow', 'step' or a list of steps")]
  const named = typeof transaction === 'string' ? [...steps.keys()] : transaction
  return named.flatMap((id) => {
    const step = steps.get(id)
    if (step === undefined) return [issue('UNKNOWN_STEP', id, `transaction: there is no step "${id}"${hint(id, [...steps.keys()])}`)]
    if (allowExternal || step.node.effect !== 'external') return []
    const message = `${step.node.name} reaches beyond the database, which a rollback cannot undo; take it out of the transaction, or say allowExternal`
    return [issue('EXTERNAL_IN_TRANSACTION', id, message)]
  })
}

/** The transaction that a step belongs to. */
function regionOf(transaction: TransactionScope | undefined, steps: readonly Step[]): (position: number) => string | undefined {
  if (transaction === undefined) return () => undefined
  if (transaction === 'workflow') return () => 'workflow'
  if (transaction === 'step') return (position) => `step ${steps[position]!.id}`
  const members = new Set(transaction)
  return (position) => (members.has(steps[position]!.id) ? 'steps' : undefined)
}

function unitGraph(
  name: string,
  steps: readonly Step[],
  needs: WorkflowDefinition['needs'],
  groupOf: (position: number) => string | undefined,
): UnitGraph {
  const groups = contracted(needs, groupOf)
  const graph = graphOf(groups.needs)
  if ('cycle' in graph) {
    const path = graph.cycle.map((group) => groups.members[group]!.map((position) => steps[position]!.id).join(' + ')).toReversed()
    const message = `its transaction needs a step that itself needs the transaction: ${path.join(' → ')}; take that step in, or take one out`
    throw new WorkflowDefinitionError(name, [issue('BROKEN_REGION', undefined, message)])
  }
  const units = groups.members.map((members): Unit => {
    const own = members.map((position) => steps[position]!)
    const isRegion = groupOf(members[0]!) !== undefined
    return {
      steps: own,
      inner: isRegion ? innerGraph(members, own, needs) : undefined,
      isRepeatable: own.every(({ node }) => node.effect !== 'external'),
    }
  })
  return { ...graph, units }
}

function innerGraph(members: readonly number[], steps: readonly Step[], needs: WorkflowDefinition['needs']): UnitGraph {
  const places = new Map(members.map((position, place) => [position, place]))
  const inner = members.map((position) => needs[position]!.flatMap((need) => places.get(need) ?? []))
  const units = steps.map((step): Unit => ({ steps: [step], inner: undefined, isRepeatable: true }))
  // a part of a graph without circles has none
  return { ...(graphOf(inner) as UnitGraph), units }
}
