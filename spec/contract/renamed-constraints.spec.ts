import {
  belongsTo,
  CheckViolationError,
  createDatabase,
  type Database,
  ForeignKeyViolationError,
  field,
  type Generated,
  id,
  model,
  type One,
  UniqueViolationError,
} from 'latchwork'
import { createMigrator } from 'latchwork/migrations'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { definitionOf } from '../../lib/model/define-model.js'
import { schemaOf } from '../../lib/model/schema.js'
import { generateMigration } from '../../migrations/generate.js'
import { writeMigration } from '../../migrations/write-migration.js'
import { folderOf } from '../migrations/draft.js'
import { type FreshDatabase, forEachEngine, type SpecEngine } from '../support/engines.js'
import { rejectionOf } from './use-database.js'

@model({ name: 'Member', table: 'people' })
class Before {
  @id() id!: Generated<number>
  @field.text({ maxLength: 40, unique: true }) nick!: string
  @field.integer({ check: { $gte: 18 } }) age!: number
  @field.integer({ nullable: true }) sponsorId!: number | null
  @belongsTo(() => Before, { foreignKey: 'sponsorId' }) sponsor!: One<Before> | null
}

@model({ table: 'members', renamedFrom: 'people' })
class Member {
  @id() id!: Generated<number>
  @field.text({ maxLength: 40, unique: true, renamedFrom: 'nick' }) handle!: string
  @field.integer({ check: { $gte: 18 }, renamedFrom: 'age' }) years!: number
  @field.integer({ nullable: true, renamedFrom: 'sponsor_id' }) mentorId!: number | null
  @belongsTo(() => Member, { foreignKey: 'mentorId' }) mentor!: One<Member> | null
}

/** Makes the tables as they were, and renames them. */
async function migrated(engine: SpecEngine, url: string): Promise<void> {
  const folder = await folderOf([])
  const [from, to] = [schemaOf([definitionOf(Before)]), schemaOf([definitionOf(Member)])]
  const given = { name: 'step', facts: {}, engines: [engine.name] }
  const first = generateMigration({ ...given, now: new Date('2026-11-23T12:00:00Z'), ids: [], parents: [], from: undefined, to: from })
    .draft!
  const ids = [first.id]
  const second = generateMigration({ ...given, now: new Date('2026-11-23T12:00:01Z'), ids, parents: ids, from, to }).draft!
  for (const draft of [first, second]) await writeMigration(folder, draft)
  const migrator = createMigrator({ url, folder })
  await migrator.up()
  expect(await migrator.drift()).toMatchObject({ ok: true, differences: [] })
}

forEachEngine((engine) => {
  let fresh: FreshDatabase
  let db: Database<{ members: typeof Member }>

  beforeEach(async () => {
    fresh = await engine.freshDatabase()
    await migrated(engine, fresh.url)
    db = createDatabase({ url: fresh.url, models: { members: Member }, pool: { share: false } })
    await db.nodes.members.create({ handle: 'ada', years: 36, mentorId: null })
  })

  afterEach(async () => {
    await db.close()
    await fresh.drop()
  })

  const broken = [
    { what: 'a unique key', input: { handle: 'ada', years: 40, mentorId: null }, error: UniqueViolationError, fields: ['handle'] },
    { what: 'a check', input: { handle: 'bob', years: 17, mentorId: null }, error: CheckViolationError, fields: ['years'] },
    { what: 'a foreign key', input: { handle: 'bob', years: 40, mentorId: 77 }, error: ForeignKeyViolationError, fields: ['mentorId'] },
  ]

  describe('a table whose columns a migration has renamed', () => {
    it.each(broken)('says the fields of $what by their names of today', async ({ input, error, fields }) => {
      const thrown = await rejectionOf(db.nodes.members.create(input))
      expect(thrown).toBeInstanceOf(error)
      expect(thrown).toMatchObject({ model: 'Member', fields })
    })

    it.each(broken)('says them in a transaction too', async ({ input, error, fields }) => {
      const thrown = await rejectionOf(db.transaction(() => db.nodes.members.create(input)))
      expect(thrown).toBeInstanceOf(error)
      expect(thrown).toMatchObject({ model: 'Member', fields })
    })
  })

  it('says less, and no later than half a second, where a transaction has the only connection', async () => {
    const narrow = createDatabase({ url: fresh.url, models: { members: Member }, pool: { share: false, maxConnections: 1 } })
    const sinceMs = performance.now()
    const thrown = await rejectionOf(narrow.transaction(() => narrow.nodes.members.create(broken[1]!.input)))
    expect(thrown).toBeInstanceOf(CheckViolationError)
    // PostgreSQL takes nothing more in a transaction that failed
    expect(thrown).toMatchObject({ fields: engine.name === 'postgres' ? [] : ['years'] })
    expect(performance.now() - sinceMs).toBeLessThan(5_000)
    await narrow.close()
  })
})
