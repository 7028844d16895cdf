import type { FieldDef } from 'pg'
import { QueryError } from '../../errors.js'
import { AnsweredQuery, type OnAnswer, type Wire } from './answered-query.js'

/** A statement that a session keeps prepared, or parses for one run. */
export interface Preparation {
  /** What the server calls it; empty for one run. */
  readonly name: string
  /** What it was called before it had to be prepared anew; closed with the first run under the new name. */
  replaces?: string | undefined
  /** Its columns, from its first run on: the server fails a statement rather than let them change under it. */
  fields: readonly FieldDef[] | undefined
}

/**
 * One run of a prepared statement, for the driver to submit in place of a query of its own: it asks for the description of
 * the columns once a session instead of once a run, and leaves the values as the server sent them.
 */
export class PreparedQuery extends AnsweredQuery {
  readonly text: string
  readonly #preparation: Preparation
  readonly #values: readonly unknown[]

  /** @throws {QueryError} a value is of a kind that has no text in the protocol; nothing was sent */
  constructor(preparation: Preparation, text: string, parameters: readonly unknown[], callback: OnAnswer) {
    super(callback)
    this.text = text
    this.#preparation = preparation
    this.#values = parameters.map(wireValue)
  }

  /** The driver reads it, and {@link text}. */
  get name(): string {
    return this.#preparation.name
  }

  /** Source: PostgreSQL 15 manual, 55.2.3 "Extended Query". */
  submit(connection: unknown): void {
    const wire = connection as Wire
    // all messages in one packet
    wire.stream.cork()
    this.#closeReplaced(wire)
    const { name } = this.#preparation
    if (wire.parsedStatements[name] === undefined) wire.parse({ name, text: this.text })
    wire.bind({ statement: name, values: this.#values })
    if (this.#preparation.fields === undefined) wire.describe({ type: 'P' })
    // the driver sends nothing to a stream that has ended
    if (wire.stream.writable) wire.stream.write(EXECUTE_AND_SYNC)
    wire.stream.uncork()
  }

  // no error where it is gone already: only one that the server keeps would pile up there
  #closeReplaced(wire: Wire): void {
    if (this.#preparation.replaces === undefined) return
    wire.close({ type: 'S', name: this.#preparation.replaces })
    this.#preparation.replaces = undefined
  }

  handleRowDescription({ fields }: { readonly fields: readonly FieldDef[] }): void {
    this.#preparation.fields = fields
  }

  handleReadyForQuery(): void {
    // a statement without columns is not described at all
    this.#preparation.fields ??= []
    this.callback(null, { rows: this.rows, command: this.command, rowCount: this.rowCount, fields: this.#preparation.fields })
  }

  handleCopyInResponse(wire: Wire): void {
    wire.sendCopyFail('a prepared statement has no rows to copy')
    // the server has passed over the first one while it waited for rows
    wire.sync()
  }
}

/**
 * "Execute" without a limit of rows, and "Sync": the same every time, and one write less than the driver's two. Source: PostgreSQL 15 manual,
 * 55.7 "Message Formats".
 */
const EXECUTE_AND_SYNC = Buffer.from([0x45, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0x53, 0, 0, 0, 4])

/** A value in a form that the protocol has: text, bytes or null. */
function wireValue(value: unknown, index: number): string | Buffer | null {
  switch (typeof value) {
    case 'string':
      return value
    case 'number':
    case 'bigint':
    case 'boolean':
      return String(value)
    case 'object':
      if (value === null || value instanceof Buffer) return value
      if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
  }
  throw new QueryError(`parameter ${index + 1} of the statement is of a kind that cannot be bound: ${typeof value}`, undefined)
}
