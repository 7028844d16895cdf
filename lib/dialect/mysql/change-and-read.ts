import type { StatementResult } from '../dialect.js'
import type { BoundStatement, Client } from './client.js'

/** A statement that changes a row, and one that then reads it. */
export interface ChangeAndRead {
  /** Locks the row, and gives one where it is there. */
  readonly lock: BoundStatement
  readonly change: BoundStatement
  readonly read: BoundStatement
  /** They are to be a transaction of their own; else there is one around them. */
  readonly isAlone: boolean
}

/**
 * All of it as one compound statement, in one round trip: `ROW_COUNT` would count only rows that are left with other values, so that the
 * row is locked before it is changed. Source: MariaDB manual, "BEGIN END".
 */
export function compoundOf({ lock, change, read, isAlone }: ChangeAndRead): BoundStatement {
  const all = `if exists (${lock.sql}) then ${change.sql}; ${read.sql}; end if;`
  const sql = isAlone ? `begin not atomic start transaction; ${all} commit; end` : `begin not atomic ${all} end`
  return { sql, parameters: [...lock.parameters, ...change.parameters, ...read.parameters] }
}

/** What a compound of the two gave: a row, where there was one to be changed. */
export function compoundResult(result: StatementResult): StatementResult {
  return { ...result, affectedRows: result.rows.length }
}

/**
 * Changes a row and reads it, and nobody else comes between. Gives the rows that were read, and how many were to be changed.
 *
 * @param preparesCompounds whether the server takes the two as one statement
 * @param isUnwanted asked before a change is kept: whether nobody waits for it any more
 */
export async function changeAndRead(
  client: Client,
  pair: ChangeAndRead,
  { preparesCompounds, isUnwanted }: { readonly preparesCompounds: boolean; isUnwanted(): boolean },
): Promise<StatementResult> {
  if (!pair.isAlone) return preparesCompounds ? inOne(client, pair) : inTwo(client, pair)
  try {
    if (preparesCompounds) return await inOne(client, pair)
    await client.query('begin')
    const result = await inTwo(client, pair)
    if (isUnwanted()) throw new Error('the call was given up before its change was kept')
    await client.query('commit')
    return result
  } catch (error) {
    // what cannot be undone by a word ends with the session
    if (!client.isBroken) await client.query('rollback').catch(() => client.destroy())
    throw error
  }
}

async function inOne(client: Client, pair: ChangeAndRead): Promise<StatementResult> {
  const { sql, parameters } = compoundOf(pair)
  return compoundResult(await client.execute(sql, parameters))
}

async function inTwo(client: Client, { change, read }: ChangeAndRead): Promise<StatementResult> {
  const changed = await client.execute(change.sql, change.parameters)
  if (changed.affectedRows === 0) return changed
  return { ...(await client.execute(read.sql, read.parameters)), affectedRows: changed.affectedRows }
}
