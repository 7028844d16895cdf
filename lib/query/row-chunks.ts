import { kindOf } from '../model/value-kind.js'
import type { InputIssues } from './input-issues.js'

/** Rows as a caller gives them: a list, or anything that can be iterated, at once or as it comes. */
export type RowSource = Iterable<unknown> | AsyncIterable<unknown>

/** Rows read, checked and sent at a time: enough to make the round trip cheap, few enough to hold. */
export const CHUNK_SIZE = 1_000

/** Some rows of a source, with the position of the first one. */
interface RowChunk {
  readonly start: number
  readonly rows: readonly unknown[]
  /** No more rows follow; false where that is not known. */
  readonly isLast: boolean
}

/** Checks that `rows` can be iterated. */
export function parseRows(rows: unknown, issues: InputIssues): RowSource {
  const isIterable = typeof rows === 'object' && rows !== null && (Symbol.iterator in rows || Symbol.asyncIterator in rows)
  if (isIterable) return rows as RowSource
  issues.add(['rows'], `expected a list or an iterable of rows, got ${kindOf(rows)}`)
  return []
}

/** The rows in chunks, read no further ahead than one: the source waits for the database. */
export async function* chunksOf(rows: RowSource): AsyncGenerator<RowChunk> {
  if (Array.isArray(rows)) yield* slicesOf(rows)
  else yield* gathered(rows)
}

function* slicesOf(rows: readonly unknown[]): Generator<RowChunk> {
  for (let start = 0; start < rows.length; start += CHUNK_SIZE) {
    const end = start + CHUNK_SIZE
    yield { start, rows: rows.slice(start, end), isLast: end >= rows.length }
  }
}

async function* gathered(rows: RowSource): AsyncGenerator<RowChunk> {
  let start = 0
  let chunk: unknown[] = []
  for await (const row of rows) {
    chunk.push(row)
    if (chunk.length < CHUNK_SIZE) continue
    yield { start, rows: chunk, isLast: false }
    start += CHUNK_SIZE
    chunk = []
  }
  if (chunk.length > 0) yield { start, rows: chunk, isLast: true }
}
