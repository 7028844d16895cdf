import { existsSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { tally } from '../contract/use-database.js'
import { Entry } from '../fixtures/sqlite/entry.js'
import type { WriterReport, WriterTask } from '../fixtures/sqlite/writer.js'
import { type Writer, writerProcess, writerThread } from '../fixtures/sqlite/writers.js'
import { useGround } from '../stress/ground.js'
import { forEachEngine } from '../support/engines.js'

const FOUR = [0, 1, 2, 3]

forEachEngine(
  (engine) => {
    describe.each([
      ['processes', writerProcess],
      ['worker threads', writerThread],
    ])('four %s that write to one file, with default options', { timeout: 60_000 }, (_, begin) => {
      const ground = useGround(engine, { entries: Entry })
      let writers: Writer[]

      beforeAll(async () => {
        writers = await Promise.all(FOUR.map((writer) => begin({ url: ground.url, writer })))
        // they open what they keep open before the first test begins
        await write({ mode: 'transactions', count: 2 })
        // what this thread closes SQLite keeps open for its next connection, while others of the process have locks on the file
        await using db = ground.open()
        await db.nodes.entries.count()
      })

      const write = (task: WriterTask): Promise<WriterReport[]> => Promise.all(writers.map((writer) => writer.write(task)))

      it.each(['inTurn', 'atOnce', 'transactions'] as const)('get all their 500 rows in: %s', async (mode) => {
        await using db = ground.open()
        const before = await db.nodes.entries.count()
        const reports = await write({ mode, count: 500 })
        expect(reports.flatMap(({ errors }) => errors)).toEqual([])
        expect((await db.nodes.entries.count()) - before).toBe(2_000)
        const { rows } = await db.nodes.entries.list({ orderBy: { id: 'desc' }, limit: 2_000 })
        expect(tally(rows.map(({ writer }) => String(writer)))).toEqual({ 0: 500, 1: 500, 2: 500, 3: 500 })
        for (const writer of FOUR) {
          const numbers = rows.filter((row) => row.writer === writer).map(({ n }) => n)
          expect(numbers.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 500 }, (__, n) => n))
        }
      })

      it('do not starve behind long transactions of the others that follow each other at once', async () => {
        // together they take 6 s; who had to wait until the other three are done would wait for 4.5 s of them
        const reports = await write({ mode: 'transactions', count: 60, holdMs: 50 })
        expect(reports.flatMap(({ errors }) => errors)).toEqual([])
        for (const { longestMs } of reports) expect(longestMs).toBeLessThan(3_000)
      })

      afterAll(async () => {
        const [last, ...others] = writers
        const endedMs = await Promise.all(others.map((writer) => writer.end()))
        // alone: two that close at one moment may each take the other for the one that is left, and the log waits for who opens next
        endedMs.push(await last!.end())
        for (const ms of endedMs) expect(ms).toBeLessThan(2_000)
        const file = ground.url.slice('sqlite:'.length)
        // whoever was the last has carried the log over
        expect([file, `${file}-wal`, `${file}-shm`].map((path) => existsSync(path))).toEqual([true, false, false])
      })
    })
  },
  { engines: ['sqlite'] },
)
