import { createMigrationDialect } from '../lib/dialect/create-migration-dialect.js'
import type { Engine } from '../lib/dialect/dialect.js'
import { revertOf, type SchemaLoss } from '../lib/model/revert-diff.js'
import type { Schema } from '../lib/model/schema.js'
import type { SchemaDecision, SchemaFacts } from '../lib/model/schema-change.js'
import { diffSchemas, EMPTY_SCHEMA } from '../lib/model/schema-diff.js'
import { type DoubtfulFill, doubtfulFills } from './doubtful-fills.js'
import { MigrationDecisionError } from './errors.js'
import { newMigrationId } from './new-id.js'
import { NOWHERE } from './nowhere.js'
import { type Operation, operationOf } from './operation.js'
import { splitDrops } from './split-drops.js'
import { approvalsText, stepsText } from './steps-text.js'
import type { MigrationDraft } from './write-migration.js'

/** What a migration is generated from. */
export interface GenerateOptions {
  /** Any words, for its id. */
  readonly name: string
  readonly now: Date
  /** Ids of all migrations that are there. */
  readonly ids: readonly string[]
  /** The one that it follows; none: it is the first. */
  readonly parents: readonly string[]
  /** The schema after its parent; undefined: nothing. */
  readonly from: Schema | undefined
  /** The models' schema. */
  readonly to: Schema
  readonly facts: SchemaFacts
  readonly engines: readonly Engine[]
}

/** What has to be done to get from the last migration to the models. */
export interface Generated {
  /** What a person has to say first; then there is nothing else. */
  readonly decisions: readonly SchemaDecision[]
  /** Empty: the models are as the last migration left them. */
  readonly operations: readonly Operation[]
  /** What the way back does not restore. */
  readonly losses: readonly SchemaLoss[]
  /** What may refuse the way back. */
  readonly warnings: readonly string[]
  /** Undefined where there is nothing to do, or something to decide. */
  readonly draft: MigrationDraft | undefined
}

/**
 * The same in two migrations, the second of which drops; one where there is nothing to drop, or nothing else.
 *
 * @throws {MigrationDecisionError} the name of what is dropped is taken: between the two there would be two of that name
 */
export function generateSplit(options: GenerateOptions): readonly Generated[] {
  const { changes, renamed } = diffSchemas(options.from, options.to, options.facts)
  const { kept, drops, taken } = splitDrops(options.from, changes)
  refuseTakenNames(taken)
  if (drops.length === 0) return [generateMigration(options)]
  const first = generateMigration({ ...options, to: kept, facts: { ...options.facts, ...renamed, drops: [] } })
  if (first.draft === undefined) return [generateMigration(options)]
  const { id } = first.draft
  const rest = { from: kept, facts: { drops }, ids: [...options.ids, id], parents: [id], name: `drop ${options.name}` }
  return [first, generateMigration({ ...options, ...rest })]
}

/** @throws {MigrationDecisionError} there is one */
function refuseTakenNames(taken: readonly string[]): void {
  if (taken.length === 0) return
  throw new MigrationDecisionError(
    `--split cannot keep ${taken.join(', ')} for a second migration: something else takes the name in the first; nothing was written; leave --split out, or take the name in a later migration, when what has it is gone`,
    ['latchwork migrate generate --help'],
  )
}

/**
 * The migration from the last snapshot to the models: its SQL and its way back for each engine, what it means, and the schema after it.
 * Pure but for the id, which is made of `now`; needs no database.
 *
 * @throws {ConfigurationError} the name makes no id
 * @throws {UnsupportedError} an engine cannot do what the models want
 */
export function generateMigration(options: GenerateOptions): Generated {
  const { from, to, facts, engines } = options
  const diff = diffSchemas(from, to, facts)
  const revert = revertOf(from, diff)
  const operations = diff.changes.map(operationOf)
  if (diff.changes.length === 0) return { decisions: diff.decisions, operations, losses: [], warnings: [], draft: undefined }
  const approvals = approvalsText(diff.changes)
  const doubts = doubtfulFills(revert.changes, from ?? EMPTY_SCHEMA).map(doubtText)
  const remarks = doubts.map((doubt) => `-- ${doubt}\n`).join('')
  const files = engines.flatMap((engine) => {
    const dialect = createMigrationDialect(NOWHERE[engine])
    return [
      [`up.${engine}.sql`, `${approvals}${stepsText(dialect.ddl(diff.changes))}`],
      [`down.${engine}.sql`, `${remarks}${stepsText(dialect.ddl(revert.changes))}`],
    ]
  })
  const draft = draftOf(options, diff.schema, Object.fromEntries(files), { operations, lossyDown: revert.losses })
  return { decisions: [], operations, losses: revert.losses, warnings: doubts.map((doubt) => `down: ${doubt}`), draft }
}

function doubtText({ column, refusedBy }: DoubtfulFill): string {
  return `rows that are there get a placeholder in ${column}, such as 0 or '', which ${refusedBy.join(', ')} may refuse: write a value that fits into down.<engine>.sql`
}

/** A migration without changes of the models, to be written by hand: SQL, or `data.ts`. */
export function emptyMigration(options: Omit<GenerateOptions, 'to' | 'facts'>, kind: 'sql' | 'data'): MigrationDraft {
  const sql = options.engines.flatMap((engine) => [
    [`up.${engine}.sql`, '-- one statement a step; between two steps a line: -- latchwork:step\n'],
    [`down.${engine}.sql`, '-- the way back; without this file there is none\n'],
  ])
  const files: Record<string, string> = kind === 'data' ? { 'data.ts': DATA_MODULE } : Object.fromEntries(sql)
  return draftOf(options, options.from ?? EMPTY_SCHEMA, files, { operations: [], lossyDown: kind === 'data' })
}

/** A migration that runs nothing and joins the branches that its parents end. */
export function mergeMigration(options: Omit<GenerateOptions, 'to' | 'facts' | 'from'>, merged: Schema): MigrationDraft {
  const files = options.engines.flatMap((engine) => {
    return ['up', 'down'].map((direction) => [`${direction}.${engine}.sql`, '-- joins branches: nothing to run\n'])
  })
  return draftOf(options, merged, Object.fromEntries(files), { operations: [], lossyDown: [] })
}

const DATA_MODULE = `import type { DataContext } from 'latchwork/migrations'

/** Runs once. Each batch is a transaction with its checkpoint: after an interruption it goes on where it stopped. */
export async function up({ batch, log }: DataContext): Promise<void> {
  log('nothing to do yet')
}
`

function draftOf(
  { name, now, ids, parents }: Pick<GenerateOptions, 'name' | 'now' | 'ids' | 'parents'>,
  snapshot: Schema,
  files: Readonly<Record<string, string>>,
  meaning: { readonly operations: readonly Operation[]; readonly lossyDown: readonly SchemaLoss[] | boolean },
): MigrationDraft {
  const id = newMigrationId(name, now, ids)
  return { id, files: { 'migration.json': jsonText({ id, parents, ...meaning }), 'snapshot.json': jsonText(snapshot), ...files } }
}

function jsonText(value: unknown): string {
  return `${JSON.stringify(value, null, 2)}\n`
}
