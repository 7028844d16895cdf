import { ConfigurationError, createDatabase, type Database } from 'latchwork'
import { City, Country, District, Region } from './models.js'

const models = { countries: Country, regions: Region, districts: District, cities: City }

export type GeoDatabase = Database<typeof models>

/** The database at `url`. Nothing is opened before the first call. */
export function geoDatabase(url: string): GeoDatabase {
  return createDatabase({ url, models })
}

/** Creates the tables, unless they are there from an earlier run. Says which of the two it was. */
export async function createTablesOnce(db: GeoDatabase): Promise<'created' | 'there already'> {
  try {
    await db.createTables()
    return 'created'
  } catch (error) {
    if (error instanceof ConfigurationError && error.option === 'models') return 'there already'
    throw error
  }
}
