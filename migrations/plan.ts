import type { HistoryProblem, MigrationState } from './documents.js'
import type { DescribedMigration, Migration, Replaced } from './migration.js'

/** What the state table says of one migration, as far as plans go. */
export interface Applied {
  readonly id: string
  readonly state: MigrationState
  /** Null: of a data module. */
  readonly checksum: string | null
  /** Milliseconds of the epoch; null: not at its end yet. */
  readonly finishedAtMs: number | null
}

const DONE: readonly MigrationState[] = ['applied', 'baselined', 'squashed']
const HALF_DONE: readonly MigrationState[] = ['applying', 'failed', 'reverting']

export function isDone({ state }: Pick<Applied, 'state'>): boolean {
  return DONE.includes(state)
}

/** It is partly applied or reverted: nothing else runs before it is put right. */
export function isHalfDone({ state }: Pick<Applied, 'state'>): boolean {
  return HALF_DONE.includes(state)
}

/** Migrations in the order of their parents, ties by id. Those in a circle are left out: see {@link fileProblems}. */
export function inOrder(migrations: readonly Migration[]): readonly Migration[] {
  const left = new Map(migrations.map((migration) => [migration.id, new Set(migration.parents)]))
  const children = childrenOf(migrations)
  const byId = new Map(migrations.map((migration) => [migration.id, migration]))
  // a parent that is not there holds nobody back: it is a problem of its own
  for (const parents of left.values()) for (const parent of parents) if (!byId.has(parent)) parents.delete(parent)
  const ready = [...left].filter(([, parents]) => parents.size === 0).map(([id]) => id)
  ready.sort()
  const ordered: Migration[] = []
  while (ready.length > 0) {
    const id = ready.shift()!
    ordered.push(byId.get(id)!)
    for (const child of children.get(id) ?? []) {
      const parents = left.get(child)!
      parents.delete(id)
      if (parents.size === 0) insertSorted(ready, child)
    }
  }
  return ordered
}

function insertSorted(ids: string[], id: string): void {
  let at = ids.length
  while (at > 0 && ids[at - 1]! > id) at--
  ids.splice(at, 0, id)
}

function childrenOf(migrations: readonly Migration[]): ReadonlyMap<string, readonly string[]> {
  const children = new Map<string, string[]>()
  for (const { id, parents } of migrations)
    for (const parent of new Set(parents)) children.set(parent, [...(children.get(parent) ?? []), id])
  return children
}

/** Those that nobody follows. */
export function headsOf(migrations: readonly DescribedMigration[]): readonly string[] {
  const parents = new Set(migrations.flatMap((migration) => migration.parents))
  return migrations.filter(({ id }) => !parents.has(id)).map(({ id }) => id)
}

/** What is wrong with the files alone. */
export function fileProblems(migrations: readonly Migration[], head: string | undefined): readonly HistoryProblem[] {
  const ids = new Set(migrations.map(({ id }) => id))
  const heads = headsOf(migrations)
  const problems: HistoryProblem[] = []
  for (const { id, parents } of migrations) {
    const unknown = parents.filter((parent) => !ids.has(parent))
    if (unknown.length > 0)
      problems.push(problem('unknown-parent', [id, ...unknown], `${id} follows ${unknown.join(', ')}, which is not in the folder`))
  }
  const ordered = new Set(inOrder(migrations).map(({ id }) => id))
  const circle = migrations.filter(({ id }) => !ordered.has(id)).map(({ id }) => id)
  if (circle.length > 0) problems.push(problem('cycle', circle, `${circle.join(', ')} follow each other in a circle`))
  if (heads.length > 1)
    problems.push(problem('heads', heads, `there are ${heads.length} heads, ${heads.join(' and ')}: branches that were not merged`))
  if (head !== undefined && heads.length === 1 && head !== heads[0]) {
    const conflict = /^[<=>]{7}/m.test(head)
    const says = conflict ? 'has the marks of a conflict' : `says "${head}"`
    problems.push(problem('head-file', [heads[0]!], `the file HEAD ${says}, and the last migration is ${heads[0]}, which it has to say`))
  }
  return problems
}

