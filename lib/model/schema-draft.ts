import { alterTable } from './alter-table.js'
import type { Schema, TableSchema } from './schema.js'
import { factName, type ObjectName, type SchemaChange, type TableStep } from './schema-change.js'

/** A list of changes in the making, with the tables as they stand after each. */
export class SchemaDraft {
  readonly changes: SchemaChange[] = []
  readonly #tables: Map<string, TableSchema>

  constructor(from: Schema) {
    this.#tables = new Map(from.tables.map((table) => [factName(table), table]))
  }

  get tables(): readonly TableSchema[] {
    return [...this.#tables.values()]
  }

  table(name: ObjectName): TableSchema {
    return this.#tables.get(factName(name))!
  }

  has(name: ObjectName): boolean {
    return this.#tables.has(factName(name))
  }

  /** A change that is none of a table that is there. */
  push(change: SchemaChange): void {
    if (change.kind === 'createTable') this.#tables.set(factName(change.table), { ...change.table, indexes: [], foreignKeys: [] })
    if (change.kind === 'dropTable') this.#tables.delete(factName(change.table))
    this.changes.push(change)
  }

  /** One step of the table that is called so now. A rename is followed by the foreign keys that refer to it. */
  alter(name: ObjectName, step: TableStep): void {
    const before = this.table(name)
    const table = alterTable(before, step)
    this.#tables.delete(factName(before))
    this.#tables.set(factName(table), table)
    if (step.kind === 'renameTable') this.#retarget(before, ({ columns }) => targetOf(step.to, columns))
    if (step.kind === 'renameColumn') {
      const renamed = (column: string) => (column === step.from ? step.to : column)
      this.#retarget(before, ({ columns }) => targetOf(before, columns.map(renamed)))
    }
    this.changes.push({ ...step, before, table: this.table(table) })
  }

  #retarget(of: ObjectName, moved: (target: Target) => Target): void {
    for (const [key, table] of this.#tables) {
      if (!table.foreignKeys.some(({ target }) => isTarget(target, of))) continue
      const foreignKeys = table.foreignKeys.map((each) => (isTarget(each.target, of) ? { ...each, target: moved(each.target) } : each))
      this.#tables.set(key, { ...table, foreignKeys })
    }
  }
}

type Target = TableSchema['foreignKeys'][number]['target']

/** Whether a foreign key refers to the table. */
export function isTarget(target: Target, { schema, name }: ObjectName): boolean {
  return target.table === name && target.schema === schema
}

/** What a foreign key refers to. */
export function targetOf({ schema, name }: ObjectName, columns: readonly string[]): Target {
  return { ...(schema === undefined ? {} : { schema }), table: name, columns }
}
