import type { Adapter } from '../compare/adapter.js'
import type { EngineName } from '../support/engine-traits.js'
import type { Place } from '../support/place.js'

/** Drizzle: a schema of its own for each engine. */
export async function open(place: Place): Promise<Adapter> {
  return OPENERS[place.engine](place)
}

const OPENERS: Readonly<Record<EngineName, (place: Place) => Promise<Adapter>>> = {
  postgres: async (place) => (await import('./drizzle-postgres.js')).openDrizzlePostgres(place),
  mysql: async (place) => (await import('./drizzle-mysql.js')).openDrizzleMysql(place),
  sqlite: async (place) => (await import('./drizzle-sqlite.js')).openDrizzleSqlite(place),
}
