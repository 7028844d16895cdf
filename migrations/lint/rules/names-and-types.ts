import { type ColumnBefore, type LintFile, type LintStatement, newColumns } from '../lint-file.js'
import { RESERVED_WORDS } from '../reserved-words.js'
import { ALL_ENGINES, type Found, type SqlRule } from '../rule.js'
import { bareName, CONSTRAINT_NAME, inParentheses, NAME, namesIn, ONE, sameName, splitByComma, TABLE } from '../sql-shape.js'
import { sqlType } from '../sql-type.js'

/** A finding at each column that is made here and matches. */
function columns(
  file: LintFile,
  matches: (column: ColumnBefore, statement: LintStatement) => boolean,
  message: (name: string) => string,
): readonly Found[] {
  return file.statements.flatMap((statement) =>
    newColumns(statement)
      .filter((column) => matches(column, statement))
      .map(({ name }) => ({ line: statement.line, message: message(`${statement.table}.${name}`), table: statement.table! })),
  )
}

export const timestampWithoutZone: SqlRule = {
  level: 'warning',
  engines: ['postgres'],
  danger: 'It keeps no instant: what it means depends on the time zone of whoever reads it.',
  rewrite: 'timestamptz.',
  find: (file) =>
    columns(
      file,
      ({ declared }) => /^timestamp\b/.test(declared) && !/^timestamp(?: \( \d \))? with time zone/.test(declared),
      (name) => `${name} is a timestamp without time zone`,
    ),
}

const SMALL_INTEGER = /^(?:(?:tiny|small|medium)?int|integer|int[24]|(?:small)?serial[24]?)\b/

export const intPrimaryKey: SqlRule = {
  level: 'warning',
  engines: ['postgres', 'mysql'],
  danger: 'A counter of 32 bits ends at 2,147,483,647; from then on every INSERT fails, and a wider key means to write the table anew.',
  rewrite: "bigint: @id('bigint') in the model.",
  find: (file) =>
    columns(
      file,
      (column, statement) => SMALL_INTEGER.test(column.declared) && counts(column) && isSoleKey(column, statement),
      (name) => `${name} counts in 32 bits`,
    ),
}

function counts({ declared }: ColumnBefore): boolean {
  return /\bas identity\b|\bauto_increment\b|^(?:small)?serial/.test(declared)
}

const PRIMARY_KEY = new RegExp(`^${CONSTRAINT_NAME}primary key(?: using \\w+)? (\\(.*)$`)

function isSoleKey({ name, declared }: ColumnBefore, { parts }: LintStatement): boolean {
  if (/\bprimary key\b/.test(declared)) return true
  const list = parts.map((part) => PRIMARY_KEY.exec(part)?.[1]).find((each) => each !== undefined)
  const names = namesIn(inParentheses(list ?? '') ?? '')
  return names.length === 1 && sameName(names[0]!, name)
}

const LONGEST_NAME: Readonly<Record<string, { readonly most: number; readonly bytesOf: (name: string) => number; readonly unit: string }>> =
  {
    postgres: { most: 63, bytesOf: (name) => Buffer.byteLength(name), unit: 'bytes' },
    mysql: { most: 64, bytesOf: (name) => [...name].length, unit: 'characters' },
  }

const NAMES = [
  new RegExp(`^create (?:or replace )?(?:unique |fulltext |spatial )?index (?:concurrently )?(?:if not exists )?${NAME} on `),
  new RegExp(
    `^create (?:or replace )?(?:temp(?:orary)? |unlogged )?(?:table|view|sequence|type|domain|materialized view) (?:if not exists )?${TABLE}`,
  ),
  new RegExp(`^alter table .* rename (?:column )?(?:${ONE} )?to ${NAME}$`),
]

/** Every name that a statement gives to something: of a table, column, constraint or index. */
function newNames(statement: LintStatement): readonly string[] {
  const { text, parts } = statement
  const own = NAMES.flatMap((pattern) => pattern.exec(text)?.[1] ?? []).map((name) => bareName(name.split(/\.(?=[^.]+$)/).at(-1)!))
  const constraints = parts.flatMap((part) => new RegExp(`^(?:add )?constraint ${NAME}`).exec(part)?.[1] ?? []).map(bareName)
  return [...own, ...newColumns(statement).map(({ name }) => name), ...constraints]
}

export const identifierTooLong: SqlRule = {
  level: 'error',
  engines: ['postgres', 'mysql'],
  danger: 'PostgreSQL cuts it at 63 bytes without an error, and two names may become one; MySQL and MariaDB refuse it.',
  rewrite: 'A shorter name.',
  find: (file) => {
    const { most, bytesOf, unit } = LONGEST_NAME[file.engine]!
    return file.statements.flatMap((statement) =>
      newNames(statement)
        .filter((name) => bytesOf(name) > most)
        .map((name) => ({ line: statement.line, message: `the name ${name} has ${bytesOf(name)} ${unit}, and ${most} are the most` })),
    )
  },
}

export const reservedWord: SqlRule = {
  level: 'warning',
  engines: ALL_ENGINES,
  danger: 'Every statement that is written by hand has to put it in quotes, on one engine or the other.',
  rewrite: 'Another name, such as users for user; @model({ table }) and column: keep the name in code.',
  find: (file) =>
    file.statements.flatMap((statement) =>
      newNames(statement)
        .filter((name) => RESERVED_WORDS.has(name.toLowerCase()))
        .map((name) => ({ line: statement.line, message: `${name} is a reserved word` })),
    ),
}

