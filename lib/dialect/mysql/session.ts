import { QueryError } from '../../errors.js'
import type { Client } from './client.js'

/**
 * What holds in every session, whatever the server's own defaults are.
 *
 * - utf8mb4 and its binary collation: text compares by code point;
 * - UTC, so that `now()` is what a `datetime` column holds;
 * - errors in English, since the names of constraints are read from them;
 * - a strict SQL mode: a value that does not fit is refused, never cut; an explicit key of 0 is stored as 0. The mode replaces
 *   the server's, so that a backslash and a double quote mean the same everywhere. Only ONLY_FULL_GROUP_BY is left as the server
 *   has it: MariaDB's version of it refuses valid statements, and MySQL's users are used to its guard.
 */
const SETTINGS =
  "set names utf8mb4 collate utf8mb4_bin, time_zone = '+00:00', lc_messages = 'en_US', " +
  "sql_mode = concat('STRICT_ALL_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION,NO_AUTO_VALUE_ON_ZERO', " +
  "if(find_in_set('ONLY_FULL_GROUP_BY', @@sql_mode), ',ONLY_FULL_GROUP_BY', ''))"

/** Puts a new or reset session into the state that every borrower finds: our settings, then the user's statements. */
export async function prepareSession(client: Client, initSql: readonly string[]): Promise<void> {
  await client.query(SETTINGS)
  for (const sql of initSql) await client.query(sql)
}

/** The server's own word on what it is; its greeting may be that of a proxy. */
export async function askVersion(client: Client): Promise<string> {
  const { rows } = await client.query('select version()')
  return String(rows[0]![0])
}

/**
 * Goes back to the database that a new session begins in: USE is the one thing that a reset leaves as it was.
 *
 * @throws {QueryError} it began in none, and is in one now: there is no way back
 */
export async function returnToDatabase(client: Client, database: string | undefined): Promise<void> {
  if (database !== undefined) {
    await client.query(`use \`${database.replaceAll('`', '``')}\``)
    return
  }
  const { rows } = await client.query('select database()')
  if (rows[0]![0] !== null) throw new QueryError('the session was left in a database', undefined)
}
