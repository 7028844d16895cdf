import type { TableNode } from 'kysely'
import { QueryError } from '../../errors.js'
import type { BoundField } from '../bound-model.js'

/** A column of a table or of a result. */
export interface Column {
  /** What the query calls it. */
  readonly name: string
  readonly sqlName: string
  /** The field whose values it holds. Null: an expression of no field; undefined: only the database can tell. */
  readonly field: BoundField | null | undefined
}

/** The columns of something, in order. */
export class Columns {
  readonly #byName: ReadonlyMap<string, Column>

  constructor(readonly list: readonly Column[]) {
    this.#byName = new Map(list.map((column) => [column.name, column]))
  }

  find(name: string): Column | undefined {
    return this.#byName.get(name)
  }
}

/** What a query reads from or writes to. */
export interface Source {
  /** What the query calls it; undefined where that is in raw SQL. */
  readonly name: string | undefined
  /** What SQL calls it in front of a column. */
  readonly table: TableNode | undefined
  /** Undefined where they are not known. */
  readonly columns: Columns | undefined
  /** A table of a model, whose columns have names of their own in SQL. */
  readonly isModel: boolean
  /** The view that it is, by the name of its model. */
  readonly view?: string | undefined
}

/** A column in the source that it was found in. */
interface FoundColumn {
  readonly source: Source
  readonly column: Column
  /** The bare name may mean another column in SQL. */
  readonly needsTable: boolean
}

/** The names that a part of a query can use: its own and those around it. */
export class Scope {
  readonly sources: Source[] = []
  /** What an INSERT or UPDATE writes to. */
  target: Source | undefined
  /** The columns that an INSERT fills, in order. */
  filled: readonly (Column | undefined)[] = []
  readonly #expressions = new Map<string, Columns | undefined>()

  constructor(readonly parent: Scope | undefined) {}

  /** Makes a common table expression known. */
  addExpression(name: string, columns: Columns | undefined): void {
    this.#expressions.set(name, columns)
  }

  /** The common table expression of a name. */
  findExpression(name: string): { readonly columns: Columns | undefined } | undefined {
    if (this.#expressions.has(name)) return { columns: this.#expressions.get(name) }
    return this.parent?.findExpression(name)
  }

  /**
   * The source that the query calls `name`.
   *
   * @throws {QueryError} in SQL its name would mean another source, nearer by
   */
  findSource(name: string): Source | undefined {
    const found = this.sources.find((source) => source.name === name)
    if (found !== undefined) return found
    const outer = this.parent?.findSource(name)
    if (outer !== undefined) this.#requireVisible(outer)
    return outer
  }

  /**
   * The column that a bare name means. Where a nearer source's columns are not known it may be one of them, and nothing is found.
   *
   * @throws {QueryError} several sources have it, by different names
   */
  findColumn(name: string): FoundColumn | undefined {
    const found = this.sources.flatMap((source) => {
      const column = source.columns?.find(name)
      return column === undefined ? [] : [{ source, column }]
    })
    const [first] = found
    if (first !== undefined) {
      if (found.some(({ column }) => column.sqlName !== first.column.sqlName)) throw ambiguous(name, found)
      return { ...first, needsTable: found.length === 1 && this.sources.length > 1 }
    }
    if (this.sources.some(({ columns }) => columns === undefined)) return undefined
    const outer = this.parent?.findColumn(name)
    if (outer === undefined || this.sources.length === 0) return outer
    this.#requireVisible(outer.source)
    return { ...outer, needsTable: true }
  }

  /** What is written to here, or in the statement around. */
  findTarget(): Source | undefined {
    return this.target ?? this.parent?.findTarget()
  }

  #requireVisible(outer: Source): void {
    const hiding = this.sources.find(({ table }) => table !== undefined && outer.table !== undefined && isSameTable(table, outer.table))
    if (hiding === undefined) return
    const sqlName = outer.table!.table.identifier.name
    throw new QueryError(
      `"${outer.name}" and "${hiding.name}" of a query inside it are both "${sqlName}" in SQL; give one of them another alias`,
      undefined,
    )
  }
}

function isSameTable({ table: one }: TableNode, { table: other }: TableNode): boolean {
  return one.identifier.name === other.identifier.name && one.schema?.name === other.schema?.name
}

function ambiguous(name: string, found: readonly { readonly source: Source }[]): QueryError {
  const choices = found.map(({ source }) => (source.name === undefined ? 'an expression' : `"${source.name}.${name}"`))
  return new QueryError(
    `the column "${name}" is one of several tables, under different names; say which: ${choices.join(' or ')}`,
    undefined,
  )
}
