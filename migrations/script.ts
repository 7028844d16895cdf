import type { CompiledQuery } from 'kysely'
import type { MigrationDialect } from '../lib/dialect/migration-dialect.js'
import { hashesOf } from './apply.js'
import { MigrationUsageError } from './errors.js'
import { HistoryStatements } from './history-statements.js'
import type { Migration, Step } from './migration.js'
import type { CheckedOptions } from './migrator-options.js'
import type { Repeatable } from './repeatable-files.js'
import { segmentsOf } from './segments.js'
import { replacing } from './state-rows.js'
import { createStatements, STATE_VERSION, stateTables } from './state-tables.js'
import { stepsOf } from './steps.js'

/**
 * What `up` would run, as a text for another program to run; with the rows that say that it was.
 *
 * @param isFromNothing  the state tables are to be made too
 * @throws {MigrationUsageError} one is a data module, or rebuilds a table: that looks at the database
 */
export function scriptOf(
  migrations: readonly Migration[],
  repeatables: readonly Repeatable[],
  isFromNothing: boolean,
  dialect: MigrationDialect,
  options: CheckedOptions,
): string {
  const tables = stateTables(options.table, options.schema)
  const statements = new HistoryStatements(tables, dialect, options.actor)
  const lines: string[] = []
  if (isFromNothing) {
    lines.push(...createStatements(tables, dialect).map(({ sql }) => sql), withValues(statements.version(STATE_VERSION), dialect))
  }
  for (const migration of migrations) lines.push(`-- ${migration.id}`, ...linesOf(migration, dialect, options, statements))
  for (const { id, source, steps } of repeatables) {
    const state = replacing(tables.repeatables, { id, checksum: source.checksum, at: new Date() }, dialect).map((query) =>
      withValues(query, dialect),
    )
    lines.push(`-- ${id}`, ...transactionsOf(steps, state, dialect, options))
  }
  return lines.map((line) => (line.startsWith('-- ') ? `\n${line}\n` : `${line};\n`)).join('')
}

function linesOf(
  migration: Migration,
  dialect: MigrationDialect,
  options: CheckedOptions,
  statements: HistoryStatements,
): readonly string[] {
  if (migration.up.kind === 'data')
    throw new MigrationUsageError('is a module, which no script can hold; end the script before it', { file: migration.up.file })
  const steps = stepsOf(migration.up, dialect)
  const rebuilding = steps.find(({ rebuilds }) => rebuilds !== undefined)
  if (rebuilding !== undefined)
    throw new MigrationUsageError('rebuilds a table, whose statements depend on the database; use up --dry-run there', rebuilding)
  const nowMs = Date.now()
  const row = {
    id: migration.id,
    checksum: migration.up.checksum,
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
  return transactionsOf(steps, state, dialect, options)
}

/** Steps with what begins and ends their transactions; `state` is written with the last of them. */
function transactionsOf(
  steps: readonly Step[],
  state: readonly string[],
  dialect: MigrationDialect,
  options: CheckedOptions,
): readonly string[] {
  const segments = segmentsOf(steps, 0, dialect)
  const begin = [...dialect.begin({}), ...dialect.migrations.limitLockWait(options.ddlLockTimeoutMs)]
  const bodies = segments.map((segment, index) => {
    const sql = segment.steps.flatMap((step) => step.statements)
    if (!segment.isTransactional) return sql
    return [...begin, ...sql, ...(index === segments.length - 1 ? state : []), 'commit']
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
  const text = String(value)
  if (text.includes('\\')) throw new MigrationUsageError(`a backslash in "${text}" means something else on each server; leave it out`)
  return `'${text.replaceAll("'", "''")}'`
}
