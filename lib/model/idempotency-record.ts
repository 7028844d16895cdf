import { defineModel } from './define-model.js'

/** Most characters of an idempotency key. */
export const MAX_IDEMPOTENCY_KEY_LENGTH = 200

/**
 * A call that was made with an idempotency key, and what it gave. A model like any other: name it among the models of the database, and
 * delete what has expired by its nodes.
 *
 * ```ts
 * createDatabase({ url, models: { orders: Order, idempotencyRecords: IdempotencyRecord } })
 * ```
 */
export class IdempotencyRecord {
  /** The node that was called, such as `OrderCreateNode`. */
  node!: string
  /** For whom, where the model has a tenant; else empty. */
  tenant!: string
  key!: string
  /** SHA-256 of the input and of what the options ask for, in hexadecimal digits. */
  payloadHash!: string
  /** What the call gave, as the text of JSON. */
  result!: string | null
  /** From then on the key is free again. */
  expiresAt!: Date
}

defineModel(IdempotencyRecord, {
  indexes: [{ on: ['expiresAt'] }],
  fields: {
    node: { kind: 'varchar', length: 150, primary: true },
    tenant: { kind: 'varchar', length: 200, primary: true },
    key: { kind: 'varchar', length: MAX_IDEMPOTENCY_KEY_LENGTH, primary: true },
    payloadHash: { kind: 'varchar', length: 64 },
    result: { kind: 'text', nullable: true, redacted: true },
    expiresAt: { kind: 'timestamp' },
  },
})
