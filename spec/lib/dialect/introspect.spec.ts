import { expect, it } from 'vitest'
import type { Schema, TableSchema } from '../../../lib/model/schema.js'
import { schemaOf } from '../../../lib/model/schema.js'
import { diffSchemas } from '../../../lib/model/schema-diff.js'
import { forEachEngine } from '../../support/engines.js'
import { MODELS } from './ddl-models.js'
import { MigratedDatabase } from './migrated-database.js'

forEachEngine((engine) => {
  it('finds every type, default, key, index, check, foreign key and comment as it was made', async () => {
    const db = await MigratedDatabase.open(engine)
    try {
      const schema = schemaOf(MODELS)
      await db.change(diffSchemas(undefined, schema).changes)
      const found = await db.introspect(schema)
      expect(found.findings).toEqual([])
      for (const table of schema.tables) expect(inOrder(tableOf(found.schema, table.name))).toEqual(inOrder(table))
      expect(diffSchemas(found.schema, schema)).toMatchObject({ changes: [], decisions: [] })
    } finally {
      await db.close()
    }
  })

  it('finds what was changed past it', async () => {
    const db = await MigratedDatabase.open(engine)
    try {
      const id = { name: 'id', type: { kind: 'integer' }, nullable: false } as const
      const age = { name: 'age', type: { kind: 'integer' }, nullable: true, default: { kind: 'value', value: 1 } } as const
      const check = { name: 'users_age_check', columns: ['age'], condition: { age: { $gte: 0 } } }
      const index = { name: 'users_age_idx', columns: ['age'], where: { age: { $lt: 9 } } }
      const users: TableSchema = {
        name: 'users',
        columns: [id, age],
        primaryKey: { name: 'users_pkey', columns: ['id'] },
        uniques: [],
        indexes: [index],
        foreignKeys: [],
        checks: [check],
      }
      const made: Schema = { version: 1, tables: [users] }
      const asked: TableSchema = {
        ...users,
        columns: [id, { ...age, default: { kind: 'value', value: 2 } }],
        indexes: [{ ...index, where: { age: { $lt: 8 } } }],
        checks: [{ ...check, condition: { age: { $gte: 1 } } }],
      }
      await db.change(diffSchemas(undefined, made).changes)
      const { schema, findings } = await db.introspect({ version: 1, tables: [asked] })
      const [found] = schema.tables
      expect(found?.columns[1]?.default).toMatchObject({ kind: 'sql' })
      expect(found?.checks[0]).toMatchObject({ name: 'users_age_check', columns: [], sql: expect.stringContaining('>= 0') })
      expect(found?.indexes).toEqual([])
      expect(findings).toMatchObject([{ table: 'users', object: 'users_age_idx', problem: expect.stringContaining('9') }])
    } finally {
      await db.close()
    }
  })
})

function tableOf({ tables }: Schema, name: string): TableSchema {
  return tables.find((table) => table.name === name)!
}

function inOrder(table: TableSchema): TableSchema {
  const byName = <T extends { readonly name: string }>(list: readonly T[]) => [...list].sort((a, b) => (a.name < b.name ? -1 : 1))
  const { columns, uniques, indexes, foreignKeys, checks } = table
  return {
    ...table,
    columns: byName(columns),
    uniques: byName(uniques),
    indexes: byName(indexes),
    foreignKeys: byName(foreignKeys),
    checks: byName(checks),
  }
}
