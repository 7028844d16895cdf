import type { ColumnType } from '../../model/column-type.js'
import type { ReferentialAction } from '../../model/model-definition.js'
import { objectName } from '../../model/schema-names.js'
import { conditionSql } from '../ddl-conditions.js'
import type { Connection } from '../dialect.js'
import type { Introspection, IntrospectOptions, StoredColumn, StoredIndex, StoredTable } from '../introspection.js'
import { nativeEnumChecks } from '../native-enum-checks.js'
import { checkSqlOf, type EngineForms, foreignKeyText, readSchema, remarksOf } from '../read-schema.js'
import { columnType, SYNTAX } from './column-ddl.js'
import { defaultClause } from './table-ddl.js'
import { readIndexText, readTableText, type TableText } from './table-text.js'

type Row = readonly unknown[]

/** What is in the database, by a question a kind of thing. Names of constraints are in the text of the table alone. */
export async function introspect(connection: Pick<Connection, 'run'>, options: IntrospectOptions): Promise<Introspection> {
  const ask = async (sql: string) => (await connection.run({ sql, parameters: [] })).rows
  const columns = byTable(await ask(COLUMNS))
  const indexes = byTable(await ask(INDEXES))
  const foreignKeys = byTable(await ask(FOREIGN_KEYS))
  const triggers = byTable(await ask(TRIGGERS))
  const tables = (await ask(TABLES)).map(([name, sql, isStrict, isWithoutRowid]) => {
    const key = String(name)
    const of = (parts: ReadonlyMap<string, readonly Row[]>) => parts.get(key) ?? []
    const problems = [
      Number(isStrict) === 1 ? 'is STRICT: a migration that makes it anew leaves that out' : '',
      Number(isWithoutRowid) === 1 ? 'is WITHOUT ROWID: a migration that makes it anew leaves that out' : '',
      ...of(triggers).map(([trigger]) => `has the trigger "${trigger}", which a migration leaves as it is`),
    ]
    const text = readTableText(String(sql))
    const parts = { columns: of(columns), indexes: of(indexes), foreignKeys: of(foreignKeys) }
    return { ...storedTable(key, text, parts), remarks: [...remarksOf(problems), ...text.remarks] }
  })
  return readSchema(
    tables,
    FORMS,
    options,
    (await ask(BESIDE)).map(([name, kind]) => ({ table: String(name), problem: BESIDE_TABLES[String(kind)]! })),
  )
}

// virtual tables, such as those of full-text search, keep what they hold in others, their shadows
const OWN = `m.type = 'table' and m.name not like 'sqlite\\_%' escape '\\' and m.name not like '\\_latchwork\\_%' escape '\\'
and m.name in (select l.name from pragma_table_list l where l.schema = 'main' and l.type = 'table')`

const TABLES = `select m.name, m.sql, l.strict, l.wr from sqlite_schema m join pragma_table_list(m.name) l on l.schema = 'main' where ${OWN}`

const TRIGGERS = `select m.tbl_name, m.name from sqlite_schema m where m.type = 'trigger' order by m.name`

const BESIDE = `select l.name, l.type from pragma_table_list l where l.schema = 'main' and l.type in ('view', 'virtual') order by l.name`

const BESIDE_TABLES: Readonly<Record<string, string>> = {
  view: 'a view: a class that extends View can read it',
  virtual: 'a virtual table, which is left out with those that it keeps its rows in',
}

const COLUMNS = `select m.name, c.name, c.type, c."notnull", c.dflt_value, c.pk, c.hidden
from sqlite_schema m join pragma_table_xinfo(m.name) c where ${OWN} order by c.cid`

const INDEXES = `select m.name, i.name, i."unique", i.origin, k.name, s.sql, k."desc" or k.coll <> 'BINARY' from sqlite_schema m
join pragma_index_list(m.name) i join pragma_index_xinfo(i.name) k on k.key left join sqlite_schema s on s.type = 'index' and s.name = i.name
where ${OWN} order by i.name, k.seqno`

