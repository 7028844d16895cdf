import type { Duplex } from 'node:stream'
import type { FieldDef, Submittable } from 'pg'
import type { ServerResult } from './result.js'

/** Called once: with the result, that of the last statement where a text held several; or with what the server or the driver raised. */
export type OnAnswer = (error: Error | null, result?: ServerResult) => void

/** What is used of the driver's connection. The types it publishes leave some of it out. */
export interface Wire {
  readonly stream: Duplex
  /** Texts of the prepared statements by name; the driver adds one when the server says that it was parsed. */
  readonly parsedStatements: Readonly<Record<string, string>>
  query(text: string): void
  close(message: { readonly type: 'S' | 'P'; readonly name: string }): void
  parse(message: { readonly name: string; readonly text: string }): void
  bind(message: { readonly portal?: string; readonly statement: string; readonly values: readonly unknown[] }): void
  describe(message: { readonly type: 'P'; readonly name?: string }): void
  execute(message: { readonly portal: string; readonly rows: number }): void
  flush(): void
  sync(): void
  sendCopyFail(reason: string): void
}

/** A request for the driver to submit in place of a query of its own, and what the server answers: values stay as it sent them. */
export abstract class AnsweredQuery implements Submittable {
  /** The driver reads it to know that it need not make a promise. */
  readonly callback: OnAnswer
  protected rows: (readonly unknown[])[] = []
  protected command = ''
  protected rowCount = 0

  constructor(callback: OnAnswer) {
    this.callback = callback
  }

  abstract submit(connection: unknown): void
  abstract handleRowDescription(message: { readonly fields: readonly FieldDef[] }): void
  abstract handleReadyForQuery(): void
  abstract handleCopyInResponse(wire: Wire): void

  handleDataRow({ fields }: { readonly fields: readonly unknown[] }): void {
    this.rows.push(fields)
  }

  /** The tag begins with a word, and ends with a count where there is something to count: `BEGIN`, `SELECT 3`, `INSERT 0 3`. */
  handleCommandComplete({ text: tag }: { readonly text: string }): void {
    const end = tag.indexOf(' ')
    this.command = end === -1 ? tag : tag.slice(0, end)
    this.rowCount = end === -1 ? 0 : Number(tag.slice(tag.lastIndexOf(' ') + 1))
  }

  handleError(error: Error): void {
    this.callback(error)
  }

  // what the server may say beside that adds nothing to the result
  handleCopyData(): void {}
  handleEmptyQuery(): void {}
  handlePortalSuspended(): void {}
}
