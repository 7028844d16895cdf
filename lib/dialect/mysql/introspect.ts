import type { ColumnType } from '../../model/column-type.js'
import type { ReferentialAction } from '../../model/model-definition.js'
import type { Connection } from '../dialect.js'
import type { Introspection, IntrospectOptions, Remark, StoredColumn, StoredTable } from '../introspection.js'
import { checkSqlOf, type EngineForms, foreignKeyText, readSchema, remarksOf } from '../read-schema.js'
import { columnType, defaultClause, SYNTAX } from './column-ddl.js'
import { hiddenExpressions, isHidden } from './hidden-column.js'

type Row = readonly (string | undefined)[]

/** What is in the database, by a handful of questions to `information_schema`. */
export async function introspect(connection: Pick<Connection, 'run'>, options: IntrospectOptions): Promise<Introspection> {
  const schemas = [...new Set(options.schemas ?? options.known?.tables.flatMap(({ schema }) => schema ?? []) ?? [])]
  const places = `(database()${', ?'.repeat(schemas.length)})`
  const ask = async (sql: string): Promise<readonly Row[]> => {
    const { rows } = await connection.run({ sql: sql.replace('$places', places), parameters: schemas })
    return rows.map((row) => row.map((value) => (value === null ? undefined : textOf(value))))
  }
  const [[version = '']] = (await ask('select version()')) as readonly [readonly [string?]]
  const catalogue: Catalogue = {
    isMariaDb: /mariadb/i.test(version),
    columns: byTable(await ask(COLUMNS)),
    statistics: byTable(await ask(STATISTICS)),
    foreignKeys: byTable(await ask(FOREIGN_KEYS)),
    checks: byTable(await ask(/mariadb/i.test(version) ? MARIADB_CHECKS : MYSQL_CHECKS)),
    triggers: byTable(await ask(TRIGGERS)),
  }
  return readSchema(
    (await ask(TABLES)).map((row) => storedTable(row, catalogue)),
    FORMS,
    options,
    (await ask(VIEWS)).map(([schema, name]) => ({
      table: schema === undefined ? name! : `${schema}.${name}`,
      problem: 'a view: a class that extends View can read it',
    })),
  )
}

function textOf(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString() : String(value)
}

const OWN = 'nullif(%.table_schema, database()), %.table_name'

// MariaDB has a type of its own for tables that keep their history
const TABLES = `select ${OWN.replaceAll('%', 't')}, t.table_comment, t.engine, t.table_collation, t.create_options, t.table_type
from information_schema.tables t where t.table_schema in $places and t.table_type in ('BASE TABLE', 'SYSTEM VERSIONED')
and t.table_name not like '\\_latchwork\\_%'`

const VIEWS = `select ${OWN.replaceAll('%', 'v')} from information_schema.views v where v.table_schema in $places order by v.table_name`

const TRIGGERS = `select nullif(g.event_object_schema, database()), g.event_object_table, g.trigger_name from information_schema.triggers g
where g.event_object_schema in $places order by g.trigger_name`

const COLUMNS = `select ${OWN.replaceAll('%', 'c')}, c.column_name, c.column_type, c.is_nullable, c.column_default, c.extra, c.generation_expression,
c.character_set_name, c.column_comment, c.collation_name from information_schema.columns c where c.table_schema in $places order by c.ordinal_position`

const STATISTICS = `select ${OWN.replaceAll('%', 's')}, s.index_name, s.non_unique, s.column_name, s.sub_part, s.collation, s.index_type from information_schema.statistics s
where s.table_schema in $places order by s.index_name, s.seq_in_index`

const FOREIGN_KEYS = `select ${OWN.replaceAll('%', 'k')}, k.constraint_name, k.column_name, nullif(k.referenced_table_schema, database()),
k.referenced_table_name, k.referenced_column_name, r.delete_rule, r.update_rule from information_schema.key_column_usage k
join information_schema.referential_constraints r
on r.constraint_schema = k.constraint_schema and r.table_name = k.table_name and r.constraint_name = k.constraint_name
where k.table_schema in $places and k.referenced_table_name is not null order by k.constraint_name, k.ordinal_position`

const MARIADB_CHECKS = `select nullif(c.constraint_schema, database()), c.table_name, c.constraint_name, c.check_clause
from information_schema.check_constraints c where c.constraint_schema in $places`

const MYSQL_CHECKS = `select ${OWN.replaceAll('%', 't')}, c.constraint_name, c.check_clause from information_schema.table_constraints t
join information_schema.check_constraints c on c.constraint_schema = t.constraint_schema and c.constraint_name = t.constraint_name
where t.table_schema in $places and t.constraint_type = 'CHECK'`

type ByTable = ReadonlyMap<string, readonly Row[]>

interface Catalogue {
  readonly isMariaDb: boolean
  readonly columns: ByTable
  readonly statistics: ByTable
  readonly foreignKeys: ByTable
  readonly checks: ByTable
  readonly triggers: ByTable
}

/** The rest of each row, by the schema and table that it begins with. */
function byTable(rows: readonly Row[]): ByTable {
  return grouped(rows, ([schema, table]) => JSON.stringify([schema, table]), 2)
}

