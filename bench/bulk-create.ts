import { deepStrictEqual } from 'node:assert/strict'
import BetterSqlite3 from 'better-sqlite3'
import { createDatabase } from 'latchwork'
import { createConnection } from 'mysql2/promise'
import pg from 'pg'
import type { Settings } from './settings.js'
import type { EngineName } from './support/engine-traits.js'
import { withFreshDatabase } from './support/fresh-database.js'
import { Measurement, measurementOf, type NewMeasurement } from './support/measurements.js'
import type { Limit, Report, Table } from './support/report.js'
import { type Contender, type Cost, costOf, inRounds, LEAST_ROUNDS, median, medianOf } from './support/rounds.js'

/** Rows a second that have to be reached, on a machine of two cores. */
const LEAST_ROWS_A_SECOND: Readonly<Partial<Record<EngineName, number>>> = { sqlite: 100_000, postgres: 50_000 }

/** Of fewer rows the commit takes most of the time. */
const LEAST_ROWS = 100_000

/** Rows a statement, where the plain driver takes several. */
const CHUNK_SIZE = 1_000

const WARM_UP_ROUNDS = 2

/** Writes rows of five columns into an empty table, in one transaction: `bulkCreate` against the plain driver's fastest plain way. */
export async function bulkCreate(settings: Settings): Promise<Report> {
  const { engines = ['sqlite', 'postgres', 'mysql'], rows = 100_000, rounds = 7 } = settings
  const lines: Table['rows'][number][] = []
  const limits: Limit[] = []
  const measurements = Array.from({ length: rows }, (_, index) => measurementOf(index + 1))
  for (const engine of engines) {
    const { theirs, ours } = await measure(engine, measurements, rounds)
    const perSecond = (costs: readonly Cost[]) => rows / (median(costs.map(({ wallUs }) => wallUs)) / 1e6)
    const cpuPerRow = (costs: readonly Cost[]) => median(costs.map(({ cpuUs }) => cpuUs)) / rows
    const ratio = medianOf(ours, theirs, (our, their) => our.wallUs / their.wallUs)
    lines.push([engine, perSecond(theirs), perSecond(ours), ratio, cpuPerRow(theirs), cpuPerRow(ours)])
    const atLeast = LEAST_ROWS_A_SECOND[engine]
    const isJudged = rows >= LEAST_ROWS && rounds >= LEAST_ROUNDS
    if (atLeast !== undefined)
      limits.push({ name: `bulkCreate on ${engine}`, measured: perSecond(ours), atLeast, unit: 'rows/s', isJudged })
  }
  const columns = ['engine', 'driver rows/s', 'latchwork rows/s', 'wall ratio', 'driver CPU µs/row', 'latchwork CPU µs/row']
  return { tables: [{ title: `${rows} rows of five columns`, columns, rows: lines }], limits }
}

/** The plain driver on one session. */
interface PlainWriter {
  write(rows: readonly NewMeasurement[]): Promise<void>
  /** Empties the table and gives how many rows there were. */
  clear(): Promise<number>
  close(): Promise<void>
}

interface Costs {
  readonly theirs: readonly Cost[]
  readonly ours: readonly Cost[]
}

async function measure(engine: EngineName, rows: readonly NewMeasurement[], rounds: number): Promise<Costs> {
  return withFreshDatabase(engine, async (url) => {
    await using db = createDatabase({ url, models: { measurements: Measurement } })
    await db.createTables()
    const driver = await WRITERS[engine](url)
    try {
      await check(driver, db, rows.slice(0, 2_500))
      const afterTurn = async () => {
        if ((await driver.clear()) !== rows.length) throw new Error('not every row was written')
      }
      const once = (call: () => Promise<unknown>) => costOf(call, { callers: 1, calls: 1 })
      const contenders: readonly Contender[] = [
        { name: 'driver', turn: () => once(() => driver.write(rows)), afterTurn },
        { name: 'latchwork', turn: () => once(() => db.nodes.measurements.bulkCreate({ rows })), afterTurn },
      ]
      const [theirs = [], ours = []] = await inRounds(contenders, { rounds, warmUpRounds: WARM_UP_ROUNDS })
      return { theirs, ours }
    } finally {
      await driver.close()
    }
  })
}

type MeasurementsDatabase = ReturnType<typeof createDatabase<{ measurements: typeof Measurement }>>

/** Both write what can be read back as it was given. */
async function check(driver: PlainWriter, { nodes }: MeasurementsDatabase, rows: readonly NewMeasurement[]): Promise<void> {
  await driver.write(rows)
  await nodes.measurements.bulkCreate({ rows })
  const { rows: stored } = await nodes.measurements.list({ orderBy: { id: 'asc' } })
  const plain = stored.map(({ id: _, ...row }) => row)
  deepStrictEqual(plain, [...rows, ...rows])
  await driver.clear()
}

const INSERT = 'insert into measurements (sensor, label, reading, valid, taken_at)'

const WRITERS: Readonly<Record<EngineName, (url: string) => Promise<PlainWriter>>> = {
  sqlite: async (url) => {
    const database = new BetterSqlite3(url.slice('sqlite:'.length))
    const insert = database.prepare(`${INSERT} values (?, ?, ?, ?, ?)`)
    const insertAll = database.transaction((rows: readonly NewMeasurement[]) => {
      for (const row of rows) insert.run(row.sensor, row.label, row.reading, row.valid ? 1 : 0, row.takenAt.toISOString())
    })
    return {
      write: async (rows) => insertAll(rows),
      clear: async () => database.prepare('delete from measurements').run().changes,
      close: async () => void database.close(),
    }
  },
  postgres: async (url) => {
    const client = new pg.Client(url)
    await client.connect()
    const text = `${INSERT} select * from unnest($1::int[], $2::text[], $3::float8[], $4::bool[], $5::timestamptz[])`
    const writeAll = async (rows: readonly NewMeasurement[]) => {
      await client.query('begin')
      for (const chunk of chunksOf(rows)) await client.query({ name: 'bulk', text, values: columnsOf(chunk) })
      await client.query('commit')
    }
    const clear = async () => {
      const { rows } = await client.query('select count(*)::int as n from measurements')
      await client.query('truncate measurements')
      return rows[0].n
    }
    return { write: writeAll, clear, close: () => client.end() }
  },
  mysql: async (url) => {
    const connection = await createConnection({ uri: url, timezone: 'Z' })
    const writeAll = async (rows: readonly NewMeasurement[]) => {
      await connection.beginTransaction()
      for (const chunk of chunksOf(rows)) await connection.query(`${INSERT} values ?`, [chunk.map((row) => Object.values(row))])
      await connection.commit()
    }
    const clear = async () => {
      const [rows] = await connection.query('select count(*) as n from measurements')
      await connection.query('truncate table measurements')
      return (rows as { n: number }[])[0]!.n
    }
    return { write: writeAll, clear, close: () => connection.end() }
  },
}

function* chunksOf(rows: readonly NewMeasurement[]): Generator<readonly NewMeasurement[]> {
  for (let start = 0; start < rows.length; start += CHUNK_SIZE) yield rows.slice(start, start + CHUNK_SIZE)
}

function columnsOf(rows: readonly NewMeasurement[]): unknown[][] {
  return [
    rows.map((row) => row.sensor),
    rows.map((row) => row.label),
    rows.map((row) => row.reading),
    rows.map((row) => row.valid),
    rows.map((row) => row.takenAt),
  ]
}
