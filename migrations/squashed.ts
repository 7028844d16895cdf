import type { HistoryProblem } from './documents.js'
import type { HistoryRow } from './history-row.js'
import type { Migration, Replaced } from './migration.js'
import { type Applied, isDone } from './plan.js'

/** A squashed migration that a database has by what it replaces, as rows that say so. */
export interface TakenOver {
  readonly id: string
  /** Its own row, and those of what it replaces. */
  readonly rows: readonly HistoryRow[]
}

/**
 * The rows as they are where squashed migrations are taken for what they replace: a database that has all of that has them too. Pure.
 *
 * @returns `rows`, and what has to be written so that the database says the same
 */
export function withSquashed(
  migrations: readonly Migration[],
  rows: readonly HistoryRow[],
): { readonly rows: readonly HistoryRow[]; readonly taken: readonly TakenOver[] } {
  const byId = new Map(rows.map((row) => [row.id, row]))
  const taken = unrun(migrations, byId).flatMap((migration) => {
    const replaced = replacedRows(migration.replaces, byId).filter(isDone)
    if (!migration.replaces.every((each) => isCovered(each, byId)) || replaced.length === 0) return []
    return [{ id: migration.id, rows: [...replaced.map((row): HistoryRow => ({ ...row, state: 'squashed' })), rowOf(migration, replaced)] }]
  })
  for (const row of taken.flatMap((each) => each.rows)) byId.set(row.id, row)
  return { rows: [...byId.values()], taken }
}

/** Squashed migrations of which a database has a part: neither can they be run there, nor taken for done. */
export function partlySquashed(migrations: readonly Migration[], rows: readonly Applied[]): readonly HistoryProblem[] {
  const byId = new Map(rows.map((row) => [row.id, row]))
  return unrun(migrations, byId).flatMap(({ id, replaces }): readonly HistoryProblem[] => {
    const there = replacedRows(replaces, byId).map((row) => row.id)
    if (there.length === 0 || replaces.every((each) => isCovered(each, byId))) return []
    const missing = replaces.filter((each) => !isCovered(each, byId)).map(idOf)
    const message = `${id} replaces ${replaces.map(idOf).join(', ')}, of which this database has ${there.join(', ')} and not all of ${missing.join(', ')}: go back to the files before the squash, run up, and come again`
    return [{ kind: 'partly-squashed', ids: [id, ...missing], message }]
  })
}

/** Those that replace others and have no row of their own: one that was reverted is not applied because of what it has replaced. */
function unrun(migrations: readonly Migration[], rows: ReadonlyMap<string, unknown>): readonly Migration[] {
  return migrations.filter(({ id, replaces }) => replaces.length > 0 && !rows.has(id))
}

function idOf(replaced: Replaced): string {
  return typeof replaced === 'string' ? replaced : replaced.id
}

/** Whether a database has it, or all that it had replaced in its turn. */
function isCovered(replaced: Replaced, rows: ReadonlyMap<string, Applied>): boolean {
  const row = rows.get(idOf(replaced))
  if (row !== undefined && isDone(row)) return true
  return typeof replaced !== 'string' && replaced.replaces.length > 0 && replaced.replaces.every((each) => isCovered(each, rows))
}

/** Rows of all that is or was replaced, but for what was reverted. */
function replacedRows<R extends Applied>(replaces: readonly Replaced[], rows: ReadonlyMap<string, R>): readonly R[] {
  return replaces.flatMap((each) => {
    const row = rows.get(idOf(each))
    const own = row === undefined || row.state === 'reverted' ? [] : [row]
    return typeof each === 'string' ? own : [...own, ...replacedRows(each.replaces, rows)]
  })
}

function rowOf({ id, up }: Migration, replaced: readonly HistoryRow[]): HistoryRow {
  const last = replaced.reduce((one, other) => ((other.finishedAtMs ?? 0) > (one.finishedAtMs ?? 0) ? other : one))
  return {
    id,
    checksum: up.kind === 'sql' ? up.checksum : null,
    state: 'applied',
    stepsTotal: 0,
    stepsDone: 0,
    stepHashes: [],
    checkpoint: {},
    startedAtMs: last.startedAtMs,
    finishedAtMs: last.finishedAtMs,
    durationMs: null,
    errorCode: null,
    errorText: null,
  }
}
