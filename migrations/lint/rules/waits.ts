import { addedColumn, alterations, type LintFile, newColumns } from '../lint-file.js'
import type { Found, SqlRule } from '../rule.js'
import { bareName, CONSTRAINT_NAME, NAME, sameName } from '../sql-shape.js'

/** A finding at each clause of ALTER TABLE that matches, on a table that was there. */
function clauses(file: LintFile, matches: (part: string, table: string) => boolean, message: (table: string) => string): readonly Found[] {
  return alterations(file)
    .filter(({ part, table }) => matches(part, table))
    .map(({ statement: { line }, table }) => ({ line, message: message(table), table }))
}

/** A finding at each constraint that is added to a table that was there, in a clause of its own or with a new column. */
function additions(file: LintFile, clause: RegExp, ofColumn: RegExp, message: (table: string) => string): readonly Found[] {
  return clauses(
    file,
    (part) => (clause.test(part) && !part.endsWith('not valid')) || ofColumn.test(withoutQuoted(addedColumn(part)?.declared ?? '')),
    message,
  )
}

/** So that a name is taken for no word. */
function withoutQuoted(text: string): string {
  return text.replaceAll(/"(?:[^"]|"")*"/g, '""')
}

const FOREIGN_KEY = new RegExp(`^add ${CONSTRAINT_NAME}foreign key\\b`)
const CHECK = new RegExp(`^add ${CONSTRAINT_NAME}check\\b`)
const KEY = new RegExp(`^add ${CONSTRAINT_NAME}(?:unique|primary key) (?!using)`)

export const indexNotConcurrent: SqlRule = {
  level: 'size',
  engines: ['postgres'],
  danger: 'Nobody can write to the table until the index is built.',
  rewrite: 'CREATE INDEX CONCURRENTLY, in a migration of its own; DROP INDEX CONCURRENTLY too.',
  find: (file) =>
    file.statements.flatMap((statement) => {
      const { text, table, line } = statement
      if (/^create (?:unique )?index (?!concurrently)/.test(text) && table !== undefined && !file.isNew(table, statement))
        return [{ line, message: `builds an index on ${table} while nobody can write to it`, table }]
      return []
    }),
}

export const fkNotValid: SqlRule = {
  level: 'size',
  engines: ['postgres'],
  danger: 'All rows are looked at while nobody can write to either of the two tables.',
  rewrite: 'ADD CONSTRAINT … FOREIGN KEY … NOT VALID, and in a later migration VALIDATE CONSTRAINT, which lets others work.',
  find: (file) => additions(file, FOREIGN_KEY, /\breferences\b/, (table) => `adds a foreign key to ${table} and looks at all its rows`),
}

const NOT_NULL_CHECK = new RegExp(`^add constraint ${NAME} check \\( ${NAME} is not null \\) not valid$`)

