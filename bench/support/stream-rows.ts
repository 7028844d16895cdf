import { createDatabase } from 'latchwork'
import type { EngineName } from './engine-traits.js'
import { withFreshDatabase } from './fresh-database.js'
import { Measurement, measurementOf, type NewMeasurement } from './measurements.js'

/** Resident memory of a process that writes a stream of rows. */
export interface MemoryReading {
  readonly startMiB: number
  /** When a tenth of the rows was read. */
  readonly earlyMiB: number
  readonly endMiB: number
  /** The most after that tenth. */
  readonly peakMiB: number
}

const ROWS_A_LOOK = 1_000

async function readingOf(engine: EngineName, rowCount: number): Promise<MemoryReading> {
  return withFreshDatabase(engine, async (url) => {
    await using db = createDatabase({ url, models: { measurements: Measurement } })
    await db.createTables()
    const startMiB = residentMiB()
    let earlyMiB = 0
    let peakMiB = 0
    async function* rows(): AsyncGenerator<NewMeasurement> {
      for (let number = 1; number <= rowCount; number++) {
        yield measurementOf(number)
        if (number === rowCount / 10) earlyMiB = residentMiB()
        if (number > rowCount / 10 && number % ROWS_A_LOOK === 0) peakMiB = Math.max(peakMiB, residentMiB())
      }
    }
    const { count } = await db.nodes.measurements.bulkCreate({ rows: rows() })
    const endMiB = residentMiB()
    const stored = await db.nodes.measurements.count()
    if (count !== rowCount || stored !== rowCount) throw new Error(`${stored} rows are there, ${count} were counted, of ${rowCount}`)
    return { startMiB, earlyMiB, endMiB, peakMiB: Math.max(peakMiB, endMiB) }
  })
}

function residentMiB(): number {
  return process.memoryUsage.rss() / 2 ** 20
}

const [, , engine, rowCount] = process.argv
process.send!(await readingOf(engine as EngineName, Number(rowCount)))
