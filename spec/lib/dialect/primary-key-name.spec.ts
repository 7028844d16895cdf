import { expect, it } from 'vitest'
import { defineLooseModel } from '../../../lib/model/define-model.js'
import { revertOf } from '../../../lib/model/revert-diff.js'
import { type Schema, schemaOf } from '../../../lib/model/schema.js'
import { diffSchemas } from '../../../lib/model/schema-diff.js'
import { forEachEngine } from '../../support/engines.js'
import { MigratedDatabase } from './migrated-database.js'

/** Users, of whom each may have another for a boss. */
function users(primaryKeyName: string | undefined): Schema {
  class User {}
  const definition = defineLooseModel(User, {
    ...(primaryKeyName === undefined ? {} : { primaryKeyName }),
    fields: { id: { kind: 'integer', primary: true }, bossId: { kind: 'integer', nullable: true } },
    relations: { boss: { kind: 'belongsTo', target: () => User, foreignKey: 'bossId' } },
  })
  return schemaOf([definition])
}

forEachEngine((engine) => {
  it('is what the model says, from the beginning, later on and after the way back', async () => {
    const db = await MigratedDatabase.open(engine)
    try {
      const [plain, named, other] = [users(undefined), users('pk_users'), users('users_key')]
      const expectFound = async (schema: Schema) => {
        const found = await db.introspect(schema)
        expect(found.findings).toEqual([])
        expect(found.schema.tables[0]).toEqual(schema.tables[0])
      }
      const first = diffSchemas(undefined, named)
      await db.change(first.changes)
      await db.run('insert into users (id, boss_id) values (1, null), (2, 1)')
      await expectFound(named)
      const renaming = diffSchemas(named, other)
      // no more than that: the key and what refers to it stay
      expect(renaming.changes).toMatchObject([{ kind: 'changePrimaryKey', from: { name: 'pk_users' }, to: { name: 'users_key' } }])
      const written = db.dialect.ddl(renaming.changes).map(({ sql }) => sql)
      if (engine.name === 'postgres') expect(written).toEqual(['alter table "users" rename constraint "pk_users" to "users_key"'])
      else expect(written).toHaveLength(engine.name === 'sqlite' ? 1 : 0)
      await db.change(renaming.changes)
      await expectFound(other)
      await db.change(revertOf(named, renaming).changes)
      await expectFound(named)
      // a model that no longer says it leaves it
      expect(diffSchemas(named, plain)).toMatchObject({ changes: [], decisions: [] })
      // and one that says it where it followed from the table changes it, and back
      const saying = diffSchemas(plain, named)
      expect(revertOf(plain, saying).changes).toMatchObject([
        { kind: 'changePrimaryKey', from: { name: 'pk_users' }, to: { name: 'users_pkey' } },
      ])
      const rows = await db.run('select id, boss_id from users order by id')
      expect(rows.map((row) => row.map((value) => (value === null ? null : Number(value))))).toEqual([
        [1, null],
        [2, 1],
      ])
    } finally {
      await db.close()
    }
  })
})
