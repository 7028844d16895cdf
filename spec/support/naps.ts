import { createConnection } from 'mysql2/promise'
import { inject } from 'vitest'
import type { SpecEngine } from './engines.js'

/**
 * A query of one row, its `id` 1, that takes `seconds` on a server, unless it is stopped.
 *
 * On MariaDB it waits for a lock of the server that {@link holdUpNaps} has. A `sleep()` there makes a KILL that comes as it begins wait for
 * it, up to 2 s, and with it everybody else who sleeps: 20 of them stopped at once took over a second in 5 of 400 rounds, and once 9 s; of
 * these, in none of 800.
 */
export function napQuery({ name }: Pick<SpecEngine, 'name'>, seconds: number): string {
  const nap = name === 'postgres' ? `pg_sleep(${seconds})` : `get_lock('${lockName(inject('databasePrefix'))}', ${seconds})`
  // the lock of one that is stopped is null, and only here an error too
  return `select 1 as id from (select ${nap} as slept) as nap where slept is not null`
}

/** Puts a view in the place of the table `name`, of a model with an `id` and nothing else: to read it takes a nap. */
export function napView(engine: Pick<SpecEngine, 'name'>, name: string, seconds: number): string {
  return `drop table ${name}; create view ${name} as ${napQuery(engine, seconds)}`
}

/** Has the lock that the naps on a MariaDB server wait for, until it is called off. */
export async function holdUpNaps(url: string, databasePrefix: string): Promise<() => Promise<void>> {
  const connection = await createConnection(url)
  await connection.query(`select get_lock('${lockName(databasePrefix)}', 0)`)
  // the longest run is shorter than this, and a server's own limit may not be
  await connection.query('set session wait_timeout = 86400')
  return () => connection.end()
}

function lockName(databasePrefix: string): string {
  return `${databasePrefix}_naps`
}
