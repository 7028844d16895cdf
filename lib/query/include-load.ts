import { type Expression, sql } from 'kysely'
import type { StatementResult } from '../dialect/dialect.js'
import type { ColumnKind } from '../model/column-type.js'
import { type BoundField, type BoundModel, type BoundRelation, reboundValue } from './bound-model.js'
import { allOf, type Condition, type RelatedCondition } from './condition.js'
import { chunksOfKeys, inKeys } from './in-list.js'
import { joinIncluded, type Query } from './include-join.js'
import { keyText } from './key-text.js'
import { orderExpressions } from './order.js'
import { type CallLimits, type PlanRunner, planOf, type QueryPlan } from './query-plan.js'
import { type ColumnOf, columnOfAlias, tableAs } from './reference.js'
import { belongsTo, relatedRows } from './related-rows.js'
import {
  LOADED_ROWS,
  type OwnerKey,
  type PendingLoad,
  type PlainRow,
  pendingLoads,
  putRelated,
  type RelationLoad,
  readRow,
  type Selection,
} from './selection.js'
import { slot } from './statement-cache.js'
import { whereExpression, whereRelated } from './where-expression.js'

/** The call whose rows relations are loaded into. */
export interface IncludingCall {
  /** The node, for errors and metrics. */
  readonly label: string
  readonly selection: Selection
  readonly limits: CallLimits | undefined
}

/** Loads the relations that a selection leaves to statements of their own, into rows that were read by it. */
export async function loadIncluded(
  runner: PlanRunner,
  { label, selection, limits }: IncludingCall,
  rows: readonly PlainRow[],
): Promise<void> {
  const loads = pendingLoads(selection, rows)
  if (loads.length === 0) return
  await Promise.all(
    loads.map(async (pending) => {
      const made = await loadRelation(runner, label, pending, limits)
      await loadIncluded(runner, { label, selection: pending.load.selection, limits }, made)
    }),
  )
}

/** As {@link loadIncluded}, for a row that may still be on its way, or not there. */
export function withIncluded<R extends PlainRow | null>(runner: PlanRunner, call: IncludingCall, row: R | Promise<R>): R | Promise<R> {
  return call.selection.hasLoads ? includedIn(runner, call, row) : row
}

async function includedIn<R extends PlainRow | null>(runner: PlanRunner, call: IncludingCall, row: R | Promise<R>): Promise<R> {
  const found = await row
  if (found !== null) await loadIncluded(runner, call, [found])
  return found
}

/**
 * Copied for each owner, in place of `[]`: when many lists of one place in the code live through a collection, V8 makes all later ones in its
 * old space, where each keeps its rows until a full collection. That was a third of the CPU of an include by many callers.
 */
const NO_ROWS: readonly PlainRow[] = []

/** Gives every owner its rows; all of these in one list, where something is to be loaded into them. */
async function loadRelation(
  runner: PlanRunner,
  label: string,
  { load, owners, keys }: PendingLoad,
  limits: CallLimits | undefined,
): Promise<readonly PlainRow[]> {
  const { relation, selection } = load
  const { isMany, sourceFields, target } = relation
  // of each key the owner who was met last, and of each owner the one before who has the same
  const lastByKey = new Map<string, number>()
  const lists = isMany ? owners.map(() => NO_ROWS.slice()) : undefined
  const before = owners.map((row, index) => {
    putRelated(row, load, lists?.[index] ?? null)
    const key = keys[index]!
    // a key with a null in it belongs to nothing
    if (key.includes(null)) return undefined
    const text = keyText(sourceFields, key)
    const other = lastByKey.get(text)
    lastByKey.set(text, index)
    return other
  })
  const asked = Array.from(lastByKey.values(), (index) => keys[index]!)
  const place = ownerPlace(load)
  const results = await Promise.all(
    chunksOfKeys(target, sourceFields, asked).map((chunk) => runner.run({ ...planOfKeys(load, place, chunk), label }, limits)),
  )
  const made: PlainRow[] = []
  const first = place.positions[0]!
  for (const { rows } of results) {
    let last: number | undefined
    let lastKey: unknown
    for (const values of rows) {
      // rows of one owner mostly come one after the other
      if (values[first] !== lastKey || sourceFields.length > 1) {
        lastKey = values[first]
        const key = place.positions.map((position) => values[position])
        // a key that the database takes for the same may be of an owner who was not asked for
        last = lastByKey.get(keyText(sourceFields, key))
      }
      for (let index = last; index !== undefined; index = before[index]) {
        // one for each owner, also where several have the same: nobody's row is somebody else's too
        const row = readRow(selection, values, place.offset)
        if (lists === undefined) putRelated(owners[index]!, load, row)
        else lists[index]!.push(row)
        if (selection.hasLoads) made.push(row)
      }
    }
  }
  return made
}

/** Where the owner's key, as the owner's own statement gives it, is in the rows of a relation. */
interface OwnerPlace {
  readonly positions: readonly number[]
  /** Where the selection's columns begin: after those that are there for the key alone. */
  readonly offset: number
}

/** Where the rows show what they belong to: there; a column more would be sent and read for each of them. */
function ownerPlace({ relation, selection }: RelationLoad): OwnerPlace {
  const { sourceFields, targetFields, through } = relation
  const shown = targetFields.map((field) => selection.root.fields.indexOf(field))
  return through === undefined && hasExactKey(relation) && !shown.includes(-1)
    ? { positions: shown, offset: 0 }
    : { positions: sourceFields.map((_, index) => index), offset: sourceFields.length }
}

