import type { CompiledQuery } from 'kysely'
import type { MigrationDialect } from '../lib/dialect/migration-dialect.js'
import { MigrationUsageError } from './errors.js'
import { type ForeseenRebuilds, foreseenRebuilds } from './foreseen-rebuilds.js'
import { HistoryStatements } from './history-statements.js'
import { hashesOf } from './job.js'
import type { Migration, SqlSource, Step } from './migration.js'
import type { MigrationFolder } from './migration-files.js'
import type { ScriptOptions } from './migrator-api.js'
import type { CheckedOptions } from './migrator-options.js'
import { fileProblems, inOrder, withAncestors } from './plan.js'
import { refuseProblems, unknownId } from './refusals.js'
import type { Repeatable } from './repeatable-files.js'
import { segmentsOf } from './segments.js'
import { replacing } from './state-rows.js'
import { createStatements, STATE_VERSION, stateTables } from './state-tables.js'
import { stepsOf } from './steps.js'

/** A text that does what `up` would do. */
export interface Script {
  /** Of its migrations, in order. */
  readonly ids: readonly string[]
  readonly sql: string
}

/**
 * What `up` would run on a database that has everything up to `from`, as a text for another program to run; with the rows that say that it
 * was. Without `from` the state tables are made too.
 *
 * @throws {MigrationHistoryError} the files contradict each other
 * @throws {MigrationUsageError} an id is unknown, one is a data module, or rebuilds a table that the folder does not make
 */
export async function scriptOf(
  { migrations, head }: MigrationFolder,
  repeatables: readonly Repeatable[],
  { from, to }: { readonly [K in keyof ScriptOptions]: string | undefined },
  dialect: MigrationDialect,
  options: CheckedOptions,
): Promise<Script> {
  refuseProblems(fileProblems(migrations, head))
  const ordered = inOrder(migrations)
  for (const id of [from, to]) if (id !== undefined && !ordered.some((each) => each.id === id)) throw unknownId(id, ordered)
  const applied = from === undefined ? new Set<string>() : withAncestors(ordered, from)
  const wanted = to === undefined ? undefined : withAncestors(ordered, to)
  const chosen = ordered.filter(({ id }) => !applied.has(id) && (wanted === undefined || wanted.has(id)))
  const earlier = ordered.filter(({ id }) => applied.has(id))
  return { ids: chosen.map(({ id }) => id), sql: await scriptText(chosen, repeatables, earlier, dialect, options) }
}

async function scriptText(
  migrations: readonly Migration[],
  repeatables: readonly Repeatable[],
  earlier: readonly Migration[],
  dialect: MigrationDialect,
  options: CheckedOptions,
): Promise<string> {
  const tables = stateTables(options.table, options.schema)
  const statements = new HistoryStatements(tables, dialect, options.actor)
  const lines: string[] = []
  if (earlier.length === 0) {
    lines.push(...createStatements(tables, dialect).map(({ sql }) => sql), withValues(statements.version(STATE_VERSION), dialect))
  }
  const all = migrations.map((migration) => ({ migration, steps: scriptedSteps(migration, dialect) }))
  const before = earlier.flatMap(({ up }) => (up.kind === 'sql' ? stepsOf(up, dialect) : []))
  const refusal = (reason: string, step: Step) =>
    new MigrationUsageError(`what it does depends on more than the folder (${reason}); use up --dry-run on the database`, step, [
      'latchwork migrate up --dry-run',
    ])
  const rebuilds = await foreseenRebuilds([...before, ...all.flatMap(({ steps }) => steps)], dialect, { checksRows: true, refusal })
  for (const { migration, steps } of all) {
    lines.push(`-- ${migration.id}`, ...linesOf(migration, steps, dialect, options, statements, rebuilds))
  }
  for (const { id, source, steps } of repeatables) {
    const state = replacing(tables.repeatables, { id, checksum: source.checksum, at: new Date() }, dialect).map((query) =>
      withValues(query, dialect),
    )
    lines.push(`-- ${id}`, ...transactionsOf(steps, state, dialect, options, rebuilds))
  }
  return lines.map((line) => (line.startsWith('-- ') ? `\n${line}\n` : `${dialect.migrations.inScript(line)}\n`)).join('')
}

