import type { ColumnType } from './column-type.js'
import type { ReferentialAction, StaticCondition } from './model-definition.js'

/**
 * The canonical schema of a set of models: frozen JSON, logical types, an explicit name for every object.
 * Conditions speak of columns. The order of tables, columns and objects is that of the models and is never a difference.
 */
export interface Schema {
  readonly version: 1
  readonly tables: readonly TableSchema[]
}

export interface TableSchema {
  readonly name: string
  readonly schema?: string
  readonly columns: readonly ColumnSchema[]
  readonly primaryKey: { readonly name: string; readonly columns: readonly string[] }
  readonly uniques: readonly UniqueSchema[]
  readonly indexes: readonly IndexSchema[]
  readonly foreignKeys: readonly ForeignKeySchema[]
  readonly checks: readonly CheckSchema[]
  readonly comment?: string
}

export interface ColumnSchema {
  readonly name: string
  readonly type: ColumnType
  readonly nullable: boolean
  readonly default?: ColumnDefault
  readonly comment?: string
}

/** `value`: JSON of the logical type (decimal, bigint, date, time, uuid as strings; bytes as base64); `now`: the current instant. */
export type ColumnDefault =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'sql'; readonly sql: string }
  | { readonly kind: 'increment' }
  | { readonly kind: 'now' }

export interface UniqueSchema {
  readonly name: string
  readonly columns: readonly string[]
  readonly where?: StaticCondition
}

export interface IndexSchema {
  readonly name: string
  readonly columns: readonly string[]
  readonly expression?: string
  readonly where?: StaticCondition
}

export interface ForeignKeySchema {
  readonly name: string
  readonly columns: readonly string[]
  readonly target: { readonly schema?: string; readonly table: string; readonly columns: readonly string[] }
  readonly onDelete: ReferentialAction
  readonly onUpdate: ReferentialAction
}

/** One of `condition` and `sql` is set. */
export interface CheckSchema {
  readonly name: string
  readonly condition?: StaticCondition
  readonly sql?: string
}
