import { WorkflowDefinitionError, type WorkflowIssue } from '../errors.js'
import type { Connection, RetryOptions, Step, TransactionScope, WorkflowDefinition } from './workflow-definition.js'

/** The version that is written, and the newest that is read. */
export const JSON_VERSION = 1

/** A step that is described by data. */
export interface StepJson {
  readonly id: string
  /** Name of the node. */
  readonly node: string
  readonly inputs?: Readonly<Record<string, unknown>>
  readonly connections?: readonly Connection[]
  readonly after?: readonly string[]
  readonly ifSkipped?: 'skip' | 'undefined'
  readonly retry?: Omit<RetryOptions, 'when'>
  readonly timeoutMs?: number
}

/** A workflow as plain data. */
export interface WorkflowJson {
  readonly latchworkWorkflow: number
  readonly name: string
  readonly transaction?: TransactionScope
  readonly steps: readonly StepJson[]
}

/** @throws {WorkflowDefinitionError} a step has functions, or the workflow a schema of its own: they are no data */
export function workflowJson({ name, transaction, steps, input, output }: WorkflowDefinition): WorkflowJson {
  const issues = steps.flatMap((step) => functionsOf(step).map((what) => issueOf(step.id, what)))
  if (input !== undefined) issues.push(issueOf(undefined, 'input'))
  if (output !== undefined) issues.push(issueOf(undefined, 'output'))
  if (issues.length > 0) throw new WorkflowDefinitionError(name, issues)
  return { latchworkWorkflow: JSON_VERSION, name, ...(transaction === undefined ? {} : { transaction }), steps: steps.map(stepJson) }
}

function functionsOf({ bind, items, options }: Step): readonly string[] {
  const { when, onError, compensate, compensateItem, retry } = options
  const functions = { bind, items, when, onError, compensate, compensateItem, 'retry.when': retry?.when }
  return Object.entries(functions).flatMap(([name, value]) => (value === undefined ? [] : [name]))
}

function issueOf(step: string | undefined, what: string): WorkflowIssue {
  const message = `${what} is a function or schema, which JSON cannot hold; describe the step by addNode and addConnection`
  return { problem: 'NOT_SERIALIZABLE', step, message }
}

function stepJson({ id, node, inputs, connections, options: { after, ifSkipped, retry, timeoutMs } }: Step): StepJson {
  return {
    id,
    node: node.name,
    ...(Object.keys(inputs).length === 0 ? {} : { inputs }),
    ...(connections.length === 0 ? {} : { connections }),
    ...(after === undefined ? {} : { after }),
    ...(ifSkipped === undefined ? {} : { ifSkipped }),
    ...(retry === undefined ? {} : { retry }),
    ...(timeoutMs === undefined ? {} : { timeoutMs }),
  }
}
