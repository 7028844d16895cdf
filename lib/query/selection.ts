import type { AliasedExpression } from 'kysely'
import type { StatementResult } from '../dialect/dialect.js'
import type { BoundField, BoundModel, BoundRelation } from './bound-model.js'
import type { RelatedCondition } from './condition.js'
import type { OrderItem } from './order.js'
import { bareColumn, type ColumnOf, columnOfAlias } from './reference.js'
import type { StatementShape } from './statement-cache.js'

export type PlainRow = Record<string, unknown>

/** What a statement reads of its rows, and how they become plain objects. */
export interface Selection {
  /** The columns, for Kysely's `select` and `returning`, in the order in which rows are read. */
  readonly references: readonly AliasedExpression<unknown, string>[]
  readonly exactIntegers: boolean
  /** Part of the statement's shape. */
  readonly key: string
  readonly root: RowPart
  /** Whether relations are left to statements of their own: see {@link pendingLoads}. */
  readonly hasLoads: boolean
}

/** Where a row of one model stands among the columns of a statement, and what belongs to it. */
export interface RowPart {
  readonly columnOf: ColumnOf
  /** What is shown of it, in columns one after the other. */
  readonly fields: readonly BoundField[]
  /** Position of the first of them. */
  readonly start: number
  /** Positions of what is read of it and not shown. */
  readonly hidden: ReadonlyMap<BoundField, number>
  readonly joined: readonly JoinedPart[]
  readonly loaded: readonly LoadedPart[]
}

/** A relation that is read, and where its rows go. */
export interface ReadRelation {
  readonly relation: BoundRelation
  /** The polymorphic relation that they are read for; undefined: the relation itself. */
  readonly polymorphic: string | undefined
}

/** What a row has of a polymorphic relation: the name of the one that it chose, and its row. */
export interface ChosenRow {
  readonly type: string
  readonly row: PlainRow
}

/** The row of a to-one relation, read by the same statement. */
interface JoinedPart extends ReadRelation {
  readonly alias: string
  readonly condition: RelatedCondition
  readonly part: RowPart
  /** Position of a column that is null only where there is no such row. */
  readonly presence: number
}

/** The rows of a relation, read by a statement of their own. */
interface LoadedPart {
  readonly load: RelationLoad
  /** Positions of the relation's {@link BoundRelation.sourceFields}. */
  readonly keys: readonly number[]
}

/** What a statement of its own calls the rows of a relation: {@link RelationLoad.selection} refers to them so. */
export const LOADED_ROWS = 'lw_rows'

/** What is read of a relation's rows by a statement of their own. */
export interface RelationLoad extends ReadRelation {
  readonly selection: Selection
  readonly condition: RelatedCondition
  readonly order: readonly OrderItem[]
  /** Slot of the most rows an owner gets; undefined: all of them. */
  readonly limit: number | undefined
  /** Holds the values of the condition, and the limit. */
  readonly shape: StatementShape
}

/** What is wanted of a model's rows: fields, and relations with what is wanted of theirs. */
export interface RowWish {
  readonly fields: readonly BoundField[]
  /** What is to be read too, without being shown. */
  readonly also?: readonly BoundField[]
  readonly joined: readonly (ReadRelation & { readonly condition: RelatedCondition; readonly wish: RowWish })[]
  readonly loaded: readonly RelationLoad[]
}

const whole = new WeakMap<BoundModel, Selection>()

/** Every field of the model, and nothing else. */
export function selectAll(model: BoundModel): Selection {
  let selection = whole.get(model)
  if (selection === undefined) {
    selection = selectionOf({ fields: model.fields, joined: [], loaded: [] }, '*')
    whole.set(model, selection)
  }
  return selection
}

/**
 * Lays a wish out as the columns of one statement.
 *
 * @param columnOf how the statement refers to the columns of its own model; those of joined tables are `lw_j1`, `lw_j2`, …
 */
export function selectionOf(wish: RowWish, key: string, columnOf: ColumnOf = bareColumn): Selection {
  const columns = new Columns()
  const root = columns.place(wish, columnOf)
  return { references: columns.references, exactIntegers: columns.exactIntegers, key, root, hasLoads: hasLoads(root) }
}

function hasLoads({ joined, loaded }: RowPart): boolean {
  return loaded.length > 0 || joined.some(({ part }) => hasLoads(part))
}

/** Columns of a statement while they are laid out. */
class Columns {
  readonly references: AliasedExpression<unknown, string>[] = []
  exactIntegers = false
  #aliases = 0

