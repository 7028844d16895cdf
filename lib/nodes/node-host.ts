import type { SqlRunner } from '../query/sql-statement.js'
import type { TransactionOptions } from '../query/transaction-options.js'
import type { Node } from './node.js'

/** What a database is to nodes that need one. */
export interface NodeHost {
  /** Whether the call is in a transaction. */
  readonly isInTransaction: boolean
  transaction<T>(fn: () => Promise<T>, options?: TransactionOptions): Promise<T>
  node(name: string): Node
  readonly statements: SqlRunner
}

/** A node that is yet to be given its database: see `db.register`. */
export interface Unbound<N> {
  readonly name: string
  bindTo(host: NodeHost): N
}
