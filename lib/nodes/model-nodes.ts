import type { SelectType } from 'kysely'
import type { AggregateInput, AggregateRow, AggregateValues } from '../model/aggregate-types.js'
import type { NewRow } from '../model/create-types.js'
import type { DeletedOption, Include, Known, RowWith } from '../model/include-types.js'
import type { CreateInput, FieldName, OrderBy, Select, Selected, UpdateInput, Where } from '../model/row-types.js'
import type { View } from '../model/view.js'
import type { ExplainMode, Explanation } from '../query/explain.js'
import type { CallOptions } from '../query/query-plan.js'
import type { Node } from './node.js'

/** Options of the nodes that give fields of rows back. */
export interface SelectOptions<S> extends CallOptions {
  /** The fields to read and give back. Default: all. */
  readonly select?: S
}

/** Options of the nodes that give rows back with what belongs to them. */
export interface RowOptions<S, I> extends SelectOptions<S> {
  /** The relations to read with each row: to-one by a join where they go by a key, others by one more statement. Default: none. */
  readonly include?: I
}

/** Options of the nodes that read rows: these may be locked to the end of the transaction around the call. */
export interface ReadOptions<S, I> extends RowOptions<S, I>, DeletedOption {
  /** `'update'`: nobody else changes or locks the rows; `'share'`: nobody else changes them. No effect on SQLite, which has one writer. */
  readonly for?: 'update' | 'share'
  /** Leave out rows that somebody else has locked. */
  readonly skipLocked?: boolean
  /** Fail with `LockTimeoutError` at once where somebody else has locked a row. */
  readonly noWait?: boolean
}

/** Options of the nodes that read one row. */
export interface ReadOneOptions<S, I> extends ReadOptions<S, I> {
  /**
   * `false`: in a statement of its own. Default true: reads by one integer, bigint or UUID that come while one of the same kind is under way
   * go together, outside of transactions and locks, and without `timeoutMs` and `signal`.
   */
  readonly batch?: boolean
}

/** Makes a node give the plans of its statements in place of its result. */
export interface ExplainOption {
  /**
   * `true`: the engine's plans; a read is run only as far as its `include` takes, a write in a transaction that is rolled back.
   * `'analyze'`: the statements are run and measured, not on SQLite, and of writes on PostgreSQL and MariaDB alone.
   */
  readonly explain: ExplainMode
}

