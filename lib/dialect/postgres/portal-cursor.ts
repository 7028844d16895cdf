import type { RowBatch, RowCursor, Statement } from '../dialect.js'
import type { AnsweredQuery, OnAnswer } from './answered-query.js'
import { wireForm } from './driver.js'
import { type Portal, PortalClose, PortalFetch } from './portal-query.js'
import { PostgresResult, type ResultSession, type ServerResult } from './result.js'

/** What a cursor needs of its session beside running statements. */
export interface PortalSession {
  readonly session: ResultSession
  /** Sends a request of our own making, in turn. */
  send(make: (onAnswer: OnAnswer) => AnsweredQuery): Promise<ServerResult>
  /** Of the last answer: I idle, T in a transaction, E in a failed one. */
  transaction(): 'I' | 'T' | 'E'
}

let lastPortal = 0

/** Rows of a portal, in the transaction that is open or in one of its own: a portal does not outlive it. */
export class PortalCursor implements RowCursor {
  readonly #on: PortalSession
  readonly #portal: Portal
  #ownsTransaction = false

  constructor(on: PortalSession, { sql, parameters }: Statement) {
    this.#on = on
    const { driver } = on.session
    this.#portal = {
      name: `lw_${++lastPortal}`,
      text: sql,
      values: parameters.map((value) => wireForm(driver, value)),
      fields: undefined,
      isDrained: false,
    }
  }

  async fetch(size: number): Promise<RowBatch> {
    const { session } = this.#on
    if (this.#portal.fields === undefined && this.#on.transaction() === 'I') {
      this.#ownsTransaction = true
      await session.run({ sql: 'begin', parameters: [] })
    }
    const result = await this.#on.send((onAnswer) => new PortalFetch(this.#portal, size, onAnswer))
    return Object.assign(new PostgresResult(session, result), { isLast: this.#portal.isDrained })
  }

  async close(): Promise<void> {
    const { session } = this.#on
    const transaction = this.#on.transaction()
    if (transaction === 'I') return
    if (this.#ownsTransaction) await session.run({ sql: transaction === 'E' ? 'rollback' : 'commit', parameters: [] })
    // a failed transaction takes nothing but its rollback, which frees it
    else if (transaction === 'T' && this.#portal.fields !== undefined)
      await this.#on.send((onAnswer) => new PortalClose(this.#portal, onAnswer))
  }
}
