import { SingleBar } from 'cli-progress'
import { count } from './print.js'

/** Rows between two lines where there is no terminal. */
const LINE_EVERY = 50_000

/** Passes rows on as they are asked for, and shows on stderr how many that were: as a bar, or in lines where it is not a terminal. */
export function withProgress<T>(name: string, rows: readonly T[]): Iterable<T> {
  return process.stderr.isTTY ? withBar(name, rows) : withLines(name, rows)
}

function* withBar<T>(name: string, rows: readonly T[]): Generator<T> {
  const bar = new SingleBar({ format: `  ${name.padEnd(12)} {bar} {value} of {total}`, clearOnComplete: true })
  bar.start(rows.length, 0)
  try {
    for (const row of rows) {
      yield row
      bar.increment()
    }
  } finally {
    bar.stop()
  }
}

function* withLines<T>(name: string, rows: readonly T[]): Generator<T> {
  let passed = 0
  for (const row of rows) {
    yield row
    if (++passed % LINE_EVERY === 0) console.error(`  ${name}: ${count(passed)} of ${count(rows.length)}`)
  }
}
