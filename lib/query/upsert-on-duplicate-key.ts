import { type Expression, sql } from 'kysely'
import { QueryError, UniqueViolationError } from '../errors.js'
import { type MaybePromise, orElse } from '../maybe-promise.js'
import { anyDiffers, bookkeepingOf, type Change, changesOf, setOf } from './assignments.js'
import type { BoundField, BoundModel } from './bound-model.js'
import { insertColumns, insertOf, type Wrap } from './create.js'
import { type CallLimits, type PlanRunner, planOf, type QueryPlan } from './query-plan.js'
import { readFirst } from './selection.js'
import { StatementShape } from './statement-cache.js'
import {
  countsFor,
  hasKey,
  readByKey,
  type UpsertOutcome,
  type UpsertRequest,
  type UpsertResult,
  updateIfDifferent,
  upsertAssignments,
} from './upsert-request.js'
import { whereExpression } from './where-expression.js'

/** "Subquery returns more than 1 row": what the guard makes the server say. */
const GUARD_FAILED = '1242'

/** What the server counts for an upsert that finds nothing to change, makes a row, changes one. */
const OUTCOMES: readonly UpsertOutcome[] = ['unchanged', 'created', 'updated']

/**
 * What the statement notes of its outcome where the server sends no count beside rows. The note is the session's last insert id: the
 * one thing that an expression can set and a later one of the same statement read.
 */
const NOTED: readonly UpsertOutcome[] = ['created', 'unchanged', 'updated']
const [CREATED, UNCHANGED, UPDATED] = [sql.lit(0), sql.lit(1), sql.lit(2)]

/**
 * INSERT … ON DUPLICATE KEY UPDATE, which fires on *any* unique key: every assignment is guarded, so that the
 * statement fails rather than change a row that another key found.
 */
export function upsertOnDuplicateKey(
  model: BoundModel,
  runner: PlanRunner,
  request: UpsertRequest,
  limits?: CallLimits,
): MaybePromise<UpsertResult> {
  const upsert = () =>
    model.dialect.capabilities.insertReturning
      ? orElse(() => runner.run(returningPlan(model, request), limits), otherKeyMet)
      : upsertThenRead(model, runner, request, limits)
  const otherKeyMet = (error: unknown) => {
    if (!isGuardFailure(error)) throw error
    // once more, in a transaction, where the row that was met stays as it is
    return upsertThenRead(model, runner, request, limits)
  }
  const meeting = runner.meetServer(model.labelOf('upsert'), limits)
  return meeting === undefined ? upsert() : meeting.then(upsert)
}

function upsertThenRead(model: BoundModel, runner: PlanRunner, request: UpsertRequest, limits?: CallLimits): Promise<UpsertResult> {
  return runner.together(
    model.labelOf('upsert'),
    async () => {
      const outcome = await upsertGuarded(model, runner, request, limits)
      // locked, as it is already: a row left unchanged may be newer than what this transaction sees else
      return { row: (await readByKey(model, runner, request, limits, true))!, outcome }
    },
    limits,
  )
}

async function upsertGuarded(model: BoundModel, runner: PlanRunner, request: UpsertRequest, limits?: CallLimits): Promise<UpsertOutcome> {
  try {
    return await runner.run(upsertPlan(model, request), limits)
  } catch (error) {
    if (!isGuardFailure(error)) throw error
    // another key was met first. The row named by `on` may be there all the same, and is then the one to change
    const updating = updateIfDifferent(model, request, (result) => result.affectedRows > 0)
    if (updating !== undefined && (await runner.run(updating, limits))) return 'updated'
    if ((await readByKey(model, runner, request, limits, true)) !== null) return 'unchanged'
    throw await otherKeyTaken(model, runner, request, limits)
  }
}

/** Whether an upsert failed because another key than `on` found a row. */
export function isGuardFailure(error: unknown): boolean {
  return error instanceof QueryError && error.databaseCode === GUARD_FAILED
}

function upsertPlan(model: BoundModel, request: UpsertRequest): QueryPlan<UpsertOutcome> {
  const { shape, columns, set } = upsertParts(model, request)
  return planOf(model, {
    operation: 'upsert',
    access: 'write',
    shape,
    build: () => insertOf(model, columns).onDuplicateKeyUpdate(set()),
    read: (result) => OUTCOMES[result.affectedRows]!,
  })
}

