import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jsonText } from '../../../lib/model/json-text.js'
import { revertOf } from '../../../lib/model/revert-diff.js'
import type { Schema, TableSchema } from '../../../lib/model/schema.js'
import { diffSchemas } from '../../../lib/model/schema-diff.js'
import { applyChanges } from './apply-changes.js'
import { decided } from './decided.js'
import { anySchema } from './schema-pairs.js'

const RUNS = { numRuns: 300 }

/** Which of the candidates for a rename is taken: a number for each question, taken in turn. */
const answers = fc.array(fc.nat(5), { minLength: 8, maxLength: 8 })

describe('diffSchemas of any two schemas', { timeout: 120_000 }, () => {
  it('leads from one to the other and back, and finds nothing afterwards', () => {
    fc.assert(
      fc.property(anySchema, anySchema, answers, (from, given, picks) => {
        const to = widened(from, given)
        const facts = decided(from, to, picks)
        fc.pre(facts !== undefined)
        const diff = diffSchemas(from, to, facts)
        expect(diff.decisions).toEqual([])
        expect(text(applyChanges(from, diff.changes))).toBe(text(diff.schema))
        expect(text(diff.schema, withoutNames)).toBe(text(to, withoutNames))
        expect(diffSchemas(diff.schema, to)).toMatchObject({ changes: [], decisions: [], schema: diff.schema })
        expect(text(applyChanges(diff.schema, revertOf(from, diff).changes))).toBe(text(from))
      }),
      RUNS,
    )
  })

  it('finds nothing between a schema and itself, and the same every time', () => {
    fc.assert(
      fc.property(anySchema, anySchema, (one, other) => {
        expect(diffSchemas(one, one)).toMatchObject({ changes: [], decisions: [], schema: one })
        expect(diffSchemas(one, other)).toEqual(diffSchemas(JSON.parse(JSON.stringify(one)), JSON.parse(JSON.stringify(other))))
      }),
      RUNS,
    )
  })
})

/** `to` with the types of `from` where its own would be narrower. */
function widened(from: Schema, to: Schema): Schema {
  const before = (table: TableSchema, name: string) =>
    from.tables.find((other) => other.name === table.name)?.columns.find((column) => column.name === name)?.type
  const tables = to.tables.map((table) => ({
    ...table,
    columns: table.columns.map((column) => {
      if (column.name.endsWith('ref') || column.name === 'id') return column
      const old = before(table, column.name)
      return old === undefined || old.kind === column.type.kind ? column : { ...column, type: old }
    }),
  }))
  return { ...to, tables }
}

function text({ tables }: Schema, view: (table: TableSchema) => unknown = (table) => table): string {
  const sorted = tables.map((table) => {
    const { columns, uniques, indexes, foreignKeys, checks, ...rest } = view(table) as TableSchema
    return jsonText([[columns, uniques, indexes, foreignKeys, checks].map((list) => list.map(jsonText).sort()), rest])
  })
  return sorted.sort().join('\n')
}

function withoutNames(table: TableSchema): unknown {
  const nameless = (list: readonly { readonly name: string }[]) => list.map(({ name: _, ...part }) => part)
  const { uniques, indexes, foreignKeys, checks, primaryKey, ...rest } = table
  return {
    ...rest,
    primaryKey: primaryKey.columns,
    uniques: nameless(uniques),
    indexes: nameless(indexes),
    foreignKeys: nameless(foreignKeys),
    checks: nameless(checks),
  }
}
