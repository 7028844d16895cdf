import { ConfigurationError } from '../../lib/errors.js'
import type { ColumnType } from '../../lib/model/column-type.js'
import type { Schema } from '../../lib/model/schema.js'
import { factName, type SchemaFacts } from '../../lib/model/schema-change.js'

/** Flags that decide what the models alone do not say. */
export interface FactFlags {
  readonly rename?: readonly string[]
  readonly renameTable?: readonly string[]
  readonly drop?: readonly string[]
  readonly default?: readonly string[]
}

/**
 * The facts that flags state.
 *
 * @param to  the models' schema: a default is read as its column's type
 * @throws {ConfigurationError} a flag has another form
 */
export function factsOf(flags: FactFlags, to: Schema): SchemaFacts {
  return {
    renamedColumns: pairs('--rename', flags.rename, ':', 'users.nick:handle'),
    renamedTables: pairs('--rename-table', flags.renameTable, ':', 'people:users'),
    drops: flags.drop ?? [],
    defaults: Object.fromEntries(
      Object.entries(pairs('--default', flags.default, '=', 'users.age=0')).map(([name, text]) => [name, jsonOf(name, text, to)]),
    ),
  }
}

/** What was known and what was answered, together. */
export function joinFacts(known: SchemaFacts, more: SchemaFacts): SchemaFacts {
  return {
    renamedColumns: { ...known.renamedColumns, ...more.renamedColumns },
    renamedTables: { ...known.renamedTables, ...more.renamedTables },
    drops: [...(known.drops ?? []), ...(more.drops ?? [])],
    defaults: { ...known.defaults, ...more.defaults },
  }
}

function pairs(flag: string, values: readonly string[] = [], separator: string, example: string): Record<string, string> {
  return Object.fromEntries(
    values.map((text) => {
      const at = text.indexOf(separator)
      if (at < 1 || (separator === ':' && at === text.length - 1)) throw new ConfigurationError(flag, `expected ${example}, got ${text}`)
      return [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}

const WRITTEN_AS_JSON: ReadonlySet<ColumnType['kind']> = new Set(['integer', 'float', 'boolean', 'json', 'array'])

/**
 * What a person wrote for a column, as JSON of its type: `0` is a number for an integer and a text for a varchar.
 *
 * @param name  `users.age`
 */
export function jsonOf(name: string, text: string, to: Schema): unknown {
  const columns = to.tables.flatMap((table) =>
    table.columns.map((column) => ({ name: `${factName(table)}.${column.name}`, type: column.type })),
  )
  const type = columns.find((column) => column.name === name)?.type
  if (type === undefined) throw new ConfigurationError('--default', `no model has a column ${name}`)
  if (!WRITTEN_AS_JSON.has(type.kind)) return text
  try {
    return JSON.parse(text)
  } catch {
    throw new ConfigurationError('--default', `${name} is of type ${type.kind}; ${text} is none`)
  }
}
