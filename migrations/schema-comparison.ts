import type { IntrospectionFinding } from '../lib/dialect/introspection.js'
import { jsonText, sameJson } from '../lib/model/json-text.js'
import type { Schema, TableSchema } from '../lib/model/schema.js'
import { factName } from '../lib/model/schema-change.js'
import type { DriftReport, NotCompared, SchemaDifference } from './documents.js'
import { expressionKey } from './expression-hashes.js'
import { columnText, foreignKeyText, partText } from './schema-words.js'

/** What is compared with a schema: see `Introspection`. */
export interface FoundSchema {
  readonly schema: Schema
  readonly findings: readonly IntrospectionFinding[]
}

/**
 * Compares what a database has with what it should have. The order of tables, columns and constraints is no difference. Pure.
 *
 * @param kept  keys of expressions whose rendering by the engine was written down when they were made: what reads otherwise is another
 */
export function compareSchemas(expected: Schema, found: FoundSchema, kept: ReadonlySet<string> = new Set()): DriftReport {
  const actual = new Map(found.schema.tables.map((table) => [factName(table), table]))
  const findings = new Map<string, IntrospectionFinding[]>()
  for (const finding of found.findings) findings.set(finding.table, [...(findings.get(finding.table) ?? []), finding])
  const names = new Set(expected.tables.map(factName))
  const differences: SchemaDifference[] = []
  const notCompared: NotCompared[] = []
  for (const table of [...expected.tables].sort((one, other) => (factName(one) < factName(other) ? -1 : 1))) {
    const name = factName(table)
    const there = actual.get(name)
    if (there === undefined) {
      const columns = table.columns.map((column) => column.name).join(', ')
      differences.push({ kind: 'missing', table: name, what: 'table', name: null, expected: `(${columns})`, actual: null })
    } else {
      const comparison = new TableComparison(table, there, findings.get(name) ?? [], kept)
      differences.push(...comparison.differences)
      notCompared.push(...comparison.notCompared)
    }
  }
  return { differences, notCompared, unmanaged: [...actual.keys()].filter((name) => !names.has(name)).sort() }
}

type Named = { readonly name: string }
type ComparedKind = NotCompared['what']

class TableComparison {
  readonly differences: SchemaDifference[] = []
  readonly notCompared: NotCompared[] = []
  readonly #table: string
  /** What is wrong with objects; what is said of is taken out. */
  readonly #findings: Set<IntrospectionFinding>
  readonly #kept: ReadonlySet<string>

  constructor(expected: TableSchema, actual: TableSchema, findings: readonly IntrospectionFinding[], kept: ReadonlySet<string>) {
    this.#table = factName(expected)
    this.#kept = kept
    this.#findings = new Set(findings)
    this.#columns(expected, actual)
    this.#primaryKey(expected, actual)
    this.#each('unique', expected.uniques, actual.uniques, partText)
    this.#each('index', expected.indexes, actual.indexes, partText, ({ expression }) => expression !== undefined)
    this.#each('foreign key', expected.foreignKeys, actual.foreignKeys, foreignKeyText)
    this.#each('check', expected.checks, actual.checks, partText, ({ sql }) => sql !== undefined)
    if (expected.comment !== actual.comment) this.#differ('comment', null, expected.comment ?? null, actual.comment ?? null)
    for (const { object, problem } of this.#findings) {
      if (object === undefined) this.#differ('table', null, '', problem)
      else this.#differ('object', object, null, problem)
    }
  }

  #columns(expected: TableSchema, actual: TableSchema): void {
    this.#each('column', expected.columns, actual.columns, columnText, (column, there) => {
      if (there === undefined) return false
      const { default: own, ...rest } = column
      const { default: other, ...restOfOther } = there
      return own?.kind === 'sql' && other?.kind === 'sql' && sameJson(rest, restOfOther)
    })
  }

  /** Its name is no part of it on engines that call all alike. */
  #primaryKey({ primaryKey: expected }: TableSchema, { primaryKey: actual }: TableSchema): void {
    if (sameJson(expected, actual) || actual.columns.length === 0) return
    this.#differ('primary key', expected.name, partText(expected), partText(actual))
  }

  /** @param isWords  whether the two may differ by nothing but how the engine writes SQL of the model's own */
  #each<T extends Named>(
    what: SchemaDifference['what'],
    expected: readonly T[],
    actual: readonly T[],
    textOf: (part: T) => string,
    isWords: (part: T, there: T | undefined) => boolean = () => false,
  ): void {
    const there = new Map(actual.map((part) => [part.name, part]))
    for (const part of expected) {
      const other = there.get(part.name)
      const problem = this.#take(what, part.name)
      there.delete(part.name)
      if (other !== undefined && problem === undefined && sameJson(part, other)) continue
      const said = problem ?? (other === undefined ? null : textOf(other))
      if (said !== null && isWords(part, other) && !this.#kept.has(this.#keyOf(what, part.name)))
        this.notCompared.push({ table: this.#table, what: what as ComparedKind, name: part.name, expected: textOf(part), actual: said })
      else this.#differ(what, part.name, textOf(part), said)
    }
    for (const part of there.values()) this.#differ(what, part.name, null, this.#take(what, part.name) ?? textOf(part))
  }

  #keyOf(what: SchemaDifference['what'], name: string): string {
    return expressionKey(this.#table, what === 'column' ? 'default' : (what as 'index' | 'check'), name)
  }

  #take(what: SchemaDifference['what'], name: string): string | undefined {
    const found = [...this.#findings].filter((finding) => finding.what === what && finding.object === name)
    for (const finding of found) this.#findings.delete(finding)
    return found.length === 0 ? undefined : found.map(({ problem }) => problem).join('; ')
  }

  #differ(what: SchemaDifference['what'], name: string | null, expected: string | null, actual: string | null): void {
    const kind = expected === null ? 'unexpected' : actual === null ? 'missing' : 'different'
    this.differences.push({ kind, table: this.#table, what, name, expected: expected === '' ? null : expected, actual })
  }
}

/** The same schema with the connection's own one left out of names, as a database tells of it. */
export function inOwnSchema(schema: Schema, own: string | undefined): Schema {
  if (own === undefined || !jsonText(schema).includes(`"schema":${JSON.stringify(own)}`)) return schema
  const without = <T extends { readonly schema?: string }>(named: T): T => {
    const { schema: given, ...rest } = named
    return given === own ? (rest as T) : named
  }
  return {
    ...schema,
    tables: schema.tables.map((table) => ({
      ...without(table),
      foreignKeys: table.foreignKeys.map((each) => ({ ...each, target: without(each.target) })),
    })),
  }
}