/** Makes a call have its effect once, however often it is made. */
export interface IdempotencyOption {
  /**
   * A text of 1 to 200 characters. A call with the key of one that has run gives what that gave; needs `IdempotencyRecord` among the models
   * of the database. With another input: `IdempotencyKeyReusedError`.
   */
  readonly idempotencyKey?: string
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

export interface ReadInput<M, I = undefined> extends KeyInput<M> {
  /** As in the options: give it in one of the two. */
  readonly include?: Known<M, I>
}

export interface UpdateRowInput<M> extends KeyInput<M> {
  readonly set: UpdateInput<M>
  /** The version that the row must have, for models with a version field. */
  readonly version?: number
}

export interface DeleteRowInput<M> extends KeyInput<M> {
  readonly version?: number
}

export interface ListInput<M, I = undefined> {
  readonly where?: Where<M>
  readonly orderBy?: OrderBy<M>
  /** Most rows to give. Default: all. */
  readonly limit?: number
  /** Rows to leave out first. Default 0. */
  readonly offset?: number
  /** Start behind this place: the `nextCursor` of a list in the same order. */
  readonly after?: string
  /** End before this place: the `previousCursor` of a list in the same order. */
  readonly before?: string
  /** Count the rows that match in all. Default false. */
  readonly total?: boolean
  /** As in the options: give it in one of the two. */
  readonly include?: Known<M, I>
}

export interface StreamInput<M, I = undefined> {
  readonly where?: Where<M>
  /** The primary key decides among equals. An index should serve it: rows are read in chunks, each from where the last one ended. */
  readonly orderBy?: OrderBy<M>
  /** Most rows to give. Default: all. */
  readonly limit?: number
  /** As in the options: give it in one of the two. */
  readonly include?: Known<M, I>
}

export interface ListResult<R> {
  rows: R[]
  /** With a `limit`, where more rows follow: where they begin, for `after`. */
  nextCursor?: string
  /** Where rows come before: where they end, for `before`. */
  previousCursor?: string
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

/** The values of the fields of one unique key: `{ id: 1 }`. */
export type KeyValues<M> = { readonly [K in FieldName<M>]?: NonNullable<SelectType<M[K]>> }

export interface ReadManyInput<M, I = undefined> {
  /** All with the fields of the same key; at most 100,000. */
  readonly keys: readonly KeyValues<M>[]
  /** As in the options: give it in one of the two. */
  readonly include?: Known<M, I>
}

/** Which rows to take, what to make of them, and how many at most. */
export type ClaimInput<M> = BulkWhere<M> & {
  readonly set: UpdateInput<M>
  /** Which come first. The primary key decides among equals. */
  readonly orderBy?: OrderBy<M>
  /** Most rows to take. Default 1. */
  readonly limit?: number
}

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

type SelectOf<M> = Select<M> | undefined
type IncludeOf<M> = Include<M> | undefined

// options of a call that is explained; the compiler looks at them for every other call too, and an interface costs it less than an intersection

interface ExplainCall extends CallOptions, ExplainOption {}
interface ExplainFound extends CallOptions, DeletedOption, ExplainOption {}
interface ExplainRow<M> extends RowOptions<SelectOf<M>, IncludeOf<M>>, ExplainOption {}
interface ExplainRead<M> extends ReadOptions<SelectOf<M>, IncludeOf<M>>, ExplainOption {}
interface ExplainRows<M> extends RowOptions<SelectOf<M>, IncludeOf<M>>, DeletedOption, ExplainOption {}
interface ExplainCreate<M> extends RowOptions<SelectOf<M>, IncludeOf<M>>, IdempotencyOption, ExplainOption {}
interface ExplainDelete<M> extends SelectOptions<SelectOf<M>>, ExplainOption {}
interface ExplainBulkCreate<M> extends BulkOptions, SelectOptions<SelectOf<M>>, IdempotencyOption, ExplainOption {}
interface ExplainBulkUpsert extends BulkOptions, ExplainOption {}

// each call has a form that explains it; what is inferred from the type of a node is its own form, which comes last

interface CreateCall<M> {
  (input: NewRow<M>, options: ExplainCreate<M>): Promise<Explanation>
  <const S extends SelectOf<M> = undefined, const I extends IncludeOf<M> = undefined>(
    input: NewRow<M>,
    options?: RowOptions<S, Known<M, I>> & IdempotencyOption,
  ): Promise<RowWith<M, S, I>>
}
interface ReadCall<M> {
  (input: ReadInput<M, IncludeOf<M>>, options: ExplainRead<M>): Promise<Explanation>
  <const S extends SelectOf<M> = undefined, const I extends IncludeOf<M> = undefined>(
    input: ReadInput<M, I>,
    options?: ReadOneOptions<S, Known<M, I>>,
  ): Promise<RowWith<M, S, I> | null>
}
interface ReadOrThrowCall<M> {
  (input: ReadInput<M, IncludeOf<M>>, options: ExplainRead<M>): Promise<Explanation>
  <const S extends SelectOf<M> = undefined, const I extends IncludeOf<M> = undefined>(
    input: ReadInput<M, I>,
    options?: ReadOneOptions<S, Known<M, I>>,
  ): Promise<RowWith<M, S, I>>
}
interface UpdateCall<M> {
  (input: UpdateRowInput<M>, options: ExplainRow<M>): Promise<Explanation>
  <const S extends SelectOf<M> = undefined, const I extends IncludeOf<M> = undefined>(
    input: UpdateRowInput<M>,
    options?: RowOptions<S, Known<M, I>>,
  ): Promise<RowWith<M, S, I>>
}
interface DeleteCall<M> {
  (input: DeleteRowInput<M>, options: ExplainDelete<M>): Promise<Explanation>
  <const S extends SelectOf<M> = undefined>(input: DeleteRowInput<M>, options?: SelectOptions<S>): Promise<Selected<M, S>>
}
interface RestoreCall<M> {
  (input: KeyInput<M>, options: ExplainRow<M>): Promise<Explanation>
  <const S extends SelectOf<M> = undefined, const I extends IncludeOf<M> = undefined>(
    input: KeyInput<M>,
    options?: RowOptions<S, Known<M, I>>,
  ): Promise<RowWith<M, S, I>>
}
interface ListCall<M> {
  (input: ListInput<M, IncludeOf<M>>, options: ExplainRead<M>): Promise<Explanation>
  <const S extends SelectOf<M> = undefined, const I extends IncludeOf<M> = undefined>(
    input?: ListInput<M, I>,
    options?: ReadOptions<S, Known<M, I>>,
  ): Promise<ListResult<RowWith<M, S, I>>>
}
interface ReadManyCall<M> {
  (input: ReadManyInput<M, IncludeOf<M>>, options: ExplainRows<M>): Promise<Explanation>
  <const S extends SelectOf<M> = undefined, const I extends IncludeOf<M> = undefined>(
    input: ReadManyInput<M, I>,
    options?: RowOptions<S, Known<M, I>> & DeletedOption,
  ): Promise<(RowWith<M, S, I> | null)[]>
}
interface StreamCall<M> {
  (input: StreamInput<M, IncludeOf<M>>, options: ExplainRows<M>): Promise<Explanation>
  <const S extends SelectOf<M> = undefined, const I extends IncludeOf<M> = undefined>(
    input?: StreamInput<M, I>,
    options?: RowOptions<S, Known<M, I>> & DeletedOption,
  ): AsyncGenerator<RowWith<M, S, I>, void, undefined>
}
interface ExistsCall<M> {
  (input: { readonly where?: Where<M> }, options: ExplainFound): Promise<Explanation>
  (input?: { readonly where?: Where<M> }, options?: CallOptions & DeletedOption): Promise<boolean>
}
interface AggregateCall<M> {
  (input: AggregateInput<M, AggregateValues<M>, readonly FieldName<M>[]>, options: ExplainFound): Promise<Explanation>
  <const V extends AggregateValues<M>, const G extends readonly FieldName<M>[] = readonly []>(
    input: AggregateInput<M, V, G>,
    options?: CallOptions & DeletedOption,
  ): Promise<AggregateRow<M, V, G>[]>
}
interface ClaimCall<M> {
  (input: ClaimInput<M>, options: ExplainRow<M>): Promise<Explanation>
  <const S extends SelectOf<M> = undefined, const I extends IncludeOf<M> = undefined>(
    input: ClaimInput<M>,
    options?: RowOptions<S, Known<M, I>>,
  ): Promise<RowWith<M, S, I>[]>
}
interface CountCall<M> {
  (input: { readonly where?: Where<M> }, options: ExplainFound): Promise<Explanation>
  (input?: { readonly where?: Where<M> }, options?: CallOptions & DeletedOption): Promise<number>
}
interface UpsertCall<M> {
  (input: UpsertInput<M>, options: ExplainRow<M>): Promise<Explanation>
  <const S extends SelectOf<M> = undefined, const I extends IncludeOf<M> = undefined>(
    input: UpsertInput<M>,
    options?: RowOptions<S, Known<M, I>>,
  ): Promise<UpsertResult<RowWith<M, S, I>>>
}
interface BulkCreateCall<M> {
  (input: BulkCreateInput<M>, options: ExplainBulkCreate<M>): Promise<Explanation>
  <const S extends SelectOf<M> = undefined>(
    input: BulkCreateInput<M>,
    options?: BulkOptions & SelectOptions<S> & IdempotencyOption,
  ): Promise<BulkCreateResult<Selected<M, S>>>
}
interface BulkUpdateCall<M> {
  (input: BulkUpdateInput<M>, options: ExplainCall): Promise<Explanation>
  (input: BulkUpdateInput<M>, options?: CallOptions): Promise<CountResult>
}
interface BulkDeleteCall<M> {
  (input: BulkWhere<M>, options: ExplainCall): Promise<Explanation>
  (input: BulkWhere<M>, options?: CallOptions): Promise<CountResult>
}
interface BulkUpsertCall<M> {
  (input: BulkUpsertInput<M>, options: ExplainBulkUpsert): Promise<Explanation>
  (input: BulkUpsertInput<M>, options?: BulkOptions): Promise<BulkUpsertResult>
}

/**
 * The nodes of a model. Every one throws a typed error when it fails: {@link ValidationError} before any SQL, then what
 * the database refused, then what became of the connection.
 */
export interface ModelNodes<M> {
  /** Inserts a row, and with it the rows of its relations that are given; gives it as it is stored. */
  readonly create: Node<CreateCall<M>>
  /** The row of a key, or null. */
  readonly read: Node<ReadCall<M>>
  /** The row of a key; `NotFoundError` where it is not there. */
  readonly readOrThrow: Node<ReadOrThrowCall<M>>
  /** Changes the row of a key; gives it as it is stored. `NotFoundError`, `StaleVersionError`. */
  readonly update: Node<UpdateCall<M>>
  /** Deletes the row of a key, or marks it as deleted; gives it as it was. `NotFoundError`, `StaleVersionError`. */
  readonly delete: Node<DeleteCall<M>>
  /** Brings back a row that is marked as deleted, and what was deleted with it. `NotFoundError`. */
  readonly restore: Node<RestoreCall<M>>
  /** The rows of a filter, in order, by pages. */
  readonly list: Node<ListCall<M>>
  /** The rows of many keys, in the order of the keys, null where there is none. */
  readonly readMany: Node<ReadManyCall<M>>
  /** How many rows a filter matches. */
  readonly count: Node<CountCall<M>>
  /** The rows of a filter one by one, read in chunks as they are taken. */
  readonly stream: Node<StreamCall<M>>
  /** Whether a filter matches any row. */
  readonly exists: Node<ExistsCall<M>>
  /** Counts, sums, averages and extremes over the rows of a filter, in groups or in all. */
  readonly aggregate: Node<AggregateCall<M>>
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
  /** Changes the first rows of a filter that nobody else has locked, and gives them: the head of a queue. */
  readonly claim: Node<ClaimCall<M>>
}

/** The nodes of a view without a key. */
export type ViewNodes<M> = Pick<ModelNodes<M>, 'list' | 'count' | 'exists' | 'aggregate'>

/** The nodes of a view with a key: all that read. */
export type KeyedViewNodes<M> = ViewNodes<M> & Pick<ModelNodes<M>, 'read' | 'readOrThrow' | 'readMany' | 'stream'>

/** The nodes that a model has. Of a model of which the compiler knows nothing, all of them. */
export type NodesOf<M> = 0 extends 1 & M
  ? ModelNodes<M>
  : M extends View<infer K>
    ? [K] extends [never]
      ? ViewNodes<M>
      : KeyedViewNodes<M>
    : ModelNodes<M>
