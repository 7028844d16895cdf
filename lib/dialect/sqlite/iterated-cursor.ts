import type Sqlite from 'better-sqlite3'
import type { MaybePromise } from '../../maybe-promise.js'
import type { RowBatch, RowCursor } from '../dialect.js'
import { isBusy } from './lock-wait.js'
import { resultColumn } from './statement-run.js'

/** The connection that a cursor is on. */
export interface CursorConnection {
  /** Those that are in the middle of their rows. */
  readonly open: Set<IteratedCursor>
  /** The database has no other: all rows come with the first batch, since nobody could use it before. */
  readonly isWhole: boolean
  /** Runs `work` when no other process keeps the database to itself. */
  whenFree<T>(work: () => T): Promise<T>
}

/** A statement that nothing else on its connection runs, and its values. */
export interface OwnStatement {
  readonly statement: Sqlite.Statement<unknown[], unknown[]>
  readonly parameters: readonly unknown[]
}

/**
 * The rows of a statement that is stepped through. While it is, its connection keeps the snapshot that it reads, and can read more; before
 * it writes, the remaining rows are taken into memory.
 */
export class IteratedCursor implements RowCursor {
  readonly #start: () => OwnStatement
  readonly #connection: CursorConnection
  #statement: Sqlite.Statement<unknown[], unknown[]> | undefined
  #rows: Iterator<unknown[]> | undefined
  #kept: unknown[][] = []

  constructor(start: () => OwnStatement, connection: CursorConnection) {
    this.#start = start
    this.#connection = connection
  }

  fetch(size: number): MaybePromise<RowBatch> {
    if (this.#statement !== undefined) return this.#next(size)
    try {
      return this.#first(size)
    } catch (error) {
      if (!isBusy(error)) throw error
      return this.#connection.whenFree(() => this.#first(size))
    }
  }

  close(): void {
    this.#rows?.return?.()
    this.#ended()
    this.#kept = []
  }

  /** Takes the rows that are left into memory. */
  keepRest(): void {
    this.#kept.push(...this.#take(Number.POSITIVE_INFINITY))
  }

  #first(size: number): RowBatch {
    const { statement, parameters } = this.#start()
    // as one list: an object among separate arguments would be taken for named parameters
    this.#rows = statement.iterate(parameters as unknown[])
    this.#statement = statement
    this.#connection.open.add(this)
    try {
      return this.#next(size)
    } catch (error) {
      this.#ended()
      throw error
    }
  }

  #next(size: number): RowBatch {
    const rows = this.#kept.length > 0 ? this.#kept : this.#take(this.#connection.isWhole ? Number.POSITIVE_INFINITY : size)
    this.#kept = []
    const statement = this.#statement!
    return { rows, affectedRows: 0, isLast: this.#rows === undefined, columns: () => statement.columns().map(resultColumn) }
  }

  #take(size: number): unknown[][] {
    const taken: unknown[][] = []
    while (this.#rows !== undefined && taken.length < size) {
      const { done, value } = this.#rows.next()
      if (done === true) this.#ended()
      else taken.push(value)
    }
    return taken
  }

  #ended(): void {
    this.#rows = undefined
    this.#connection.open.delete(this)
  }
}
