import type { Engine } from '../../lib/dialect/dialect.js'
import type { MigrationDialect } from '../../lib/dialect/migration-dialect.js'
import type { Schema, TableSchema } from '../../lib/model/schema.js'
import { factName } from '../../lib/model/schema-change.js'
import { type SqlToken, sqlTokens } from '../../lib/sql-text.js'
import type { SqlSource, Step } from '../migration.js'
import type { Operation } from '../operation.js'
import { segmentsOf } from '../segments.js'
import { type Directive, partsOf, stepOf } from '../steps.js'
import { bareName, inParentheses, NAME, plainText, sameName, splitByComma, TABLE } from './sql-shape.js'

/** One statement of a migration, as rules read it. */
export interface LintStatement {
  /** Of its step, from 1. */
  readonly line: number
  /** See {@link plainText}. */
  readonly text: string
  readonly tokens: readonly SqlToken[]
  /** The table that it makes, alters, indexes or fills. */
  readonly table: string | undefined
  /** Of ALTER TABLE its clauses, of CREATE TABLE what stands in its parentheses. */
  readonly parts: readonly string[]
  /** Statements of the same number are in one transaction; each outside of any has a number of its own. */
  readonly segment: number
  readonly isTransactional: boolean
  /** Of a step that the runner rebuilds a table with. */
  readonly rebuilds: string | undefined
}

/** A column of a table as it was before the migration. */
export interface ColumnBefore {
  readonly name: string
  /** What stands behind the name, see {@link plainText}. */
  readonly declared: string
}

/** A directive with the lines of the step that it stands in; undefined: it stands in none, before all others mostly. */
export type LintDirective = Directive & { readonly lines: readonly [first: number, last: number] | undefined }

/** The SQL of one migration for one engine, and what is known of the tables before it. */
export interface LintFile {
  readonly id: string
  readonly engine: Engine
  /** Absolute. */
  readonly path: string
  readonly statements: readonly LintStatement[]
  /** Those that speak to lint: `approve` and `nolint`. */
  readonly directives: readonly LintDirective[]
  readonly operations: readonly Operation[]
  /** Whether the migration has made a table before a statement: nobody uses it yet, and it is empty. */
  isNew(table: string, at: LintStatement): boolean
  /** From the last snapshot before the migration; undefined: there is none, or no such table. */
  tableBefore(table: string): TableSchema | undefined
  columnBefore(table: string, column: string): ColumnBefore | undefined
  readonly tablesBefore: readonly TableSchema[]
}

/** @param before  the schema before it; undefined: nothing is known */
export function lintFile(
  id: string,
  source: SqlSource,
  dialect: MigrationDialect,
  before: Schema | undefined,
  operations: readonly Operation[],
): LintFile {
  const parts = partsOf(source, dialect).map((part) => ({ part, step: stepOf(part, source.file, dialect) }))
  const steps = parts.flatMap(({ step }) => step ?? [])
  const segmentOf = new Map(
    segmentsOf(steps, 0, dialect).flatMap((segment, number) => segment.steps.map((step) => [step, number] as const)),
  )
  const statements = steps.flatMap((step) => statementsOf(step, segmentOf.get(step)!, dialect))
  const made = statements.flatMap((statement, position) =>
    /^create\b/.test(statement.text) && isTable(statement) ? [{ position, table: statement.table! }] : [],
  )
  const tables = before?.tables ?? []
  const tableBefore = (name: string) => tables.find((table) => sameName(factName(table), name))
  return {
    id,
    engine: dialect.engine,
    path: source.file,
    statements,
    directives: parts.flatMap(({ part: { directives, firstLine, lastLine }, step }) => {
      const lines = step === undefined ? undefined : ([firstLine, lastLine] as const)
      return directives.filter(({ name }) => name === 'approve' || name === 'nolint').map((each) => ({ ...each, lines }))
    }),
    operations,
    isNew: (table, at) => made.some((each) => sameName(each.table, table) && each.position < statements.indexOf(at)),
    tableBefore,
    columnBefore: (table, column) => columnsBefore(tableBefore(table), dialect).find(({ name }) => sameName(name, column)),
    tablesBefore: tables,
  }
}

