/** What an engine can do, as values: code asks these and never for an engine's name. */
export interface Capabilities {
  /** INSERT, UPDATE, DELETE give rows back. Where not, the row is read in the same transaction. */
  readonly insertReturning: boolean
  readonly updateReturning: boolean
  readonly deleteReturning: boolean
  /** A failed statement inside a transaction leaves the transaction usable. PostgreSQL: no (25P02). */
  readonly statementErrorKeepsTransaction: boolean
  /** `SELECT … FOR UPDATE` exists. Where not, writers are serial. */
  readonly rowLocks: boolean
  /** Regular expressions in SQL. */
  readonly regex: boolean
  /** DDL can be rolled back. */
  readonly transactionalDdl: boolean
  /** Most bound values in one statement. */
  readonly maxParameters: number
}
