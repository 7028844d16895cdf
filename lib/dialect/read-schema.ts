import type { ColumnType } from '../model/column-type.js'
import { frozenCopy } from '../model/frozen-copy.js'
import { jsonText, sameJson } from '../model/json-text.js'
import type { CheckSchema, ColumnDefault, ColumnSchema, ForeignKeySchema, IndexSchema, TableSchema, UniqueSchema } from '../model/schema.js'
import { factName } from '../model/schema-change.js'
import { objectName } from '../model/schema-names.js'
import { conditionSql, type DdlSyntax } from './ddl-conditions.js'
import { expressionText } from './expression-text.js'
import type {
  Introspection,
  IntrospectionFinding,
  IntrospectOptions,
  Remark,
  StoredColumn,
  StoredIndex,
  StoredTable,
  Unread,
} from './introspection.js'
import { withoutNot } from './without-not.js'

/** How an engine writes what its catalogue is compared with. */
export interface EngineForms {
  /** The same text for types that a column cannot tell apart; `counts`: it is of a column that does. */
  typeForm(type: ColumnType, counts: boolean): string
  /** What stands after DEFAULT; undefined: nothing. */
  defaultSql(column: ColumnSchema, table: TableSchema): string | undefined
  checkSql(check: CheckSchema, table: TableSchema): readonly string[]
  indexSql(index: IndexSchema | UniqueSchema, table: TableSchema): readonly string[] | undefined
  /** Checks that stand for native enums, beside those of the schema. */
  enumChecks(table: TableSchema): readonly CheckSchema[]
  /** As it is kept; undefined: the engine has no comments. */
  comment(text: string): string | undefined
  /** The same text for foreign keys that the engine cannot tell apart. */
  foreignKeyForm(foreignKey: ForeignKeySchema): string
}

/**
 * A catalogue in the words of a schema: the known one's where they say the same, else the engine's own. Pure.
 *
 * @param beside  what is there beside tables, such as views
 */
export function readSchema(
  stored: readonly StoredTable[],
  forms: EngineForms,
  options: IntrospectOptions,
  beside: readonly IntrospectionFinding[] = [],
): Introspection {
  const known = new Map(options.known?.tables.map((table) => [factName(table), table]))
  const reader = new SchemaReader(forms, options.expressions ?? {})
  const sorted = [...stored].sort((one, other) => (factName(one) < factName(other) ? -1 : 1))
  const tables = sorted.map((table) => reader.table(table, known.get(factName(table))))
  return frozenCopy<Introspection>({
    schema: { version: 1, tables },
    findings: reader.findings,
    remarks: [...sorted.flatMap((table) => (table.remarks ?? []).map((remark) => ({ table: factName(table), ...remark }))), ...beside],
    expressions: reader.expressions,
    unread: reader.unread,
  })
}

class SchemaReader {
  readonly findings: IntrospectionFinding[] = []
  readonly expressions: Record<string, string> = {}
  readonly unread: { columns: Unread['columns'][number][]; indexes: Unread['indexes'][number][] } = { columns: [], indexes: [] }

  constructor(
    readonly forms: EngineForms,
    readonly former: Readonly<Record<string, string>>,
  ) {}

