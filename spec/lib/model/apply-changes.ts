import { alterTable } from '../../../lib/model/alter-table.js'
import { sameJson } from '../../../lib/model/json-text.js'
import { nativeEnumsOf, type Schema, type TableSchema } from '../../../lib/model/schema.js'
import { factName, type ObjectName, type SchemaChange, type TableChange } from '../../../lib/model/schema-change.js'

/** A database of the mind: it does each change, and refuses what the strictest of the engines would. */
export function applyChanges(from: Schema, changes: readonly SchemaChange[]): Schema {
  const engine = new StrictEngine(from)
  for (const change of changes) engine.apply(change)
  return { version: 1, tables: engine.finish() }
}

class StrictEngine {
  readonly #tables: Map<string, TableSchema>
  readonly #enums: Map<string, readonly string[]>

  constructor({ tables }: Schema) {
    this.#tables = new Map(tables.map((table) => [factName(table), table]))
    this.#enums = new Map(tables.flatMap((table) => nativeEnumsOf(table).map(({ name, values }) => [factName({ ...table, name }), values])))
  }

  finish(): readonly TableSchema[] {
    const used = new Map(
      [...this.#tables.values()].flatMap((table) => nativeEnumsOf(table).map(({ name, values }) => [factName({ ...table, name }), values])),
    )
    expectThat(sameJson(Object.fromEntries(used), Object.fromEntries(this.#enums)), 'the enum types are those that columns have')
    return [...this.#tables.values()]
  }

  apply(change: SchemaChange): void {
    switch (change.kind) {
      case 'createSchema':
        return
      case 'createEnum':
        expectThat(!this.#enums.has(factName(change)), `no enum ${change.name} yet`)
        this.#enums.set(factName(change), change.values)
        return
      case 'renameEnum':
        this.#enums.set(factName({ ...change, name: change.to }), this.#values(change))
        this.#enums.delete(factName(change))
        return
      case 'addEnumValue': {
        const values = [...this.#values(change)]
        values.splice(change.next === undefined ? values.length : values.indexOf(change.next), 0, change.value)
        this.#enums.set(factName(change), values)
        return
      }
      case 'replaceEnum':
        for (const table of change.tables) expectThat(sameJson(this.#tables.get(factName(table)), table), `${table.name} as it is`)
        this.#enums.set(factName(change), change.values)
        return
      case 'dropEnum':
        expectThat(!this.#usesEnum(change), `no column of type ${change.name}`)
        this.#values(change)
        this.#enums.delete(factName(change))
        return
      case 'createTable':
        this.#refuseNames({ ...change.table, indexes: [] }, undefined)
        expectThat(!this.#tables.has(factName(change.table)), `no table ${change.table.name} yet`)
        this.#refuseEnums(change.table)
        this.#tables.set(factName(change.table), { ...change.table, indexes: [], foreignKeys: [] })
        return
      case 'dropTable':
        expectThat(sameJson(this.#table(change.table), change.table), `${change.table.name} as it is`)
        for (const [, other] of this.#tables)
          expectThat(other.name === change.table.name || !refersTo(other, change.table), `nothing refers to ${change.table.name}`)
        this.#tables.delete(factName(change.table))
        return
      default:
        this.#alter(change)
    }
  }

  #alter(change: TableChange): void {
    const { before, table, ...step } = change
    expectThat(sameJson(this.#table(before), before), `${factName(before)} is as ${change.kind} says`)
    this.#refuse(change)
    this.#tables.delete(factName(before))
    this.#tables.set(factName(table), alterTable(before, step))
    if (step.kind === 'renameTable') this.#retarget(before, step.to, (columns) => columns)
    if (step.kind === 'renameColumn') {
      this.#retarget(before, before, (columns) => columns.map((column) => (column === step.from ? step.to : column)))
    }
    expectThat(sameJson(this.#table(table), table), `${change.kind} leads to what it says`)
    this.#refuseEnums(table)
  }

  #refuse(change: TableChange): void {
    const { before } = change
    switch (change.kind) {
      case 'renameTable':
        expectThat(!this.#tables.has(factName(change.to)), `the name ${change.to.name} is free`)
        return
      case 'renameColumn':
        expectThat(!hasColumns(before, [change.to]) && hasColumns(before, [change.from]), `${change.from} may be ${change.to}`)
        return
      case 'addColumn':
        expectThat(!hasColumns(before, [change.column.name]), `no column ${change.column.name} yet`)
        return
      case 'dropColumn': {
        const { name } = change.column
        const parts = [before.primaryKey, ...before.uniques, ...before.indexes, ...before.foreignKeys, ...before.checks]
        expectThat(hasColumns(before, [name]) && !parts.some(({ columns }) => columns.includes(name)), `${name} is free to go`)
        return
      }
      case 'alterColumn': {
        expectThat(
          sameJson(
            before.columns.find(({ name }) => name === change.from.name),
            change.from,
          ),
          `${change.from.name} as it is`,
        )
        expectThat(!change.to.nullable || !before.primaryKey.columns.includes(change.to.name), 'a key takes no null')
        if (sameJson(change.from.type, change.to.type)) return
        const isOf = (columns: readonly string[]) => columns.includes(change.from.name)
        expectThat(!before.foreignKeys.some(({ columns }) => isOf(columns)), 'no foreign key while the type changes')
        for (const [, other] of this.#tables) {
          const refers = other.foreignKeys.some(({ target }) => target.table === before.name && isOf(target.columns))
          expectThat(!refers, 'nothing refers to it while the type changes')
        }
        return
      }
      case 'changePrimaryKey':
        expectThat(sameJson(before.primaryKey, change.from) && hasColumns(before, change.to.columns), 'the key has its columns')
        this.#refuseLostKey(before, change.from.columns)
        return
      case 'addUnique':
        expectThat(hasColumns(before, change.unique.columns), 'the key has its columns')
        this.#refuseNames({ ...before, primaryKey: change.unique, uniques: [], indexes: [], foreignKeys: [], checks: [] }, before)
        return
      case 'dropUnique':
        this.#refuseLostKey(before, change.unique.columns)
        return
      case 'createIndex':
        expectThat(hasColumns(before, change.index.columns), 'the index has its columns')
        this.#refuseNames({ ...before, primaryKey: change.index, uniques: [], indexes: [], foreignKeys: [], checks: [] }, before)
        return
      case 'addForeignKey': {
        const { columns, target } = change.foreignKey
        const other = this.#table({ ...target, name: target.table })
        const isKey = [other.primaryKey, ...other.uniques].some((key) => sameJson(key.columns, target.columns))
        const typesOf = (table: TableSchema, names: readonly string[]) =>
          names.map((name) => table.columns.find((column) => column.name === name)!.type)
        expectThat(isKey && sameJson(typesOf(before, columns), typesOf(other, target.columns)), 'a foreign key fits its target')
        const indexed = [before.primaryKey, ...before.uniques, ...before.indexes].some((key) =>
          columns.every((column, position) => key.columns[position] === column),
        )
        expectThat(indexed, 'a foreign key has its index')
        expectThat(!before.foreignKeys.some(({ name }) => name === change.foreignKey.name), 'its name is free')
        return
      }
      case 'addCheck':
        expectThat(hasColumns(before, change.check.columns), 'the check has its columns')
        expectThat(!before.checks.some(({ name }) => name === change.check.name), 'its name is free')
    }
  }

  #refuseLostKey(table: TableSchema, columns: readonly string[]): void {
    for (const [, other] of this.#tables) {
      const refers = other.foreignKeys.some(({ target }) => target.table === table.name && sameJson(target.columns, columns))
      expectThat(!refers, `nothing refers to the key of ${table.name} that goes`)
    }
  }

  #refuseNames(table: TableSchema, but: TableSchema | undefined): void {
    const namesOf = ({ primaryKey, uniques, indexes }: TableSchema) => [primaryKey, ...uniques, ...indexes].map(({ name }) => name)
    const taken = [...this.#tables.values()].flatMap((other) => [other.name, ...namesOf(other)])
    for (const name of [...(but === undefined ? [table.name] : []), ...namesOf(table)]) {
      expectThat(!taken.includes(name), `the name ${name} is free`)
    }
  }

  #refuseEnums(table: TableSchema): void {
    for (const { name } of nativeEnumsOf(table)) expectThat(this.#enums.has(factName({ ...table, name })), `the enum ${name} is there`)
  }

  #retarget(from: ObjectName, to: ObjectName, columnsOf: (columns: readonly string[]) => readonly string[]): void {
    for (const [key, table] of this.#tables) {
      const foreignKeys = table.foreignKeys.map((each) =>
        each.target.table === from.name ? { ...each, target: { table: to.name, columns: columnsOf(each.target.columns) } } : each,
      )
      this.#tables.set(key, { ...table, foreignKeys })
    }
  }

  #table(name: ObjectName): TableSchema {
    const table = this.#tables.get(factName(name))
    expectThat(table !== undefined, `the table ${name.name} is there`)
    return table!
  }

  #values(name: ObjectName): readonly string[] {
    const values = this.#enums.get(factName(name))
    expectThat(values !== undefined, `the enum ${name.name} is there`)
    return values!
  }

  #usesEnum(name: ObjectName): boolean {
    return [...this.#tables.values()].some((table) => nativeEnumsOf(table).some((type) => type.name === name.name))
  }
}

function refersTo(table: TableSchema, target: ObjectName): boolean {
  return table.foreignKeys.some((each) => each.target.table === target.name)
}

function hasColumns(table: TableSchema, names: readonly string[]): boolean {
  return names.every((name) => table.columns.some((column) => column.name === name))
}

function expectThat(holds: boolean, what: string): void {
  if (!holds) throw new Error(`expected that ${what}`)
}
