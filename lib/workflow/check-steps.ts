import type { StandardSchemaV1 } from '@standard-schema/spec'
import type { WorkflowIssue, WorkflowProblem } from '../errors.js'
import { nearestName } from '../nearest-name.js'
import { jsonSchemaOfStandard } from '../nodes/node-schema.js'
import { isMisfit, misfitOf, misfitsOf, requiredOf, type SchemaPlace, schemaAt } from './schema-fit.js'
import { INPUT } from './step-context.js'
import type { Step } from './workflow-definition.js'
import { isConditional } from './workflow-plan.js'

/** What is wrong with single steps, and with what they take from others. */
export function stepIssues(steps: ReadonlyMap<string, Step>, input: StandardSchemaV1 | undefined): readonly WorkflowIssue[] {
  const inputSchema = jsonSchemaOfStandard(input, 'output')
  return [...steps.values()].flatMap((step) => [
    ...optionIssues(step),
    ...needIssues(step, steps),
    ...skipIssues(step, steps),
    ...(step.bind === undefined ? dataIssues(step, steps, { schema: inputSchema, root: inputSchema }) : []),
  ])
}

function optionIssues({ id, node, options }: Step): readonly WorkflowIssue[] {
  const issues: WorkflowIssue[] = []
  const add = (message: string) => issues.push(issue('INVALID_OPTION', id, message))
  if (node.isStream) add(`${node.name} gives its rows piece by piece, which no step can hand on; take the list, or map over it`)
  const { retry, timeoutMs, maxParallel, compensate, compensateItem } = options
  if (compensate !== undefined && compensateItem !== undefined) add('compensate and compensateItem undo the same: say one of them')
  if (timeoutMs !== undefined && !isCount(timeoutMs, 2_147_483_647)) add('timeoutMs: expected whole milliseconds from 1 to 2,147,483,647')
  if (maxParallel !== undefined && !isCount(maxParallel, 10_000)) add('maxParallel: expected a whole number from 1 to 10,000')
  if (retry !== undefined && !(isCount(retry.attempts, 100) && retry.attempts > 1))
    add('retry.attempts: expected a whole number from 2 to 100')
  for (const name of ['delayMs', 'maxDelayMs'] as const) {
    const ms = retry?.[name]
    if (ms !== undefined && !(Number.isFinite(ms) && ms >= 0)) add(`retry.${name}: expected milliseconds, 0 or more`)
  }
  return issues
}

function isCount(value: unknown, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= most
}

function needIssues({ id, connections, results, options }: Step, steps: ReadonlyMap<string, Step>): readonly WorkflowIssue[] {
  const named = new Set([...results, ...(options.after ?? []), ...connections.map(({ from }) => from)])
  named.delete(INPUT)
  return [...named]
    .filter((name) => !steps.has(name))
    .map((name) => issue('UNKNOWN_STEP', id, `there is no step "${name}"${hint(name, [...steps.keys()])}`))
}

function skipIssues({ id, results, options }: Step, steps: ReadonlyMap<string, Step>): readonly WorkflowIssue[] {
  if (options.ifSkipped !== undefined) return []
  return [...results]
    .filter((name) => steps.has(name) && isConditional(steps.get(name)!.options))
    .map((name) =>
      issue(
        'SKIPPED_RESULT',
        id,
        `it takes the result of "${name}", which may be skipped; say ifSkipped: 'skip', or 'undefined' where it can do without`,
      ),
    )
}

/** Of a step that is described by data: whether its node takes what it gets. */
function dataIssues(step: Step, steps: ReadonlyMap<string, Step>, input: SchemaPlace): readonly WorkflowIssue[] {
  const { id, node, inputs, connections } = step
  const place: SchemaPlace = { schema: node.inputSchema, root: node.inputSchema }
  const wrong = (path: string, message: string) => issue('WRONG_INPUT', id, `${path === '' ? 'input' : path}: ${message}`)
  const issues = misfitsOf(inputs, place).map(({ path, message }) => wrong(path, message))
  for (const { from, output, to } of connections) {
    const source = from === INPUT ? input : sourceOf(steps.get(from))
    const given = source === undefined ? 'unknown' : schemaAt(source, output)
    const taken = schemaAt(place, to)
    const path = `${from}${output === '' ? '' : `.${output}`} → ${to}`
    if (isMisfit(taken)) issues.push(wrong(path, `the input of ${node.name}: ${taken.message}`))
    if (isMisfit(given)) issues.push(wrong(path, `the result of "${from}": ${given.message}`))
    if (isMisfit(taken) || isMisfit(given) || given === 'unknown' || taken === 'unknown') continue
    const misfit = misfitOf(given, taken)
    if (misfit !== undefined) issues.push(wrong(path, misfit))
  }
  const given = new Set([...Object.keys(inputs), ...connections.map(({ to }) => to.split('.')[0]!)])
  const missing = given.has('') ? [] : requiredOf(place).filter((name) => !given.has(name))
  return [
    ...issues,
    ...missing.map((name) => issue('MISSING_INPUT', id, `${node.name} needs ${name}: give it in the inputs, or connect it`)),
  ]
}

function sourceOf(step: Step | undefined): SchemaPlace | undefined {
  if (step === undefined) return undefined
  const { outputSchema } = step.node
  return step.items === undefined ? { schema: outputSchema, root: outputSchema } : undefined
}

export function issue(problem: WorkflowProblem, step: string | undefined, message: string): WorkflowIssue {
  return { problem, step, message }
}

export function hint(name: string, known: readonly string[]): string {
  const near = nearestName(name, known)
  return near === undefined ? '' : `; did you mean ${near}?`
}
