// Imports the prices of a supplier whose service often fails, and then of one with a broken page: npm run sample:nightly-import
// DATABASE_URL=postgres://user:password@127.0.0.1:5432/shop does the same there; mysql://… and mariadb://… too.
import { createDatabase, WorkflowError } from 'latchwork'
import { LocalRuntime } from 'latchwork/workflow'
import { ImportRun, Price } from './models.js'
import { nightlyImport } from './nightly-import.js'
import { showProgress } from './progress.js'
import { supplier } from './supplier.js'

const PAGES = 12

const db = createDatabase({ url: process.env.DATABASE_URL || 'sqlite::memory:', models: { runs: ImportRun, prices: Price } })
await db.createTables()
const runtime = new LocalRuntime(db)

/** Runs the import, and says what came of it. */
async function importOnce(brokenPage?: number): Promise<void> {
  try {
    const { results, steps } = await runtime.execute(
      nightlyImport(db, supplier(brokenPage)),
      { pages: PAGES },
      { onEvent: showProgress(PAGES) },
    )
    const attempts = steps.find(({ step }) => step === 'pages')!.attempts
    console.log(`imported ${results.finish.rows} prices; ${attempts > 1 ? 'some pages took more than one try' : 'no page failed'}`)
  } catch (error) {
    if (!(error instanceof WorkflowError)) throw error
    console.log(`failed in ${error.step} (${(error.cause as { code?: string }).code}); undone: ${error.compensated.join(', ')}`)
  }
  const { rows } = await db.nodes.runs.list({ orderBy: { id: 'asc' } })
  console.log(`runs: ${rows.map(({ state }) => state).join(', ')}; prices: ${await db.nodes.prices.count()}`)
}

await importOnce()
await db.nodes.prices.bulkDelete({ all: true })
await importOnce(9)
await db.close()
