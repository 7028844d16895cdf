import { type Expression, type RawBuilder, sql } from 'kysely'
import type { ConstraintOrigin, Statement } from '../dialect/dialect.js'
import type { ReferentialAction } from '../model/model-definition.js'
import { type Assignment, changesOf } from './assignments.js'
import type { BoundField, BoundModel } from './bound-model.js'
import type { Condition } from './condition.js'
import type { ForeignKeyLink } from './foreign-key-link.js'
import { StatementShape, slot } from './statement-cache.js'
import { whereExpression } from './where-expression.js'

/** What a statement was to write when a foreign key refused it. The shape holds the values of condition and assignments. */
export type Writing =
  | { readonly kind: 'insert'; readonly rows: readonly Record<string, unknown>[] }
  | { readonly kind: 'update'; readonly condition: Condition; readonly assignments: readonly Assignment[]; readonly shape: StatementShape }
  | { readonly kind: 'delete'; readonly condition: Condition; readonly shape: StatementShape }

/** A question to the database: a row for an answer means that this foreign key is the one that refused. */
export interface ForeignKeyProbe {
  readonly origin: ConstraintOrigin
  readonly statement: Statement
}

/** What to ask, one after the other, to learn which foreign key refused a statement: for engines that do not say. */
export function foreignKeyProbes(model: BoundModel, writing: Writing): Iterable<ForeignKeyProbe> {
  const own = model.foreignKeys.filter((link) => link.child === model.table)
  const towards = model.foreignKeys.filter((link) => link.parent === model.table)
  switch (writing.kind) {
    case 'insert':
      return probesOfRows(model, own, writing.rows)
    case 'update':
      return probesOfUpdate(model, own, towards, writing)
    case 'delete':
      return towards.filter((link) => refuses(link.onDelete)).map((link) => stillReferred(model, link, writing))
  }
}

function* probesOfRows(model: BoundModel, links: readonly ForeignKeyLink[], rows: readonly Record<string, unknown>[]) {
  for (const row of rows) {
    for (const link of links) {
      const fields = fieldsOf(model, link.columns)
      // a key with a null in it refers to nothing
      if (fields.some(({ name }) => row[name] === undefined || row[name] === null)) continue
      yield missingParent(model, link, fields, row)
    }
  }
}

function* probesOfUpdate(
  model: BoundModel,
  own: readonly ForeignKeyLink[],
  towards: readonly ForeignKeyLink[],
  writing: Extract<Writing, { kind: 'update' }>,
) {
  const isSet = (column: string) => writing.assignments.some(({ field }) => field.column === column)
  for (const link of own) if (link.columns.some(isSet)) yield missingParentAfter(model, link, writing)
  for (const link of towards) if (link.references.some(isSet) && refuses(link.onUpdate)) yield stillReferred(model, link, writing)
}

/** The row's key is not there. */
function missingParent(
  model: BoundModel,
  { origin, parent, references }: ForeignKeyLink,
  fields: readonly BoundField[],
  row: Record<string, unknown>,
): ForeignKeyProbe {
  const shape = new StatementShape(`foreign key ${origin.constraint} of a row`)
  const slots = fields.map((field) => shape.add(field.encode(row[field.name])))
  const values = fields.map(({ definition }, position) => model.dialect.expressions.bound(slot(slots[position]!), definition.type))
  return probe(model, origin, shape, sql`not exists (select 1 from ${parentMatching(parent, references, values)})`)
}

/** A row that matches refers, with what it is set to, to a row that is not there. */
function missingParentAfter(
  model: BoundModel,
  { origin, child, columns, parent, references }: ForeignKeyLink,
  { condition, assignments, shape }: Extract<Writing, { kind: 'update' }>,
): ForeignKeyProbe {
  const ownColumn = (column: string) => sql.ref(`${child}.${column}`)
  const changes = new Map(changesOf(model, assignments, (field) => ownColumn(field.column)).map(([field, value]) => [field.column, value]))
  const values = columns.map((column) => changes.get(column) ?? ownColumn(column))
  const isGiven = values.map((value) => sql`${value} is not null`)
  const missing = sql`${sql.join(isGiven, sql` and `)} and not exists (select 1 from ${parentMatching(parent, references, values)})`
  const rows = sql`select 1 from ${sql.table(child)} where (${whereExpression(model, condition)}) and ${missing}`
  return probe(model, origin, shape.followedBy(`foreign key ${origin.constraint}`), sql`exists (${rows})`)
}

/** A row that matches is referred to. */
function stillReferred(
  model: BoundModel,
  { origin, child, columns, parent, references }: ForeignKeyLink,
  { condition, shape }: { readonly condition: Condition; readonly shape: StatementShape },
): ForeignKeyProbe {
  const isReferred = columns.map(
    (column, position) => sql`${sql.ref(`lw_child.${column}`)} = ${sql.ref(`${parent}.${references[position]}`)}`,
  )
  const referred = sql`select 1 from ${sql.table(parent)} where (${whereExpression(model, condition)}) and ${sql.join(isReferred, sql` and `)}`
  const children = sql`select 1 from ${sql.table(child)} as lw_child where exists (${referred})`
  return probe(model, origin, shape.followedBy(`reference ${origin.constraint}`), sql`exists (${children})`)
}

function parentMatching(parent: string, references: readonly string[], values: readonly Expression<unknown>[]): RawBuilder<unknown> {
  const isSame = references.map((column, position) => sql`${sql.ref(`lw_parent.${column}`)} = ${values[position]!}`)
  return sql`${sql.table(parent)} as lw_parent where ${sql.join(isSame, sql` and `)}`
}

function probe(model: BoundModel, origin: ConstraintOrigin, shape: StatementShape, isIt: RawBuilder<unknown>): ForeignKeyProbe {
  const build = () => model.compiler.selectNoFrom(sql`1`.as('found')).where(sql<boolean>`${isIt}`)
  const { sql: text, bind } = model.statements.get(shape, build)
  return { origin, statement: { sql: text, parameters: bind(shape.values) } }
}

function refuses(action: ReferentialAction): boolean {
  return action === 'noAction' || action === 'restrict' || action === 'setDefault'
}

function fieldsOf(model: BoundModel, columns: readonly string[]): readonly BoundField[] {
  return columns.map((column) => model.fields.find((field) => field.column === column)!)
}
