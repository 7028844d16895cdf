import { alterations, type LintFile, type LintStatement } from '../lint-file.js'
import { ALL_ENGINES, type Found, type SqlRule } from '../rule.js'
import { bareName, sameName, TABLE } from '../sql-shape.js'
import { isReplaced } from './drops.js'

export const severalTablesOneTx: SqlRule = {
  level: 'warning',
  engines: ['postgres'],
  danger:
    'Locks on several tables are held together until the end of the transaction: others wait for all of them, and may wait in a circle.',
  rewrite: 'A migration for each table.',
  find: (file) => {
    const bySegment = new Map<number, { readonly line: number; readonly tables: Set<string> }>()
    for (const { statement, table } of alterations(file)) {
      const found = bySegment.get(statement.segment) ?? { line: statement.line, tables: new Set<string>() }
      found.tables.add(table.toLowerCase())
      bySegment.set(statement.segment, found)
    }
    return [...bySegment.values()]
      .filter(({ tables }) => tables.size > 1)
      .map(({ line, tables }) => ({ line, message: `alters ${[...tables].join(', ')} in one transaction` }))
  },
}

const CONCURRENTLY = /^(?:(?:create (?:unique )?|drop )index|reindex(?: \( .*? \))? \w+) concurrently\b/

export const concurrentlyInTx: SqlRule = {
  level: 'error',
  engines: ['postgres'],
  danger:
    'PostgreSQL refuses CONCURRENTLY inside of a transaction. Between other steps it ends their transaction: when it fails, those before it stay.',
  rewrite: 'A migration of its own for each CONCURRENTLY, and none in a DO block or function.',
  find: (file) => {
    const isBeside = file.statements.length > 1
    return file.statements.flatMap((statement): readonly Found[] => {
      const { text, line } = statement
      if (text.startsWith('do ') && bodyOf(statement).some((body) => /\bindex\s+concurrently\b/i.test(body)))
        return [{ line, message: 'builds an index concurrently in a DO block, which is in a transaction' }]
      if (!CONCURRENTLY.test(text) || !isBeside) return []
      return [{ line, message: 'stands between other steps, whose transaction ends here', level: 'warning' }]
    })
  },
}

function bodyOf({ tokens }: LintStatement): readonly string[] {
  return tokens.filter(({ kind }) => kind === 'text').map(({ text }) => text)
}

export const enumValueSameTx: SqlRule = {
  level: 'error',
  engines: ['postgres'],
  danger: 'A value that a transaction adds to an enum cannot be used in it (55P04).',
  rewrite: 'Put a line -- latchwork:tx none into the step that adds the value, or use it in a later migration.',
  find: (file) =>
    file.statements.flatMap((statement) => {
      const value = addedValue(statement)
      if (value === undefined || !statement.isTransactional) return []
      const used = file.statements.find(
        (other) => other !== statement && other.segment === statement.segment && bodyOf(other).includes(value),
      )
      return used === undefined ? [] : [{ line: used.line, message: `uses the enum value ${value}, which the same transaction adds` }]
    }),
}

/** As it is written, quotes included. */
function addedValue({ text, tokens }: LintStatement): string | undefined {
  if (!/^alter type .* add value (?:if not exists )?'\?'/.test(text)) return undefined
  return tokens.find(({ kind }) => kind === 'text')?.text
}

const DROP_ONE = new RegExp(`^drop table (?:if exists )?${TABLE}$`)

export const sqliteRebuildWithChildren: SqlRule = {
  level: 'error',
  engines: ['sqlite'],
  danger:
    'Dropping the old table deletes the rows that refer to it, or fails; its indexes and triggers are gone. PRAGMA foreign_keys has no effect inside of a transaction.',
  rewrite:
    'One step with -- latchwork:rebuild <table>: CREATE TABLE "__latchwork_new_<table>" and INSERT … SELECT; the runner does the rest.',
  find: (file) =>
    file.statements.flatMap((statement): readonly Found[] => {
      const { text, line } = statement
      if (/^pragma foreign_keys\b/.test(text)) return [{ line, message: 'sets PRAGMA foreign_keys, without any effect in a transaction' }]
      const dropped = DROP_ONE.exec(text)?.[1]
      if (dropped === undefined || !isReplaced(file, bareName(dropped))) return []
      return [
        {
          line,
          message: `makes ${bareName(dropped)} anew without the runner`,
          ...(hasChildren(file, bareName(dropped)) ? {} : { level: 'warning' as const }),
        },
      ]
    }),
}

/** Where nothing is known of the tables, it may have. */
function hasChildren({ tablesBefore }: LintFile, table: string): boolean {
  return (
    tablesBefore.length === 0 || tablesBefore.some(({ foreignKeys }) => foreignKeys.some(({ target }) => sameName(target.table, table)))
  )
}

const DATA = /^(?:insert|update|delete|merge|replace|copy|with\b.*\b(?:insert into|update|delete from))\b/
const DDL = /^(?:create|alter|drop|rename|truncate)\b/

export const dataWithDdl: SqlRule = {
  level: 'warning',
  engines: ALL_ENGINES,
  danger: 'Rows are changed while the locks of the schema change are held; where DDL is not undone, half of it stays when it fails.',
  rewrite: 'Change the schema in one migration and the rows in another: generate --empty, or generate --data for batches.',
  find: (file) => {
    const own = file.statements.filter(({ rebuilds }) => rebuilds === undefined)
    const ddl = own.find((statement) => DDL.test(statement.text) && (statement.table === undefined || !isMadeHere(file, statement)))
    const data = own.find((statement) => DATA.test(statement.text) && !file.isNew(statement.table ?? '', statement))
    if (ddl === undefined || data === undefined) return []
    return [
      {
        line: data.line,
        message: 'changes rows in the migration that changes the schema',
        ...(data.table === undefined ? {} : { table: data.table }),
      },
    ]
  },
}

/** It makes the table, or alters one that was made here. */
function isMadeHere(file: LintFile, statement: LintStatement): boolean {
  return statement.text.startsWith('create table') || file.isNew(statement.table!, statement)
}
