import type { FieldDef } from 'pg'
import { AnsweredQuery, type OnAnswer, type Wire } from './answered-query.js'

/** A text without bound values, of one statement or several, as one request. Source: PostgreSQL 15 manual, 55.2.2 "Simple Query". */
export class TextQuery extends AnsweredQuery {
  readonly text: string
  #fields: readonly FieldDef[] = []
  #isComplete = false

  constructor(text: string, callback: OnAnswer) {
    super(callback)
    this.text = text
  }

  submit(connection: unknown): void {
    ;(connection as Wire).query(this.text)
  }

  /** Only statements that give rows have a description. */
  handleRowDescription({ fields }: { readonly fields: readonly FieldDef[] }): void {
    this.#begin()
    this.#fields = fields
  }

  override handleCommandComplete(message: { readonly text: string }): void {
    this.#begin()
    super.handleCommandComplete(message)
    this.#isComplete = true
  }

  handleReadyForQuery(): void {
    this.callback(null, { rows: this.rows, command: this.command, rowCount: this.rowCount, fields: this.#fields })
  }

  handleCopyInResponse(wire: Wire): void {
    wire.sendCopyFail('a statement without a stream has no rows to copy')
  }

  /** Of several statements the last one's result counts. */
  #begin(): void {
    if (!this.#isComplete) return
    this.#isComplete = false
    this.#fields = []
    this.rows = []
  }
}
