import type { FieldDef } from 'pg'
import { AnsweredQuery, type OnAnswer, type Wire } from './answered-query.js'

/** A portal of the server: a statement with its values, run as far as its rows were asked for. */
export interface Portal {
  /** Unique in its session. */
  readonly name: string
  readonly text: string
  readonly values: readonly unknown[]
  /** Its columns, once it is there. */
  fields: readonly FieldDef[] | undefined
  /** All its rows have been sent. */
  isDrained: boolean
}

/** Asks for the next rows of a portal, which is made if it is not there. Source: PostgreSQL 15 manual, 55.2.3 "Extended Query". */
export class PortalFetch extends AnsweredQuery {
  readonly #portal: Portal
  readonly #size: number

  constructor(portal: Portal, size: number, callback: OnAnswer) {
    super(callback)
    this.#portal = portal
    this.#size = size
  }

  submit(connection: unknown): void {
    const wire = connection as Wire
    const { name, text, values, fields } = this.#portal
    // all messages in one packet
    wire.stream.cork()
    if (fields === undefined) {
      wire.parse({ name: '', text })
      wire.bind({ portal: name, statement: '', values })
      wire.describe({ type: 'P', name })
    }
    wire.execute({ portal: name, rows: this.#size })
    // inside a transaction the portal outlives it
    wire.sync()
    wire.stream.uncork()
  }

  handleRowDescription({ fields }: { readonly fields: readonly FieldDef[] }): void {
    this.#portal.fields = fields
  }

  override handleCommandComplete(message: { readonly text: string }): void {
    super.handleCommandComplete(message)
    this.#portal.isDrained = true
  }

  handleReadyForQuery(): void {
    // a statement without columns is not described at all
    this.#portal.fields ??= []
    this.callback(null, { rows: this.rows, command: this.command, rowCount: this.rowCount, fields: this.#portal.fields })
  }

  handleCopyInResponse(wire: Wire): void {
    wire.sendCopyFail('a cursor has no rows to copy')
    // the server has passed over the first one while it waited for rows
    wire.sync()
  }
}

/** Frees a portal. */
export class PortalClose extends AnsweredQuery {
  readonly #portal: Portal

  constructor(portal: Portal, callback: OnAnswer) {
    super(callback)
    this.#portal = portal
  }

  submit(connection: unknown): void {
    const wire = connection as Wire
    wire.stream.cork()
    wire.close({ type: 'P', name: this.#portal.name })
    wire.sync()
    wire.stream.uncork()
  }

  handleReadyForQuery(): void {
    this.callback(null, { rows: this.rows, command: this.command, rowCount: this.rowCount, fields: [] })
  }

  // it closes, and asks for nothing
  handleRowDescription(): void {}
  handleCopyInResponse(): void {}
}
