import type { ColumnType } from '../../model/column-type.js'
import type { ReferentialAction } from '../../model/model-definition.js'
import { conditionSql } from '../ddl-conditions.js'
import type { Connection } from '../dialect.js'
import type { Introspection, IntrospectionFinding, IntrospectOptions, Remark, StoredColumn, StoredTable } from '../introspection.js'
import { checkSqlOf, type EngineForms, foreignKeyText, readSchema, remarksOf } from '../read-schema.js'
import { columnType, defaultClause, SYNTAX } from './column-ddl.js'

/** What is in the database, by two questions to its catalogue. */
export async function introspect(connection: Pick<Connection, 'run'>, options: IntrospectOptions): Promise<Introspection> {
  const schemas = options.schemas ?? options.known?.tables.flatMap(({ schema }) => schema ?? []) ?? []
  const parameters = [JSON.stringify([...new Set(schemas)])]
  const tables = await connection.run({ sql: CATALOGUE, parameters })
  const beside = await connection.run({ sql: BESIDE, parameters })
  return readSchema(
    tables.rows.map(([json]) => storedTable(JSON.parse(String(json)) as CatalogueTable)),
    FORMS,
    options,
    beside.rows.map(([name, kind]): IntrospectionFinding => ({ table: String(name), problem: BESIDE_TABLES[String(kind)]! })),
  )
}

const columnsOf = (keys: string, table: string) =>
  `(select coalesce(json_agg(a.attname order by o.nth), '[]') from unnest(${keys}) with ordinality o(num, nth) join pg_catalog.pg_attribute a on a.attrelid = ${table} and a.attnum = o.num)`

/** From PostgreSQL 15 on: two rows with a null are refused as well. */
const NULLS_ALIKE = "coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false)"

/** A row a table, as JSON. */
const CATALOGUE = `select json_build_object(
  'schema', nullif(n.nspname, current_schema()), 'name', c.relname, 'comment', obj_description(c.oid, 'pg_class'),
  'unlogged', c.relpersistence = 'u', 'partitioned', c.relkind = 'p', 'guarded', c.relrowsecurity,
  'parents', (select coalesce(json_agg(h.inhparent::regclass::text order by h.inhseqno), '[]') from pg_catalog.pg_inherits h where h.inhrelid = c.oid),
  'triggers', (select coalesce(json_agg(g.tgname order by g.tgname), '[]') from pg_catalog.pg_trigger g where g.tgrelid = c.oid and not g.tgisinternal),
  'columns', (select coalesce(json_agg(json_build_object(
      'name', a.attname, 'type', format_type(a.atttypid, a.atttypmod), 'nullable', not a.attnotnull,
      'default', case when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid) end,
      'identity', a.attidentity <> '', 'always', a.attidentity = 'a',
      'collation', (select l.collname from pg_catalog.pg_collation l where l.oid = a.attcollation and a.attcollation <> t.typcollation and l.collname <> 'C'),
      'generated', a.attgenerated <> '', 'comment', col_description(c.oid, a.attnum),
      'enumName', case when e.typtype = 'e' then e.typname end,
      'enumValues', (select json_agg(v.enumlabel order by v.enumsortorder) from pg_catalog.pg_enum v where v.enumtypid = e.oid)
    ) order by a.attnum), '[]')
    from pg_catalog.pg_attribute a
    join pg_catalog.pg_type t on t.oid = a.atttypid
    left join pg_catalog.pg_type e on e.oid = case when t.typelem <> 0 and t.typlen = -1 then t.typelem else t.oid end
    left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped),
  'constraints', (select coalesce(json_agg(json_build_object(
      'name', k.conname, 'type', k.contype, 'columns', ${columnsOf('k.conkey', 'k.conrelid')}, 'sql', pg_get_expr(k.conbin, k.conrelid),
      'targetSchema', nullif(fn.nspname, current_schema()), 'target', f.relname, 'targetColumns', ${columnsOf('k.confkey', 'k.confrelid')},
      'onDelete', k.confdeltype, 'onUpdate', k.confupdtype, 'deferrable', k.condeferrable, 'deferred', k.condeferred,
      'validated', k.convalidated, 'full', k.confmatchtype = 'f', 'noInherit', k.contype = 'c' and k.connoinherit,
      'nullsAlike', (select ${NULLS_ALIKE} from pg_catalog.pg_index i where i.indexrelid = k.conindid and k.contype = 'u')) order by k.conname), '[]')
    from pg_catalog.pg_constraint k
    left join pg_catalog.pg_class f on f.oid = k.confrelid left join pg_catalog.pg_namespace fn on fn.oid = f.relnamespace
    where k.conrelid = c.oid),
  'indexes', (select coalesce(json_agg(json_build_object(
      'name', x.relname, 'unique', i.indisunique, 'valid', i.indisvalid, 'nullsAlike', ${NULLS_ALIKE}, 'columns', ${columnsOf('i.indkey::int2[]', 'i.indrelid')},
      'expression', pg_get_expr(i.indexprs, i.indrelid), 'where', pg_get_expr(i.indpred, i.indrelid),
      'special', case when m.amname <> 'btree' or i.indnatts > i.indnkeyatts or 0 <> any (i.indoption::int2[])
        or exists (select from pg_catalog.pg_opclass o where o.oid = any (i.indclass::oid[]) and not o.opcdefault)
        then substring(pg_get_indexdef(i.indexrelid) from ' (USING .*)$') end) order by x.relname), '[]')
    from pg_catalog.pg_index i join pg_catalog.pg_class x on x.oid = i.indexrelid join pg_catalog.pg_am m on m.oid = x.relam
    where i.indrelid = c.oid and not exists (select from pg_catalog.pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u', 'x')))
)::text
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and c.relname not like '\\_latchwork\\_%'
  and (n.nspname = current_schema() or n.nspname in (select json_array_elements_text($1::json)))`

