import type { Introspection, IntrospectionFinding, IntrospectOptions } from '../../lib/dialect/introspection.js'
import type { Schema, TableSchema } from '../../lib/model/schema.js'
import { factName, type SchemaChange } from '../../lib/model/schema-change.js'
import { diffSchemas } from '../../lib/model/schema-diff.js'
import { confirmed, guessSchema } from './guess-schema.js'
import type { KeptModel, ModelPlan } from './model-plan.js'
import { modelText } from './model-text.js'
import { nearestType } from './nearest-type.js'
import { isModelOf, planModels } from './plan-models.js'

/** A question to the database; see `introspect` of its dialect. */
export type Introspect = (options: IntrospectOptions) => Promise<Introspection>

export interface PullRequest {
  /** The last snapshot: where the database holds what it says, its words are taken. */
  readonly known: Schema | undefined
  /** Beside the connection's own. */
  readonly schemas: readonly string[]
  isWanted(table: Pick<TableSchema, 'schema' | 'name'>): boolean
  /** Models that are there, which stay as they are. */
  readonly kept: readonly KeptModel[]
  /** Of files that are there, without folder and ending. */
  readonly files: readonly string[]
}

export interface PulledModels {
  readonly models: readonly (ModelPlan & { readonly text: string })[]
  readonly findings: readonly IntrospectionFinding[]
  /** Of the database, those that are not wanted left out. */
  readonly tables: readonly TableSchema[]
  /** Which of the models that are there have one of them. */
  readonly kept: readonly { readonly table: string; readonly name: string; readonly file: string }[]
}

/** The models of what is in a database, and what of it they cannot say. */
export async function pullModels(introspect: Introspect, { known, schemas, isWanted, kept, files }: PullRequest): Promise<PulledModels> {
  const places = [...new Set([...schemas, ...(known?.tables ?? []).flatMap(({ schema }) => schema ?? [])])]
  const found = wantedOf(await introspect({ known, schemas: places }), isWanted)
  // the database decides whether a guess says what it holds
  const guess = guessSchema(found)
  const asked = wantedOf(await introspect({ known: guess, schemas: places }), isWanted)
  const schema = confirmed(found.schema, guess, asked.schema, asked.unread)
  const planned = planModels(schema, kept, files)
  const again = wantedOf(await introspect({ known: planned.schema, schemas: places }), isWanted)
  const findings = [...findingsOf(again), ...planned.findings, ...differences(again, planned.schema), ...again.remarks]
  const models = planned.models.map((plan) => {
    const own = findings.filter(({ table }) => table === factName(plan.table))
    return {
      ...plan,
      text: modelText(
        plan,
        own.map(({ object, problem }) => (object === undefined ? problem : `${object}: ${problem}`)),
      ),
    }
  })
  const stay = schema.tables.flatMap((table) => {
    const there = kept.find(({ model }) => isModelOf(table, model))
    return there === undefined ? [] : [{ table: factName(table), name: there.name, file: there.file }]
  })
  return { models, findings, tables: schema.tables, kept: stay }
}

function wantedOf(all: Introspection, isWanted: PullRequest['isWanted']): Introspection {
  const tables = all.schema.tables.filter(isWanted)
  const names = new Set(tables.map(factName))
  const isOfOne = ({ table }: { readonly table: string }) => names.has(table)
  const isOfTable = new Set(all.schema.tables.map(factName))
  const { columns, indexes } = all.unread
  return {
    ...all,
    schema: { ...all.schema, tables },
    findings: all.findings.filter(isOfOne),
    remarks: all.remarks.filter((remark) => isOfOne(remark) || (!isOfTable.has(remark.table) && isWanted(named(remark.table)))),
    unread: { columns: columns.filter(isOfOne), indexes: indexes.filter(isOfOne) },
  }
}

/** Of a name as findings have it. */
function named(text: string): Pick<TableSchema, 'schema' | 'name'> {
  const [, schema, name] = /^([^.]+)\.(.+)$/s.exec(text) ?? []
  return name === undefined ? { name: text } : { schema: schema!, name }
}

/** What the catalogue has and no schema says; of a column that is read as the nearest type, that. */
function findingsOf({ findings, unread }: Introspection): readonly IntrospectionFinding[] {
  return findings.map((finding) => {
    const column = unread.columns.find(({ table, column: { name } }) => table === finding.table && name === finding.object)?.column
    const type = column === undefined ? undefined : nearestType(column)
    return type === undefined
      ? finding
      : { ...finding, problem: `is of type "${column!.typeText}", and its field of the nearest kind, ${type.kind}` }
  })
}

/** What a migration to the models would change: they say it otherwise, or not at all. What is left out has a finding already. */
function differences({ schema, unread, findings }: Introspection, models: Schema): readonly IntrospectionFinding[] {
  const has = new Map(models.tables.map((table) => [factName(table), table]))
  const tables = schema.tables.flatMap((table): TableSchema[] => {
    const other = has.get(factName(table))
    if (other === undefined) return []
    const columns = table.columns.filter(({ name }) => other.columns.some((column) => column.name === name))
    return [
      {
        ...table,
        columns: inOrder(
          columns,
          other,
          unread.columns.filter((each) => each.table === factName(table)).map(({ column }) => column.name),
        ),
      },
    ]
  })
  const { changes, decisions } = diffSchemas(
    { version: 1, tables },
    { version: 1, tables: models.tables.filter((table) => tables.some((each) => factName(each) === factName(table))) },
  )
  const isKnown = (table: string, object: string | undefined) => findings.some((each) => each.table === table && each.object === object)
  const undecided = decisions.flatMap((decision) => {
    if (!('table' in decision)) return []
    const object = 'column' in decision ? decision.column : undefined
    return [{ table: decision.table, ...(object === undefined ? {} : { object }), problem: `differs in the model: ${decision.kind}` }]
  })
  const changed = changes.flatMap((change) => {
    if (!('table' in change) || !('before' in change)) return []
    const object = objectOf(change)
    const table = factName(change.before)
    return isKnown(table, object)
      ? []
      : [{ table, ...(object === undefined ? {} : { object }), problem: `differs in the model: a migration would say ${change.kind}` }]
  })
  return [...undecided, ...changed]
}

/** A column of a nearest type is as its model says: that it is not has been found. */
function inOrder(
  columns: readonly TableSchema['columns'][number][],
  other: TableSchema,
  nearest: readonly string[],
): TableSchema['columns'] {
  return [...columns, ...other.columns.filter(({ name }) => nearest.includes(name))]
}

function objectOf(change: SchemaChange): string | undefined {
  const { column, unique, index, foreignKey, check, to } = change as unknown as Readonly<
    Record<string, { readonly name?: string } | string | undefined>
  >
  const part = column ?? unique ?? index ?? foreignKey ?? check ?? to
  return typeof part === 'string' ? part : part?.name
}
