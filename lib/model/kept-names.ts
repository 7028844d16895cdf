import { jsonText, sameJson } from './json-text.js'
import type { CheckSchema, ForeignKeySchema, IndexSchema, TableSchema, UniqueSchema } from './schema.js'
import { fitName, objectName, type SchemaObjectKind } from './schema-names.js'

type Part = UniqueSchema | IndexSchema | ForeignKeySchema | CheckSchema

/** A table as it stands, its columns called as they will be, and as it is to be. */
export interface TablePair {
  readonly renamed: TableSchema
  readonly after: TableSchema
}

/**
 * The tables to be, with the names that their keys, indexes and constraints were made with: a name that follows from table and columns does
 * not change when those are renamed, one that a model says does. A new name that is in use already gets a number.
 *
 * @param added    tables to be made
 * @param removed  tables that go last, and keep their names until then
 */
export function keepNames(
  pairs: readonly TablePair[],
  added: readonly TableSchema[],
  removed: readonly TableSchema[],
): { readonly matched: readonly TableSchema[]; readonly added: readonly TableSchema[] } {
  const kept = pairs.map(({ renamed, after }) => withNamesOf(renamed, after))
  const names = new NamesInUse()
  for (const table of [...removed, ...kept, ...added]) names.take(table, 'relation', table.name)
  for (const table of removed) for (const [space, { name }] of partsOf(table)) names.take(table, space, name)
  kept.forEach((table, position) => {
    names.take(table, 'relation', table.primaryKey.name)
    for (const [space, part] of partsOf(table)) {
      if (isIn(pairs[position]!.renamed, part)) names.take(table, space, part.name)
    }
  })
  return {
    matched: kept.map((table, position) => names.number(table, pairs[position]!.renamed)),
    added: added.map((table) => names.number(table, undefined)),
  }
}

function withNamesOf(renamed: TableSchema, after: TableSchema): TableSchema {
  const { primaryKey } = after
  const isMadeKey = primaryKey.name === objectName(after.name, [], 'pkey')
  const isMade = (kind: SchemaObjectKind) => (part: Part) => isMadeName(after.name, part, kind)
  return {
    ...after,
    primaryKey: isMadeKey ? { ...primaryKey, name: renamed.primaryKey.name } : primaryKey,
    uniques: keep(renamed.uniques, after.uniques, isMade('key')),
    indexes: keep(renamed.indexes, after.indexes, isMade('idx')),
    foreignKeys: keep(renamed.foreignKeys, after.foreignKeys, isMade('fkey')),
    checks: keep(renamed.checks, after.checks, isMade('check')),
  }
}

function keep<T extends Part>(before: readonly T[], after: readonly T[], isMade: (part: T) => boolean): readonly T[] {
  const left = before.filter((old) => !after.some((part) => sameJson(old, part)))
  return after.map((part) => {
    if (!isMade(part) || before.some((old) => sameJson(old, part))) return part
    const at = left.findIndex((old) => bodyOf(old) === bodyOf(part))
    return at === -1 ? part : { ...part, name: left.splice(at, 1)[0]!.name }
  })
}

function bodyOf({ name: _, ...body }: Part): string {
  return jsonText(body)
}

/** Whether the name follows from table and columns: that of a check of a polymorphic relation has the relation's name in it. */
function isMadeName(table: string, part: Part, kind: SchemaObjectKind): boolean {
  // what is SQL of the model's is called as the model says
  if (('expression' in part && part.expression !== undefined) || ('sql' in part && part.sql !== undefined)) return false
  const { name, columns } = part
  const whole = objectName(table, columns, kind)
  const stem = kind === 'check' ? fitName(`${table}_`) : whole.slice(0, -kind.length)
  return name.startsWith(stem) && new RegExp(`_${kind}\\d*$`).test(name)
}

/** Tables, keys and indexes share their names in a schema; so do foreign keys, and checks. */
type Space = 'relation' | 'foreignKey' | 'check'

function partsOf(table: TableSchema): readonly (readonly [space: Space, part: { readonly name: string }])[] {
  return [
    ...[table.primaryKey, ...table.uniques, ...table.indexes].map((part) => ['relation', part] as const),
    ...table.foreignKeys.map((part) => ['foreignKey', part] as const),
    ...table.checks.map((part) => ['check', part] as const),
  ]
}

function isIn(table: TableSchema, part: { readonly name: string }): boolean {
  return partsOf(table).some(([, other]) => sameJson(other, part))
}

class NamesInUse {
  readonly #names = new Set<string>()

  take({ schema }: TableSchema, space: Space, name: string): void {
    // SQLite and MySQL take names that differ in case alone for one
    this.#names.add(JSON.stringify([schema, space, name.toLowerCase()]))
  }

  /** The table with a number on each name that is new and taken. */
  number(table: TableSchema, renamed: TableSchema | undefined): TableSchema {
    const numbered =
      (space: Space) =>
      <T extends { readonly name: string }>(part: T) =>
        renamed !== undefined && isIn(renamed, part) ? part : this.#free(table, space, part)
    return {
      ...table,
      primaryKey: renamed === undefined ? numbered('relation')(table.primaryKey) : table.primaryKey,
      uniques: table.uniques.map(numbered('relation')),
      indexes: table.indexes.map(numbered('relation')),
      foreignKeys: table.foreignKeys.map(numbered('foreignKey')),
      checks: table.checks.map(numbered('check')),
    }
  }

  #free<T extends { readonly name: string }>(table: TableSchema, space: Space, part: T): T {
    let name = part.name
    for (let nth = 2; this.#names.has(JSON.stringify([table.schema, space, name.toLowerCase()])); nth++) {
      name = fitName(part.name, String(nth))
    }
    this.take(table, space, name)
    return name === part.name ? part : { ...part, name }
  }
}