const BESIDE = `select case when n.nspname = current_schema() then '' else n.nspname || '.' end || c.relname, c.relkind
from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace where c.relkind in ('v', 'm', 'f')
  and (n.nspname = current_schema() or n.nspname in (select json_array_elements_text($1::json))) order by 1`

const BESIDE_TABLES: Readonly<Record<string, string>> = {
  v: 'a view: a class that extends View can read it',
  m: 'a materialized view: a class that extends View can read it',
  f: 'a foreign table, which is left out',
}

interface CatalogueTable {
  readonly schema: string | null
  readonly name: string
  readonly comment: string | null
  readonly unlogged: boolean
  readonly partitioned: boolean
  /** By policies for rows. */
  readonly guarded: boolean
  readonly parents: readonly string[]
  readonly triggers: readonly string[]
  readonly columns: readonly {
    readonly name: string
    readonly type: string
    readonly nullable: boolean
    readonly default: string | null
    readonly identity: boolean
    readonly always: boolean
    /** Where it is neither that of the column's type nor ours. */
    readonly collation: string | null
    readonly generated: boolean
    readonly comment: string | null
    readonly enumName: string | null
    readonly enumValues: readonly string[] | null
  }[]
  readonly constraints: readonly {
    readonly name: string
    readonly type: string
    readonly columns: readonly string[]
    readonly sql: string | null
    readonly targetSchema: string | null
    readonly target: string | null
    readonly targetColumns: readonly string[]
    readonly onDelete: string
    readonly onUpdate: string
    readonly deferrable: boolean
    readonly deferred: boolean
    readonly validated: boolean
    readonly full: boolean
    readonly noInherit: boolean
    readonly nullsAlike: boolean | null
  }[]
  readonly indexes: readonly {
    readonly name: string
    readonly unique: boolean
    readonly valid: boolean
    readonly nullsAlike: boolean
    readonly columns: readonly string[]
    readonly expression: string | null
    readonly where: string | null
    /** All of one that has another order, method or operators, or more columns than it sorts by. */
    readonly special: string | null
  }[]
}

const ACTIONS: Readonly<Record<string, ReferentialAction>> = { a: 'noAction', r: 'restrict', c: 'cascade', n: 'setNull', d: 'setDefault' }

function storedTable(table: CatalogueTable): StoredTable {
  const { schema, name, comment, columns, constraints, indexes } = table
  const ofType = (type: string) => constraints.filter((constraint) => constraint.type === type)
  const [primaryKey] = ofType('p')
  const stored = indexes.map(({ expression, where, special, ...index }) => ({
    unique: index.unique,
    name: index.name,
    columns: index.columns,
    ...(expression === null || special !== null ? {} : { expression }),
    ...(expression === null && where === null && special === null
      ? {}
      : { sql: special ?? indexText(expression ?? undefined, where ?? undefined) }),
  }))
  return {
    name,
    ...(schema === null ? {} : { schema }),
    ...(comment === null ? {} : { comment }),
    columns: columns.map(storedColumn),
    ...(primaryKey === undefined ? {} : { primaryKey: { name: primaryKey.name, columns: primaryKey.columns } }),
    uniques: [...ofType('u').map((unique) => ({ name: unique.name, columns: unique.columns })), ...stored.filter(({ unique }) => unique)],
    indexes: stored.filter(({ unique }) => !unique),
    foreignKeys: ofType('f').map((key) => ({
      name: key.name,
      columns: key.columns,
      target: { ...(key.targetSchema === null ? {} : { schema: key.targetSchema }), table: key.target!, columns: key.targetColumns },
      onDelete: ACTIONS[key.onDelete]!,
      onUpdate: ACTIONS[key.onUpdate]!,
    })),
    checks: ofType('c').map((check) => ({ name: check.name, sql: check.sql! })),
    findings: [
      ...ofType('x').map((constraint) => ({ object: constraint.name, problem: 'an exclusion constraint, which no model has' })),
      ...columns
        .filter(({ generated }) => generated)
        .map((column) => ({ what: 'column' as const, object: column.name, problem: 'a generated column, which no model has' })),
    ],
    remarks: remarksOn(table),
  }
}

