import { join, relative, resolve } from 'node:path'
import { createMigrationDialect } from '../../lib/dialect/create-migration-dialect.js'
import type { Engine } from '../../lib/dialect/dialect.js'
import type { MigrationDialect } from '../../lib/dialect/migration-dialect.js'
import { ConfigurationError } from '../../lib/errors.js'
import type { Schema } from '../../lib/model/schema.js'
import { requireKnownNames } from '../../lib/nearest-name.js'
import { readDescription } from '../description.js'
import { DOCUMENT_SCHEMA, type HistoryProblem } from '../documents.js'
import { MigrationUsageError } from '../errors.js'
import { snapshotBehind } from '../last-snapshot.js'
import type { Migration, SqlSource } from '../migration.js'
import { type MigrationFolder, readMigrations } from '../migration-files.js'
import { NOWHERE } from '../nowhere.js'
import { idsOf, inOrder } from '../plan.js'
import { consentOf } from './directives.js'
import { editedWhereApplied, HISTORY_RULES, type HistoryFound, missingDown, twoHeads } from './history-rules.js'
import type { LintDocument, LintFinding } from './lint-document.js'
import { type LintFile, lintFile } from './lint-file.js'
import { type Found, LINT_RULE_IDS, type LintLevel, type LintRuleId, type RuleText, SQL_RULE_IDS } from './rule.js'
import { type ChangedSince, changedSince } from './since.js'
import { SQL_RULES } from './sql-rules.js'

/** What is looked at, and how strictly. */
export interface LintOptions {
  /** The folder of migrations, from the working directory. Default `migrations`. */
  readonly folder?: string
  /** Whose SQL is looked at. */
  readonly engines: readonly Engine[]
  /** Migrations to look at. Default: all. */
  readonly ids?: readonly string[]
  /** Look at those alone that are new or changed since the branch has left this commit, as git says; one that was changed is a finding. */
  readonly since?: string
  /** About how many rows tables have: what takes long is an error from 1,000,000 on, and nothing under 10,000. */
  readonly rows?: Readonly<Record<string, number>>
  /** Another level for a rule, or `off`. */
  readonly rules?: Readonly<Partial<Record<LintRuleId, LintLevel | 'off'>>>
  /** What `verify` found on a database: files that were changed after they were applied there. */
  readonly problems?: readonly HistoryProblem[]
}

const LARGE = 1_000_000
const SMALL = 10_000

/**
 * Looks for what is dangerous in migrations. Reads files alone.
 *
 * @throws {MigrationUsageError} a file makes no sense, a `nolint` gives no reason, or there is no such id
 * @throws {ConfigurationError} an option is wrong, or git knows no such commit
 */
export async function lint(options: LintOptions): Promise<LintDocument> {
  check(options)
  const folder = resolve(options.folder ?? 'migrations')
  const folders = await Promise.all(options.engines.map((engine) => readMigrations(folder, engine)))
  const since = options.since === undefined ? undefined : await changedSince(folder, options.since)
  const ids = chosenIds(folders[0]!, options.ids, since)
  const run = new LintRun(options, ids)
  for (const each of history(folders, options, since)) run.sayHistory(each)
  for (const [position, engine] of options.engines.entries()) await run.lookAt(folders[position]!, engine)
  return run.document()
}

function check({ engines, rules = {}, rows = {} }: LintOptions): void {
  if (engines.length === 0) throw new ConfigurationError('engines', 'expected at least one engine')
  requireKnownNames('rules', rules, LINT_RULE_IDS)
  for (const [rule, level] of Object.entries(rules)) {
    if (!['error', 'warning', 'off'].includes(level)) throw new ConfigurationError(`rules.${rule}`, 'expected error, warning or off')
  }
  for (const [table, count] of Object.entries(rows)) {
    if (!Number.isFinite(count) || count < 0) throw new ConfigurationError(`rows.${table}`, 'expected a number of rows')
  }
}

function chosenIds(
  { migrations }: MigrationFolder,
  wanted: readonly string[] | undefined,
  since: ChangedSince | undefined,
): readonly string[] {
  const ids = inOrder(migrations).map(({ id }) => id)
  const unknown = wanted?.find((id) => !ids.includes(id))
  if (unknown !== undefined) throw new MigrationUsageError(`there is no migration "${unknown}"`, {}, ['latchwork migrate status'])
  return ids.filter((id) => (wanted?.includes(id) ?? true) && (since?.changed.has(id) ?? true))
}

