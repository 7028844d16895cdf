import { CommitUnknownError } from '../../errors.js'
import type { MaybePromise } from '../../maybe-promise.js'
import { watchBegin } from '../begin-watch.js'
import type { Beginning, StatementResult } from '../dialect.js'
import type { BoundStatement, Client } from './client.js'
import { isInvalidatedStatement } from './errors.js'

/** The first statement of a transaction. */
interface First {
  /** To be sent before BEGIN is answered; undefined where it may not. */
  readonly bound: BoundStatement | undefined
  /** What the answer to that says. */
  read(answer: StatementResult): StatementResult
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
    if (sent !== undefined) return first.read(await bothOf(client, first, sent, begun))
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
  { bound, read }: First,
  [begin, run]: readonly Promise<StatementResult>[],
  begun: () => void,
): Promise<StatementResult> {
  void begin!.then(begun, begun)
  const [beginning, running] = await Promise.allSettled([begin!, run!])
  if (beginning.status === 'rejected') {
    // what was changed without a transaction is kept
    if (running.status === 'rejected' || read(running.value).affectedRows === 0) throw beginning.reason
    const message = 'the server refused to begin a transaction, and kept the change that was to be in it'
    throw new CommitUnknownError(message, { cause: beginning.reason })
  }
  if (running.status === 'fulfilled') return running.value
  // nothing of that one has run, and execute() prepares it anew
  if (isInvalidatedStatement(running.reason)) return client.execute(bound!.sql, bound!.parameters)
  throw running.reason
}
