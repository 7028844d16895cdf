import { ModelError } from '../../errors.js'
import type { SchemaChange, TableChange } from '../../model/schema-change.js'
import { asideName } from '../../model/schema-names.js'
import { createIndex } from '../ddl-clauses.js'
import { type DdlStatement, statements } from '../ddl-statement.js'
import { quoteStandard as quote } from '../quote-standard.js'
import { SYNTAX } from './column-ddl.js'
import { planRebuilds } from './rebuild-ddl.js'
import { columnLine, NO_SCHEMAS, tableStatement } from './table-ddl.js'

/**
 * The statements of changes of the schema on SQLite. Comments have no place here; they stay in the schema.
 *
 * What ALTER TABLE cannot do is done by one rebuild a table, after all that goes before it in any of its changes.
 *
 * @throws {ModelError} a table names a schema, or counts in a column that is not the whole primary key
 */
export function ddl(changes: readonly SchemaChange[]): readonly DdlStatement[] {
  const rebuilds = planRebuilds(changes)
  return changes.flatMap((change) => rebuilds.get(change) ?? changeStatements(change))
}

function changeStatements(change: SchemaChange): readonly DdlStatement[] {
  switch (change.kind) {
    case 'createSchema':
      throw new ModelError(change.name, undefined, NO_SCHEMAS)
    case 'createTable':
      return statements(
        tableStatement(change.table),
        ...change.table.uniques.map((unique) => createIndex('unique index', change.table, unique, SYNTAX)),
      )
    case 'dropTable':
      return statements(`drop table ${quote(change.table.name)}`)
    case 'createEnum':
    case 'renameEnum':
    case 'addEnumValue':
    case 'replaceEnum':
    case 'dropEnum':
      // a check of the table's, which is made with it
      return []
    default:
      return statements(...alterStatements(change))
  }
}

function alterStatements(change: TableChange): readonly string[] {
  const { table } = change
  const alter = `alter table ${quote(table.name)}`
  switch (change.kind) {
    case 'renameTable':
      if (change.to.schema !== undefined) throw new ModelError(change.to.name, undefined, NO_SCHEMAS)
      return renameStatements(change.before.name, table.name)
    case 'renameColumn':
      return [`${alter} rename column ${quote(change.from)} to ${quote(change.to)}`]
    case 'addColumn':
      return [`${alter} add column ${columnLine(change.column, table)}`]
    case 'dropColumn':
      return [`${alter} drop column ${quote(change.column.name)}`]
    case 'addUnique':
      return [createIndex('unique index', table, change.unique, SYNTAX)]
    case 'dropUnique':
      return [`drop index ${quote(change.unique.name)}`]
    case 'createIndex':
      return [createIndex('index', table, change.index, SYNTAX)]
    case 'dropIndex':
      return [`drop index ${quote(change.index.name)}`]
    case 'comment':
      return []
    default:
      // written with the table, or part of its rebuild
      return []
  }
}

/** A name that differs in capitals alone is in use, to SQLite: the table goes by way of another. */
function renameStatements(from: string, to: string): readonly string[] {
  const rename = (one: string, other: string) => `alter table ${quote(one)} rename to ${quote(other)}`
  if (from.toLowerCase() !== to.toLowerCase()) return [rename(from, to)]
  const aside = asideName(to)
  return [rename(from, aside), rename(aside, to)]
}
