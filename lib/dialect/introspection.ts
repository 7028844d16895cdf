import type { Schema } from '../model/schema.js'

/** What is asked of a database. */
export interface IntrospectOptions {
  /**
   * The schema that is expected. Where the database holds what it says, its words are given: logical types, constants, conditions, and what
   * the engine has no place for, such as comments on SQLite. Default: none.
   */
  readonly known?: Schema | undefined
  /** Schemas (PostgreSQL) or databases (MySQL) beside the connection's own. Default: those of `known`. */
  readonly schemas?: readonly string[] | undefined
  /** {@link Introspection.expressions} of when `known` was made: an expression that reads as it did then is as it was. */
  readonly expressions?: Readonly<Record<string, string>> | undefined
}

/** What is in a database. */
export interface Introspection {
  /** In order of name. */
  readonly schema: Schema
  /** What is there and cannot be said, or not with certainty. */
  readonly findings: readonly IntrospectionFinding[]
  /** What is there and no schema has a word for, so that it is no difference to one: see {@link StoredTable.remarks}. */
  readonly remarks: readonly IntrospectionFinding[]
  /** Each default, check, and condition or expression of an index as the engine gives it back, by `table/kind/name`. */
  readonly expressions: Readonly<Record<string, string>>
  /** What the schema leaves out, as the catalogue has it: a finding speaks of each. */
  readonly unread: Unread
}

export interface Unread {
  /** `table` as in a finding; `position` among all columns of the table. */
  readonly columns: readonly { readonly table: string; readonly position: number; readonly column: StoredColumn }[]
  readonly indexes: readonly { readonly table: string; readonly isUnique: boolean; readonly index: StoredIndex }[]
}

export interface IntrospectionFinding {
  /** `users`, `hr.users` */
  readonly table: string
  /** Of a column, key, index or constraint; undefined: of the table. */
  readonly object?: string
  /** What that is. */
  readonly what?: 'column' | 'unique' | 'index' | undefined
  /** For people: `a column of type "money", which no field has`. */
  readonly problem: string
}

/** A table as an engine's catalogue has it. */
export interface StoredTable {
  readonly schema?: string
  readonly name: string
  readonly comment?: string
  readonly columns: readonly StoredColumn[]
  readonly primaryKey?: { readonly name?: string; readonly columns: readonly string[] }
  readonly uniques: readonly StoredIndex[]
  readonly indexes: readonly StoredIndex[]
  readonly foreignKeys: Schema['tables'][number]['foreignKeys']
  readonly checks: readonly { readonly name: string; readonly sql: string }[]
  readonly findings?: readonly Omit<IntrospectionFinding, 'table'>[]
  /** How columns compare text, when constraints are checked, what triggers there are: a migration leaves it as it is. */
  readonly remarks?: readonly Remark[]
}

export type Remark = Omit<IntrospectionFinding, 'table' | 'what'>

export interface StoredColumn {
  readonly name: string
  /** In the engine's words. */
  readonly typeText: string
  /** As far as those tell it. */
  readonly type: Schema['tables'][number]['columns'][number]['type'] | undefined
  /** Where they do not: a type whose values the engine keeps and gives alike. */
  readonly nearest?: Schema['tables'][number]['columns'][number]['type'] | undefined
  readonly nullable: boolean
  readonly default?: string
  readonly counts: boolean
  readonly comment?: string
}

export interface StoredIndex {
  readonly name: string
  readonly columns: readonly string[]
  /** The expression it is on. */
  readonly expression?: string
  /** Everything of it that is SQL, in the form of {@link EngineForms.indexSql}; undefined: it is on columns alone, and on every row. */
  readonly sql?: string
}
