import { alterations, type columnIn, type LintFile, newColumns } from '../lint-file.js'
import { ALL_ENGINES, type Found, type SqlRule } from '../rule.js'
import { bareName, NAME, sameName, splitByComma, TABLE } from '../sql-shape.js'
import { isNarrower, sqlType } from '../sql-type.js'

const DROP_TABLES = /^drop (?:temporary )?(table|schema|database) (?:if exists )?(.+?)(?: (?:cascade|restrict))?$/
const TRUNCATE = /^truncate (?:table )?(?:only )?(.+?)(?: (?:restart|continue) identity)?(?: (?:cascade|restrict))?$/
const DROP_COLUMN = new RegExp(
  `^drop (?!constraint|index|key|foreign|primary|check|partition|default)(?:column )?(?:if exists )?${NAME}(?: (?:cascade|restrict))?$`,
)

/** The names in a list of tables. */
function tablesIn(list: string): readonly string[] {
  const pattern = new RegExp(`^(?:only )?${TABLE}`)
  return splitByComma(list)
    .flatMap((part) => pattern.exec(part)?.[1] ?? [])
    .map(bareName)
}

function droppedTables(file: LintFile): readonly (Found & { readonly object: string })[] {
  return file.statements.flatMap((statement) => {
    const [, what, list = ''] = DROP_TABLES.exec(statement.text) ?? []
    return tablesIn(list)
      .filter((table) => what !== 'table' || !file.isNew(table, statement))
      .map((table) => ({ line: statement.line, message: `drops ${what} ${table} with all that is in it`, object: table }))
  })
}

export const dropTable: SqlRule = {
  level: 'error',
  engines: ALL_ENGINES,
  danger: 'The rows are gone, and processes of the last release that read the table fail.',
  rewrite:
    'Release what does without it first. Then drop it, with a line -- latchwork:approve drop-table <table>, as generate --drop writes it.',
  // one that is put in the place of another is looked at by sqlite-rebuild-with-children
  find: (file) => droppedTables(file).filter(({ object }) => !isReplaced(file, object)),
}

/** Whether another table takes the name of a dropped one. */
export function isReplaced(file: LintFile, table: string): boolean {
  const renamed = new RegExp(`^rename to ${TABLE}$`)
  return file.statements.some(({ parts }) => parts.some((part) => sameName(bareName(renamed.exec(part)?.[1] ?? ''), table)))
}

export const dropColumn: SqlRule = {
  level: 'error',
  engines: ALL_ENGINES,
  danger: 'The values are gone, and processes of the last release that read or write the column fail.',
  rewrite:
    'Release what does without it first. Then drop it, with a line -- latchwork:approve drop-column <table>.<column>, as generate --drop writes it.',
  find: (file) => [...droppedColumns(file), ...columnsLeftOut(file)],
}

function droppedColumns(file: LintFile): readonly Found[] {
  return alterations(file).flatMap(({ statement, table, part }) => {
    const name = DROP_COLUMN.exec(part)?.[1]
    // what stands for an index where the engine has none like it
    if (name === undefined || bareName(name).startsWith('_lw_')) return []
    const object = `${table}.${bareName(name)}`
    return [{ line: statement.line, message: `drops column ${object} with all that is in it`, object, table }]
  })
}

/** Of a table that is made anew. */
function columnsLeftOut(file: LintFile): readonly Found[] {
  return file.statements.flatMap((statement) => {
    const { rebuilds, line } = statement
    const kept = newColumns(statement)
    if (rebuilds === undefined || kept.length === 0) return []
    const lost = (file.tableBefore(rebuilds)?.columns ?? []).filter(({ name }) => !kept.some((column) => sameName(column.name, name)))
    return lost
      .filter(({ name }) => !isRenamed(file, rebuilds, name))
      .map(({ name }) => ({
        line,
        message: `makes ${rebuilds} anew without column ${name}`,
        object: `${rebuilds}.${name}`,
        table: rebuilds,
      }))
  })
}

function isRenamed({ operations }: LintFile, table: string, column: string): boolean {
  return operations.some(
    ({ kind, table: of, name }) => kind === 'renameColumn' && sameName(of ?? '', table) && sameName(name ?? '', column),
  )
}

