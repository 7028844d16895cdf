import { type AppliedSchema, appliedHeads, schemaBehind } from './applied-schema.js'
import { expressionHashes } from './expression-hashes.js'
import { ExpressionStore, type KeptExpression, keyOf } from './expression-store.js'
import type { HistoryRow } from './history-row.js'
import type { Migration } from './migration.js'
import { isHalfDone } from './plan.js'
import type { RunContext } from './run-context.js'
import { inOwnSchema } from './schema-comparison.js'
import { inStateTransaction } from './state-transaction.js'

/**
 * Writes down up to where expressions are kept, unless it is: before the first migration runs here. What was there before, and what a
 * killed run leaves, is told apart by it.
 */
export async function beginKeeping(context: RunContext, migrations: readonly Migration[], rows: readonly HistoryRow[]): Promise<void> {
  const store = storeOf(context)
  if ((await store.upTo()) === undefined) await store.keepUpTo(appliedHeads(migrations, rows))
}

/**
 * Writes down how the engine gives back the defaults, checks and indexes that migrations have made since it was last done: what reads
 * otherwise later was changed past them. What they did not touch stays as it was written, so that no such change is taken for theirs.
 *
 * Does nothing while a migration is partly applied: it is done after that one.
 */
export async function keepExpressions(context: RunContext, migrations: readonly Migration[], rows: readonly HistoryRow[]): Promise<void> {
  if (rows.some(isHalfDone)) return
  const store = storeOf(context)
  const ids = appliedHeads(migrations, rows)
  const upTo = await store.upTo()
  if (upTo === undefined || sameIds(upTo, ids)) return
  const applied = await schemaBehind(migrations, ids)
  const now = expressionHashes(inOwnSchema(applied.schema, context.session.schema))
  const kept = await store.read()
  const before = await hashesBefore(context, migrations, upTo, kept)
  const touched = [...now].filter(([key, hash]) => before(key) !== hash)
  const wanted = new Set([...now.keys()].map(keyOf))
  const stale = [...kept].filter(([key]) => !wanted.has(key)).map(([key]) => key)
  const found = touched.length === 0 ? new Map<string, KeptExpression>() : await findExpressions(context, applied, new Map(touched))
  await inStateTransaction(context.session, context.dialect, async () => {
    await store.remove([...stale, ...touched.map(([key]) => keyOf(key))])
    await store.write(found)
    await store.keepUpTo(ids)
  })
}

function storeOf({ session, dialect, options }: RunContext): ExpressionStore {
  return new ExpressionStore(session, dialect, options.table)
}

function sameIds(one: readonly string[], other: readonly string[]): boolean {
  return [...one].sort().join(' ') === [...other].sort().join(' ')
}

/** What each expression meant where they were kept last; of migrations that are no longer on disk, what was kept says it. */
async function hashesBefore(
  context: RunContext,
  migrations: readonly Migration[],
  upTo: readonly string[],
  kept: ReadonlyMap<string, KeptExpression>,
): Promise<(key: string) => string | undefined> {
  if (!upTo.every((id) => migrations.some((migration) => migration.id === id))) return (key) => kept.get(keyOf(key))?.hash
  const hashes = expressionHashes(inOwnSchema((await schemaBehind(migrations, upTo)).schema, context.session.schema))
  return (key) => hashes.get(key)
}

async function findExpressions(
  { dialect, session }: RunContext,
  { schema }: AppliedSchema,
  touched: ReadonlyMap<string, string>,
): Promise<ReadonlyMap<string, KeptExpression>> {
  const { expressions } = await dialect.introspect(session.connection, { known: inOwnSchema(schema, session.schema) })
  return new Map(
    [...touched].flatMap(([key, hash]) => {
      const asStored = expressions[key]
      return asStored === undefined ? [] : [[keyOf(key), { hash, asStored }] as const]
    }),
  )
}