function remarksOn({
  unlogged,
  partitioned,
  guarded,
  parents,
  triggers,
  columns,
  constraints,
  indexes,
}: CatalogueTable): readonly Remark[] {
  const ofTable = [
    unlogged ? 'is unlogged: its rows are gone after a crash' : '',
    partitioned ? 'is partitioned, which a migration leaves as it is' : '',
    guarded ? 'has row level security, which a migration leaves as it is' : '',
    parents.length > 0 ? `is a part, or inherits, of ${parents.join(', ')}` : '',
    ...triggers.map((name) => `has the trigger "${name}", which a migration leaves as it is`),
  ]
  return [
    ...remarksOf(ofTable),
    ...columns.flatMap(({ name, collation, always }) =>
      remarksOf(
        [
          collation === null ? '' : `has the collation "${collation}", which no model says`,
          always ? 'is GENERATED ALWAYS AS IDENTITY: an INSERT with a value of its own is refused' : '',
        ],
        name,
      ),
    ),
    ...constraints.flatMap(({ name, deferrable, deferred, validated, full, noInherit, nullsAlike }) =>
      remarksOf(
        [
          deferrable ? `is DEFERRABLE${deferred ? ' INITIALLY DEFERRED' : ''}, which no model says` : '',
          validated ? '' : 'is NOT VALID: rows from before it may be otherwise',
          full ? 'is MATCH FULL, which no model says' : '',
          noInherit ? 'is NO INHERIT, which no model says' : '',
          nullsAlike === true ? NULLS_NOT_DISTINCT : '',
        ],
        name,
      ),
    ),
    ...indexes.flatMap(({ name, valid, nullsAlike }) =>
      remarksOf([valid ? '' : 'is not valid: it was not built to its end', nullsAlike ? NULLS_NOT_DISTINCT : ''], name),
    ),
  ]
}

const NULLS_NOT_DISTINCT = 'is NULLS NOT DISTINCT, which no model says'

function storedColumn(column: CatalogueTable['columns'][number]): StoredColumn {
  const native = column.enumName === null ? undefined : { name: column.enumName, values: column.enumValues ?? [] }
  return {
    name: column.name,
    typeText: column.type,
    type: typeOf(column.type, native),
    nullable: column.nullable,
    counts: column.identity || /^nextval\(/.test(column.default ?? ''),
    ...(column.default === null ? {} : { default: column.default }),
    ...(column.comment === null ? {} : { comment: column.comment }),
  }
}

const PLAIN: Readonly<Record<string, ColumnType>> = {
  text: { kind: 'text' },
  integer: { kind: 'integer' },
  bigint: { kind: 'bigint' },
  'double precision': { kind: 'float' },
  boolean: { kind: 'boolean' },
  date: { kind: 'date' },
  'time without time zone': { kind: 'time' },
  'timestamp with time zone': { kind: 'timestamp', precision: 6 },
  'timestamp(6) with time zone': { kind: 'timestamp', precision: 6 },
  'timestamp(3) with time zone': { kind: 'timestamp', precision: 3 },
  uuid: { kind: 'uuid' },
  jsonb: { kind: 'json' },
  bytea: { kind: 'bytes' },
}

function typeOf(text: string, native: { readonly name: string; readonly values: readonly string[] } | undefined): ColumnType | undefined {
  if (text.endsWith('[]')) {
    const of = typeOf(text.slice(0, -2), native)
    return of === undefined ? undefined : { kind: 'array', of }
  }
  if (native !== undefined) return { kind: 'enum', ...native, native: true }
  const varchar = /^character varying\((\d+)\)$/.exec(text)
  if (varchar !== null) return { kind: 'varchar', length: Number(varchar[1]) }
  const decimal = /^numeric\((\d+),(\d+)\)$/.exec(text)
  if (decimal !== null) return { kind: 'decimal', precision: Number(decimal[1]), scale: Number(decimal[2]) }
  return PLAIN[text]
}

function indexText(expression: string | undefined, where: string | undefined): string {
  return `${expression ?? ''}${where === undefined ? '' : ` where ${where}`}`
}

const FORMS: EngineForms = {
  typeForm: (type) => {
    const element = type.kind === 'array' ? type.of : type
    return `${columnType(type)}${element.kind === 'enum' && element.native ? JSON.stringify(element.values) : ''}`
  },
  defaultSql: ({ default: value, type }, table) => defaultClause(value, type, table.schema).replace(' default ', ''),
  checkSql: (check, table) => checkSqlOf(check, table, SYNTAX),
  indexSql: (index, table) => {
    const expression = 'expression' in index ? index.expression : undefined
    if (expression === undefined && index.where === undefined) return undefined
    return [indexText(expression, index.where === undefined ? undefined : conditionSql(index.where, table, SYNTAX))]
  },
  enumChecks: () => [],
  comment: (text) => text,
  foreignKeyForm: foreignKeyText,
}
