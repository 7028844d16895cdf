import type { CreateInput, FieldName, OrderBy, Select, Selected, UpdateInput, Where } from '../model/row-types.js'
import type { CallOptions } from '../query/query-plan.js'
import type { Node } from './node.js'

/** Options of the nodes that give rows back. */
export interface RowOptions<S> extends CallOptions {
  /** The fields to read and give back. Default: all. */
  readonly select?: S
}

/** Options of the nodes that take many rows. */
export interface BulkOptions extends CallOptions {
  /** `false`: each chunk of rows is committed by itself, and stays when a later one fails. Default true: all or nothing. */
  readonly transaction?: boolean
}

/** Names one row: the value of every field of a key, and more conditions beside it. */
export interface KeyInput<M> {
  readonly where: Where<M>
}

export interface UpdateRowInput<M> extends KeyInput<M> {
  readonly set: UpdateInput<M>
  /** The version that the row must have, for models with a version field. */
  readonly version?: number
}

export interface DeleteRowInput<M> extends KeyInput<M> {
  readonly version?: number
}

export interface ListInput<M> {
  readonly where?: Where<M>
  readonly orderBy?: OrderBy<M>
  /** Most rows to give. Default: all. */
  readonly limit?: number
  /** Rows to leave out first. Default 0. */
  readonly offset?: number
  /** Count the rows that match in all. Default false. */
  readonly total?: boolean
}

export interface ListResult<R> {
  rows: R[]
  /** With `total: true`: how many rows match in all. */
  total?: number
}

export interface UpsertInput<M> {
  /** The fields of a unique key, by which the row is found. */
  readonly on: readonly FieldName<M>[]
  readonly values: CreateInput<M>
  /** What to set in a row that is there. Default: `values`, less the key. */
  readonly update?: UpdateInput<M>
}

export type UpsertOutcome = 'created' | 'updated' | 'unchanged'

export interface UpsertResult<R> {
  row: R
  outcome: UpsertOutcome
}

/** Rows as a list, or as anything that can be iterated. */
export type Rows<T> = Iterable<T> | AsyncIterable<T>

export interface BulkCreateInput<M> {
  readonly rows: Rows<CreateInput<M>>
  /** `'skip'`: leave out the rows whose unique key is taken. Default: fail, and write nothing. */
  readonly onConflict?: 'skip'
  /** Give the rows made, in the order of the input. Default false. */
  readonly returning?: boolean
}

export interface BulkCreateResult<R> {
  count: number
  /** With `returning: true`. */
  rows?: R[]
}

/** Which rows: those of a filter that is not empty, or all of them if that is said. */
export type BulkWhere<M> = { readonly where: Where<M>; readonly all?: never } | { readonly all: true; readonly where?: never }

export type BulkUpdateInput<M> = BulkWhere<M> & { readonly set: UpdateInput<M> }

export interface CountResult {
  count: number
}

export interface BulkUpsertInput<M> {
  readonly on: readonly FieldName<M>[]
  readonly rows: Rows<CreateInput<M>>
}

export interface BulkUpsertResult {
  created: number
  updated: number
  unchanged: number
}

type CreateCall<M> = <const S extends Select<M> | undefined = undefined>(
  input: CreateInput<M>,
  options?: RowOptions<S>,
) => Promise<Selected<M, S>>
type ReadCall<M> = <const S extends Select<M> | undefined = undefined>(
  input: KeyInput<M>,
  options?: RowOptions<S>,
) => Promise<Selected<M, S> | null>
type ReadOrThrowCall<M> = <const S extends Select<M> | undefined = undefined>(
  input: KeyInput<M>,
  options?: RowOptions<S>,
) => Promise<Selected<M, S>>
type UpdateCall<M> = <const S extends Select<M> | undefined = undefined>(
  input: UpdateRowInput<M>,
  options?: RowOptions<S>,
) => Promise<Selected<M, S>>
type DeleteCall<M> = <const S extends Select<M> | undefined = undefined>(
  input: DeleteRowInput<M>,
  options?: RowOptions<S>,
) => Promise<Selected<M, S>>
type ListCall<M> = <const S extends Select<M> | undefined = undefined>(
  input?: ListInput<M>,
  options?: RowOptions<S>,
) => Promise<ListResult<Selected<M, S>>>
type CountCall<M> = (input?: { readonly where?: Where<M> }, options?: CallOptions) => Promise<number>
type UpsertCall<M> = <const S extends Select<M> | undefined = undefined>(
  input: UpsertInput<M>,
  options?: RowOptions<S>,
) => Promise<UpsertResult<Selected<M, S>>>
type BulkCreateCall<M> = <const S extends Select<M> | undefined = undefined>(
  input: BulkCreateInput<M>,
  options?: BulkOptions & RowOptions<S>,
) => Promise<BulkCreateResult<Selected<M, S>>>
type BulkUpdateCall<M> = (input: BulkUpdateInput<M>, options?: CallOptions) => Promise<CountResult>
type BulkDeleteCall<M> = (input: BulkWhere<M>, options?: CallOptions) => Promise<CountResult>
type BulkUpsertCall<M> = (input: BulkUpsertInput<M>, options?: BulkOptions) => Promise<BulkUpsertResult>

/**
 * The nodes of a model. Every one throws a typed error when it fails: {@link ValidationError} before any SQL, then what
 * the database refused, then what became of the connection.
 */
export interface ModelNodes<M> {
  /** Inserts a row; gives it as it is stored. */
  readonly create: Node<CreateCall<M>>
  /** The row of a key, or null. */
  readonly read: Node<ReadCall<M>>
  /** The row of a key; `NotFoundError` where it is not there. */
  readonly readOrThrow: Node<ReadOrThrowCall<M>>
  /** Changes the row of a key; gives it as it is stored. `NotFoundError`, `StaleVersionError`. */
  readonly update: Node<UpdateCall<M>>
  /** Deletes the row of a key, or marks it as deleted; gives it as it was. `NotFoundError`, `StaleVersionError`. */
  readonly delete: Node<DeleteCall<M>>
  /** The rows of a filter, in order, by pages. */
  readonly list: Node<ListCall<M>>
  /** How many rows a filter matches. */
  readonly count: Node<CountCall<M>>
  /** Creates a row or changes the one with the same key, in one step. */
  readonly upsert: Node<UpsertCall<M>>
  /** Inserts many rows, all or none. */
  readonly bulkCreate: Node<BulkCreateCall<M>>
  /** Changes all rows of a filter. */
  readonly bulkUpdate: Node<BulkUpdateCall<M>>
  /** Deletes all rows of a filter, or marks them as deleted. */
  readonly bulkDelete: Node<BulkDeleteCall<M>>
  /** Creates many rows, or changes those with the same key. */
  readonly bulkUpsert: Node<BulkUpsertCall<M>>
}
