import type { Engine } from '../lib/dialect/dialect.js'
import { ConfigurationError } from '../lib/errors.js'
import { frozenCopy } from '../lib/model/frozen-copy.js'
import { requireKnownNames } from '../lib/nearest-name.js'
import { LINT_RULE_IDS, type LintLevel, type LintRuleId } from './lint/rule.js'

/** What the command line has to know of a project; every part of it may be left out. Paths and globs count from the file that says it. */
export interface MigrationConfig {
  /** The engines that SQL is written for; `mysql` is MariaDB's too. Default: that of the URL. */
  readonly dialect?: Engine | readonly Engine[]
  /** Where the database is; see `createDatabase`. `--url`, `LATCHWORK_MIGRATE_URL` and `LATCHWORK_DATABASE_URL` go before it, in this order. */
  readonly url?: string | (() => string | Promise<string>)
  /** The files that export models, as globs such as `src/models/*.ts`; `!` in front leaves files out. */
  readonly models?: readonly string[]
  readonly migrations?: {
    /** The folder of migrations. Default `migrations`. */
    readonly dir?: string
    /** The state table. Default `_latchwork_migrations`. */
    readonly table?: string
    /** The database's schema in which migrations run and their state stands. Default: the connection's own. */
    readonly schema?: string
  }
  readonly drift?: {
    /** What `drift` and `baseline` leave out: `audit_*`, `users.legacy_*`; `*` is any text, `?` any character. */
    readonly ignore?: readonly string[]
  }
  readonly seeds?: {
    /** The folder of seeds. Default `seeds`. */
    readonly dir?: string
  }
  readonly reset?: {
    /** Hosts beside this machine on which `db reset` may drop a database. Default none. */
    readonly hosts?: readonly string[]
  }
  readonly lint?: {
    /** Another level for a rule of `migrate lint`, or `off`. */
    readonly rules?: Readonly<Partial<Record<LintRuleId, LintLevel | 'off'>>>
    /** About how many rows tables have: a number, or `50M`, `20k`. `--rows` goes before it. */
    readonly rows?: Readonly<Record<string, number | string>>
  }
}

/** A configuration for `export default`, checked by the compiler. */
export function defineConfig(config: MigrationConfig): MigrationConfig {
  return config
}

const ENGINES: readonly unknown[] = ['postgres', 'mysql', 'sqlite'] satisfies Engine[]

/**
 * A frozen copy of what a configuration file exports.
 *
 * @throws {ConfigurationError} an option is unknown or of the wrong type
 */
export function checkedConfig(given: unknown): MigrationConfig {
  const config = requireObject('config', given) as MigrationConfig
  requireKnownNames('', config, ['dialect', 'url', 'models', 'migrations', 'drift', 'seeds', 'reset', 'lint'])
  const { dialect, url, models, migrations, drift, seeds, reset, lint } = config
  if (dialect !== undefined) requireEngines(dialect)
  if (url !== undefined && typeof url !== 'function') requireText('url', url)
  if (models !== undefined) requireTexts('models', models)
  if (migrations !== undefined) {
    requireKnownNames('migrations', requireObject('migrations', migrations), ['dir', 'table', 'schema'])
    for (const name of ['dir', 'table', 'schema'] as const)
      if (migrations[name] !== undefined) requireText(`migrations.${name}`, migrations[name])
  }
  if (drift !== undefined) {
    requireKnownNames('drift', requireObject('drift', drift), ['ignore'])
    if (drift.ignore !== undefined) requireTexts('drift.ignore', drift.ignore)
  }
  if (seeds !== undefined) {
    requireKnownNames('seeds', requireObject('seeds', seeds), ['dir'])
    if (seeds.dir !== undefined) requireText('seeds.dir', seeds.dir)
  }
  if (reset !== undefined) {
    requireKnownNames('reset', requireObject('reset', reset), ['hosts'])
    if (reset.hosts !== undefined) requireTexts('reset.hosts', reset.hosts)
  }
  if (lint !== undefined) requireLint(lint)
  return frozenCopy(config)
}

function requireLint(lint: NonNullable<MigrationConfig['lint']>): void {
  requireKnownNames('lint', requireObject('lint', lint), ['rules', 'rows'])
  const { rules = {}, rows = {} } = lint
  requireKnownNames('lint.rules', requireObject('lint.rules', rules), LINT_RULE_IDS)
  for (const [rule, level] of Object.entries(rules))
    if (!['error', 'warning', 'off'].includes(level)) throw new ConfigurationError(`lint.rules.${rule}`, 'expected error, warning or off')
  for (const [table, count] of Object.entries(requireObject('lint.rows', rows)))
    if (rowCount(count) === undefined) throw new ConfigurationError(`lint.rows.${table}`, 'expected a number of rows, such as 50M')
}

const MULTIPLES: Readonly<Record<string, number>> = { '': 1, k: 1_000, m: 1_000_000, g: 1_000_000_000 }

/** A number of rows as people write it: `50M`, `20k`, `1500`; undefined: it is none. */
export function rowCount(given: unknown): number | undefined {
  const [, digits, unit] = /^(\d{1,15}(?:\.\d+)?)([kmg]?)$/i.exec(String(given)) ?? []
  return digits === undefined ? undefined : Math.round(Number(digits) * MULTIPLES[unit!.toLowerCase()]!)
}

/** The engines that a configuration names; none where it names none. */
export function enginesOf({ dialect }: MigrationConfig): readonly Engine[] {
  return dialect === undefined ? [] : typeof dialect === 'string' ? [dialect] : dialect
}

function requireEngines(dialect: unknown): void {
  const names = Array.isArray(dialect) ? dialect : [dialect]
  if (names.length > 0 && names.every((name) => ENGINES.includes(name)) && new Set(names).size === names.length) return
  throw new ConfigurationError('dialect', `expected ${ENGINES.join(', ')}, or a list of them, each once`)
}

function requireTexts(name: string, value: unknown): void {
  if (!Array.isArray(value)) throw new ConfigurationError(name, `expected a list of texts, got ${typeof value}`)
  for (const [position, text] of value.entries()) requireText(`${name}[${position}]`, text)
}

function requireText(name: string, value: unknown): void {
  if (typeof value === 'string' && value !== '') return
  throw new ConfigurationError(name, `expected a text, got ${value === '' ? 'an empty one' : typeof value}`)
}

function requireObject(name: string, value: unknown): object {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value
  throw new ConfigurationError(name, `expected an object, got ${Array.isArray(value) ? 'a list' : value === null ? 'null' : typeof value}`)
}
