import { timingSafeEqual } from 'node:crypto'
import { ValidationError } from '../errors.js'
import { type BoundField, type BoundModel, reboundValue } from './bound-model.js'
import { allOf, type Comparison, type Condition, NEVER } from './condition.js'
import type { InputIssues } from './input-issues.js'
import { MessageKey } from './message-key.js'
import { type OrderItem, orderKey } from './order.js'
import type { StatementShape } from './statement-cache.js'

/** Characters of a signature that are kept, 12 bytes: enough that nobody hits one by trying. */
const SIGNATURE_LENGTH = 16
/** Longest cursor, which holds texts of three million bytes; no signature of a longer one is looked at. */
const MAX_LENGTH = 4 * 2 ** 20

/** What a row has in the fields of an order, as they are bound; null is a value too. */
export type Place = readonly unknown[]

/**
 * The place of a row in an order, as a text that says nothing to its holder. Signed with the order and the model, so that one that was
 * changed, or belongs to another list, is found out.
 *
 * @throws {ValidationError} the values of the place are too long for one
 */
export function cursorOf(model: BoundModel, items: readonly OrderItem[], place: Place): string {
  const payload = JSON.stringify(place.map(toJson))
  const cursor = signature(model, items, payload) + Buffer.from(payload).toString('base64url')
  if (cursor.length <= MAX_LENGTH) return cursor
  throw new ValidationError(model.definition.name, 'list', [{ path: ['orderBy'], message: 'its values are too long for a cursor' }])
}

/** The place that a cursor stands for; undefined, and an issue, where it is none of this list in this order. */
export function parseCursor(
  model: BoundModel,
  items: readonly OrderItem[],
  cursor: unknown,
  name: 'after' | 'before',
  issues: InputIssues,
): Place | undefined {
  if (cursor === undefined) return undefined
  const place = typeof cursor === 'string' && cursor.length <= MAX_LENGTH ? readCursor(model, items, cursor) : undefined
  if (model.keys.length === 0) issues.add([name], `needs a key, and ${model.definition.name} has none`)
  else if (place === undefined) issues.add([name], 'expected a cursor that this list gave, in the same order')
  return place
}

function readCursor(model: BoundModel, items: readonly OrderItem[], cursor: string): Place | undefined {
  const encoded = cursor.slice(SIGNATURE_LENGTH)
  const payload = Buffer.from(encoded, 'base64url').toString()
  // base64url has several texts for the same bytes, and a text is read from other bytes than its own, too
  if (payload === '' || Buffer.from(payload).toString('base64url') !== encoded) return undefined
  const signed = Buffer.from(cursor.slice(0, SIGNATURE_LENGTH))
  const expected = Buffer.from(signature(model, items, payload))
  return signed.length === expected.length && timingSafeEqual(signed, expected) ? placeFrom(payload, items.length) : undefined
}

/** Undefined for what no cursor holds: where the application gave no secret, others can sign too. */
function placeFrom(text: string, length: number): Place | undefined {
  try {
    const values: unknown = JSON.parse(text)
    return Array.isArray(values) && values.length === length ? values.map(fromJson) : undefined
  } catch {
    return undefined
  }
}

function signature({ definition, cursorKey }: BoundModel, items: readonly OrderItem[], payload: string): string {
  return keyOf(cursorKey)
    .sign(`${definition.name}\n${orderKey(items)}\n${payload}`)
    .slice(0, SIGNATURE_LENGTH)
}

let lastKey: { readonly text: string; readonly key: MessageKey } | undefined

/** A process has one database, as a rule. */
function keyOf(text: string): MessageKey {
  if (lastKey?.text !== text) lastKey = { text, key: new MessageKey(text) }
  return lastKey.key
}

function toJson(value: unknown): unknown {
  return typeof value === 'bigint' ? { bigint: String(value) } : value
}

/** Throws for what {@link toJson} does not give. */
function fromJson(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  return BigInt(String((value as { bigint?: unknown }).bigint))
}

/** The place of a row: the driver's values of the order's fields, at these positions. */
export function placeOf(items: readonly OrderItem[], positions: readonly number[], values: readonly unknown[]): Place {
  return items.map(({ field }, index) => {
    const value = values[positions[index]!]
    return value === null ? null : reboundValue(field, value)
  })
}

/** The rows that come after a place in an order; the values of the place go to the shape. */
export function afterPlace(items: readonly OrderItem[], place: Place, shape: StatementShape): Condition {
  const parts = items.map((item, index) => {
    const same = items.slice(0, index).map(({ field }, before) => sameAs(field, place[before], shape))
    return allOf([...same, later(item, place[index], shape)])
  })
  const [first] = items
  // says nothing new, but an index on the first field can start from it
  if (items.length > 1 && first !== undefined && !first.field.definition.nullable && place[0] !== null) {
    const from: Comparison = first.direction === 'asc' ? '>=' : '<='
    return allOf([compare(first.field, from, place[0], shape), { kind: 'or', parts }])
  }
  return { kind: 'or', parts }
}

/** The order backwards. */
export function reversed(items: readonly OrderItem[]): readonly OrderItem[] {
  return items.map(({ field, direction, nulls }) => ({
    field,
    direction: direction === 'asc' ? 'desc' : 'asc',
    nulls: nulls === 'first' ? 'last' : 'first',
  }))
}

function sameAs(field: BoundField, value: unknown, shape: StatementShape): Condition {
  return value === null ? isNull(field, true, shape) : compare(field, '=', value, shape)
}

/** One field alone: what comes after a value in its direction, nulls where they are put. */
function later({ field, direction, nulls }: OrderItem, value: unknown, shape: StatementShape): Condition {
  if (value === null) return nulls === 'first' ? isNull(field, false, shape) : never(shape)
  const beyond = compare(field, direction === 'asc' ? '>' : '<', value, shape)
  if (!field.definition.nullable || nulls === 'first') return beyond
  return { kind: 'or', parts: [beyond, isNull(field, true, shape)] }
}

function compare(field: BoundField, operator: Comparison, value: unknown, shape: StatementShape): Condition {
  shape.key += `${field.name}${operator}`
  return { kind: 'compare', field, operator, value: shape.add(value) }
}

function isNull(field: BoundField, isIt: boolean, shape: StatementShape): Condition {
  shape.key += `${field.name}${isIt ? '0' : '1'}`
  return { kind: 'null', field, isNull: isIt }
}

function never(shape: StatementShape): Condition {
  shape.key += 'F'
  return NEVER
}
