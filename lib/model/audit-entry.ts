import type { Generated } from 'kysely'
import { MAX_ACTOR_LENGTH, MAX_ROW_KEY_LENGTH } from './define-audit.js'
import { defineModel } from './define-model.js'
import type { Json } from './row-types.js'

/** What became of a row. One that is only marked as deleted is `deleted`, and `restored` when the mark is taken away. */
export type AuditedChange = 'created' | 'updated' | 'deleted' | 'restored'

/** Fields by name, their values as JSON has them: a bigint and a date as text, bytes in base64. */
export type AuditedValues = Readonly<Record<string, unknown>>

/**
 * A change of a row of a model with `audit`. A model like any other: name it among the models of the database, and read it by its nodes.
 *
 * ```ts
 * createDatabase({ url, models: { invoices: Invoice, auditEntries: AuditEntry } })
 * ```
 */
export class AuditEntry {
  id!: Generated<bigint>
  /** When, by the clock of the database object. */
  at!: Date
  /** Who, as `db.withActor` said; null: nobody did. */
  actor!: string | null
  /** Of the row, for models with a tenant. */
  tenant!: string | null
  /** Name of the row's model. */
  model!: string
  /** The row's primary key as text; of several fields a JSON list. */
  rowKey!: string
  change!: AuditedChange
  /** The node that was called, such as `InvoiceBulkUpdateNode`. */
  node!: string
  /** What the row was: all of it where it was deleted, of an update what changed. Null where it was created. */
  before!: Json<AuditedValues> | null
  /** What the row became: all of it where it was created, of an update what changed. Null where it is gone. */
  after!: Json<AuditedValues> | null
}

defineModel(AuditEntry, {
  indexes: [{ on: ['model', 'rowKey'] }, { on: ['at'] }],
  fields: {
    id: { kind: 'bigint', primary: true, increment: true },
    at: { kind: 'timestamp' },
    actor: { kind: 'varchar', length: MAX_ACTOR_LENGTH, nullable: true },
    tenant: { kind: 'varchar', length: MAX_ACTOR_LENGTH, nullable: true },
    model: { kind: 'varchar', length: 100 },
    rowKey: { kind: 'varchar', length: MAX_ROW_KEY_LENGTH },
    change: { kind: 'enum', values: ['created', 'updated', 'deleted', 'restored'] },
    node: { kind: 'varchar', length: 150 },
    before: { kind: 'json', nullable: true },
    after: { kind: 'json', nullable: true },
  },
})