export const truncate: SqlRule = {
  level: 'error',
  engines: ['postgres', 'mysql'],
  danger: 'All rows are gone, under a lock that nobody passes; on MySQL and MariaDB nothing brings them back, not even a transaction.',
  rewrite: 'Delete by a data migration, in batches; or say -- latchwork:approve truncate <table>.',
  find: (file) =>
    file.statements.flatMap((statement) =>
      tablesIn(TRUNCATE.exec(statement.text)?.[1] ?? '')
        .filter((table) => !file.isNew(table, statement))
        .map((table) => ({ line: statement.line, message: `empties table ${table}`, object: table })),
    ),
}

const RETYPED: readonly RegExp[] = [
  new RegExp(`^alter (?:column )?${NAME} (?:set data )?type (.+)$`),
  new RegExp(`^modify (?:column )?(?:if exists )?${NAME} (.+)$`),
  new RegExp(`^change (?:column )?(?:if exists )?${NAME} ${NAME.replace('(', '(?:')} (.+)$`),
]

export const narrowType: SqlRule = {
  level: 'error',
  engines: ALL_ENGINES,
  danger: 'Values that do not fit the new type are cut or refused, and the table is written anew under a lock.',
  rewrite: 'Add a column of the new type, copy what fits by a data migration, release what reads it, drop the old one later.',
  find: (file) => [
    ...alterations(file).flatMap(({ statement, table, part }) => {
      const found = RETYPED.map((pattern) => pattern.exec(part)).find((each) => each !== null)
      return found == null ? [] : narrowing(file, statement.line, table, { name: bareName(found[1]!), declared: found[2]! })
    }),
    ...file.statements.flatMap((statement) => {
      const { rebuilds, line } = statement
      return rebuilds === undefined ? [] : newColumns(statement).flatMap((column) => narrowing(file, line, rebuilds, column))
    }),
  ],
}

function narrowing(file: LintFile, line: number, table: string, column: NonNullable<ReturnType<typeof columnIn>>): readonly Found[] {
  const before = file.columnBefore(table, column.name)
  const [from, to] = [before?.declared, column.declared].map((text) => (text === undefined ? undefined : sqlType(text, file.engine)))
  if (from === undefined || to === undefined || !isNarrower(from, to)) return []
  return [{ line, message: `${table}.${column.name} would hold less than it does`, object: `${table}.${column.name}`, table }]
}

export const renameInPlace: SqlRule = {
  level: 'warning',
  engines: ALL_ENGINES,
  danger: 'Processes of the last release know the old name, and fail until the last of them is gone.',
  rewrite: 'Add the new column or table, write both, copy, read the new one, drop the old one later; or stop the old processes first.',
  find: (file) => {
    const inPlace = alterations(file).filter(({ part, table }) => isRename(part) && !table.includes('__latchwork_new_'))
    const bySql = inPlace.map(({ statement, table }) => ({
      line: statement.line,
      message: `renames in table ${table}, which others use meanwhile`,
      table,
    }))
    const whole = file.statements
      .filter(({ text }) => /^rename table /.test(text))
      .map(({ line }) => ({ line, message: 'renames a table that others use meanwhile' }))
    // such as SET SCHEMA, which says it in other words
    const silent =
      bySql.length + whole.length === 0 && file.operations.some(({ kind }) => kind === 'renameTable' || kind === 'renameColumn')
    return [...bySql, ...whole, ...(silent ? [{ line: 1, message: 'renames what others use meanwhile' }] : [])]
  },
}

function isRename(part: string): boolean {
  if (/^rename (?!index|key|constraint)/.test(part)) return true
  const [, from, to] = new RegExp(`^change (?:column )?(?:if exists )?${NAME} ${NAME} `).exec(part) ?? []
  return from !== undefined && !sameName(bareName(from), bareName(to!))
}

export const multiTableDrop: SqlRule = {
  level: 'error',
  engines: ['mysql'],
  danger: 'Where one of the tables is not there, the others are dropped all the same, and the statement says that it failed.',
  rewrite: 'One DROP TABLE a step.',
  find: (file) =>
    file.statements.flatMap(({ text, line }) => {
      const tables = tablesIn(/^drop (?:temporary )?table (?:if exists )?(.+)$/.exec(text)?.[1] ?? '')
      return tables.length < 2 ? [] : [{ line, message: `drops ${tables.length} tables in one statement` }]
    }),
}
