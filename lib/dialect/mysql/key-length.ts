import { ModelError } from '../../errors.js'
import type { ColumnType } from '../../model/column-type.js'
import type { TableSchema } from '../../model/schema.js'

/** Of an InnoDB index in the default row format. */
const MAX_KEY_BYTES = 3072

/** Bytes that a key over a column of each type takes; undefined: no key without a length. */
function keyBytes(type: ColumnType): number | undefined {
  switch (type.kind) {
    case 'text':
    case 'json':
    case 'bytes':
    case 'array':
      return undefined
    case 'varchar':
      return type.length * 4
    case 'enum':
      return type.native ? 2 : Math.max(1, ...type.values.map((value) => [...value].length)) * 4
    case 'uuid':
      return 36
    case 'decimal':
      return Math.ceil(type.precision / 2) + 2
    default:
      return 8
  }
}

/**
 * Refuses a key that MySQL would.
 *
 * @throws {ModelError} a column of text, JSON or bytes, which have no length to index, or more than 3072 bytes together
 */
export function refuseLongKey(table: TableSchema, columns: readonly string[]): void {
  let bytes = 0
  for (const name of columns) {
    const { type } = table.columns.find((column) => column.name === name)!
    const its = keyBytes(type)
    if (its === undefined) {
      const hint = type.kind === 'text' ? '; give it maxLength' : ''
      throw new ModelError(table.name, name, `MySQL makes no key or index over ${type.kind} without a length${hint}`)
    }
    bytes += its
  }
  if (bytes <= MAX_KEY_BYTES) return
  throw new ModelError(
    table.name,
    columns.join(', '),
    `a key takes ${bytes} bytes, of which MySQL has ${MAX_KEY_BYTES}; give a smaller maxLength`,
  )
}
