import { type Expression, type RawBuilder, sql } from 'kysely'
import { isPlainObject } from '../model/value-kind.js'
import type { BoundField, BoundModel } from './bound-model.js'
import { type StatementShape, slot } from './statement-cache.js'

/** What an update makes of one column: a value (a slot; null without one), or the column's own number changed by it. */
export interface Assignment {
  readonly field: BoundField
  readonly operator: '=' | '+' | '-' | '*'
  readonly value: number | null
}

const ARITHMETIC: Readonly<Record<string, '+' | '-' | '*'>> = { $increment: '+', $decrement: '-', $multiply: '*' }

/** The assignments of a validated `set`; its values go to `shape`. */
export function assignmentsOf(model: BoundModel, set: Record<string, unknown>, shape: StatementShape): readonly Assignment[] {
  return Object.keys(set).map((name) => assignmentOf(model.fieldByName.get(name)!, set[name], shape))
}

function assignmentOf(field: BoundField, value: unknown, shape: StatementShape): Assignment {
  if (value === null) {
    shape.key += `${field.name}=0,`
    return { field, operator: '=', value: null }
  }
  const operator = isPlainObject(value) ? Object.keys(value).find((key) => Object.hasOwn(ARITHMETIC, key)) : undefined
  if (operator === undefined || field.definition.type.kind === 'json' || field.definition.custom !== undefined) {
    shape.key += `${field.name}=,`
    return { field, operator: '=', value: shape.add(field.encode(value)) }
  }
  shape.key += `${field.name}${ARITHMETIC[operator]},`
  return { field, operator: ARITHMETIC[operator]!, value: shape.add(field.encode((value as Record<string, unknown>)[operator])) }
}

/** What the layer itself writes on every change of a row: the version counts up, `updatedAt` is now. */
export function bookkeepingOf({ roles, now }: BoundModel, shape: StatementShape): readonly Assignment[] {
  const assignments: Assignment[] = []
  if (roles.version !== undefined) assignments.push({ field: roles.version, operator: '+', value: shape.add(1) })
  if (roles.updatedAt !== undefined)
    assignments.push({ field: roles.updatedAt, operator: '=', value: shape.add(roles.updatedAt.encode(now())) })
  return assignments
}

/** The new value of an assignment's column. `column` is how the old one is referred to. */
function assignedValue(model: BoundModel, { field, operator, value }: Assignment, column: Expression<unknown>): Expression<unknown> {
  const { expressions } = model.dialect
  if (value === null) return sql`null`
  if (operator === '=') return expressions.bound(slot(value, field), field.definition.type)
  return expressions.arithmetic(column, operator, slot(value, field), field.definition.type)
}

/** A column and its new value. */
export type Change = readonly [field: BoundField, value: Expression<unknown>]

type ColumnOf = (field: BoundField) => Expression<unknown>

const bareColumn: ColumnOf = (field) => field.reference

/** The assignments as columns with their new values; `columnOf` is how the old ones are referred to. */
export function changesOf(model: BoundModel, assignments: readonly Assignment[], columnOf: ColumnOf = bareColumn): readonly Change[] {
  return assignments.map((assignment) => [assignment.field, assignedValue(model, assignment, columnOf(assignment.field))])
}

/** For Kysely's `set`: the new value of each column. */
export function setOf(changes: readonly Change[]): Record<string, Expression<unknown>> {
  return Object.fromEntries(changes.map(([field, value]) => [field.column, value]))
}

/** Whether any of the changes would make a difference. */
export function anyDiffers(model: BoundModel, changes: readonly Change[], columnOf: ColumnOf = bareColumn): RawBuilder<boolean> {
  if (changes.length === 0) return sql<boolean>`1 = 0`
  const differences = changes.map(([field, value]) => model.dialect.expressions.isDistinct(columnOf(field), value, field.definition.type))
  return sql<boolean>`(${sql.join(differences, sql` or `)})`
}
