import type { StoredColumn } from '../../lib/dialect/introspection.js'
import type { ColumnType } from '../../lib/model/column-type.js'

/**
 * The type whose values read and write as those of a column that no field has, by its word and what the engine makes of it; undefined: none does.
 * A model with it works, and differs from the database.
 */
export function nearestType({ typeText, nearest }: StoredColumn): ColumnType | undefined {
  const text = typeText.toLowerCase()
  const length = /^(?:character|char|nchar|nvarchar|character varying|varchar)\((\d+)\)/.exec(text)?.[1]
  if (length !== undefined) return { kind: 'varchar', length: Number(length) }
  return NEAREST.find(([pattern]) => pattern.test(text))?.[1] ?? nearest
}

const NEAREST: readonly (readonly [pattern: RegExp, type: ColumnType])[] = [
  [/^(smallint|mediumint|tinyint|int2)(\(\d+\))?( unsigned)?( zerofill)?$/, { kind: 'integer' }],
  [/^(int|integer)(\(\d+\))? unsigned/, { kind: 'bigint' }],
  [/^bigint(\(\d+\))? unsigned/, { kind: 'bigint' }],
  [/^(real|float|double)/, { kind: 'float' }],
  [/^(tinytext|mediumtext|text|citext|character varying|varchar|clob)$/, { kind: 'text' }],
  [/^(tinyblob|mediumblob|blob)$/, { kind: 'bytes' }],
  [/^json$/, { kind: 'json' }],
  // words that SQLite takes for numbers, which neither the numbers of a boolean nor the text of a day minds
  [/^bool(ean)?$/, { kind: 'boolean' }],
  [/^date$/, { kind: 'date' }],
  [/^time(\(\d\))?$/, { kind: 'time' }],
  [/^(?:datetime|timestamp)(\([0-3]\))?$/, { kind: 'timestamp', precision: 3 }],
  [/^(?:datetime|timestamp)\([4-6]\)$/, { kind: 'timestamp', precision: 6 }],
]