function grouped(rows: readonly Row[], keyOf: (row: Row) => string, skip: number): ReadonlyMap<string, readonly Row[]> {
  const groups = new Map<string, Row[]>()
  for (const row of rows) {
    const group = groups.get(keyOf(row))
    if (group === undefined) groups.set(keyOf(row), [row.slice(skip)])
    else group.push(row.slice(skip))
  }
  return groups
}

const HIDDEN = '_lw_'

function storedTable([schema, name, comment, ...options]: Row, catalogue: Catalogue): StoredTable {
  const of = (rows: ByTable) => rows.get(JSON.stringify([schema, name])) ?? []
  const checks = of(catalogue.checks).map(([check, sql]) => ({
    name: check!,
    sql: catalogue.isMariaDb ? sql! : sql!.replaceAll("\\'", "'"),
  }))
  const isJson = (column: string) => checks.some(({ sql }) => isJsonCheck(sql, column))
  const rows = of(catalogue.columns)
  const generated = new Map(
    rows.flatMap(([column, , , , , expression]) => (expression === undefined || expression === '' ? [] : [[column!, expression]])),
  )
  const indexes = storedIndexes(of(catalogue.statistics), generated)
  const primaryKey = indexes.find((index) => index.name === 'PRIMARY')
  const plain = indexes.filter((index) => index !== primaryKey)
  return {
    name: name!,
    ...(schema === undefined ? {} : { schema }),
    ...(comment === undefined || comment === '' ? {} : { comment }),
    columns: rows
      .filter(([column]) => !column!.startsWith(HIDDEN))
      .map((row) => storedColumn(row, name!, isJson(row[0]!), catalogue.isMariaDb)),
    ...(primaryKey === undefined ? {} : { primaryKey: { columns: primaryKey.columns } }),
    uniques: plain.filter(({ isUnique }) => isUnique),
    indexes: plain.filter(({ isUnique }) => !isUnique),
    foreignKeys: storedForeignKeys(of(catalogue.foreignKeys)),
    checks: checks.filter(({ sql }) => !rows.some(([column]) => isJsonCheck(sql, column!))),
    findings: [
      ...[...generated.keys()]
        .filter((column) => !column.startsWith(HIDDEN))
        .map((object) => ({ what: 'column' as const, object, problem: 'a generated column, which no model has' })),
    ],
    remarks: [
      ...remarksOnTable(options, of(catalogue.triggers), rows),
      ...rows.filter(([column]) => !isJson(column!) && !column!.startsWith(HIDDEN)).flatMap((row) => remarksOnColumn(row, options[1])),
    ],
  }
}

/** Those of {@link COLLATION}. */
const OWN_COLLATIONS: readonly (string | undefined)[] = ['utf8mb4_0900_bin', 'utf8mb4_nopad_bin']

function remarksOnTable([engine, collation, options, type]: Row, triggers: readonly Row[], columns: readonly Row[]): readonly Remark[] {
  const isOwn = OWN_COLLATIONS.includes(collation) || !columns.some((column) => column.at(-1) === collation)
  const problems = [
    engine === 'InnoDB' ? '' : `is kept by ${engine}, which may know no transactions and no foreign keys`,
    isOwn ? '' : `compares text by "${collation}", where tables that a migration makes compare it by code point`,
    options?.includes('partitioned') === true ? 'is partitioned, which a migration leaves as it is' : '',
    type === 'BASE TABLE' ? '' : 'is system-versioned, which a migration leaves as it is',
    ...triggers.map(([name]) => `has the trigger "${name}", which a migration leaves as it is`),
  ]
  return remarksOf(problems)
}

function remarksOnColumn([name, typeText, , , extra, , , , collation]: Row, ofTable: string | undefined): readonly Remark[] {
  const isUuid = typeText === 'char(36)' && collation === 'ascii_bin'
  const problems = [
    collation === undefined || collation === ofTable || isUuid ? '' : `has the collation "${collation}", which no model says`,
    /on update/i.test(extra!) ? 'has ON UPDATE CURRENT_TIMESTAMP, which no model says' : '',
    /invisible/i.test(extra!) ? 'is INVISIBLE, which no model says' : '',
  ]
  return remarksOf(problems, name)
}

/** What MariaDB has JSON be: text with this check. */
function isJsonCheck(sql: string, column: string): boolean {
  return sql === `json_valid(\`${column}\`)`
}

function storedIndexes(rows: readonly Row[], generated: ReadonlyMap<string, string>) {
  return [...grouped(rows, ([name]) => name!, 0)].map(([name, parts]) => {
    const hidden = parts.map(([, , column]) => column).find((column) => column?.startsWith(HIDDEN))
    const sql = hidden === undefined ? specialIndex(parts) : generated.get(hidden)
    return {
      name,
      isUnique: parts[0]![1] === '0',
      columns: parts.flatMap(([, , column]) => (column === undefined || column === hidden ? [] : [column])),
      ...(sql === undefined ? {} : { sql }),
    }
  })
}

