import type { Connection, StatementResult } from '../lib/dialect/dialect.js'
import type { MigrationSession } from '../lib/dialect/migration-parts.js'
import { UnsupportedError } from '../lib/errors.js'

const NOTHING: StatementResult = { rows: [], affectedRows: 0, columns: () => [] }

/** A session with a database that a server does not have yet, to plan for it: whatever is looked for in it is not there. */
export function unmadeDatabase(database: string): MigrationSession {
  const connection: Connection = {
    isBroken: false,
    run: () => NOTHING,
    openCursor: () => {
      throw new UnsupportedError('a cursor', 'a database that is yet to be made', 'make it first')
    },
    cancel: async () => undefined,
  }
  return {
    connection,
    database,
    isMade: false,
    schema: undefined,
    lockPollMs: 0,
    tryLock: async () => true,
    unlock: async () => undefined,
    holder: async () => undefined,
    endHolder: async () => false,
    renew: async () => undefined,
    close: async () => undefined,
  }
}
