import { CommitUnknownError } from '../../errors.js'
import { watchBegin } from '../begin-watch.js'
import type { Beginning, MaybePromise, StatementResult } from '../dialect.js'
import type { BoundStatement, Client } from './client.js'
import { isInvalidatedStatement } from './errors.js'

/** The first statement of a transaction. */
interface First {
  /** To be sent before BEGIN is answered; undefined where it may not. */
  readonly bound: BoundStatement | undefined
  /** Runs it after that. */
  run(): MaybePromise<StatementResult>
}

/**
 * Begins a transaction and runs its first statement: in one go where that is prepared already.
 *
 * @param breakOff called where BEGIN is not answered in time
 * @throws {CommitUnknownError} BEGIN was refused, as by a KILL that comes late, and what had gone out with it was not
 */
export async function beginAndRun(client: Client, beginning: Beginning, first: First, breakOff: () => void): Promise<StatementResult> {
  let unanswered: Error | undefined
  const begun = watchBegin(beginning, (error) => {
    unanswered = error
    breakOff()
  })
  try {
    const sent = first.bound && client.sendInOneGo([beginning.sql], [first.bound])
    if (sent !== undefined) return await bothOf(client, first.bound!, sent, begun)
    await client.query(beginning.sql)
    begun()
    return await first.run()
  } catch (error) {
    throw unanswered ?? error
  } finally {
    begun()
  }
}

async function bothOf(
  client: Client,
  { sql, parameters }: BoundStatement,
  [begin, run]: readonly Promise<StatementResult>[],
  begun: () => void,
): Promise<StatementResult> {
  void begin!.then(begun, begun)
  const [beginning, running] = await Promise.allSettled([begin!, run!])
  if (beginning.status === 'rejected') throw notBegun(beginning.reason, running.status === 'fulfilled' ? running.value : undefined)
  if (running.status === 'fulfilled') return running.value
  // nothing of that one has run, and execute() prepares it anew
  if (isInvalidatedStatement(running.reason)) return client.execute(sql, parameters)
  throw running.reason
}

/** What BEGIN was refused with. What was changed without a transaction is kept. */
export function notBegun(cause: Error, changed: StatementResult | undefined): Error {
  if (changed === undefined || changed.affectedRows === 0) return cause
  return new CommitUnknownError('the server refused to begin a transaction, and kept the change that was to be in it', { cause })
}
