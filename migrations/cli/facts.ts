import { ConfigurationError } from '../../lib/errors.js'
import type { ColumnType } from '../../lib/model/column-type.js'
import type { Schema } from '../../lib/model/schema.js'
import { factName, type SchemaFacts } from '../../lib/model/schema-change.js'
import { nameBefore, unreadable } from './quoted-names.js'

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
    renamedColumns: renames('--rename', flags.rename, 'users.nick:handle'),
    renamedTables: renames('--rename-table', flags.renameTable, 'people:users'),
    drops: (flags.drop ?? []).flatMap((text) => namesOf('--drop', text)),
    defaults: defaultsOf(flags.default, to),
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

/** Both sides are names. */
function renames(flag: string, values: readonly string[] = [], example: string): Record<string, string> {
  return Object.fromEntries(
    values.map((text) => {
      const { name, rest = '' } = nameBefore(':', flag, text, example)
      const to = nameBefore(':', flag, rest, example)
      if (to.rest !== undefined) throw unreadable(flag, text, example)
      return [name, to.name]
    }),
  )
}

/** What is behind the first sign outside of quotes is the value as it stands. */
function defaultsOf(values: readonly string[] = [], to: Schema): Record<string, unknown> {
  const example = 'users.age=0'
  return Object.fromEntries(
    values.map((text) => {
      const { name, rest } = nameBefore('=', '--default', text, example)
      if (rest === undefined) throw unreadable('--default', text, example)
      return [name, jsonOf(name, rest, to)]
    }),
  )
}

function namesOf(flag: string, text: string): readonly string[] {
  const { name, rest } = nameBefore(',', flag, text, 'users.nick')
  return rest === undefined ? [name] : [name, ...namesOf(flag, rest)]
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
