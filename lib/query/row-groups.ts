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
  extraKey: (position: number) => string = () => '',
): readonly PlacedGroup[] {
  const groups = new Map<string, PlacedGroup>()
  rows.forEach((row, position) => {
    const fields = givenFields(model, row)
    const key = `${namesOf(fields)} ${extraKey(position)}`
    let group = groups.get(key)
    if (group === undefined) {
      group = { fields, rows: [], positions: [] }
      groups.set(key, group)
    }
    group.rows.push(row)
    group.positions.push(position)
  })
  return [...groups.values()]
}

/** As {@link groupRows}, where the order of the rows counts: a group is rows side by side. */
export function groupNeighbours(model: BoundModel, rows: readonly Record<string, unknown>[]): readonly PlacedGroup[] {
  const groups: PlacedGroup[] = []
  rows.forEach((row, position) => {
    const fields = givenFields(model, row)
    let group = groups.at(-1)
    if (group === undefined || namesOf(group.fields) !== namesOf(fields)) {
      group = { fields, rows: [], positions: [] }
      groups.push(group)
    }
    group.rows.push(row)
    group.positions.push(position)
  })
  return groups
}

function givenFields(model: BoundModel, row: Record<string, unknown>): readonly BoundField[] {
  return model.fields.filter((field) => fillNull(field, row))
}

function namesOf(fields: readonly BoundField[]): string {
  return fields.map((field) => field.name).join()
}

/** Whether the row gives the field, once it has been given null for what it leaves out. */
function fillNull({ name, definition }: BoundField, row: Record<string, unknown>): boolean {
  if (row[name] === undefined && definition.nullable && definition.default === undefined) row[name] = null
  return row[name] !== undefined
}