  place({ fields, also = [], joined, loaded }: RowWish, columnOf: ColumnOf): RowPart {
    const hidden = new Map<BoundField, number>()
    const part = { columnOf, fields, start: this.references.length, hidden }
    for (const field of fields) this.#add(columnOf, field)
    const position = (field: BoundField) => this.#positionOf(part, field)
    for (const field of also) position(field)
    return {
      ...part,
      loaded: loaded.map((load) => ({ load, keys: load.relation.sourceFields.map(position) })),
      joined: joined.map(({ relation, polymorphic, condition, wish }) => {
        const alias = `lw_j${++this.#aliases}`
        // of a view without a key: what it was found by
        const key = (relation.target.keys[0] ?? relation.targetFields)[0]!
        const inner = this.place({ ...wish, also: [...(wish.also ?? []), key] }, columnOfAlias(alias))
        return { relation, polymorphic, alias, condition, part: inner, presence: positionIn(inner, key) }
      }),
    }
  }

  /** Where a field can be read, shown or not. */
  #positionOf(
    part: { readonly hidden: Map<BoundField, number> } & Omit<RowPart, 'joined' | 'loaded' | 'hidden'>,
    field: BoundField,
  ): number {
    const known = part.fields.includes(field) || part.hidden.has(field)
    if (!known) part.hidden.set(field, this.#add(part.columnOf, field))
    return positionIn(part, field)
  }

  #add(columnOf: ColumnOf, field: BoundField): number {
    this.exactIntegers ||= field.exactIntegers
    // Kysely's types want an alias on an expression; its compiler does not, and rows are read by position
    return this.references.push(columnOf(field) as unknown as AliasedExpression<unknown, string>) - 1
  }
}

/** Where a field of the part, shown or not, stands among the columns. */
export function positionIn({ fields, start, hidden }: Pick<RowPart, 'fields' | 'start' | 'hidden'>, field: BoundField): number {
  return hidden.get(field) ?? start + fields.indexOf(field)
}

/** The rows of a result as plain objects; the result's columns from `offset` on are the selection's. */
export function readRows(selection: Selection, result: StatementResult, offset = 0): PlainRow[] {
  return result.rows.map((values) => readRow(selection, values, offset))
}

/** The first row, or null. */
export function readFirst(selection: Selection, result: StatementResult, offset = 0): PlainRow | null {
  const values = result.rows[0]
  return values === undefined ? null : readRow(selection, values, offset)
}

/** A row of a result as a plain object. */
export function readRow({ root }: Selection, values: readonly unknown[], offset = 0): PlainRow {
  return readPart(root, values, offset)
}

function readPart(part: RowPart, values: readonly unknown[], offset: number): PlainRow {
  const { fields, start, joined, loaded } = part
  const row: PlainRow = {}
  let position = start + offset
  for (let index = 0; index < fields.length; index++) {
    const field = fields[index]!
    const value = values[position++]
    row[field.name] = value === null || field.decode === undefined ? value : field.decode(value)
  }
  for (const join of joined) putRelated(row, join, values[join.presence + offset] === null ? null : readPart(join.part, values, offset))
  if (loaded.length > 0) awaited.set(row, ownerKeys(loaded, values, offset))
  return row
}

/** Gives a row what was read of a relation; of those that a polymorphic one chooses among, in any order, what there is stays. */
export function putRelated(row: PlainRow, { relation: { name }, polymorphic }: ReadRelation, related: PlainRow | PlainRow[] | null): void {
  if (polymorphic === undefined) row[name] = related
  else if (related === null) row[polymorphic] ??= null
  else row[polymorphic] = { type: name, row: related }
}

/** The row of a to-one relation, as {@link putRelated} gave it. */
function relatedOf(row: PlainRow, { relation: { name }, polymorphic }: ReadRelation): PlainRow | null {
  if (polymorphic === undefined) return row[name] as PlainRow | null
  const chosen = row[polymorphic] as ChosenRow | null
  return chosen?.type === name ? chosen.row : null
}

function ownerKeys(loaded: readonly LoadedPart[], values: readonly unknown[], offset: number): readonly OwnerKey[] {
  return loaded.map(({ keys }) => keys.map((position) => values[position + offset]))
}

/** The driver's values of a relation's {@link BoundRelation.sourceFields} in one row. */
export type OwnerKey = readonly unknown[]

/** Of rows whose relations are yet to be loaded: the key of each. */
const awaited = new WeakMap<PlainRow, readonly OwnerKey[]>()

/** A relation to be loaded, and the rows that wait for it, each with its key. */
export interface PendingLoad {
  readonly load: RelationLoad
  readonly owners: readonly PlainRow[]
  readonly keys: readonly OwnerKey[]
}

/** Every load that rows of a selection wait for. */
export function pendingLoads({ root, hasLoads }: Selection, rows: readonly PlainRow[]): readonly PendingLoad[] {
  return hasLoads && rows.length > 0 ? pendingOf(root, rows) : []
}

function pendingOf({ joined, loaded }: RowPart, rows: readonly PlainRow[]): readonly PendingLoad[] {
  const own = loaded.map(({ load }, index) => ({ load, owners: rows, keys: rows.map((row) => awaited.get(row)![index]!) }))
  const inner = joined.flatMap((join) => {
    const present = rows.map((row) => relatedOf(row, join)).filter((row) => row !== null)
    return pendingOf(join.part, present)
  })
  return [...own, ...inner]
}
