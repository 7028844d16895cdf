import { SerializationError } from '../errors.js'
import { type AuditedCall, type RowImages, recordImages } from './audit-record.js'
import { type BoundField, type BoundModel, reboundValue } from './bound-model.js'
import type { Key } from './change-keys.js'
import { ALWAYS, allOf, type Condition } from './condition.js'
import { chunksOfKeys, inKeys } from './in-list.js'
import { keyText } from './key-text.js'
import type { PlanRunner } from './query-plan.js'
import { rowsPlan } from './read.js'
import { updateLock } from './row-lock.js'
import { type PlainRow, positionIn, readRow, selectAll } from './selection.js'
import { StatementShape } from './statement-cache.js'

/** Which rows are changed: those of a condition, whose values the shape holds. */
export interface Watched {
  readonly condition: Condition
  readonly shape: StatementShape
}

/** Rows as they are at one moment, by the text of a key. */
type Images = ReadonlyMap<string, { readonly key: Key; readonly row: PlainRow }>

/** Makes rows of an audited model and writes that down; `make` gives the rows whole. */
export function auditedCreate<T>(
  model: BoundModel,
  runner: PlanRunner,
  call: AuditedCall,
  make: () => Promise<{ readonly value: T; readonly rows: readonly PlainRow[] }>,
): Promise<T> {
  const work = async () => {
    const { value, rows } = await make()
    await recordImages(
      model,
      runner,
      call,
      rows.map((row): RowImages => [undefined, row]),
    )
    return value
  }
  return runner.transaction(call.label, work, call.limits)
}

/** Writes down that the rows of these primary keys were made, in the transaction that the call is in. */
export async function recordCreated(model: BoundModel, runner: PlanRunner, call: AuditedCall, keys: readonly Key[]): Promise<void> {
  const made = await imagesOfKeys(model, runner, call, model.keys[0]!, keys, false)
  await recordImages(
    model,
    runner,
    call,
    Array.from(made.values(), ({ row }): RowImages => [undefined, row]),
  )
}

/**
 * Locks the rows of a condition, changes or deletes them, and writes down what became of each.
 *
 * @param change gets their primary keys, and changes no others
 */
export function auditedChange<T>(
  model: BoundModel,
  runner: PlanRunner,
  call: AuditedCall,
  { condition, shape }: Watched,
  change: (keys: readonly Key[]) => Promise<T>,
): Promise<T> {
  const fields = model.keys[0]!
  const work = async () => {
    const before = await imagesOf(model, runner, call, fields, { condition, shape: shape.followedBy('audit ') }, true)
    return changed(model, runner, call, before, change)
  }
  return runner.transaction(call.label, work, call.limits)
}

/** As {@link auditedChange}, for rows of these primary keys. */
export function auditedKeys<T>(
  model: BoundModel,
  runner: PlanRunner,
  call: AuditedCall,
  keys: readonly Key[],
  change: () => Promise<T>,
): Promise<T> {
  const work = async () => changed(model, runner, call, await imagesOfKeys(model, runner, call, model.keys[0]!, keys, true), change)
  return runner.transaction(call.label, work, call.limits)
}

async function changed<T>(
  model: BoundModel,
  runner: PlanRunner,
  call: AuditedCall,
  before: Images,
  change: (keys: readonly Key[]) => Promise<T>,
): Promise<T> {
  const keys = Array.from(before.values(), ({ key }) => key)
  const value = await change(keys)
  const after = await imagesOfKeys(model, runner, call, model.keys[0]!, keys, true)
  await recordImages(model, runner, call, differences(before, after))
  return value
}

/** How often others may make rows of these keys meanwhile. */
const MAX_ATTEMPTS = 5

/**
 * Upserts rows of an audited model and writes down what became of each.
 *
 * @param fields the fields of the key by which they are found
 * @param upsert says how many rows it made
 */
export async function auditedUpsert<T>(
  model: BoundModel,
  runner: PlanRunner,
  call: AuditedCall,
  { fields, keys }: { readonly fields: readonly BoundField[]; readonly keys: readonly Key[] },
  upsert: () => Promise<{ readonly value: T; readonly created: number }>,
): Promise<T> {
  const overtaken = new SerializationError(`${call.label}: others made the same rows ${MAX_ATTEMPTS} times while these were looked at`)
  const imagesOf = (of: readonly Key[], isLocked: boolean) => imagesOfKeys(model, runner, call, fields, of, isLocked)
  const work = async (isAgain: boolean) => {
    // rows that are not there are not locked the first time: two callers who did would each wait for the other to make them
    const there = isAgain ? keys : keysOf(await imagesOf(keys, false))
    const before = await imagesOf(there, true)
    const { value, created } = await upsert()
    const after = await imagesOf(keys, true)
    const made = [...after.keys()].filter((text) => !before.has(text)).length
    // somebody made one since: what it was before this call is not known
    if (made !== created) throw overtaken
    await recordImages(model, runner, call, differences(before, after))
    return value
  }
  for (let attempt = 1; ; attempt++) {
    try {
      return await runner.transaction(call.label, () => work(attempt > 1), call.limits)
    } catch (error) {
      if (error !== overtaken || attempt === MAX_ATTEMPTS) throw error
    }
  }
}

function keysOf(images: Images): readonly Key[] {
  return Array.from(images.values(), ({ key }) => key)
}

function differences(before: Images, after: Images): readonly RowImages[] {
  const texts = new Set([...before.keys(), ...after.keys()])
  return Array.from(texts, (text): RowImages => [before.get(text)?.row, after.get(text)?.row])
}

/** The rows that have these values of some key. Locked they are as they are now, not as they were when the transaction began to read. */
async function imagesOfKeys(
  model: BoundModel,
  runner: PlanRunner,
  call: AuditedCall,
  fields: readonly BoundField[],
  keys: readonly Key[],
  isLocked: boolean,
): Promise<Images> {
  const images = new Map<string, { readonly key: Key; readonly row: PlainRow }>()
  for (const chunk of chunksOfKeys(model, fields, keys)) {
    const shape = new StatementShape('audit ')
    const condition = allOf([inKeys(model, fields, chunk, shape), countedBy(model, fields, shape)])
    for (const [text, image] of await imagesOf(model, runner, call, fields, { condition, shape }, isLocked)) images.set(text, image)
  }
  return images
}

/** Of a key that deleted rows do not count for, such rows may have the same values. */
function countedBy({ livingKeys, roles }: BoundModel, key: readonly BoundField[], shape: StatementShape): Condition {
  if (!livingKeys.has(key) || roles.deletedAt === undefined) return ALWAYS
  shape.key += ' living'
  return { kind: 'null', field: roles.deletedAt, isNull: true }
}

async function imagesOf(
  model: BoundModel,
  runner: PlanRunner,
  { label, limits }: AuditedCall,
  fields: readonly BoundField[],
  { condition, shape }: Watched,
  isLocked: boolean,
): Promise<Images> {
  const selection = selectAll(model)
  const lock = isLocked ? updateLock(model) : undefined
  shape.key += lock?.key ?? ''
  const plan = rowsPlan(model, 'audit', condition, selection, shape, lock)
  const rows = await runner.run({ ...plan, label }, limits)
  const positions = fields.map((field) => positionIn(selection.root, field))
  return new Map(
    rows.map((values) => {
      const key = fields.map((field, index) => reboundValue(field, values[positions[index]!]))
      return [keyText(fields, key), { key, row: readRow(selection, values) }]
    }),
  )
}