/** One that names no columns refers to the primary key. */
const FOREIGN_KEYS = `select m.name, f.id, f."table", f."from", coalesce(f."to", k.name), f.on_delete, f.on_update
from sqlite_schema m join pragma_foreign_key_list(m.name) f left join pragma_table_info(f."table") k on f."to" is null and k.pk = f.seq + 1
where ${OWN} order by f.id, f.seq`

function byTable(rows: readonly Row[]): ReadonlyMap<string, readonly Row[]> {
  return grouped(rows, 1)
}

/** By the first value; of each row, what is left after `skip` values. */
function grouped(rows: readonly Row[], skip: number): ReadonlyMap<string, readonly Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const key = String(row[0])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [row.slice(skip)])
    else group.push(row.slice(skip))
  }
  return groups
}

interface TableParts {
  readonly columns: readonly Row[]
  readonly indexes: readonly Row[]
  readonly foreignKeys: readonly Row[]
}

function storedTable(name: string, text: TableText, { columns, indexes, foreignKeys }: TableParts): StoredTable {
  const key = columns.filter(([, , , , pk]) => Number(pk) > 0).sort((one, other) => Number(one[4]) - Number(other[4]))
  const stored = [...grouped(indexes, 0)].map(([, parts]) => storedIndex(parts))
  const own = stored.filter(({ origin }) => origin !== 'pk')
  return {
    name,
    columns: columns.map((row) => storedColumn(row, text.isCounting, key.length === 1)),
    ...(key.length === 0
      ? {}
      : {
          primaryKey: {
            ...(text.primaryKey === undefined ? {} : { name: text.primaryKey }),
            columns: key.map(([column]) => String(column)),
          },
        }),
    uniques: own.filter(({ isUnique }) => isUnique),
    indexes: own.filter(({ isUnique }) => !isUnique),
    foreignKeys: [...grouped(foreignKeys, 0)].map(([, parts]) => storedForeignKey(parts, name, text)),
    checks: text.checks,
    findings: [
      ...(text.namelessChecks === 0 ? [] : [{ problem: `${text.namelessChecks} checks without a name, which no model has` }]),
      ...own
        .filter(({ origin }) => origin === 'u')
        .map((index) => ({ what: 'unique' as const, object: index.name, problem: 'a key without a name' })),
      ...columns
        .filter((row) => Number(row[5]) > 1)
        .map(([column]) => ({ what: 'column' as const, object: String(column), problem: 'a generated column, which no model has' })),
    ],
  }
}

function storedColumn([name, type, notNull, value, pk]: Row, isCounting: boolean, isKeySole: boolean): StoredColumn {
  const typeText = String(type)
  // a name of the rowid: it takes no null, and counts where none is given
  const isRowId = isKeySole && Number(pk) > 0 && typeText.toUpperCase() === 'INTEGER'
  return {
    name: String(name),
    typeText,
    type: typeOf(typeText.toUpperCase(), String(name)),
    nearest: AFFINITIES.find(([pattern]) => pattern.test(typeText))?.[1],
    nullable: Number(notNull) === 0 && !isRowId,
    counts: isRowId || (isCounting && Number(pk) > 0),
    ...(value === null ? {} : { default: String(value) }),
  }
}

const PLAIN: Readonly<Record<string, ColumnType>> = {
  TEXT: { kind: 'text' },
  INTEGER: { kind: 'integer' },
  // of a key that does not count
  INT: { kind: 'integer' },
  BIGINT: { kind: 'bigint' },
  REAL: { kind: 'float' },
  BOOLEAN_INTEGER: { kind: 'boolean' },
  DATE_TEXT: { kind: 'date' },
  TIME_TEXT: { kind: 'time' },
  TIMESTAMP_TEXT: { kind: 'timestamp', precision: 3 },
  UUID_TEXT: { kind: 'uuid' },
  JSON_TEXT: { kind: 'json' },
  BLOB: { kind: 'bytes' },
}

