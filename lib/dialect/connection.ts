import type { Deadline } from '../deadline.js'
import type { MaybePromise } from '../maybe-promise.js'
import type { PoolMember } from '../pool/pool.js'

/** SQL with its bound values, already in the driver's form. */
export interface Statement {
  readonly sql: string
  readonly parameters: readonly unknown[]
  /** Set for statements worth keeping prepared on the connection; the same name always means the same SQL. */
  readonly name?: string | undefined
  /** The result has 64-bit integers: give every integer as a bigint rather than round one. */
  readonly exactIntegers?: boolean | undefined
  /**
   * Run once for each of these lists of values instead of once with `parameters`; rows are those of all runs.
   * Only where {@link Capabilities.bulkInsert} is `'each'`.
   */
  readonly repeat?: readonly (readonly unknown[])[] | undefined
  /**
   * Of one that changes a row: reads it as it then is, where it is there, and nobody else comes between. Rows are those of this one.
   * Only where {@link Capabilities.updateReturning} is false.
   */
  readonly reread?: Reread | undefined
  /** With {@link reread}: there is no transaction around the two; they are one of their own. */
  readonly isAlone?: boolean | undefined
  /** Text of somebody's own, to be refused where it holds more than one statement. */
  readonly isSingle?: boolean | undefined
  /** When to give up waiting for a lock that another process holds on the database (SQLite). */
  readonly deadline?: Deadline | undefined
  /** The positions in `parameters`, from 0, that hold values of redacted fields; undefined: none of them is known to. */
  readonly redacted?: ReadonlySet<number> | undefined
}

/** A statement that reads the row that another one changes. */
export interface Reread extends Pick<Statement, 'sql' | 'parameters' | 'name'> {
  /** Locks the row before, and gives one where it is there to be changed. */
  readonly locking: Pick<Statement, 'sql' | 'parameters'>
}

/** Where a result column comes from; `table` and `column` are physical names, undefined for an expression. */
export interface ResultColumn {
  readonly name: string
  readonly table: string | undefined
  readonly column: string | undefined
  /** The value as the engine's plain driver would give it: for what is of no field. */
  readonly decode?: ((value: unknown) => unknown) | undefined
}

export interface StatementResult {
  /** Values in column order, in the driver's form: {@link Codec.decode} makes them JavaScript. */
  readonly rows: readonly (readonly unknown[])[]
  /** Rows matched by UPDATE and DELETE, inserted by INSERT; 0 for SELECT. See the dialect for upserts. */
  readonly affectedRows: number
  /** With {@link Statement.repeat}: the affected rows of each run. */
  readonly affectedEach?: readonly number[] | undefined
  /** First key made by the engine's counter, where it gives one. */
  readonly insertId?: number | bigint | undefined
  /** The engine's own words on the outcome (MySQL: `Records: 2  Duplicates: 1  Warnings: 0`). */
  readonly info?: string | undefined
  /**
   * Columns of the result; made when asked for, only while the connection is the caller's: an engine may have to ask the server.
   *
   * @param isKnown of a column's position, and how many there are: the caller needs no word of where it comes from
   */
  columns(isKnown?: (position: number, count: number) => boolean): MaybePromise<readonly ResultColumn[]>
}

/** Some rows of a cursor. */
export interface RowBatch extends StatementResult {
  /** None follow: the cursor needs its connection no more, but to be closed. */
  readonly isLast: boolean
}

/**
 * The rows of one statement that reads, taken batch by batch. It is sent with the first one. Where other statements run on the same
 * connection meanwhile, the cursor goes on as if they had not: where the engine cannot do both, it keeps its remaining rows itself.
 */
export interface RowCursor {
  /** The next rows: `size`, or all that are left, or more where they are here already. Throws what the driver throws. */
  fetch(size: number): MaybePromise<RowBatch>
  /** Gives up the rows that are left, and settles when other statements can run. Nothing may be fetched afterwards, or still be. */
  close(): MaybePromise<void>
}

/** How a transaction is to begin. */
export interface Beginning {
  readonly sql: string
  /** Most milliseconds until the server has answered it; undefined: as long as the statement that it goes out with may take. */
  readonly withinMs: number | undefined
  /** What that statement fails with where it has not. */
  unanswered(): Error
}

/** One session with the engine. Callers send one statement at a time. */
export interface Connection extends PoolMember {
  /** Runs a statement; gives a result at once where the driver is synchronous. Throws what the driver throws. */
  run(statement: Statement): MaybePromise<StatementResult>
  /**
   * Begins a transaction with the next statement, in one round trip for both: where that is refused, nothing of it has run. What ends the
   * transaction before any statement has nothing to do. Undefined where the engine has no such way.
   */
  beginWithNext?(beginning: Beginning): void
  /** A cursor over the rows of a statement. It lives no longer than the transaction in which its first rows are fetched. */
  openCursor(statement: Statement): RowCursor
  /** Asks the server to stop the statement that is running; settles when the request was sent. A no-op where it cannot be done. */
  cancel(): Promise<void>
}