export const checkNotValid: SqlRule = {
  level: 'size',
  engines: ['postgres'],
  danger: 'All rows are looked at while nobody can read or write the table.',
  rewrite: 'ADD CONSTRAINT … CHECK (…) NOT VALID, and in a later migration VALIDATE CONSTRAINT, which lets others work.',
  find: (file) => additions(file, CHECK, /\bcheck \(/, (table) => `adds a check to ${table} and looks at all its rows`),
}

export const notNullUnvalidated: SqlRule = {
  level: 'size',
  engines: ['postgres'],
  danger: 'All rows are looked at while nobody can read or write the table.',
  rewrite:
    'ADD CONSTRAINT … CHECK (… IS NOT NULL) NOT VALID, VALIDATE CONSTRAINT in a step with -- latchwork:tx none, then SET NOT NULL, which believes it.',
  find: (file) =>
    clauses(
      file,
      (part, table) => {
        const column = new RegExp(`^alter (?:column )?${NAME} set not null$`).exec(part)?.[1]
        return column !== undefined && !isValidated(file, table, bareName(column))
      },
      (table) => `sets NOT NULL on ${table} and looks at all its rows`,
    ),
}

/** Whether the file has a check that says so, and validates it. */
function isValidated(file: LintFile, table: string, column: string): boolean {
  const parts = alterations(file)
    .filter((each) => sameName(each.table, table))
    .map(({ part }) => part)
  return parts.some((part) => {
    const [, check, of] = NOT_NULL_CHECK.exec(part) ?? []
    return check !== undefined && sameName(bareName(of!), column) && parts.includes(`validate constraint ${check}`)
  })
}

const CONSTANT =
  /^(?:'\?'(?: ?:: ?[a-z ]+(?:\[\])?)?|[+-]? ?[\d.]+|null|true|false|now \( \)|current_(?:timestamp|date|time)(?: \( \d* ?\))?|localtimestamp|array \[)/
const WRITES_ROWS = /\bgenerated always as \( .* \) stored\b|\bgenerated (?:always|by default) as identity\b|^(?:small|big)?serial\b/

export const volatileDefault: SqlRule = {
  level: 'size',
  engines: ['postgres'],
  danger: 'A value of its own for each row means that the table is written anew while nobody can read or write it.',
  rewrite: 'Add the column without it, set the default in a step of its own, and fill the rows that are there by a data migration.',
  find: (file) =>
    file.statements
      .filter((statement) => statement.text.startsWith('alter table') && !file.isNew(statement.table ?? '', statement))
      .flatMap((statement) =>
        newColumns(statement)
          .filter(({ declared }) => WRITES_ROWS.test(declared) || isVolatile(declared))
          .map(({ name }) => ({
            line: statement.line,
            message: `gives each row of ${statement.table} a value of its own in ${name}`,
            table: statement.table!,
          })),
      ),
}

function isVolatile(declared: string): boolean {
  const value = /\bdefault (.+)$/.exec(declared)?.[1]
  return value !== undefined && !CONSTANT.test(value.replace(/^(?:\( )+/, ''))
}

const COPIES = new RegExp(
  `^(?:modify|change|convert to|engine ?=?|order by|force\\b|drop primary key|(?:default )?character set|add ${CONSTRAINT_NAME}primary key)`,
)

export const mysqlCopy: SqlRule = {
  level: 'size',
  engines: ['mysql'],
  danger: 'The server may copy the whole table, and nobody can write to it meanwhile.',
  rewrite:
    'Add ALGORITHM=INPLACE, LOCK=NONE (or ALGORITHM=INSTANT): the server then refuses where it would copy. For that use gh-ost or pt-online-schema-change.',
  find: (file) =>
    clauses(
      file,
      (part, table) => COPIES.test(part) && !isInPlace(file, table),
      (table) => `may copy all of ${table}`,
    ),
}

function isInPlace(file: LintFile, table: string): boolean {
  return alterations(file).some((each) => sameName(each.table, table) && /^algorithm ?=? ?(?:inplace|instant|nocopy)$/.test(each.part))
}

export const uniqueNotUsingIndex: SqlRule = {
  level: 'size',
  engines: ['postgres'],
  danger: 'The index is built while nobody can read or write the table.',
  rewrite: 'CREATE UNIQUE INDEX CONCURRENTLY in a migration of its own, then ADD CONSTRAINT … UNIQUE USING INDEX ….',
  find: (file) => additions(file, KEY, /\b(?:unique|primary key)\b/, (table) => `adds a key to ${table} and builds its index meanwhile`),
}

export const noLockTimeout: SqlRule = {
  level: 'error',
  engines: ['postgres', 'mysql'],
  danger: 'The statement waits for a table as long as it takes, and everybody who comes after waits behind it.',
  rewrite: 'Leave it out: the runner sets a time-out for each step (--ddl-lock-timeout) and tries again.',
  find: (file) =>
    file.statements.flatMap(({ text, line }) => {
      const isUnlimited = LIMITS.some((pattern) => isLong(pattern.exec(text)))
      const waits = /^lock table\b/.test(text) && !text.endsWith('nowait')
      return [
        ...(isUnlimited ? [{ line, message: 'lets steps wait for a table without an end' }] : []),
        ...(waits ? [{ line, message: 'waits for a lock on a table for the rest of the transaction', level: 'warning' as const }] : []),
      ]
    }),
}

const LIMITS = [/\b(?:innodb_)?lock_wait_timeout(?: =| :=) (\d+|default)/, /\block_timeout (?:=|to) ('\?'|\d+|default)/]

/** Zero is for ever. A text, such as '5s', is somebody's choice. */
function isLong(found: RegExpExecArray | null): boolean {
  if (found === null) return false
  const [whole, value] = found
  if (value === "'?'") return false
  return value === 'default' || value === '0' || Number(value) > (whole.includes('wait') ? 60 : 60_000)
}
