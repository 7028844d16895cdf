import { jsonText } from '../lib/model/json-text.js'
import type { Schema, TableSchema } from '../lib/model/schema.js'
import { factName } from '../lib/model/schema-change.js'
import { sha256 } from './migration-files.js'

/** The key of a default, check or index in `Introspection.expressions`. */
export function expressionKey(table: string, kind: 'default' | 'check' | 'index', name: string): string {
  return `${table}/${kind}/${name}`
}

/**
 * Every default, check, and index with SQL of its own, by {@link expressionKey}, with the hash of what it means: the same hash, the same
 * rendering by one engine.
 */
export function expressionHashes(schema: Schema): ReadonlyMap<string, string> {
  return new Map(schema.tables.flatMap(hashesOfTable))
}

function hashesOfTable(table: TableSchema): readonly (readonly [key: string, hash: string])[] {
  const hashOf = (kind: 'default' | 'check' | 'index', name: string, part: object) => {
    const text = jsonText(part)
    // an engine writes casts by the types of the columns
    const types = table.columns.filter((column) => text.includes(column.name)).map(({ name: column, type }) => [column, type])
    return [expressionKey(factName(table), kind, name), sha256(jsonText([part, types]))] as const
  }
  const defaults = table.columns.filter(({ default: value }) => value !== undefined && value.kind !== 'increment')
  const indexes = [...table.uniques, ...table.indexes].filter((index) => 'where' in index || 'expression' in index)
  return [
    ...defaults.map((column) => hashOf('default', column.name, { name: column.name, default: column.default })),
    ...indexes.map((index) => hashOf('index', index.name, index)),
    ...table.checks.map((check) => hashOf('check', check.name, check)),
  ]
}
