import { type Deadline, remainingMs } from '../../deadline.js'
import { QueryTimeoutError } from '../../errors.js'
import type { ResultColumn, StatementResult } from '../dialect.js'
import type { PreparedStatement } from './prepared-statements.js'

/** Runs a prepared statement with one list of values. */
export function runOnce(prepared: PreparedStatement, parameters: readonly unknown[]): StatementResult {
  // as one list: an object among separate arguments would be taken for named parameters
  if (prepared.returnsRows) {
    const rows = prepared.statement.all(parameters)
    return new RowsResult(rows, prepared.writes ? rows.length : 0, prepared)
  }
  const { changes, lastInsertRowid } = prepared.statement.run(parameters)
  return new CountResult(changes, prepared.inserts && changes > 0 ? lastInsertRowid : undefined)
}

/** The values that a repeated statement failed with, by the driver's error, which does not say which run it was. */
const failedRuns = new WeakMap<object, readonly unknown[]>()

/** The values of the run that an error came from; undefined where the statement was not a repeated one. */
export function failedRunOf(error: unknown): readonly unknown[] | undefined {
  return typeof error === 'object' && error !== null ? failedRuns.get(error) : undefined
}

/** One statement on its way through many lists of values. What has run stays run when a later list meets a lock. */
export class Repetition {
  readonly #lists: readonly (readonly unknown[])[]
  readonly #rows: (readonly unknown[])[] = []
  readonly #affectedEach: number[] = []
  readonly #deadline: Deadline

  constructor(lists: readonly (readonly unknown[])[], deadline: Deadline = Number.POSITIVE_INFINITY) {
    this.#lists = lists
    this.#deadline = deadline
  }

  /**
   * Runs the lists that have not run yet.
   *
   * @throws {QueryTimeoutError} the deadline came between two of them; those that ran have to be rolled back
   */
  run(prepared: PreparedStatement): StatementResult {
    const isTimed = this.#deadline !== Number.POSITIVE_INFINITY
    for (let index = this.#affectedEach.length; index < this.#lists.length; index++) {
      const isLate = isTimed && index > 0 && remainingMs(this.#deadline) === 0
      if (isLate) throw new QueryTimeoutError('the call ran past its timeoutMs between two rows')
      this.#affectedEach.push(this.#runList(prepared, this.#lists[index]!))
    }
    const affectedRows = this.#affectedEach.reduce((sum, count) => sum + count, 0)
    return new RowsResult(this.#rows, affectedRows, prepared, this.#affectedEach)
  }

  /** Runs one of the lists, keeps its rows and gives how many were affected: a result for each would be two more objects a row. */
  #runList({ statement, returnsRows, writes }: PreparedStatement, list: readonly unknown[]): number {
    try {
      if (!returnsRows) return statement.run(list).changes
      const rows = statement.all(list)
      for (const row of rows) this.#rows.push(row)
      return writes ? rows.length : 0
    } catch (error) {
      if (error instanceof Error) failedRuns.set(error, list)
      throw error
    }
  }
}

class RowsResult implements StatementResult {
  readonly #prepared: PreparedStatement

  constructor(
    readonly rows: readonly (readonly unknown[])[],
    readonly affectedRows: number,
    prepared: PreparedStatement,
    readonly affectedEach?: readonly number[],
  ) {
    this.#prepared = prepared
  }

  columns(): readonly ResultColumn[] {
    return this.#prepared.returnsRows ? this.#prepared.statement.columns().map(resultColumn) : []
  }
}

/** What a statement without rows gives. */
export class CountResult implements StatementResult {
  readonly rows: readonly (readonly unknown[])[] = []

  constructor(
    readonly affectedRows: number,
    readonly insertId?: number | bigint,
  ) {}

  columns(): readonly ResultColumn[] {
    return []
  }
}

/** A column in the words of the contract. */
export function resultColumn({ name, table, column }: { name: string; table: string | null; column: string | null }): ResultColumn {
  return { name, table: table ?? undefined, column: column ?? undefined, decode: narrowBigint }
}

/** A plain driver gives numbers; a bigint is kept only where a number would not be exact. */
function narrowBigint(value: unknown): unknown {
  if (typeof value !== 'bigint') return value
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}