/** The upsert that gives the row back. */
function returningPlan(model: BoundModel, request: UpsertRequest): QueryPlan<UpsertResult> {
  const { key, selection } = request
  const { shape, columns, set } = upsertParts(model, request)
  shape.key += ` returning ${selection.key}`
  return planOf(model, {
    operation: 'upsert',
    access: 'write',
    shape,
    exactIntegers: selection.exactIntegers,
    build: () => {
      // in a value that is never null and always written: what an earlier statement noted is gone before this one may note
      const first: Wrap = (field, value) => (field === key[0] ? sql`if(last_insert_id(${CREATED}) = ${CREATED}, ${value}, null)` : value)
      const noted = sql`last_insert_id()`.as('outcome')
      return insertOf(model, columns, first)
        .onDuplicateKeyUpdate(set(noteOf))
        .returning([noted, ...selection.references])
    },
    read: (result) => ({ row: readFirst(selection, result, 1)!, outcome: NOTED[Number(result.rows[0]![0])]! }),
  })
}

/** What the two ways of upserting have in common. */
function upsertParts(model: BoundModel, request: UpsertRequest) {
  const { key, row } = request
  const shape = new StatementShape(`upsert ${key.map((field) => field.name).join()} `)
  const columns = insertColumns(model, row, shape)
  shape.key += ' set '
  const assignments = upsertAssignments(model, request, shape)
  const bookkeeping = bookkeepingOf(model, shape)
  const set = (note?: Note) => guardedSet(model, key, changesOf(model, assignments), changesOf(model, bookkeeping), note)
  return { shape, columns, set }
}

/** What is noted of a row that is there, by whether it is changed: a condition that holds. */
type Note = (differs: Expression<unknown>) => Expression<unknown>

const noteOf: Note = (differs) => sql`last_insert_id(if(${differs}, ${UPDATED}, ${UNCHANGED})) > 0`

/**
 * What ON DUPLICATE KEY UPDATE sets; it fails unless the row met has the key of the row to insert. What the layer keeps
 * is only written where another column changes.
 */
export function guardedSet(
  model: BoundModel,
  key: readonly BoundField[],
  changes: readonly Change[],
  bookkeeping: readonly Change[],
  note?: Note,
): Record<string, Expression<unknown>> {
  const differs = anyDiffers(model, changes)
  const kept = bookkeeping.map(([field, value]): Change => [field, sql`if(${differs}, ${value}, ${field.reference})`])
  // assignments take effect from left to right: what looks at old values goes first
  const all = [...kept, ...changes]
  const [[field, value] = [key[0]!, key[0]!.reference] as const, ...rest] = all
  const isSameRow = [...key.map(({ reference }) => sql`${reference} <=> values(${reference})`), ...countsFor(model, key)]
  const conditions = note === undefined ? isSameRow : [...isSameRow, note(differs)]
  // the first one is enough: when it fails, so does the statement
  const guarded: Change = [field, sql`if(${sql.join(conditions, sql` and `)}, ${value}, (select 1 union select 2))`]
  return setOf([guarded, ...rest])
}

/** The error for a row that cannot be made because another of its keys is taken: looks which one. */
async function otherKeyTaken(
  model: BoundModel,
  runner: PlanRunner,
  { key, row }: UpsertRequest,
  limits?: CallLimits,
): Promise<UniqueViolationError> {
  for (const other of model.keys) {
    if (other === key || other.some((field) => row[field.name] === undefined || row[field.name] === null)) continue
    const shape = new StatementShape('upsert other key ')
    const condition = hasKey(model, other, row, shape)
    const taken = sql`1`.as('taken')
    const build = () =>
      model.compiler.selectFrom(model.table).select(taken).where(whereExpression(model, condition)).modifyEnd(sql`for update`)
    const isTaken = await runner.run(
      planOf(model, { operation: 'upsert', access: 'read', shape, build, read: (result) => result.rows.length > 0 }),
      limits,
    )
    if (isTaken)
      return new UniqueViolationError({ model: model.definition.name, fields: other.map((field) => field.name), constraint: undefined })
  }
  return new UniqueViolationError({ model: model.definition.name, fields: [], constraint: undefined })
}
