import type { ModelNodes } from 'latchwork'
import type { Member } from '../contract/members.js'

/** What one workflow is to come to. */
export interface WorkflowResult {
  readonly index: number | null
  readonly counted: number
}

let emails = 0

/** Four calls, each on a connection of its own: create a row, read it by its key, change it, count it. */
export async function workflow(members: ModelNodes<Member>, index: number): Promise<WorkflowResult> {
  const { id } = await members.create({ email: `member${++emails}@example.com` })
  const read = await members.readOrThrow({ where: { id } })
  const updated = await members.update({ where: { id }, set: { age: index }, version: read.version })
  return { index: updated.age, counted: await members.count({ where: { id } }) }
}

/** So many workflows, all begun at once. */
export function workflows(members: ModelNodes<Member>, count: number): Promise<WorkflowResult[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => workflow(members, index)))
}

/** What `count` workflows come to when none of them fails. */
export function expectedOf(count: number): WorkflowResult[] {
  return Array.from({ length: count }, (_, index) => ({ index, counted: 1 }))
}
