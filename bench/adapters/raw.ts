import type { Adapter } from '../compare/adapter.js'
import type { EngineName } from '../support/engine-traits.js'
import type { Place } from '../support/place.js'

/** The plain driver and its own pool, as somebody writes it who wants it fast: each statement prepared once a connection, no layer. */
export async function open(place: Place): Promise<Adapter> {
  return OPENERS[place.engine](place)
}

// only the driver that is used is loaded
const OPENERS: Readonly<Record<EngineName, (place: Place) => Promise<Adapter>>> = {
  postgres: async (place) => (await import('./raw-postgres.js')).openRawPostgres(place),
  mysql: async (place) => (await import('./raw-mysql.js')).openRawMysql(place),
  sqlite: async (place) => (await import('./raw-sqlite.js')).openRawSqlite(place),
}
