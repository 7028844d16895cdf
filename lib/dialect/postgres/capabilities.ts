import type { Capabilities } from '../capabilities.js'

/** What every PostgreSQL can that is supported. */
export const capabilities: Capabilities = Object.freeze({
  insertReturning: true,
  updateReturning: true,
  deleteReturning: true,
  statementErrorKeepsTransaction: false,
  failedCommitKeepsTransaction: false,
  namesForeignKeys: true,
  nullsSortedBy: { asc: 'last', desc: 'first' } as const,
  nullsFirstLast: true,
  defaultKeyword: true,
  bulkInsert: 'arrays',
  upsert: 'onConflict',
  schemas: true,
  transactionalDdl: true,
  dedicatedConnections: true,
  // the protocol counts them in 16 bits
  maxParameters: 65_535,
  maxPatternBytes: Number.POSITIVE_INFINITY,
})