const CREATE_TABLE = new RegExp(
  `^create (?:or replace )?(?:(?:global |local )?temp(?:orary)? |unlogged )?table (?:if not exists )?${TABLE}(.*)$`,
)
const ALTER_TABLE = new RegExp(String.raw`^alter (?:online |ignore )*table (?:if exists )?(?:only )?${TABLE}(?: \*)? (.*)$`)
const ON_TABLE: readonly RegExp[] = [
  new RegExp(
    `^create (?:or replace )?(?:unique |fulltext |spatial )?index (?:concurrently )?(?:if not exists )?(?:${NAME} )?on (?:only )?${TABLE}`,
  ),
  new RegExp(`^insert (?:ignore )?(?:or [a-z]+ )?into ${TABLE}`),
  new RegExp(`^replace (?:into )?${TABLE}`),
  new RegExp(`^update (?:only |ignore )?${TABLE}`),
  new RegExp(`^delete from (?:only )?${TABLE}`),
]

function statementsOf(step: Step, segment: number, dialect: MigrationDialect): readonly LintStatement[] {
  const { line, isTransactional, rebuilds } = step
  return step.statements.map((sql) => {
    const tokens = sqlTokens(sql, dialect.sqlTraits)
    const text = plainText(tokens)
    return { line, text, tokens, ...shapeOf(text), segment, isTransactional, rebuilds }
  })
}

function shapeOf(text: string): Pick<LintStatement, 'table' | 'parts'> {
  const created = CREATE_TABLE.exec(text)
  if (created !== null)
    return { table: bareName(created[1]!), parts: splitByComma(/^ \(/.test(created[2]!) ? (inParentheses(created[2]!) ?? '') : '') }
  const altered = ALTER_TABLE.exec(text)
  if (altered !== null) return { table: bareName(altered[1]!), parts: splitByComma(altered[2]!) }
  const on = ON_TABLE.map((pattern) => pattern.exec(text)?.at(-1)).find((name) => name !== undefined)
  return { table: on === undefined ? undefined : bareName(on), parts: [] }
}

function isTable({ text, table }: LintStatement): boolean {
  return table !== undefined && CREATE_TABLE.test(text)
}

const columnsOfTables = new WeakMap<TableSchema, readonly ColumnBefore[]>()

/** As this engine's own DDL writes them: so the types of a snapshot and those of a file are read by the same words. */
function columnsBefore(table: TableSchema | undefined, dialect: MigrationDialect): readonly ColumnBefore[] {
  if (table === undefined) return []
  const known = columnsOfTables.get(table)
  if (known !== undefined) return known
  const [create] = dialect.ddl([{ kind: 'createTable', table }])
  const { parts } = shapeOf(plainText(sqlTokens(create!.sql, dialect.sqlTraits)))
  const columns = parts.flatMap((part) => columnIn(part) ?? [])
  columnsOfTables.set(table, columns)
  return columns
}

const COLUMN = new RegExp(`^${NAME} (.+)$`)
const NO_COLUMN = /^(?:constraint|primary|unique|check|foreign|key|index|exclude|like|fulltext|spatial|period)\b/

/** The column that a part of CREATE TABLE, or what follows ADD in a clause, declares; undefined: it declares something else. */
export function columnIn(part: string): ColumnBefore | undefined {
  if (NO_COLUMN.test(part)) return undefined
  const [, name, declared] = COLUMN.exec(part) ?? []
  return name === undefined ? undefined : { name: bareName(name), declared: declared! }
}

const ADD_COLUMN =
  /^add (?:column )?(?:if not exists )?(?!constraint|primary|unique|check|foreign|key|index|fulltext|spatial|partition|period|value)(.+)$/

/** The column that a clause of ALTER TABLE adds; undefined: it does something else, or adds several. */
export function addedColumn(part: string): ColumnBefore | undefined {
  const added = ADD_COLUMN.exec(part)?.[1]
  return added === undefined ? undefined : columnIn(added)
}

/** The columns that a statement makes: those of CREATE TABLE, and of ADD COLUMN. */
export function newColumns({ text, parts }: LintStatement): readonly ColumnBefore[] {
  if (CREATE_TABLE.test(text)) return parts.flatMap((part) => columnIn(part) ?? [])
  if (!ALTER_TABLE.test(text)) return []
  return parts.flatMap((part) => {
    const added = ADD_COLUMN.exec(part)?.[1]
    if (added === undefined) return []
    // MySQL takes several in parentheses
    const list = added.startsWith('(') ? splitByComma(inParentheses(added) ?? '') : [added]
    return list.flatMap((each) => columnIn(each) ?? [])
  })
}

/** Clauses of ALTER TABLE on tables that were there before the migration. */
export function alterations(
  file: LintFile,
): readonly { readonly statement: LintStatement; readonly table: string; readonly part: string }[] {
  return file.statements.flatMap((statement) => {
    const { table, text, parts } = statement
    if (table === undefined || !ALTER_TABLE.test(text) || file.isNew(table, statement)) return []
    return parts.map((part) => ({ statement, table, part }))
  })
}
