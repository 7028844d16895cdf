import type { Expression } from 'kysely'
import type { BoundModel } from './bound-model.js'
import { parseCount } from './call-input.js'
import { ALWAYS, type Condition } from './condition.js'
import { afterPlace, cursorOf, type Place, parseCursor, placeOf, reversed } from './cursor.js'
import type { InputIssues } from './input-issues.js'
import { inTotalOrder, type OrderItem } from './order.js'
import { type PlainRow, positionIn, readRow, type Selection } from './selection.js'
import { type StatementShape, slot } from './statement-cache.js'

/** How many rows are wanted, and how many are left out first. */
interface RowLimits {
  readonly limit: number | undefined
  readonly offset: number | undefined
}

/** Checks `limit` and `offset`. */
export function parseLimits({ limit, offset }: Record<string, unknown>, issues: InputIssues): RowLimits {
  return { limit: parseCount(limit, ['limit'], issues), offset: parseCount(offset, ['offset'], issues) }
}

/** The entries of a call's input that choose a page. */
export const PAGE_ENTRIES = ['limit', 'offset', 'after', 'before'] as const

/** Which part of an ordered list is wanted. */
export interface Page extends RowLimits {
  /** Total, so that two pages never share a row; backwards for the page before a place. */
  readonly items: readonly OrderItem[]
  readonly after: Place | undefined
  readonly before: Place | undefined
}

/** Checks which page is wanted; undefined: the whole list, in any order among equals. */
export function parsePage(
  model: BoundModel,
  input: Record<string, unknown>,
  order: readonly OrderItem[],
  issues: InputIssues,
): Page | undefined {
  const { after, before } = input
  if (PAGE_ENTRIES.every((name) => input[name] === undefined)) return undefined
  const items = inTotalOrder(model, order)
  if (after !== undefined && before !== undefined) issues.add(['before'], 'contradicts after: give one of them')
  const limits = parseLimits(input, issues)
  if (limits.offset !== undefined && (after !== undefined || before !== undefined))
    issues.add(['offset'], 'contradicts a cursor: give one of them')
  return {
    items: before === undefined ? items : reversed(items),
    ...limits,
    after: parseCursor(model, items, after, 'after', issues),
    before: parseCursor(model, items, before, 'before', issues),
  }
}

/** The condition of a page's place; its values go to the shape. */
export function placeCondition({ items, after, before }: Page, shape: StatementShape): Condition {
  const place = after ?? before
  if (place === undefined) return ALWAYS
  shape.key += 'after'
  return afterPlace(items, place, shape)
}

/** Stands for "all of them" where an engine takes no OFFSET without a LIMIT. */
const NO_LIMIT = '9223372036854775807'

/** Where LIMIT and OFFSET have their values. */
export interface LimitSlots {
  readonly limit: Expression<number>
  readonly offset: Expression<number> | undefined
}

/** Adds the values of LIMIT and OFFSET to a shape; undefined: it needs neither. */
export function limitSlots({ limit, offset }: RowLimits, shape: StatementShape): LimitSlots | undefined {
  if (limit === undefined && offset === undefined) return undefined
  shape.key += offset === undefined ? 'l' : 'lo'
  // bound as text: a binary protocol that sends numbers as doubles has them refused here (MySQL 8)
  const numberSlot = (text: string) => slot(shape.add(text)) as Expression<number>
  return {
    limit: numberSlot(limit === undefined ? NO_LIMIT : String(limit)),
    offset: offset === undefined ? undefined : numberSlot(String(offset)),
  }
}

/** As {@link limitSlots}, with one row more than is wanted: whether there is one decides whether a page follows. */
export function pageSlots({ limit, offset }: Page, shape: StatementShape): LimitSlots | undefined {
  return limitSlots({ limit: limit === undefined ? undefined : limit + 1, offset }, shape)
}

/** A page's rows, and where those beside it begin. */
export interface PageRows {
  readonly rows: PlainRow[]
  /** For `after`: the place of the last row, where more rows follow. */
  readonly nextCursor?: string
  /** For `before`: the place of the first row, where there are rows before it. */
  readonly previousCursor?: string
}

/** Reads the rows of a page, which has a row too many where there are more. */
export function readPage(model: BoundModel, page: Page, selection: Selection, found: readonly (readonly unknown[])[]): PageRows {
  const { limit = found.length, before } = page
  const values = found.slice(0, limit)
  if (before !== undefined) values.reverse()
  const rows = values.map((each) => readRow(selection, each))
  // no place in an order without a key: several rows may share it
  if (model.keys.length === 0) return { rows }
  const isMore = found.length > limit
  const [hasNext, hasPrevious] = before === undefined ? [isMore, page.after !== undefined || (page.offset ?? 0) > 0] : [true, isMore]
  const items = before === undefined ? page.items : reversed(page.items)
  const positions = items.map(({ field }) => positionIn(selection.root, field))
  const cursor = (row: readonly unknown[]) => cursorOf(model, items, placeOf(items, positions, row))
  const [first, last] = [values[0], values.at(-1)]
  const result: { -readonly [K in keyof PageRows]: PageRows[K] } = { rows }
  if (hasNext && last !== undefined) result.nextCursor = cursor(last)
  if (hasPrevious && first !== undefined) result.previousCursor = cursor(first)
  return result
}
