import type { Schema } from '../lib/model/schema.js'
import { appliedHeads, schemaBehind } from './applied-schema.js'
import type { DriftReport, SchemaDifference } from './documents.js'
import { expressionHashes } from './expression-hashes.js'
import { ExpressionStore, keyOf } from './expression-store.js'
import type { Migration } from './migration.js'
import { historyProblems, isHalfDone } from './plan.js'
import { refuseProblems } from './refusals.js'
import type { RunContext } from './run-context.js'
import { compareSchemas, inOwnSchema } from './schema-comparison.js'
import { withSquashed } from './squashed.js'
import { stateTables } from './state-tables.js'

/** What is compared, and how. */
export interface DriftSearch {
  readonly expected: Schema
  readonly ignore: readonly string[]
  /** Tables that the schema does not have are drift too. */
  readonly strict: boolean
}

/** How a database differs from what its migrations left. */
export interface Drift extends DriftReport {
  /** The last ids that are applied. */
  readonly against: readonly string[]
  /** In a line; undefined: there is none. */
  readonly problem: string | undefined
}

/**
 * Compares the database of a run with the snapshot of the last migration that is applied in it. Changes nothing.
 *
 * @throws {MigrationHistoryError} what was applied is not on disk, so that nobody knows what should be there
 */
export async function driftOf(
  context: RunContext,
  migrations: readonly Migration[],
  { ignore, strict }: Pick<DriftSearch, 'ignore' | 'strict'>,
): Promise<Drift> {
  const { rows } = withSquashed(migrations, await context.history.read())
  refuseProblems(historyProblems(migrations, rows).filter(({ kind }) => kind === 'missing'))
  const { ids, schema, isKnown, conflicts } = await schemaBehind(migrations, appliedHeads(migrations, rows))
  if (!isKnown) context.warn('no migration that is applied has a snapshot.json: there is nothing to compare with')
  for (const { id } of rows.filter(isHalfDone)) context.warn(`${id} is partly applied: what it has changed shows as a difference`)
  if (conflicts.length > 0) context.warn(`branches that are not joined have both changed ${conflicts.join(', ')}`)
  const report = await findDrift(context, { expected: schema, ignore, strict })
  const problem = `the database is not as its migrations left it: ${driftSummary(report)}`
  return { ...report, against: ids, problem: report.differences.length === 0 ? undefined : problem }
}

/** Compares the database of a run with a schema. Changes nothing. */
export async function findDrift({ dialect, session, options }: RunContext, search: DriftSearch): Promise<DriftReport> {
  const expected = inOwnSchema(search.expected, session.schema)
  const kept = await new ExpressionStore(session, dialect, options.table).read()
  const former = new Map(
    [...expressionHashes(expected)].flatMap(([key, hash]) => {
      const expression = kept.get(keyOf(key))
      // of one that means something else now it says nothing
      return expression?.hash === hash ? [[key, expression.asStored] as const] : []
    }),
  )
  const found = await dialect.introspect(session.connection, { known: expected, expressions: Object.fromEntries(former) })
  const { differences, notCompared, unmanaged } = compareSchemas(expected, found, new Set(former.keys()))
  const isIgnored = ignoring(search.ignore)
  const ours = new Set(Object.values(stateTables(options.table, undefined)).map(({ name }) => name))
  const foreign = unmanaged.filter((table) => !ours.has(table) && !isIgnored(table, null))
  return {
    differences: [
      ...differences.filter(({ table, name }) => !isIgnored(table, name)),
      ...(search.strict ? foreign.map(unexpectedTable) : []),
    ],
    notCompared: notCompared.filter(({ table, name }) => !isIgnored(table, name)),
    unmanaged: foreign,
  }
}

function unexpectedTable(table: string): SchemaDifference {
  return { kind: 'unexpected', table, what: 'table', name: null, expected: null, actual: 'a table that no migration makes' }
}

/** Whether one of the patterns leaves out a table, or something of it. */
function ignoring(patterns: readonly string[]): (table: string, name: string | null) => boolean {
  const expressions = patterns.map((pattern) => {
    const escaped = pattern
      .replaceAll(/[\\^$+.()|[\]{}]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')
    return new RegExp(`^${escaped}$`, 'su')
  })
  return (table, name) => expressions.some((each) => each.test(table) || (name !== null && each.test(`${table}.${name}`)))
}

/** `3 differences in 2 tables: users.nick is missing, …`: in a line. */
export function driftSummary({ differences }: DriftReport): string {
  const tables = new Set(differences.map(({ table }) => table))
  const first = differences.slice(0, 3).map(({ table, what, name, kind }) => {
    const place = name === null ? table : `${table}.${name}`
    return `${what} ${place} is ${kind}`
  })
  const more = differences.length > first.length ? `, and ${differences.length - first.length} more` : ''
  const count =
    differences.length === 1
      ? '1 difference'
      : `${differences.length} differences in ${tables.size === 1 ? 'a table' : `${tables.size} tables`}`
  return `${count}: ${first.join(', ')}${more}`
}
