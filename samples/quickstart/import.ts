import type { BulkUpsertResult } from 'latchwork'
import type { GeoDatabase } from './database.js'
import type { GeoNames } from './geonames.js'
import { count, step } from './print.js'
import { withProgress } from './progress.js'

/**
 * Brings the tables to what the source says, each all or nothing: rows that are new are created, rows that differ are
 * updated, all others stay as they are.
 *
 * @returns rows created and updated
 */
export async function importGeoNames({ nodes }: GeoDatabase, geo: GeoNames): Promise<number> {
  let changed = 0
  async function table<T>(name: string, rows: readonly T[], upsert: (rows: Iterable<T>) => Promise<BulkUpsertResult>): Promise<void> {
    await step(name, async () => {
      const { created, updated, unchanged } = await upsert(withProgress(name, rows))
      changed += created + updated
      return `${count(rows.length).padStart(7)} rows: created ${count(created)}, updated ${count(updated)}, unchanged ${count(unchanged)}`
    })
  }
  // in this order: a foreign key needs the row it points at
  await table('countries', geo.countries, (rows) => nodes.countries.bulkUpsert({ on: ['code'], rows }))
  await table('regions', geo.regions, (rows) => nodes.regions.bulkUpsert({ on: ['code'], rows }))
  await table('districts', geo.districts, (rows) => nodes.districts.bulkUpsert({ on: ['code'], rows }))
  await table('cities', geo.cities, (rows) => nodes.cities.bulkUpsert({ on: ['countryCode', 'name', 'latitude', 'longitude'], rows }))
  return changed
}