/** A script that left a module out would say that it ran, and rows would be missing ever after. */
function scriptedSteps({ id, up, parents }: Migration, dialect: MigrationDialect): readonly Step[] {
  if (up.kind === 'sql') return stepsOf(up, dialect)
  const [before] = parents
  throw new MigrationUsageError(
    'is a module, which no script can hold: end one script before it, run it by up, and begin another behind it',
    { file: up.file },
    [
      ...(before === undefined ? [] : [`latchwork migrate script --to ${before}`]),
      `latchwork migrate up --to ${id}`,
      `latchwork migrate script --from ${id}`,
    ],
  )
}

function linesOf(
  migration: Migration,
  steps: readonly Step[],
  dialect: MigrationDialect,
  options: CheckedOptions,
  statements: HistoryStatements,
  rebuilds: ForeseenRebuilds,
): readonly string[] {
  const nowMs = Date.now()
  const row = {
    id: migration.id,
    checksum: (migration.up as SqlSource).checksum,
    state: 'applied',
    stepsTotal: steps.length,
    stepsDone: steps.length,
    stepHashes: hashesOf(steps),
    checkpoint: {},
    startedAtMs: nowMs,
    finishedAtMs: nowMs,
    durationMs: 0,
    errorCode: null,
    errorText: null,
  } as const
  const log = {
    migration: migration.id,
    action: 'up',
    outcome: 'applied',
    step: null,
    durationMs: 0,
    reason: 'script',
    errorCode: null,
    errorText: null,
  } as const
  const state = [...statements.replacing(row), statements.logging(log)].map((query) => withValues(query, dialect))
  return transactionsOf(steps, state, dialect, options, rebuilds)
}

/** Steps with what begins and ends their transactions; `state` is written with the last of them. */
function transactionsOf(
  steps: readonly Step[],
  state: readonly string[],
  dialect: MigrationDialect,
  options: CheckedOptions,
  rebuilds: ForeseenRebuilds,
): readonly string[] {
  const segments = segmentsOf(steps, 0, dialect)
  const begin = [...dialect.begin({}), ...dialect.migrations.limitLockWait(options.ddlLockTimeoutMs)]
  const bodies = segments.map((segment, index) => {
    const sql = segment.steps.flatMap((step) => rebuilds.get(step) ?? step.statements)
    if (!segment.isTransactional) return sql
    const tables = segment.steps.flatMap((step) => step.rebuilds ?? [])
    const { before = [], after = [] } = tables.length === 0 ? {} : dialect.migrations.rebuild!
    const checks = tables.flatMap((table) => dialect.migrations.rebuild!.keyCheck(table))
    return [...before, ...begin, ...sql, ...checks, ...(index === segments.length - 1 ? state : []), 'commit', ...after]
  })
  return segments.at(-1)?.isTransactional === true ? bodies.flat() : [...bodies.flat(), ...dialect.begin({}), ...state, 'commit']
}

/** Puts the values of a statement of ours into its text: ids, numbers, instants and plain words. */
function withValues({ sql, parameters }: CompiledQuery, dialect: MigrationDialect): string {
  let next = 0
  dialect.sqlTraits.placeholder.lastIndex = 0
  return sql.replace(new RegExp(dialect.sqlTraits.placeholder.source, 'g'), () => literal(parameters[next++]))
}

function literal(value: unknown): string {
  if (value === null || value === undefined) return 'null'
  if (typeof value === 'number' || typeof value === 'bigint') return String(value)
  // of the one engine that takes them as they are
  const text = value instanceof Date ? value.toISOString().slice(0, -1).replace('T', ' ') : String(value)
  if (text.includes('\\')) throw new MigrationUsageError(`a backslash in "${text}" means something else on each server; leave it out`)
  return `'${text.replaceAll("'", "''")}'`
}
