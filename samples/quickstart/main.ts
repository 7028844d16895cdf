// Imports the cities of the world into a database and works with them as an application does: npm run quickstart
// DATABASE_URL=postgres://user:password@127.0.0.1:5432/geo npm run quickstart does the same there; mysql://… and mariadb://… too.
import { LatchworkError } from 'latchwork'
import { createTablesOnce, geoDatabase } from './database.js'
import { readGeoNames } from './geonames.js'
import { importGeoNames } from './import.js'
import { count, step } from './print.js'
import { useAsService } from './service.js'

const DEFAULT_URL = 'sqlite:geo.db'

async function quickstart(url: string): Promise<void> {
  await using db = geoDatabase(url)
  console.log(`latchwork quickstart on ${withoutCredentials(url)}\n`)

  console.log('Get ready')
  await step('connect', () => db.ping().then(() => 'the database answers'))
  await step('tables', async () => createTablesOnce(db))
  const geo = readGeoNames()

  console.log('\nImport')
  const changed = await importGeoNames(db, geo)
  console.log(`  Left out: ${count(geo.duplicates)} cities that the source has twice. Left null, since the source names and does not`)
  console.log(`  list them: the region of ${count(geo.withoutRegion)} cities, the district of ${count(geo.withoutDistrict)}.`)
  if (changed === 0) console.log('  Nothing changed: the database held every row already.')

  console.log('\nWork')
  await useAsService(db)
  if (changed > 0) console.log('\nRun it again: the import will find nothing to change.')
}

function withoutCredentials(url: string): string {
  const { protocol, host, pathname } = new URL(url)
  return host === '' ? `${protocol}${pathname}` : `${protocol}//${host}${pathname}`
}

try {
  await quickstart(process.env.DATABASE_URL || DEFAULT_URL)
} catch (error) {
  // what we threw says what to do; anything else is a bug, and its stack is wanted
  if (!(error instanceof LatchworkError)) throw error
  console.error(`\n${error.code}: ${error.message}`)
  process.exitCode = 1
}
