import BetterSqlite3 from 'better-sqlite3'
import { createConnection } from 'mysql2/promise'
import pg from 'pg'
import type { SpecEngine } from '../support/engines.js'

const LOCK_ROW = "update stocks set amount = amount where warehouse = 'w' and item = 'a'"

/** Holds, on a plain driver's connection, the lock that every update of the stock `w`/`a` waits for, until `work` ends or unlocks. */
export async function whileRowIsLocked<T>(engine: SpecEngine, url: string, work: (unlock: () => Promise<void>) => Promise<T>): Promise<T> {
  const release = await lockRow(engine, url)
  let released: Promise<void> | undefined
  const unlock = () => {
    released ??= release()
    return released
  }
  return work(unlock).finally(unlock)
}

async function lockRow(engine: SpecEngine, url: string): Promise<() => Promise<void>> {
  if (engine.name === 'sqlite') {
    const database = new BetterSqlite3(url.slice('sqlite:'.length))
    database.exec('begin immediate')
    return async () => void database.close()
  }
  if (engine.name === 'postgres') {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(`begin; ${LOCK_ROW}`)
    return () => client.end()
  }
  const connection = await createConnection({ uri: url, multipleStatements: true })
  await connection.query(`begin; ${LOCK_ROW}`)
  return () => connection.end()
}