function history(
  folders: readonly MigrationFolder[],
  { engines, problems = [] }: LintOptions,
  since: ChangedSince | undefined,
): readonly HistoryFound[] {
  const [first] = folders
  return [
    ...twoHeads(first!),
    ...editedSince(first!, since),
    ...folders.flatMap((folder) => editedWhereApplied(folder, problems)),
    ...folders.flatMap((folder, position) => missingDown(folder, engines[position]!)),
  ]
}

/** A commit that others have may be applied anywhere. What was squashed has gone into another. */
function editedSince({ path, migrations }: MigrationFolder, since: ChangedSince | undefined): readonly HistoryFound[] {
  const squashed = new Set(migrations.flatMap(({ replaces }) => idsOf(replaces)))
  return (since?.edited ?? []).flatMap((name): readonly HistoryFound[] => {
    const [id = ''] = name.split('/')
    return squashed.has(id)
      ? []
      : [{ rule: 'edited-after-applied', id, path: join(path, name), message: 'it was changed, or removed, since others have it' }]
  })
}

class LintRun {
  readonly #options: LintOptions
  readonly #ids: readonly string[]
  readonly #findings: LintFinding[] = []
  readonly #warnings: string[] = []
  readonly #snapshots = new Map<string | undefined, Promise<Schema | undefined>>()
  #covered = 0

  constructor(options: LintOptions, ids: readonly string[]) {
    this.#options = options
    this.#ids = ids
  }

  sayHistory({ rule, id, path, message }: HistoryFound): void {
    // of the whole folder, whatever was chosen
    if (rule === 'missing-down' && !this.#ids.includes(id)) return
    this.#say(rule, HISTORY_RULES[rule], id, null, path, { line: 1, message })
  }

  async lookAt({ migrations }: MigrationFolder, engine: Engine): Promise<void> {
    const dialect = createMigrationDialect(NOWHERE[engine])
    for (const migration of migrations.filter(({ id }) => this.#ids.includes(id))) {
      if (migration.up.kind !== 'sql') continue
      const file = await this.#fileOf(migration, migration.up, migrations, dialect)
      const consent = consentOf(file)
      for (const id of SQL_RULE_IDS.filter((each) => SQL_RULES[each].engines.includes(engine))) {
        for (const found of SQL_RULES[id].find(file)) {
          if (consent.covers(id, found)) this.#covered++
          else this.#say(id, SQL_RULES[id], file.id, engine, file.path, found)
        }
      }
      for (const { line, rule } of consent.unused())
        this.#warnings.push(`${relative(process.cwd(), file.path)}:${line}: nothing is found by ${rule} there; leave the line out`)
    }
  }

  async #fileOf(migration: Migration, source: SqlSource, migrations: readonly Migration[], dialect: MigrationDialect): Promise<LintFile> {
    const [parent] = migration.parents
    const before = this.#snapshots.get(parent) ?? snapshotBehind(parent, migrations)
    this.#snapshots.set(parent, before)
    const { operations } = await readDescription(migration.folder)
    return lintFile(migration.id, source, dialect, await before, operations)
  }

  #say(rule: LintRuleId, text: RuleText, id: string, engine: Engine | null, path: string, { line, message, table, level }: Found): void {
    const decided = this.#options.rules?.[rule] ?? level ?? this.#levelOf(text, table)
    if (decided === 'off') return
    const { danger, rewrite } = text
    this.#findings.push({ rule, level: decided, id, engine, file: relative(process.cwd(), path), line, message, danger, rewrite })
  }

  #levelOf({ level }: RuleText, table: string | undefined): LintLevel | 'off' {
    if (level !== 'size') return level
    const rows = table === undefined ? undefined : this.#options.rows?.[table]
    if (rows === undefined) return 'warning'
    return rows >= LARGE ? 'error' : rows < SMALL ? 'off' : 'warning'
  }

  document(): LintDocument {
    const errors = this.#findings.filter(({ level }) => level === 'error').length
    const message = `${errors} ${errors === 1 ? 'error' : 'errors'}; put it right, or say in the file why it may be: -- latchwork:nolint <rule> <reason>`
    return {
      schema: DOCUMENT_SCHEMA,
      command: 'lint',
      ok: errors === 0,
      exitCode: errors === 0 ? 0 : 11,
      error: errors === 0 ? null : { code: 'LINT', message },
      dialects: this.#options.engines,
      ids: this.#ids,
      findings: this.#findings,
      covered: this.#covered,
      next: [],
      warnings: this.#warnings,
    }
  }
}