const FOREIGN_KEY = new RegExp(`^(?:add )?${CONSTRAINT_NAME}foreign key (?!\\()?[^(]*(\\(.*)$`)

export const missingFkIndex: SqlRule = {
  level: 'warning',
  engines: ['postgres', 'sqlite'],
  danger: 'Each row that is deleted or gets another key on the other side looks through the whole table.',
  rewrite: 'CREATE INDEX on its columns before it.',
  find: (file) =>
    file.statements.flatMap((statement) =>
      foreignKeysIn(statement)
        .filter((columns) => columns.length > 0 && !isIndexed(file, statement.rebuilds ?? statement.table!, columns))
        .map((columns) => ({
          line: statement.line,
          message: `no index begins with ${columns.join(', ')}, of a foreign key of ${statement.rebuilds ?? statement.table}`,
          table: statement.table!,
        })),
    ),
}

function foreignKeysIn(statement: LintStatement): readonly (readonly string[])[] {
  const listed = statement.parts.flatMap((part) => FOREIGN_KEY.exec(part)?.[1] ?? []).map((list) => namesIn(inParentheses(list) ?? ''))
  const inline = newColumns(statement)
    .filter(({ declared }) => /\breferences\b/.test(declared))
    .map(({ name }) => [name])
  return [...listed, ...inline]
}

/** By an index or key of the file or of the table before it. */
function isIndexed(file: LintFile, table: string, columns: readonly string[]): boolean {
  const before = file.tableBefore(table)
  const known = [before?.primaryKey, ...(before?.uniques ?? []), ...(before?.indexes ?? [])].flatMap((key) =>
    key === undefined ? [] : [key.columns],
  )
  const here = file.statements.filter((each) => sameName(each.rebuilds ?? each.table ?? '', table)).flatMap(keysIn)
  return [...known, ...here].some((key) => columns.every((column, position) => sameName(key[position] ?? '', column)))
}

const INDEX_KEYS = new RegExp(
  `^create (?:or replace )?(?:unique )?index (?:concurrently )?(?:if not exists )?(?:${NAME} )?(?:using \\w+ )?on (?:only )?${TABLE} (?:using \\w+ )?(\\(.*)$`,
)
const KEY = new RegExp(`^(?:add )?${CONSTRAINT_NAME}(?:unique|primary key|(?:unique )?(?:index|key))\\b[^(]*(\\(.*)$`)

/** The column lists of the keys and indexes that a statement makes. */
function keysIn(statement: LintStatement): readonly (readonly string[])[] {
  const { text, parts } = statement
  const whole = INDEX_KEYS.exec(text)?.at(-1)
  const lists = [whole, ...parts.map((part) => KEY.exec(part)?.[1])].filter((list) => list !== undefined)
  const inline = newColumns(statement)
    .filter(({ declared }) => /\b(?:primary key|unique)\b/.test(declared))
    .map(({ name }) => [name])
  return [...lists.map((list) => namesIn(inParentheses(list) ?? '')), ...inline]
}

/** Of InnoDB, with the row formats that are the default. Source: MySQL 8.0 manual, 17.22 "InnoDB Limits". */
const MOST_KEY_BYTES = 3_072
const BYTES_A_CHARACTER = 4

export const longIndexPrefix: SqlRule = {
  level: 'error',
  engines: ['mysql'],
  danger: 'A key has at most 3,072 bytes, at four a character, and none over text or bytes without a length: the statement fails.',
  rewrite: 'A length for the column, or for its part of the key: (title(100)).',
  find: (file) =>
    file.statements.flatMap((statement) => {
      const lists = [INDEX_KEYS.exec(statement.text)?.at(-1), ...statement.parts.map((part) => KEY.exec(part)?.[1])]
      return lists.flatMap((list) => {
        const parts = splitByComma(inParentheses(list ?? '') ?? '')
        const bytes = parts.map((part) => keyBytes(file, statement, part))
        if (bytes.includes(Number.POSITIVE_INFINITY)) return [{ line: statement.line, message: 'a key over text or bytes has no length' }]
        const sum = bytes.reduce((total, each) => total + each, 0)
        return sum > MOST_KEY_BYTES ? [{ line: statement.line, message: `a key of ${sum} bytes, and ${MOST_KEY_BYTES} are the most` }] : []
      })
    }),
}

function keyBytes(file: LintFile, statement: LintStatement, part: string): number {
  const [, name, prefix] = new RegExp(`^${NAME}(?: \\( (\\d+) \\))?`).exec(part) ?? []
  if (name === undefined || part.startsWith('(')) return 0
  if (prefix !== undefined) return Number(prefix) * BYTES_A_CHARACTER
  const { table = '' } = statement
  const made = file.statements.filter((each) => sameName(each.table ?? '', table)).flatMap(newColumns)
  const column = made.find((each) => sameName(each.name, bareName(name))) ?? file.columnBefore(table, bareName(name))
  if (column === undefined) return 0
  if (/^(?:tiny|medium|long)?(?:text|blob)\b/.test(column.declared)) return Number.POSITIVE_INFINITY
  const type = sqlType(column.declared, file.engine)
  if (type?.family !== 'text') return type?.family === 'integer' ? type.sizes[0]! / 8 : 8
  return type.sizes[0]! * (/\bascii\b/.test(column.declared) ? 1 : BYTES_A_CHARACTER)
}