/** One statement for the rows of these owners. */
function planOfKeys(load: RelationLoad, place: OwnerPlace, keys: readonly OwnerKey[]): QueryPlan<StatementResult> {
  const { relation, selection, condition, order, limit } = load
  const { target, sourceFields, targetFields, through } = relation
  const shape = load.shape.followedBy('of')
  const ownerFields = through?.near ?? targetFields
  const bound = keys.map((key) => key.map((value, index) => reboundValue(sourceFields[index]!, value)))
  const owned = inKeys(through?.model ?? target, ownerFields, bound, shape)
  const owners = hasExactKey(relation) ? undefined : inKeys(relation.source, sourceFields, bound, shape)
  const sought: RelatedCondition =
    through === undefined
      ? { ...condition, part: allOf([owned, condition.part]) }
      : { ...condition, between: allOf([owned, condition.between]) }
  return planOf(target, {
    operation: 'list',
    access: 'read',
    shape,
    exactIntegers: selection.exactIntegers || sourceFields.some((field) => field.exactIntegers),
    build: () => {
      const { query, owner } = ownedRows(relation, sought, owners)
      const rows: Query = joinIncluded(query, selection.root)
      const orders = orderExpressions(target, order, selection.root.columnOf)
      const keyColumns = owner.slice(0, place.offset)
      if (limit !== undefined) return firstOfEach(target, { rows, owner, keyColumns, orders, selection, limit })
      return orders.reduce((sorted: Query, each) => sorted.orderBy(each), rows.select([...aliased(keyColumns), ...selection.references]))
    },
    read: (result) => result,
  })
}

/** @param owners given where the database may take keys for equal that are not the same text: whose row it is, the owner's own key says */
function ownedRows(relation: BoundRelation, sought: RelatedCondition, owners: Condition | undefined) {
  const rows = relatedRows(relation, LOADED_ROWS)
  const query = whereRelated(relation, rows, sought)
  if (owners === undefined) return { query, owner: rows.owner.map(({ column }) => column) }
  const { source, sourceFields } = relation
  const keyOf: ColumnOf = (field) => sql.ref(`lw_owners.k${sourceFields.indexOf(field)}`)
  const joined = query.innerJoin(distinctKeys(source, sourceFields, owners), (join) => join.on(belongsTo(relation, rows, keyOf)))
  return { query: joined, owner: sourceFields.map(keyOf) }
}

/** The keys of some owners, each that is written in a way of its own once: several may have the same, those that are deleted among them. */
function distinctKeys(source: BoundModel, fields: readonly BoundField[], owners: Condition) {
  const columnOf = columnOfAlias('lw_source')
  const columns = fields.flatMap((field, index) => {
    const column = sql`${columnOf(field)}`
    return [column.as(`k${index}`), source.dialect.expressions.bytesOf(column).as(`b${index}`)]
  })
  const rows = source.compiler.selectFrom(tableAs(source, 'lw_source')).select(columns).distinct()
  return rows.where(whereExpression(source, owners, columnOf)).as('lw_owners')
}

interface LimitedRows {
  readonly rows: Query
  readonly owner: readonly Expression<unknown>[]
  /** What is read before the selection. */
  readonly keyColumns: readonly Expression<unknown>[]
  readonly orders: readonly Expression<unknown>[]
  readonly selection: Selection
  readonly limit: number
}

/** The first rows of each owner. */
function firstOfEach({ compiler }: BoundModel, { rows, owner, keyColumns, orders, selection, limit }: LimitedRows) {
  const columns = [...keyColumns, ...(selection.references as readonly unknown[] as readonly Expression<unknown>[])]
  // a view without a key has no order of its own
  const order = orders.length === 0 ? sql`` : sql` order by ${sql.join(orders)}`
  const number = sql`row_number() over (partition by ${sql.join(owner)}${order})`
  const numbered = rows
    .select([...columns.map((column, index) => sql`${column}`.as(`c${index}`)), number.as('lw_number')])
    .as('lw_numbered')
  return compiler
    .selectFrom(numbered)
    .select(columns.map((_, index) => `lw_numbered.c${index}`))
    .where(sql<boolean>`${sql.ref('lw_numbered.lw_number')} <= ${slot(limit)}`)
    .orderBy('lw_numbered.lw_number')
}

function aliased(columns: readonly Expression<unknown>[]) {
  return columns.map((column, index) => sql`${column}`.as(`k${index}`))
}

/** Kinds of which equal values are the same text on every engine. */
const EXACT_KINDS: ReadonlySet<ColumnKind> = new Set(['integer', 'bigint', 'uuid', 'boolean', 'date'])

/** Whether a row has its owner's key as the same text as the owner, by the kinds of both. */
function hasExactKey({ sourceFields, targetFields, through }: BoundRelation): boolean {
  return (through?.near ?? targetFields).every((field, index) => isExact(field, sourceFields[index]!))
}

function isExact({ definition: { type } }: BoundField, other: BoundField): boolean {
  return EXACT_KINDS.has(type.kind) && type.kind === other.definition.type.kind
}
