import { schemaBehind } from './applied-schema.js'
import type { DriftReport } from './documents.js'
import { driftSummary, findDrift } from './drift.js'
import { MigrationDriftError, MigrationHistoryError, MigrationUsageError } from './errors.js'
import { ExpressionStore } from './expression-store.js'
import type { HistoryRow } from './history-row.js'
import type { Migration } from './migration.js'
import type { BaselineOptions } from './migrator-api.js'
import { headsOf, withAncestors } from './plan.js'
import { unknownId } from './refusals.js'
import { stateRow } from './repair.js'
import type { RunContext } from './run-context.js'
import { inStateTransaction } from './state-transaction.js'

/** What a baseline wrote down, and what it saw. */
export interface Baseline extends DriftReport {
  readonly baselined: readonly string[]
}

/**
 * Writes down that a database has everything up to `id`, where it has.
 *
 * @throws {MigrationUsageError} there is no such migration, no snapshot, or no reason
 * @throws {MigrationHistoryError} something is written down of one of them already
 * @throws {MigrationDriftError} the database is not as the snapshot says
 */
export async function baseline(
  context: RunContext,
  ordered: readonly Migration[],
  rows: readonly HistoryRow[],
  id: string,
  { forceMismatch, ignore = [] }: BaselineOptions,
): Promise<Baseline> {
  if (forceMismatch !== undefined && (typeof forceMismatch !== 'string' || forceMismatch.trim() === ''))
    throw new MigrationUsageError('forceMismatch needs a reason, for the log; nothing was written')
  if (!ordered.some((each) => each.id === id)) throw unknownId(id, ordered)
  const ids = withAncestors(ordered, id)
  const chosen = ordered.filter((migration) => ids.has(migration.id))
  refuseRecorded(chosen, rows)
  const { schema, isKnown } = await schemaBehind(chosen, headsOf(chosen))
  if (!isKnown && forceMismatch === undefined) {
    throw new MigrationUsageError(
      `neither ${id} nor what it follows has a snapshot.json, so that nobody can say whether the database is as they leave it; nothing was written`,
      {},
      [`latchwork migrate baseline ${id} --force-mismatch "checked by hand"`],
    )
  }
  const report = await findDrift(context, { expected: schema, ignore, strict: false })
  if (report.differences.length > 0 && forceMismatch === undefined) throw mismatch(id, report)
  await context.history.ensure()
  await inStateTransaction(context.session, context.dialect, async () => {
    for (const migration of chosen) await record(context, migration, forceMismatch)
    await new ExpressionStore(context.session, context.dialect, context.options.table).keepUpTo(headsOf(chosen))
  })
  return { ...report, baselined: chosen.map((migration) => migration.id) }
}

function refuseRecorded(chosen: readonly Migration[], rows: readonly HistoryRow[]): void {
  const states = new Map(rows.map(({ id, state }) => [id, state]))
  const recorded = chosen.flatMap(({ id }) => {
    const state = states.get(id)
    return state === undefined ? [] : [{ kind: 'recorded', ids: [id], message: `${id} is ${state} here already` } as const]
  })
  if (recorded.length > 0) throw new MigrationHistoryError(recorded, ['latchwork migrate status', 'latchwork migrate drift'])
}

function mismatch(id: string, report: DriftReport): MigrationDriftError {
  return new MigrationDriftError(`the database is not as ${id} leaves it: ${driftSummary(report)}; nothing was written`, report, [
    `latchwork migrate baseline ${id} --force-mismatch "<why that is right>"`,
  ])
}

async function record(context: RunContext, migration: Migration, reason: string | undefined): Promise<void> {
  await context.history.write(stateRow(context, migration, 'baselined'))
  await context.history.log({
    migration: migration.id,
    action: 'baseline',
    outcome: 'baselined',
    step: null,
    durationMs: 0,
    reason: reason === undefined ? null : `mismatch forced: ${reason}`,
    errorCode: null,
    errorText: null,
  })
}
