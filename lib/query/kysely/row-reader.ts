import type { ResultColumn, StatementResult } from '../../dialect/dialect.js'
import type { BoundField, BoundModel } from '../bound-model.js'
import type { PlainRow } from '../selection.js'
import { isSameType, type MaybeField } from './field-values.js'
import type { Columns } from './scope.js'

type Decode = (value: unknown) => unknown

/** Makes plain objects of a result's rows: values of a field as its type says, all others as the plain driver gives them. */
export class RowReader {
  /** By table and column as they are in the database. Null: several models have them, with different types. */
  readonly #fields = new Map<string, BoundField | null>()

  constructor(models: Iterable<BoundModel>) {
    for (const { definition, fields } of models) {
      for (const field of fields) this.#add(keyOf(definition.table, field.column), field)
    }
  }

  #add(key: string, field: BoundField): void {
    const known = this.#fields.get(key)
    this.#fields.set(key, known === undefined || (known !== null && isSameType(known, field)) ? field : null)
  }

  /** @param outputs  what the query itself says of its columns; the database's word counts only where it says nothing */
  read({ rows }: StatementResult, columns: readonly ResultColumn[], outputs: Columns | undefined): PlainRow[] {
    const known = outputs?.list.length === columns.length ? outputs.list : undefined
    const decoders = columns.map((column, position) => this.#decoder(column, known?.[position]?.field))
    return rows.map((values) => {
      const row: PlainRow = {}
      for (let position = 0; position < columns.length; position++) {
        const value = values[position]
        const decode = decoders[position]
        row[columns[position]!.name] = value === null || decode === undefined ? value : decode(value)
      }
      return row
    })
  }

  #decoder({ table, column, decode }: ResultColumn, field: MaybeField): Decode | undefined {
    const origin = field === undefined && table !== undefined && column !== undefined ? this.#fields.get(keyOf(table, column)) : field
    return origin ? origin.decode : decode
  }
}

function keyOf(table: string, column: string): string {
  return JSON.stringify([table, column])
}
