/**
 * What an engine can do, as values: code asks these and never for an engine's name. Servers of one engine may differ in what it
 * does with rows it has written; what they all can is said until one of them was met.
 */
export interface Capabilities {
  /** INSERT, UPDATE, DELETE give rows back. Where not, the row is read in the same transaction. */
  readonly insertReturning: boolean
  readonly updateReturning: boolean
  readonly deleteReturning: boolean
  /** A failed statement inside a transaction leaves the transaction usable. PostgreSQL: no (25P02). */
  readonly statementErrorKeepsTransaction: boolean
  /** A failed COMMIT leaves the transaction open, to be rolled back. SQLite: yes. */
  readonly failedCommitKeepsTransaction: boolean
  /** The refusal of a foreign key says which one it is. SQLite: no. */
  readonly namesForeignKeys: boolean
  /** Where nulls come in an ORDER BY that does not say. */
  readonly nullsSortedBy: { readonly asc: 'first' | 'last'; readonly desc: 'first' | 'last' }
  /** `NULLS FIRST` and `NULLS LAST` exist. */
  readonly nullsFirstLast: boolean
  /** `DEFAULT` can stand for any value in an INSERT. MySQL, MariaDB: not for one of the counter, whose next value is NULL. */
  readonly defaultKeyword: boolean
  /** How many rows go into one INSERT: arrays of columns, a list of rows, or one row wherever something is told of each. */
  readonly bulkInsert: 'arrays' | 'rows' | 'each'
  /** How a row is created or updated in one step. */
  readonly upsert: 'onConflict' | 'onDuplicateKey' | 'insertThenUpdate'
  /** A connection outside the pool reaches the same database. In-memory SQLite: no. */
  readonly dedicatedConnections: boolean
  /** DDL can be rolled back. */
  readonly transactionalDdl: boolean
  /** Tables can stand in a schema that a statement names. SQLite: no. */
  readonly schemas: boolean
  /** Most bound values in one statement. */
  readonly maxParameters: number
  /** Longest pattern of a LIKE, as UTF-8, escapes included; Infinity: any that can be sent. */
  readonly maxPatternBytes: number
}
