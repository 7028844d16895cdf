import { sourceOf } from '../nodes/node-source.js'
import { type NodeTables, statementTables } from './statement-tables.js'
import { firstStatement } from './unsent-runner.js'
import type { AnyNode } from './workflow-definition.js'

/** Undefined of a node that is a function of the application's. What a write does to related rows depends on its input. */
export function tablesOf(node: AnyNode): NodeTables | undefined {
  const { tokens, table } = sourceOf(node) ?? {}
  if (tokens !== undefined) return statementTables(tokens)
  if (table === undefined) return undefined
  return node.effect === 'write' ? { reads: [], writes: [table] } : { reads: [table], writes: [] }
}

/** The text of the first statement that a node of a model would send for an input; nothing is sent. */
export function statementFor(node: AnyNode, input: () => unknown): string | undefined {
  const { runner, runOn } = sourceOf(node) ?? {}
  if (runner === undefined || runOn === undefined) return undefined
  return firstStatement(runner, (unsent) => {
    const answer = runOn(unsent, input())
    return node.isStream ? (answer as AsyncGenerator).next() : answer
  })
}
