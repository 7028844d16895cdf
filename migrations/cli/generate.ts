import { join, relative } from 'node:path'
import type { Engine } from '../../lib/dialect/dialect.js'
import { AbortedError, ConfigurationError } from '../../lib/errors.js'
import type { ModelDefinition } from '../../lib/model/model-definition.js'
import type { SchemaLoss } from '../../lib/model/revert-diff.js'
import { schemaOf } from '../../lib/model/schema.js'
import type { SchemaDecision, SchemaFacts } from '../../lib/model/schema-change.js'
import { emptyMigration, type Generated, type GenerateOptions, generateMigration, generateSplit } from '../generate.js'
import { lastMigration } from '../last-snapshot.js'
import { loadModels } from '../models.js'
import { refuseNameCircles } from '../name-circles.js'
import type { Operation } from '../operation.js'
import { type MigrationDraft, writeMigration } from '../write-migration.js'
import { type CommandDocument, done } from './command-document.js'
import { decisionText } from './decisions.js'
import { chosenEngines } from './engines.js'
import { type FactFlags, factsOf, joinFacts } from './facts.js'
import type { Call } from './perform.js'
import { openProject, type Project } from './project.js'

export interface GenerateFlags extends FactFlags {
  readonly dialect?: readonly Engine[]
  readonly empty?: boolean
  readonly data?: boolean
  readonly check?: boolean
  readonly split?: boolean
}

/** Of `generate`. */
export interface GenerateDocument extends CommandDocument {
  readonly command: 'generate'
  readonly dialects: readonly Engine[]
  /** What was written; null: nothing. */
  readonly id: string | null
  /** With `--split`, the second one, which drops; null: there is none. */
  readonly dropsId: string | null
  /** Its files, from the working directory. */
  readonly files: readonly string[]
  /** What it does, or would do. */
  readonly operations: readonly Operation[]
  /** What its way back does not restore. */
  readonly losses: readonly SchemaLoss[]
  /** What is gone and may be what is new; `flags` has the ways to decide. */
  readonly ambiguous: readonly Undecided[]
  /** Everything else that has to be decided. */
  readonly decisions: readonly Undecided[]
}

export type Undecided = SchemaDecision & { readonly message: string; readonly flags: readonly string[] }

/**
 * Writes a migration from the last one to the models, unless there is nothing to do or something to decide that nobody can be asked for.
 *
 * @throws {ConfigurationError} models, names or flags are wrong
 * @throws {MigrationHistoryError} there are two heads
 * @throws {MigrationDecisionError} what is dropped cannot be kept for a second migration
 * @throws {AbortedError} a question was broken off
 */
export async function generate(call: Call<GenerateFlags>): Promise<GenerateDocument> {
  const { options, args, signal } = call
  const project = await openProject(options)
  const engines = await chosenEngines(project, options)
  const last = await lastMigration(project.migrations, engines)
  const from = { ids: last.ids, parents: last.parents, from: last.snapshot, engines, now: new Date(), name: nameOf(args[0], options) }
  if (options.empty === true || options.data === true) {
    return written(project, engines, emptyMigration(from, options.data === true ? 'data' : 'sql'), NOTHING)
  }
  const to = schemaOf(await modelsOf(project))
  const { generated, facts } = await decided(call, { ...from, to })
  if (generated.decisions.length > 0) return undecided(engines, generated.decisions)
  if (generated.draft === undefined) return { ...document(engines, NOTHING), next: [] }
  if (options.check === true) return differing(engines, generated)
  if (signal.aborted) throw new AbortedError('nothing was written')
  if (options.split !== true) return written(project, engines, generated.draft, generated)
  const [first, second] = generateSplit({ ...from, to, facts })
  const whole = await written(project, engines, first!.draft!, generated)
  if (second === undefined) return whole
  const { id, files } = await written(project, engines, second.draft!, generated)
  return { ...whole, dropsId: id, files: [...whole.files, ...files] }
}

type Meaning = Pick<Generated, 'operations' | 'losses' | 'warnings'>

const NOTHING: Meaning = { operations: [], losses: [], warnings: [] }

function nameOf(name: string | undefined, { check }: GenerateFlags): string {
  if (name !== undefined || check === true) return name ?? 'check'
  throw new ConfigurationError('name', 'say what the migration does, such as: latchwork migrate generate "add email"')
}

async function modelsOf({ config, folder }: Project): Promise<readonly ModelDefinition[]> {
  if (config.models !== undefined && config.models.length > 0) {
    const models = await loadModels(config.models, folder)
    refuseNameCircles(models)
    return models
  }
  throw new ConfigurationError('models', "say where the models are: models: ['src/models/*.ts'] in latchwork.config.ts")
}

/** Asks on a terminal until all is decided, or what is left takes more than an answer. */
async function decided(
  { options, terminal }: Call<GenerateFlags>,
  from: Omit<GenerateOptions, 'facts'>,
): Promise<{ readonly generated: Generated; readonly facts: SchemaFacts }> {
  let facts = factsOf(options, from.to)
  for (;;) {
    const generated = generateMigration({ ...from, facts })
    if (generated.decisions.length === 0 || !terminal.canAsk || options.check === true) return { generated, facts }
    // here: no other command asks, and each starts sooner without it
    const { askDecision } = await import('./prompts.js')
    const answer = await askDecision(generated.decisions, from.to)
    if (answer === undefined) return { generated, facts }
    facts = joinFacts(facts, answer)
  }
}

async function written(
  { migrations }: Project,
  engines: readonly Engine[],
  draft: MigrationDraft,
  meaning: Meaning,
): Promise<GenerateDocument> {
  await writeMigration(migrations, draft)
  const folder = relative(process.cwd(), join(migrations, draft.id))
  return {
    ...document(engines, meaning),
    id: draft.id,
    files: Object.keys(draft.files).map((name) => join(folder, name)),
    next: ['latchwork migrate up'],
  }
}

function differing(engines: readonly Engine[], generated: Generated): GenerateDocument {
  const message = `the models differ from the last migration in ${generated.operations.length} places`
  return {
    ...document(engines, generated),
    ok: false,
    exitCode: 4,
    error: { code: 'MODELS_DIFFER', message },
    next: ['latchwork migrate generate <name>'],
  }
}

function undecided(engines: readonly Engine[], decisions: readonly SchemaDecision[]): GenerateDocument {
  const all = decisions.map((decision): Undecided => ({ ...decision, ...decisionText(decision) }))
  const isRename = ({ kind }: Undecided) => kind === 'renameTable' || kind === 'renameColumn'
  const count = all.length === 1 ? 'a decision is' : `${all.length} decisions are`
  return {
    ...document(engines, NOTHING),
    ok: false,
    exitCode: 3,
    error: { code: 'MIGRATION_DECISION', message: `${count} needed; nothing was written` },
    ambiguous: all.filter(isRename),
    decisions: all.filter((each) => !isRename(each)),
  }
}

function document(engines: readonly Engine[], { operations, losses, warnings }: Meaning): GenerateDocument {
  return {
    ...done('generate', { warnings }),
    dialects: engines,
    id: null,
    dropsId: null,
    files: [],
    operations,
    losses,
    ambiguous: [],
    decisions: [],
  }
}
