import { sameJson } from '../lib/model/json-text.js'
import type { Schema, TableSchema } from '../lib/model/schema.js'
import { factName } from '../lib/model/schema-change.js'

/** What branches have made of one schema, together. */
export interface MergedSchema {
  readonly schema: Schema
  /** What more than one of them changed, and not alike: `users`, `users.nick`, `users.users_nick_key`. */
  readonly conflicts: readonly string[]
}

/**
 * Joins schemas that began as one: of each table, column, key, index and check the version of the branch that changed it. Pure.
 *
 * @param base  what they began as
 */
export function mergeSchemas(base: Schema, branches: readonly Schema[]): MergedSchema {
  const conflicts: string[] = []
  const choose: Choose = (path, before, after) => {
    const changed = after.filter((each) => !sameJson(each, before))
    if (changed.some((each) => !sameJson(each, changed[0]))) conflicts.push(path)
    return changed.length === 0 ? before : changed[0]
  }
  const lists = branches.map(({ tables }) => tables)
  const tables = mergeByName(base.tables, lists, factName, (path, before, after) => mergeTables(path, before, after, choose))
  return { schema: { version: 1, tables }, conflicts }
}

/** The version of something after all branches; undefined: it is not there, before or after. */
type Choose = <T>(path: string, before: T | undefined, after: readonly (T | undefined)[]) => T | undefined

/** Each thing that any of the lists has, as `choose` says; in the order of the first list, what is new behind. */
function mergeByName<T>(
  before: readonly T[],
  after: readonly (readonly T[])[],
  nameOf: (item: T) => string,
  choose: (name: string, before: T | undefined, after: readonly (T | undefined)[]) => T | undefined,
): readonly T[] {
  const named = (list: readonly T[], name: string) => list.find((item) => nameOf(item) === name)
  const names = new Set([before, ...after].flat().map(nameOf))
  return [...names].flatMap((name) => {
    const chosen = choose(
      name,
      named(before, name),
      after.map((list) => named(list, name)),
    )
    return chosen === undefined ? [] : [chosen]
  })
}

/** A table that all have is joined part by part; one that is made or dropped is one thing. */
function mergeTables(
  path: string,
  before: TableSchema | undefined,
  after: readonly (TableSchema | undefined)[],
  choose: Choose,
): TableSchema | undefined {
  const present = after.filter((table) => table !== undefined)
  if (before === undefined || present.length < after.length) return choose(path, before, after)
  const parts = <T extends { readonly name: string }>(of: (table: TableSchema) => readonly T[]): readonly T[] =>
    mergeByName(
      of(before),
      present.map(of),
      ({ name }) => name,
      (name, was, is) => choose(`${path}.${name}`, was, is),
    )
  const comment = choose(
    `${path} (comment)`,
    before.comment,
    present.map((table) => table.comment),
  )
  const { comment: _, ...rest } = before
  return {
    ...rest,
    columns: parts((table) => table.columns),
    primaryKey: choose(
      `${path} (primary key)`,
      before.primaryKey,
      present.map((table) => table.primaryKey),
    )!,
    uniques: parts((table) => table.uniques),
    indexes: parts((table) => table.indexes),
    foreignKeys: parts((table) => table.foreignKeys),
    checks: parts((table) => table.checks),
    ...(comment === undefined ? {} : { comment }),
  }
}