/** Of a type that no field has, by what SQLite makes of its name. Source: sqlite.org/datatype3.html, "Determination Of Column Affinity". */
const AFFINITIES: readonly (readonly [pattern: RegExp, type: ColumnType])[] = [
  [/int/i, { kind: 'integer' }],
  [/char|clob|text/i, { kind: 'text' }],
  // of NUMERIC affinity, as any other name: but these say that it holds numbers, which are kept as floats where they are not whole
  [/num|dec|money|currency/i, { kind: 'float' }],
]

function typeOf(text: string, name: string): ColumnType | undefined {
  const varchar = /^VARCHAR\((\d+)\)$/.exec(text)
  if (varchar !== null) return { kind: 'varchar', length: Number(varchar[1]) }
  const decimal = /^DECIMAL_TEXT\((\d+),(\d+)\)$/.exec(text)
  if (decimal !== null) return { kind: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) }
  // its values are in a check
  return text === 'ENUM_TEXT' ? { kind: 'enum', name, values: [], native: false } : PLAIN[text]
}

function storedIndex(parts: readonly Row[]): StoredIndex & { readonly isUnique: boolean; readonly origin: string } {
  const [name, isUnique, origin, , sql] = parts[0]!
  const columns = parts.flatMap(([, , , column]) => (column === null ? [] : [String(column)]))
  const isPlain = columns.length === parts.length && parts.every(([, , , , , special]) => Number(special) === 0)
  const said = sql === null ? undefined : sqlOfIndex(String(sql), isPlain)
  return {
    name: String(name),
    isUnique: Number(isUnique) === 1,
    origin: String(origin),
    columns,
    ...(said === undefined ? {} : { sql: said }),
  }
}

/** What follows the columns, or all that follows the table where they are not all, or in another order or collation. */
function sqlOfIndex(sql: string, isPlain: boolean): string | undefined {
  const list = readIndexText(sql)
  if (!isPlain) return list.all
  return list.rest === '' ? undefined : ` ${list.rest}`
}

const ACTIONS: Readonly<Record<string, ReferentialAction>> = {
  'NO ACTION': 'noAction',
  RESTRICT: 'restrict',
  CASCADE: 'cascade',
  'SET NULL': 'setNull',
  'SET DEFAULT': 'setDefault',
}

function storedForeignKey(parts: readonly Row[], owner: string, text: TableText): StoredTable['foreignKeys'][number] {
  const [, table, , , onDelete, onUpdate] = parts[0]!
  const columns = parts.map(([, , from]) => String(from))
  return {
    // without one, it is told by the name that a model gives
    name: text.foreignKeys.get(JSON.stringify(columns)) ?? objectName(owner, columns, 'fkey'),
    columns,
    target: { table: String(table), columns: parts.map(([, , , to]) => String(to)) },
    onDelete: ACTIONS[String(onDelete)]!,
    onUpdate: ACTIONS[String(onUpdate)]!,
  }
}

const FORMS: EngineForms = {
  // whatever counts is INTEGER
  typeForm: (type, counts) => (counts ? 'INTEGER' : columnType(type)),
  defaultSql: ({ default: value, type }) => defaultClause(value, type).replace(' default ', ''),
  checkSql: (check, table) => checkSqlOf(check, table, SYNTAX),
  indexSql: (index, table) => {
    const expression = 'expression' in index ? index.expression : undefined
    if (expression === undefined && index.where === undefined) return undefined
    const where = index.where === undefined ? '' : ` where ${conditionSql(index.where, table, SYNTAX)}`
    return [`${expression ?? ''}${where}`]
  },
  enumChecks: nativeEnumChecks,
  comment: () => undefined,
  foreignKeyForm: foreignKeyText,
}