/** In what files and history do not fit together. */
export function historyProblems(migrations: readonly Migration[], rows: readonly Applied[]): readonly HistoryProblem[] {
  const byId = new Map(migrations.map((migration) => [migration.id, migration]))
  const replaced = new Set(migrations.flatMap(({ replaces }) => idsOf(replaces)))
  const problems: HistoryProblem[] = []
  for (const row of rows.filter((each) => isDone(each) || isHalfDone(each))) {
    const migration = byId.get(row.id)
    // a squashed one has gone into another
    if (migration === undefined) {
      if (row.state !== 'squashed' && !replaced.has(row.id))
        problems.push(problem('missing', [row.id], `${row.id} is applied, and not in the folder`))
    } else if (isModified(migration, row)) {
      problems.push(
        problem('modified', [row.id], `${row.id} was changed after it was applied: its SQL is immutable, a change is a new migration`),
      )
    }
  }
  return [...problems, ...skippedParents(migrations, rows)]
}

/** Of all that is or was replaced. */
export function idsOf(replaces: readonly Replaced[]): readonly string[] {
  return replaces.flatMap((each) => (typeof each === 'string' ? [each] : [each.id, ...idsOf(each.replaces)]))
}

/** Whether an applied migration's file is another than the one that was applied. */
export function isModified(migration: Migration, row: Applied): boolean {
  // of a failed one the rest may be put right: resume looks at the steps that are done
  return migration.up.kind === 'sql' && isDone(row) && row.checksum !== null && row.checksum !== migration.up.checksum
}

/** Pending ones on which an applied one stands: they cannot be applied in their place any more. */
function skippedParents(migrations: readonly Migration[], rows: readonly Applied[]): readonly HistoryProblem[] {
  const done = doneIds(rows)
  const ids = new Set(migrations.map(({ id }) => id))
  return migrations
    .filter(({ id }) => done.has(id))
    .flatMap(({ id, parents }) =>
      parents
        .filter((parent) => ids.has(parent) && !done.has(parent))
        .map((parent) => problem('skipped', [parent, id], `${parent} is pending, and ${id}, which follows it, is applied`)),
    )
}

function doneIds(rows: readonly Applied[]): ReadonlySet<string> {
  return new Set(rows.filter((row) => isDone(row) || isHalfDone(row)).map(({ id }) => id))
}

/** Those that are not applied, in the order in which they would be. One that came late by a merge is among them. */
export function pendingOf(ordered: readonly Migration[], rows: readonly Applied[]): readonly Migration[] {
  const done = doneIds(rows)
  return ordered.filter(({ id }) => !done.has(id))
}

/** Pending ones before which, in the order, another is applied: a merge brought them. */
export function lateOf(ordered: readonly Migration[], rows: readonly Applied[]): ReadonlySet<string> {
  const done = doneIds(rows)
  const lastDone = ordered.findLastIndex(({ id }) => done.has(id))
  return new Set(ordered.slice(0, lastDone + 1).flatMap(({ id }) => (done.has(id) ? [] : [id])))
}

/** An id with all that it follows, near and far. */
export function withAncestors(migrations: readonly Migration[], id: string): ReadonlySet<string> {
  const byId = new Map(migrations.map((migration) => [migration.id, migration]))
  const found = new Set<string>()
  const left = [id]
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    if (found.has(next)) continue
    found.add(next)
    left.push(...(byId.get(next)?.parents ?? []))
  }
  return found
}

/** The last migration that all heads follow; undefined: they have nothing in common. */
export function lastCommon(migrations: readonly Migration[], heads: readonly string[]): string | undefined {
  const followed = heads.map((head) => withAncestors(migrations, head))
  return inOrder(migrations).findLast(({ id }) => followed.every((ids) => ids.has(id)))?.id
}

/**
 * The applied ones in the order in which they would be reverted: the last that was applied first, and none before those that follow it.
 *
 * @param keeps  ids that stay
 */
export function revertOrder(ordered: readonly Migration[], rows: readonly Applied[], keeps: ReadonlySet<string>): readonly Migration[] {
  const finished = new Map(rows.map((row) => [row.id, row.finishedAtMs ?? 0]))
  const done = new Set(rows.filter(isDone).map(({ id }) => id))
  const left = ordered.filter(({ id }) => done.has(id))
  const children = new Map([...childrenOf(left)].map(([id, list]) => [id, new Set(list)]))
  const reverted: Migration[] = []
  while (left.length > 0) {
    let last = -1
    for (const [at, { id }] of left.entries()) {
      const isFree = (children.get(id)?.size ?? 0) === 0
      if (isFree && (last === -1 || finished.get(id)! >= finished.get(left[last]!.id)!)) last = at
    }
    const [next] = left.splice(last, 1)
    for (const parent of next!.parents) children.get(parent)?.delete(next!.id)
    reverted.push(next!)
  }
  return reverted.filter(({ id }) => !keeps.has(id))
}

function problem(kind: HistoryProblem['kind'], ids: readonly string[], message: string): HistoryProblem {
  return { kind, ids, message }
}
