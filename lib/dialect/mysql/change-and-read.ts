import type { StatementResult } from '../dialect.js'
import { notBegun } from './begin-and-run.js'
import type { BoundStatement, Client } from './client.js'
import { isInvalidatedStatement } from './errors.js'

/** A statement that changes a row, and one that then reads it. */
export interface ChangeAndRead {
  readonly change: BoundStatement
  /** Waits for no lock (NOWAIT): it may be run where the change has failed, and where it has not, the lock is there already. */
  readonly read: BoundStatement
  /** They are to be a transaction of their own; else there is one around them. */
  readonly isAlone: boolean
}

/** How the server is to be asked. */
interface Asking {
  /** Whether it takes a statement before it has answered the one before. */
  readonly takesSeveral: boolean
  /** Asked before a change is kept: whether nobody waits for it any more. */
  isUnwanted(): boolean
}

/**
 * Changes a row and reads it, and nobody else comes between. Gives the rows that were read, and how many were to be changed.
 *
 * @throws {CommitUnknownError} BEGIN was refused, as by a KILL that comes late, and the change that had gone out with it was not
 */
export async function changeAndRead(client: Client, pair: ChangeAndRead, asking: Asking): Promise<StatementResult> {
  if (!pair.isAlone) return bothOf(client, pair, asking)
  try {
    const result = await bothOf(client, pair, asking)
    if (asking.isUnwanted()) throw new Error('the call was given up before its change was kept')
    await client.query('commit')
    return result
  } catch (error) {
    // what cannot be undone by a word ends with the session
    if (!client.isBroken) await client.query('rollback').catch(() => client.destroy())
    throw error
  }
}

async function bothOf(client: Client, pair: ChangeAndRead, { takesSeveral }: Asking): Promise<StatementResult> {
  const { change, read, isAlone } = pair
  const begin = isAlone ? ['begin'] : []
  const sent = takesSeveral ? client.sendInOneGo(begin, [change, read]) : undefined
  if (sent === undefined) {
    for (const sql of begin) await client.query(sql)
    return thenRead(client, await client.execute(change.sql, change.parameters), read)
  }
  const answers = await Promise.allSettled(sent)
  const failed = answers.find((answer) => answer.status === 'rejected')
  const [changed, row] = answers.slice(begin.length).map((answer) => (answer.status === 'fulfilled' ? answer.value : undefined))
  if (isAlone && answers[0]!.status === 'rejected') throw notBegun(answers[0]!.reason, changed)
  if (changed !== undefined && (row !== undefined || changed.affectedRows === 0)) return resultOf(changed, row)
  if (!isInvalidatedStatement(failed!.reason)) throw failed!.reason
  // nothing of that one has run, and execute() prepares it anew
  return thenRead(client, changed ?? (await client.execute(change.sql, change.parameters)), read)
}

async function thenRead(client: Client, changed: StatementResult, read: BoundStatement): Promise<StatementResult> {
  return resultOf(changed, changed.affectedRows === 0 ? undefined : await client.execute(read.sql, read.parameters))
}

/** Of no row that was changed, what was read does not count. */
function resultOf(changed: StatementResult, read: StatementResult | undefined): StatementResult {
  return read === undefined || changed.affectedRows === 0 ? changed : { ...read, affectedRows: changed.affectedRows }
}
