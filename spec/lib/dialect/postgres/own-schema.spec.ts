import { expect, it } from 'vitest'
import type { TableSchema } from '../../../../lib/model/schema.js'
import { diffSchemas } from '../../../../lib/model/schema-diff.js'
import { forEachEngine } from '../../../support/engines.js'
import { MigratedDatabase } from '../migrated-database.js'

function table(name: string, schema?: string): TableSchema {
  return {
    name,
    ...(schema === undefined ? {} : { schema }),
    columns: [{ name: 'id', type: { kind: 'integer' }, nullable: false }],
    primaryKey: { name: `${name.slice(0, 4)}_pkey`, columns: ['id'] },
    uniques: [],
    indexes: [],
    foreignKeys: [],
    checks: [],
  }
}

forEachEngine(
  (engine) => {
    it("moves a table into the connection's own schema, whatever that is called", async () => {
      const db = await MigratedDatabase.open(engine)
      try {
        for (const sql of ['create schema app', 'create schema "h%r"', 'set search_path = app']) await db.run(sql)
        const [from, to] = [
          { version: 1, tables: [table("odd%s'name", 'h%r')] },
          { version: 1, tables: [table('plain')] },
        ] as const
        await db.change(diffSchemas(undefined, from).changes)
        const { changes, decisions } = diffSchemas(from, to, { renamedTables: { "h%r.odd%s'name": 'plain' } })
        expect(decisions).toEqual([])
        await db.change(changes)
        expect(await db.run("select schemaname || '.' || tablename from pg_tables where tablename = 'plain'")).toEqual([['app.plain']])
      } finally {
        await db.close()
      }
    })
  },
  { engines: ['postgres'] },
)
