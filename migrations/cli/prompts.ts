import { confirm, isCancel, select, text } from '@clack/prompts'
import { AbortedError } from '../../lib/errors.js'
import type { Schema } from '../../lib/model/schema.js'
import type { SchemaDecision, SchemaFacts } from '../../lib/model/schema-change.js'
import { decisionText } from './decisions.js'
import { jsonOf } from './facts.js'

const output = process.stderr

/**
 * Asks on the terminal for the first decision that a person can make; answers may settle others.
 *
 * @returns undefined: none of them can be decided by an answer
 * @throws {AbortedError} the question was broken off, or answered with no
 */
export async function askDecision(decisions: readonly SchemaDecision[], to: Schema): Promise<SchemaFacts | undefined> {
  const [decision] = decisions.filter(({ kind }) => kind in QUESTIONS)
  if (decision === undefined) return undefined
  const question = QUESTIONS[decision.kind as keyof typeof QUESTIONS] as (
    decision: SchemaDecision,
    all: typeof decisions,
    to: Schema,
  ) => Promise<SchemaFacts>
  return question(decision, decisions, to)
}

type Of<K extends SchemaDecision['kind']> = Extract<SchemaDecision, { kind: K }>

const QUESTIONS = {
  renameTable: async ({ removed }: Of<'renameTable'>, all: readonly SchemaDecision[]): Promise<SchemaFacts> => {
    const added = all.flatMap((other) => (other.kind === 'renameTable' && other.removed === removed ? [other.added] : []))
    const chosen = await whatBecame(`table ${removed}`, added)
    return chosen === undefined ? { drops: [removed] } : { renamedTables: { [removed]: chosen } }
  },
  renameColumn: async ({ table, removed }: Of<'renameColumn'>, all: readonly SchemaDecision[]): Promise<SchemaFacts> => {
    const isOther = (other: SchemaDecision) => other.kind === 'renameColumn' && other.table === table && other.removed === removed
    const added = all.flatMap((other) => (isOther(other) ? [(other as Of<'renameColumn'>).added] : []))
    const name = `${table}.${removed}`
    const chosen = await whatBecame(`column ${name}`, added)
    return chosen === undefined ? { drops: [name] } : { renamedColumns: { [name]: chosen } }
  },
  dropTable: async (decision: Of<'dropTable'>): Promise<SchemaFacts> => {
    await mayDrop(decision)
    return { drops: [decision.table] }
  },
  dropColumn: async (decision: Of<'dropColumn'>): Promise<SchemaFacts> => {
    await mayDrop(decision)
    return { drops: [`${decision.table}.${decision.column}`] }
  },
  fillColumn: async (decision: Of<'fillColumn'>, _all: readonly SchemaDecision[], to: Schema): Promise<SchemaFacts> => {
    const name = `${decision.table}.${decision.column}`
    const validate = (given: string | undefined) => problemOf(() => jsonOf(name, given ?? '', to))
    const given = answered(await text({ message: decisionText(decision).message, validate, output }))
    return { defaults: { [name]: jsonOf(name, given, to) } }
  },
} satisfies Partial<Record<SchemaDecision['kind'], unknown>>

/** What something that is gone is called now; undefined: it is to be dropped. */
async function whatBecame(what: string, added: readonly string[]): Promise<string | undefined> {
  const renames = added.map((name) => ({ value: name, label: `it was renamed to ${name}` }))
  const drop = { value: '', label: 'it is to be dropped, with all that is in it' }
  return answered(await select({ message: `${what} is gone`, options: [...renames, drop], output })) || undefined
}

async function mayDrop(decision: SchemaDecision): Promise<void> {
  const isSure = answered(await confirm({ message: `${decisionText(decision).message}. Drop it?`, initialValue: false, output }))
  if (!isSure) throw new AbortedError('nothing was written')
}

function answered<T>(answer: T): Exclude<T, symbol> {
  if (isCancel(answer)) throw new AbortedError('nothing was written')
  return answer as Exclude<T, symbol>
}

function problemOf(work: () => unknown): string | undefined {
  try {
    work()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