  table(stored: StoredTable, known: TableSchema | undefined): TableSchema {
    for (const finding of stored.findings ?? []) this.#find(stored, finding)
    if (stored.primaryKey === undefined) this.#find(stored, { problem: 'a table without a primary key, which no model has' })
    const comment = this.#comment(stored.comment, known?.comment)
    const columns = stored.columns.flatMap((column) => this.#column(column, stored, known))
    return {
      name: stored.name,
      ...(stored.schema === undefined ? {} : { schema: stored.schema }),
      columns,
      primaryKey: {
        name: stored.primaryKey?.name ?? known?.primaryKey.name ?? objectName(stored.name, [], 'pkey'),
        columns: stored.primaryKey?.columns ?? [],
      },
      uniques: stored.uniques.flatMap((each) => this.#index(each, known?.uniques, stored, known)),
      indexes: stored.indexes.flatMap((each) => this.#index(each, known?.indexes, stored, known)),
      foreignKeys: stored.foreignKeys.map((each) => this.#foreignKey(each, known)),
      checks: stored.checks.flatMap((check) => this.#check(check, stored, known)),
      ...(comment === undefined ? {} : { comment }),
    }
  }

  #column(stored: StoredColumn, table: StoredTable, knownTable: TableSchema | undefined): ColumnSchema[] {
    const known = knownTable?.columns.find(({ name }) => name === stored.name)
    const type = this.#type(stored, known, table, knownTable)
    if (type === undefined) {
      const problem = stored.typeText === '' ? 'a column without a type' : `a column of type "${stored.typeText}", which no field has`
      this.#find(table, { what: 'column', object: stored.name, problem })
      this.unread.columns.push({ table: factName(table), position: table.columns.indexOf(stored), column: stored })
      return []
    }
    const value = this.#default(stored, known, table, knownTable)
    const comment = this.#comment(stored.comment, known?.comment)
    return [
      {
        name: stored.name,
        type,
        nullable: stored.nullable,
        ...(value === undefined ? {} : { default: value }),
        ...(comment === undefined ? {} : { comment }),
      },
    ]
  }

  #type(
    stored: StoredColumn,
    known: ColumnSchema | undefined,
    table: StoredTable,
    knownTable: TableSchema | undefined,
  ): ColumnType | undefined {
    if (
      known === undefined ||
      stored.type === undefined ||
      this.forms.typeForm(known.type, stored.counts) !== this.forms.typeForm(stored.type, stored.counts)
    )
      return stored.type
    const lacking = this.forms
      .enumChecks(knownTable!)
      .filter(({ columns }) => columns.includes(stored.name))
      .find(
        (check) => !table.checks.some(({ name, sql }) => name === check.name && this.#isSame(this.forms.checkSql(check, knownTable!), sql)),
      )
    if (lacking === undefined) return known.type
    const problem = `the check "${lacking.name}" of its enum type is not there, or has other values`
    this.#find(table, { what: 'column', object: stored.name, problem })
    return { kind: 'text' }
  }

  #default(
    stored: StoredColumn,
    known: ColumnSchema | undefined,
    table: StoredTable,
    knownTable: TableSchema | undefined,
  ): ColumnDefault | undefined {
    if (stored.counts) return { kind: 'increment' }
    if (stored.default === undefined) return undefined
    const isFormer = this.#keep(table, 'default', stored.name, stored.default)
    const expected = known?.default === undefined ? undefined : this.forms.defaultSql(known, knownTable!)
    if (expected !== undefined && (isFormer || this.#isSame([expected], stored.default))) return known!.default
    return { kind: 'sql', sql: stored.default }
  }

  #index<T extends UniqueSchema | IndexSchema>(
    stored: StoredIndex,
    knowns: readonly T[] | undefined,
    table: StoredTable,
    knownTable: TableSchema | undefined,
  ): T[] {
    const isFormer = stored.sql !== undefined && this.#keep(table, 'index', stored.name, stored.sql)
    const known = knowns?.find(({ name }) => name === stored.name)
    if (known !== undefined && sameJson(known.columns, stored.columns)) {
      const expected = this.forms.indexSql(known, knownTable!)
      if (expected === undefined ? stored.sql === undefined : stored.sql !== undefined && (isFormer || this.#isSame(expected, stored.sql)))
        return [known]
    }
    if (stored.sql === undefined) return [{ name: stored.name, columns: stored.columns } as unknown as T]
    const isUnique = table.uniques.includes(stored)
    const problem = `an index whose SQL no model says so: ${stored.sql}`
    this.#find(table, { what: isUnique ? 'unique' : 'index', object: stored.name, problem })
    this.unread.indexes.push({ table: factName(table), isUnique, index: stored })
    return []
  }

  #foreignKey(stored: ForeignKeySchema, known: TableSchema | undefined): ForeignKeySchema {
    return known?.foreignKeys.find((each) => this.forms.foreignKeyForm(each) === this.forms.foreignKeyForm(stored)) ?? stored
  }

  #check({ name, sql }: StoredTable['checks'][number], table: StoredTable, knownTable: TableSchema | undefined): CheckSchema[] {
    const isFormer = this.#keep(table, 'check', name, sql)
    if (knownTable !== undefined && this.forms.enumChecks(knownTable).some((check) => check.name === name)) return []
    const known = knownTable?.checks.find((check) => check.name === name)
    if (known !== undefined && (isFormer || this.#isSame(this.forms.checkSql(known, knownTable!), sql))) return [known]
    return [{ name, columns: [], sql }]
  }

  #comment(stored: string | undefined, known: string | undefined): string | undefined {
    if (known === undefined) return stored
    const kept = this.forms.comment(known)
    return kept === undefined || kept === stored ? known : stored
  }

  #isSame(expected: readonly string[], stored: string): boolean {
    const text = expressionText(stored)
    return expected.some((each) => each === stored || expressionText(each) === text)
  }

  /** Writes down how an expression reads now; whether it did so when it was made. */
  #keep(table: StoredTable, kind: string, name: string, sql: string): boolean {
    const key = `${factName(table)}/${kind}/${name}`
    this.expressions[key] = sql
    return this.former[key] === sql
  }

  #find(table: StoredTable, finding: Omit<IntrospectionFinding, 'table'>): void {
    this.findings.push({ table: factName(table), ...finding })
  }
}

/** The SQL that a check may read as: as it is written, and with every NOT carried out, which some engines do. */
export function checkSqlOf({ sql, condition }: CheckSchema, table: TableSchema, syntax: DdlSyntax): readonly string[] {
  if (sql !== undefined) return [sql]
  return [conditionSql(condition!, table, syntax), conditionSql(withoutNot(condition!), table, syntax)]
}

/** Those that are not empty. */
export function remarksOf(problems: readonly string[], object?: string): readonly Remark[] {
  return problems.filter((problem) => problem !== '').map((problem) => ({ ...(object === undefined ? {} : { object }), problem }))
}

/** For engines that give back all of a foreign key. */
export function foreignKeyText(foreignKey: ForeignKeySchema): string {
  return jsonText(foreignKey)
}
