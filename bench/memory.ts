import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { Settings } from './settings.js'
import type { EngineName } from './support/engine-traits.js'
import type { Limit, Report, Table } from './support/report.js'
import type { MemoryReading } from './support/stream-rows.js'

/** What resident memory may grow by, from a tenth of the rows to the last one. */
const LIMIT_MIB = 64

/** Streams rows into `bulkCreate` and looks at resident memory on the way. A process of its own for each engine. */
export async function memory(settings: Settings): Promise<Report> {
  const { engines = ['sqlite', 'postgres'], rows = 1_000_000 } = settings
  const lines: Table['rows'][number][] = []
  const limits: Limit[] = []
  for (const engine of engines) {
    const { startMiB, earlyMiB, endMiB, peakMiB } = await readingOf(engine, rows)
    lines.push([engine, startMiB, earlyMiB, endMiB, peakMiB])
    limits.push({ name: `growth to the peak on ${engine}`, measured: peakMiB - earlyMiB, atMost: LIMIT_MIB, unit: 'MiB' })
  }
  const columns = ['engine', 'before MiB', `at ${rows / 10} rows MiB`, `at ${rows} rows MiB`, 'peak in between MiB']
  return { tables: [{ title: 'Resident memory', columns, rows: lines }], limits }
}

async function readingOf(engine: EngineName, rows: number): Promise<MemoryReading> {
  const child = fork(fileURLToPath(new URL('./support/stream-rows.js', import.meta.url)), [engine, String(rows)])
  const ended = once(child, 'exit')
  const readings: MemoryReading[] = []
  child.on('message', (reading) => readings.push(reading as MemoryReading))
  const [code] = await ended
  const [reading] = readings
  if (code !== 0 || reading === undefined) throw new Error(`the process that streams rows into ${engine} ended with code ${code}`)
  return reading
}
