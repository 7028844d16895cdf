import type { Dialect } from '../lib/dialect/dialect.js'
import type { Step } from './migration.js'

/** Steps that are done together or not at all: a transaction, or one step outside of any. */
export interface Segment {
  /** Number of its first step, from 1. */
  readonly first: number
  readonly steps: readonly Step[]
  readonly isTransactional: boolean
}

/**
 * The segments of a file from one of its steps on. Steps that a transaction undoes are together where it undoes DDL too; where
 * it does not, each is one of its own, so that the journal says of every step whether it is done.
 */
export function segmentsOf(steps: readonly Step[], from: number, dialect: Dialect): readonly Segment[] {
  const segments: { first: number; steps: Step[]; isTransactional: boolean }[] = []
  for (const [index, step] of steps.entries()) {
    if (index < from) continue
    const last = segments.at(-1)
    if (dialect.capabilities.transactionalDdl && step.isTransactional && last?.isTransactional === true) last.steps.push(step)
    else segments.push({ first: index + 1, steps: [step], isTransactional: step.isTransactional })
  }
  return segments
}
