import type { Dialect } from '../lib/dialect/dialect.js'
import type { MigrationSession } from '../lib/dialect/migration-parts.js'

/** Writes state in a transaction of its own: all of it or nothing. */
export async function inStateTransaction<T>({ connection }: MigrationSession, dialect: Dialect, write: () => Promise<T>): Promise<T> {
  for (const sql of dialect.begin({})) await connection.run({ sql, parameters: [] })
  try {
    const result = await write()
    await connection.run({ sql: 'commit', parameters: [] })
    return result
  } catch (error) {
    await (async () => connection.run({ sql: 'rollback', parameters: [] }))().catch(() => undefined)
    throw error
  }
}