/** Of an index on the beginning of a column, in another order, or of another kind: all of it. */
function specialIndex(parts: readonly Row[]): string | undefined {
  const kind = parts[0]![5]!
  const isPlain = kind === 'BTREE' && parts.every(([, , , prefix, order]) => prefix === undefined && order !== 'D')
  if (isPlain) return undefined
  const columns = parts.map(([, , column, prefix, order]) => {
    return `${column ?? '(…)'}${prefix === undefined || kind === 'SPATIAL' ? '' : `(${prefix})`}${order === 'D' ? ' desc' : ''}`
  })
  return `${kind === 'BTREE' ? '' : `${kind.toLowerCase()} `}(${columns.join(', ')})`
}

function storedForeignKeys(rows: readonly Row[]): StoredTable['foreignKeys'] {
  return [...grouped(rows, ([name]) => name!, 0)].map(([name, parts]) => {
    const [, , schema, table, , onDelete, onUpdate] = parts[0]!
    return {
      name,
      columns: parts.map(([, column]) => column!),
      target: { ...(schema === undefined ? {} : { schema }), table: table!, columns: parts.map(([, , , , column]) => column!) },
      onDelete: ACTIONS[onDelete!]!,
      onUpdate: ACTIONS[onUpdate!]!,
    }
  })
}

/** InnoDB has no difference between the two that refuse. */
const ACTIONS: Readonly<Record<string, ReferentialAction>> = {
  'NO ACTION': 'noAction',
  RESTRICT: 'noAction',
  CASCADE: 'cascade',
  'SET NULL': 'setNull',
  'SET DEFAULT': 'setDefault',
}

function storedColumn(
  [name, typeText, isNullable, value, extra, , charset, comment]: Row,
  table: string,
  isJson: boolean,
  isMariaDb: boolean,
): StoredColumn {
  const written = defaultOf(value, extra!, isMariaDb)
  return {
    name: name!,
    typeText: typeText!,
    type: isJson ? { kind: 'json' } : typeOf(typeText!, charset, `${table}_${name}`),
    nullable: isNullable === 'YES',
    counts: extra!.includes('auto_increment'),
    ...(written === undefined ? {} : { default: written }),
    ...(comment === undefined || comment === '' ? {} : { comment }),
  }
}

/** MariaDB gives SQL, and NULL for a column that takes null; MySQL gives a constant as it is. */
function defaultOf(value: string | undefined, extra: string, isMariaDb: boolean): string | undefined {
  if (value === undefined || (isMariaDb && value === 'NULL')) return undefined
  return isMariaDb ? value : extra.includes('DEFAULT_GENERATED') ? value.replaceAll("\\'", "'") : `'${value.replaceAll("'", "''")}'`
}

const PLAIN: Readonly<Record<string, ColumnType>> = {
  longtext: { kind: 'text' },
  int: { kind: 'integer' },
  bigint: { kind: 'bigint' },
  double: { kind: 'float' },
  'tinyint(1)': { kind: 'boolean' },
  date: { kind: 'date' },
  'time(6)': { kind: 'time' },
  'datetime(3)': { kind: 'timestamp', precision: 3 },
  'datetime(6)': { kind: 'timestamp', precision: 6 },
  json: { kind: 'json' },
  longblob: { kind: 'bytes' },
}

function typeOf(text: string, charset: string | undefined, enumName: string): ColumnType | undefined {
  if (text === 'char(36)' && charset === 'ascii') return { kind: 'uuid' }
  const varchar = /^varchar\((\d+)\)$/.exec(text)
  if (varchar !== null) return { kind: 'varchar', length: Number(varchar[1]) }
  const decimal = /^decimal\((\d+),(\d+)\)$/.exec(text)
  if (decimal !== null) return { kind: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) }
  if (text.startsWith('enum(')) {
    const values = text.slice('enum('.length, -1).match(/'(?:[^']|'')*'/g) ?? []
    return {
      kind: 'enum',
      name: enumName,
      values: values.map((value) => value.slice(1, -1).replaceAll("''", "'").replaceAll('\\\\', '\\')),
      native: true,
    }
  }
  // MySQL has left out display widths, which MariaDB shows
  return PLAIN[text.replace(/^(int|bigint)\(\d+\)$/, '$1')]
}

const FORMS: EngineForms = {
  typeForm: columnType,
  defaultSql: ({ default: value, type }) => defaultClause(value, type).replace(' default ', ''),
  checkSql: (check, table) => checkSqlOf(check, table, SYNTAX),
  indexSql: (index, table) => (isHidden(index) ? hiddenExpressions(table, index) : undefined),
  enumChecks: () => [],
  // the catalogue has no characters beyond the basic plane
  comment: (text) => text.replaceAll(/[\u{10000}-\u{10ffff}]/gu, '\ufffd'),
  foreignKeyForm: ({ onDelete, onUpdate, ...rest }) =>
    foreignKeyText({ ...rest, onDelete: sameRefusal(onDelete), onUpdate: sameRefusal(onUpdate) }),
}

function sameRefusal(action: ReferentialAction): ReferentialAction {
  return action === 'restrict' ? 'noAction' : action
}
