import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Schema } from '../lib/model/schema.js'
import { factName, type ObjectName } from '../lib/model/schema-change.js'
import { SchemaDraft } from '../lib/model/schema-draft.js'
import { schemaBehind } from './applied-schema.js'
import type { HistoryProblem } from './documents.js'
import { MigrationUsageError } from './errors.js'
import { readSnapshot } from './last-snapshot.js'
import type { Migration } from './migration.js'
import type { Operation } from './operation.js'
import { compareSchemas } from './schema-comparison.js'

/**
 * In what a snapshot is another than its predecessor and the operations of its migration give, so far as these tell: they name what
 * changes, and not into what. A migration without a snapshot, or behind none, is left out.
 */
export async function chainProblems(migrations: readonly Migration[]): Promise<readonly HistoryProblem[]> {
  const problems: HistoryProblem[] = []
  for (const migration of migrations) {
    try {
      for (const what of await brokenLinks(migration, migrations)) problems.push(problem(migration.id, what))
    } catch (error) {
      if (!(error instanceof MigrationUsageError)) throw error
      problems.push(problem(migration.id, error.message))
    }
  }
  return problems
}

function problem(id: string, what: string): HistoryProblem {
  return { kind: 'snapshot', ids: [id], message: `${id}: ${what}` }
}

async function brokenLinks({ folder, parents }: Migration, migrations: readonly Migration[]): Promise<readonly string[]> {
  const after = await readSnapshot(folder)
  if (after === undefined) return []
  // of a parent that is not there the files are at fault
  const before = await schemaBehind(
    migrations,
    parents.filter((parent) => migrations.some(({ id }) => id === parent)),
  )
  if (!before.isKnown || before.conflicts.length > 0) return []
  return linkProblems(before.schema, after, await readOperations(join(folder, 'migration.json')))
}

async function readOperations(file: string): Promise<readonly Operation[]> {
  const { operations = [] } = existsSync(file) ? (JSON.parse(await readFile(file, 'utf8')) as { readonly operations?: unknown }) : {}
  const isList = Array.isArray(operations) && operations.every((each) => typeof each?.kind === 'string')
  if (!isList) throw new MigrationUsageError('operations has to be a list of what it does', { file })
  return operations as readonly Operation[]
}

/** What of the schema after does not follow from the one before and the operations. Pure. */
export function linkProblems(before: Schema, after: Schema, operations: readonly Operation[]): readonly string[] {
  const link = new Link(before)
  for (const operation of operations) link.follow(operation)
  return link.problems(after)
}

/** A schema that follows the renames of operations, and what they name beside. */
class Link {
  readonly #draft: SchemaDraft
  readonly #made = new Set<string>()
  readonly #gone = new Set<string>()
  readonly #enums = new Set<string>()
  /** By table as it is called now: names of what is changed in it; undefined: its comment. */
  readonly #touched = new Map<string, Map<string | undefined, Operation['kind']>>()
  readonly #astray: string[] = []

  constructor(before: Schema) {
    this.#draft = new SchemaDraft(before)
  }

  follow({ kind, table, name, to }: Operation): void {
    if (table === undefined) {
      if (name !== undefined) for (const each of [name, to ?? name]) this.#enums.add(objectOf(each).name)
    } else if (kind === 'createTable') this.#made.add(table)
    else if (kind === 'dropTable') this.#gone.add(table)
    else if (kind === 'renameTable' && to !== undefined) this.#renameTable(table, to)
    else if (kind === 'renameColumn' && name !== undefined && to !== undefined) this.#renameColumn(table, name, to)
    else this.#touchedIn(table).set(name, kind)
  }

  #touchedIn(table: string): Map<string | undefined, Operation['kind']> {
    const touched = this.#touched.get(table) ?? new Map<string | undefined, Operation['kind']>()
    this.#touched.set(table, touched)
    return touched
  }

  #renameTable(from: string, to: string): void {
    if (!this.#draft.has(objectOf(from))) this.#astray.push(`it renames ${from}, which the snapshot before it does not have`)
    else this.#draft.alter(objectOf(from), { kind: 'renameTable', to: objectOf(to) })
    const touched = this.#touched.get(from)
    if (touched !== undefined) this.#touched.set(to, touched)
    this.#touched.delete(from)
  }

  #renameColumn(table: string, from: string, to: string): void {
    const place = objectOf(table)
    const isThere = this.#draft.has(place) && this.#draft.table(place).columns.some(({ name }) => name === from)
    if (!isThere) this.#astray.push(`it renames ${table}.${from}, which the snapshot before it does not have`)
    else this.#draft.alter(place, { kind: 'renameColumn', from, to })
  }

  problems(after: Schema): readonly string[] {
    const { differences, unmanaged } = compareSchemas({ version: 1, tables: this.#draft.tables }, { schema: after, findings: [] })
    const changed = differences.filter(({ table, what, name, kind }) => {
      if (what === 'table' && kind === 'missing') return !this.#gone.has(table)
      return !this.#isNamed(after, table, name, what)
    })
    return [
      ...this.#astray,
      ...unmanaged.filter((table) => !this.#made.has(table)).map((table) => `its snapshot has the table ${table}, which nothing makes`),
      ...changed.map(({ table, what, name, kind }) => {
        const place = name === null ? table : `${table}.${name}`
        const says = kind === 'missing' ? 'lacks' : kind === 'unexpected' ? 'has' : 'changes'
        return `its snapshot ${says} the ${what} ${place}, and none of its operations does`
      }),
      ...this.#unkept(after),
    ]
  }

  #isNamed(after: Schema, table: string, name: string | null, what: string): boolean {
    const touched = this.#touched.get(table)
    if (touched?.has(name ?? undefined) === true) return true
    const column = after.tables.find((each) => factName(each) === table)?.columns.find((each) => each.name === name)
    const type = column?.type.kind === 'array' ? column.type.of : column?.type
    return what === 'column' && type?.kind === 'enum' && this.#enums.has(type.name)
  }

  /** What operations say and the snapshot does not have. */
  #unkept(after: Schema): readonly string[] {
    const tables = new Map(after.tables.map((table) => [factName(table), table]))
    const isColumn = (table: string, name: string | undefined) => tables.get(table)?.columns.some((column) => column.name === name) === true
    return [
      ...[...this.#made].filter((table) => !tables.has(table)).map((table) => `it makes the table ${table}, which its snapshot lacks`),
      ...[...this.#gone].filter((table) => tables.has(table)).map((table) => `it drops the table ${table}, which its snapshot has`),
      ...[...this.#touched].flatMap(([table, touched]) =>
        [...touched].flatMap(([name, kind]) => {
          if (kind === 'addColumn' && !isColumn(table, name)) return [`it adds ${table}.${name}, which its snapshot lacks`]
          return kind === 'dropColumn' && isColumn(table, name) ? [`it drops ${table}.${name}, which its snapshot has`] : []
        }),
      ),
    ]
  }
}

/** `hr.users` as a name in a schema. */
function objectOf(name: string): ObjectName {
  const dot = name.indexOf('.')
  return dot === -1 ? { name } : { schema: name.slice(0, dot), name: name.slice(dot + 1) }
}
