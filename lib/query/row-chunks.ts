import { kindOf } from '../model/value-kind.js'
import type { InputIssues } from './input-issues.js'

/** Rows as a caller gives them: a list, or anything that can be iterated, at once or as it comes. */
export type RowSource = Iterable<unknown> | AsyncIterable<unknown>

/** Some rows of a source, with the position of the first one. */
interface RowChunk {
  readonly start: number
  readonly rows: readonly unknown[]
}

/** Checks that `rows` can be iterated. */
export function parseRows(rows: unknown, issues: InputIssues): RowSource {
  const isIterable = typeof rows === 'object' && rows !== null && (Symbol.iterator in rows || Symbol.asyncIterator in rows)
  if (isIterable) return rows as RowSource
  issues.add(['rows'], `expected a list or an iterable of rows, got ${kindOf(rows)}`)
  return []
}

/** The rows in chunks of `size`, read no further ahead than one chunk: the source waits for the database. */
export async function* chunksOf(rows: RowSource, size: number): AsyncGenerator<RowChunk> {
  if (Array.isArray(rows)) yield* slicesOf(rows, size)
  else yield* gathered(rows, size)
}

function* slicesOf(rows: readonly unknown[], size: number): Generator<RowChunk> {
  for (let start = 0; start < rows.length; start += size) yield { start, rows: rows.slice(start, start + size) }
}

async function* gathered(rows: RowSource, size: number): AsyncGenerator<RowChunk> {
  let start = 0
  let chunk: unknown[] = []
  for await (const row of rows) {
    chunk.push(row)
    if (chunk.length < size) continue
    yield { start, rows: chunk }
    start += size
    chunk = []
  }
  if (chunk.length > 0) yield { start, rows: chunk }
}
