import { isPlainObject } from '../model/value-kind.js'
import type { BoundModel } from './bound-model.js'
import { InputIssues } from './input-issues.js'
import { parseFields } from './select.js'
import type { PlainRow } from './selection.js'

type Cut = (row: PlainRow) => PlainRow

/** Where the rows stand in what an operation that writes gives, for those that know `select`. */
const ROWS_OF: Readonly<Record<string, (output: never, cut: Cut) => unknown>> = {
  create: (row: PlainRow, cut) => cut(row),
  update: (row: PlainRow, cut) => cut(row),
  delete: (row: PlainRow, cut) => cut(row),
  restore: (row: PlainRow, cut) => cut(row),
  upsert: ({ row, ...rest }: { row: PlainRow }, cut) => ({ row: cut(row), ...rest }),
  bulkCreate: ({ rows, ...rest }: { rows?: readonly PlainRow[] }, cut) => (rows === undefined ? rest : { ...rest, rows: rows.map(cut) }),
  claim: (rows: readonly PlainRow[], cut) => rows.map(cut),
}

/** Runs a write so that whole rows come back to `run`, and gives the caller what its `select` leaves of them. */
export async function withWholeRows(
  model: BoundModel,
  operation: string,
  options: unknown,
  run: (options: unknown) => Promise<unknown>,
): Promise<unknown> {
  const place = ROWS_OF[operation]
  if (place === undefined || !isPlainObject(options) || options.select === undefined) return run(options)
  const { select, ...rest } = options
  const issues = new InputIssues(model.definition.name, operation)
  issues.isForOutsider = options.redact === true
  const selected = parseFields(model, select, issues, ['select']).map(({ name }) => name)
  issues.throwIfAny()
  const output = await run(rest)
  return place(output as never, (row) => {
    const relations = Object.keys(row).filter((name) => model.relations.has(name) || model.polymorphics.has(name))
    return Object.fromEntries([...selected, ...relations].map((name) => [name, row[name]]))
  })
}
