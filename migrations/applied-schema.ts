import type { Schema } from '../lib/model/schema.js'
import { EMPTY_SCHEMA } from '../lib/model/schema-diff.js'
import { snapshotBehind } from './last-snapshot.js'
import { mergeSchemas } from './merge-schemas.js'
import type { Migration } from './migration.js'
import { type Applied, headsOf, isDone, lastCommon } from './plan.js'

/** The schema that migrations leave. */
export interface AppliedSchema {
  /** The last ids of it; several where branches are applied and what joins them is not. */
  readonly ids: readonly string[]
  readonly schema: Schema
  /** Whether a snapshot says it. */
  readonly isKnown: boolean
  /** What several branches have changed, and not alike: `users.nick`. */
  readonly conflicts: readonly string[]
}

/** The applied ones that no applied one follows: what {@link schemaBehind} takes for the schema that a database should have. */
export function appliedHeads(migrations: readonly Migration[], rows: readonly Applied[]): readonly string[] {
  const done = new Set(rows.filter(isDone).map(({ id }) => id))
  return headsOf(migrations.filter(({ id }) => done.has(id)))
}

/** The schema after these migrations and all that they follow. */
export async function schemaBehind(migrations: readonly Migration[], ids: readonly string[]): Promise<AppliedSchema> {
  if (ids.length < 2) {
    const schema = await snapshotBehind(ids[0], migrations)
    return { ids, schema: schema ?? EMPTY_SCHEMA, isKnown: schema !== undefined || ids.length === 0, conflicts: [] }
  }
  const base = await snapshotBehind(lastCommon(migrations, ids), migrations)
  const branches = await Promise.all(ids.map((id) => snapshotBehind(id, migrations)))
  const merged = mergeSchemas(
    base ?? EMPTY_SCHEMA,
    branches.map((branch) => branch ?? EMPTY_SCHEMA),
  )
  return { ids, ...merged, isKnown: branches.some((branch) => branch !== undefined) }
}
