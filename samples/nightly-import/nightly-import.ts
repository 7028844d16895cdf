import type { Database } from 'latchwork'
import { WorkflowBuilder } from 'latchwork/workflow'
import type { ImportRun, Price } from './models.js'
import type { supplier } from './supplier.js'

export type Prices = Database<{ runs: typeof ImportRun; prices: typeof Price }>

/**
 * Fetches all pages, a few at a time, and writes each of them. Too much for one transaction that would hold its locks all night: so each page is
 * committed by itself, and what an import wrote is taken back when it fails.
 */
export function nightlyImport(db: Prices, fetchPage: ReturnType<typeof supplier>) {
  const { runs, prices } = db.nodes
  return (
    new WorkflowBuilder<{ readonly pages: number }>('NightlyImport')
      .add('run', runs.create, () => ({}), {
        compensate: ({ id }) => runs.update({ where: { id }, set: { state: 'failed' } }),
      })
      .map(
        'pages',
        fetchPage,
        ({ input }) => Array.from({ length: input.pages }, (_, page) => page),
        (page) => page,
        {
          maxParallel: 4,
          retry: { attempts: 5, delayMs: 5 },
        },
      )
      // the run is there before any price of it: whatever was written then is taken back, also of a page list that ended half way
      .add('begin', runs.update, ({ run, pages }) => ({ where: { id: run.id }, set: { state: `writing ${pages.length} pages` } }), {
        compensate: ({ id }) => prices.bulkDelete({ where: { importId: id } }),
      })
      .map(
        'write',
        prices.bulkCreate,
        ({ pages }) => pages,
        (rows, { run }) => ({ rows: rows.map((row) => ({ ...row, importId: run.id })) }),
        { maxParallel: 2, after: ['begin'] },
      )
      .add('finish', runs.update, ({ run, write }) => ({
        where: { id: run.id },
        set: { state: 'done', rows: write.reduce((sum, { count }) => sum + count, 0) },
      }))
      .build()
  )
}
