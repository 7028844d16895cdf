import { ownNode } from '../nodes/define-node.js'
import type { AnyCall, Effect } from '../nodes/node.js'
import { jsonSchemaOfStandard } from '../nodes/node-schema.js'
import type { CallOptions } from '../query/query-plan.js'
import { LocalRuntime } from './local-runtime.js'
import type { Workflow } from './workflow.js'
import { rememberWorkflow, type WorkflowDefinition } from './workflow-definition.js'
import { workflowJson } from './workflow-json.js'
import { mermaidOf, planOf } from './workflow-plan.js'
import type { WorkflowHost } from './workflow-run.js'

/** Makes the node of a checked definition. */
export function workflowNode<I, R, O>(definition: WorkflowDefinition, host?: WorkflowHost): Workflow<I, R, O> {
  const runtime = new LocalRuntime(host)
  const call: AnyCall = async (input, options) => (await runtime.execute(node, input as I, (options ?? {}) as CallOptions)).output
  const schemas = () => ({ input: jsonSchemaOfStandard(definition.input, 'input'), output: outputSchemaOf(definition) })
  const plain = ownNode({ name: definition.name, effect: effectOf(definition), operation: 'workflow' }, call, schemas)
  const node = Object.assign(plain, {
    plan: () => planOf(definition),
    toMermaid: () => mermaidOf(definition),
    toJSON: () => workflowJson(definition),
    bindTo: (other: WorkflowHost) => workflowNode<I, R, O>(definition, other),
  }) as unknown as Workflow<I, R, O>
  rememberWorkflow(node, definition)
  return node
}

const GREATER: readonly Effect[] = ['read', 'write', 'external']

function effectOf({ steps }: WorkflowDefinition): Effect {
  return GREATER[steps.reduce((most, { node }) => Math.max(most, GREATER.indexOf(node.effect)), 0)]!
}

function outputSchemaOf({ steps, output }: WorkflowDefinition) {
  if (output !== undefined) return {}
  return {
    type: 'object',
    properties: Object.fromEntries(
      steps.map(({ id, node, items }) => [id, items === undefined ? node.outputSchema : { type: 'array', items: node.outputSchema }]),
    ),
  }
}
