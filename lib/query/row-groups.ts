import type { BoundField, BoundModel } from './bound-model.js'
import type { RowGroup } from './insert-rows.js'

/** Rows that give the same fields, with their positions among all the rows. */
export interface PlacedGroup extends RowGroup {
  readonly rows: Record<string, unknown>[]
  readonly positions: number[]
}

/**
 * Rows grouped by the fields they give. A nullable field that is left out counts as null, so that most calls are one
 * group; one with a default of the database is not sent, and gets that default.
 */
export function groupRows(
  model: BoundModel,
  rows: readonly Record<string, unknown>[],
  extraKey?: (position: number) => string,
): readonly PlacedGroup[] {
  const groups = new Map<string, PlacedGroup>()
  let last: PlacedGroup | undefined
  let lastExtra = ''
  fillNulls(model, rows)
  for (let position = 0; position < rows.length; position++) {
    const row = rows[position]!
    const extra = extraKey === undefined ? '' : extraKey(position)
    // most rows give what the one before gave
    if (last === undefined || extra !== lastExtra || !isOfGroup(model, last, row)) {
      const fields = givenFields(model, row)
      const key = `${fields.map((field) => field.name).join()} ${extra}`
      last = groups.get(key) ?? emptyGroup(fields)
      lastExtra = extra
      groups.set(key, last)
    }
    last.rows.push(row)
    last.positions.push(position)
  }
  return [...groups.values()]
}

/** As {@link groupRows}, where the order of the rows counts: a group is rows side by side. */
export function groupNeighbours(model: BoundModel, rows: readonly Record<string, unknown>[]): readonly PlacedGroup[] {
  const groups: PlacedGroup[] = []
  let last: PlacedGroup | undefined
  fillNulls(model, rows)
  for (let position = 0; position < rows.length; position++) {
    const row = rows[position]!
    if (last === undefined || !isOfGroup(model, last, row)) {
      last = emptyGroup(givenFields(model, row))
      groups.push(last)
    }
    last.rows.push(row)
    last.positions.push(position)
  }
  return groups
}

function emptyGroup(fields: readonly BoundField[]): PlacedGroup {
  return { fields, rows: [], positions: [] }
}

function givenFields(model: BoundModel, row: Record<string, unknown>): readonly BoundField[] {
  return model.fields.filter(({ name }) => row[name] !== undefined)
}

/** Whether a row gives the fields of a group, which are in the model's order, and no others. */
function isOfGroup({ fields }: BoundModel, group: PlacedGroup, row: Record<string, unknown>): boolean {
  let given = 0
  for (const field of fields) {
    if (row[field.name] === undefined) continue
    if (group.fields[given] !== field) return false
    given++
  }
  return given === group.fields.length
}

/** Gives rows null for what they leave out and the database makes nothing of. */
function fillNulls({ fields }: BoundModel, rows: readonly Record<string, unknown>[]): void {
  const leavable = fields.filter(({ definition }) => definition.nullable && definition.default === undefined)
  for (const { name } of leavable) {
    for (const row of rows) if (row[name] === undefined) row[name] = null
  }
}
