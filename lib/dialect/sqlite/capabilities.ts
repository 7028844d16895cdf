import type { Capabilities } from '../capabilities.js'

/** What the SQLite inside better-sqlite3 can do with a file. */
export const capabilities: Capabilities = Object.freeze({
  insertReturning: true,
  updateReturning: true,
  deleteReturning: true,
  statementErrorKeepsTransaction: true,
  failedCommitKeepsTransaction: true,
  namesForeignKeys: false,
  nullsSortedBy: Object.freeze({ asc: 'first', desc: 'last' }),
  nullsFirstLast: true,
  defaultKeyword: false,
  bulkInsert: 'each',
  upsert: 'insertThenUpdate',
  dedicatedConnections: true,
  schemas: false,
  transactionalDdl: true,
  maxParameters: 32_766,
  maxPatternBytes: 50_000,
})
