import 'reflect-metadata'
import type { FieldSpec } from 'latchwork'
import { describe, expect, it } from 'vitest'
import type { Engine } from '../../lib/dialect/dialect.js'
import { defineLooseModel } from '../../lib/model/define-model.js'
import { type Schema, schemaOf } from '../../lib/model/schema.js'
import { emptyMigration, type GenerateOptions, generateMigration, generateSplit } from '../../migrations/generate.js'

const ENGINES: readonly Engine[] = ['postgres', 'mysql', 'sqlite']
const ID: FieldSpec = { kind: 'integer', primary: true, increment: true }

/** The schema of one table `users` with these columns. */
function users(fields: Readonly<Record<string, FieldSpec>>, table = 'users'): Schema {
  class User {}
  return schemaOf([defineLooseModel(User, { name: 'User', table, fields: { id: ID, ...fields } })])
}

function options(from: Schema | undefined, to: Schema, more: Partial<GenerateOptions> = {}): GenerateOptions {
  const parents = from === undefined ? [] : ['20260101T000000Z_first']
  return { name: 'change', now: new Date('2026-11-23T12:00:00Z'), ids: parents, parents, from, to, facts: {}, engines: ENGINES, ...more }
}

function rejectionOf(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error
  }
}

function snapshotOf({ draft }: ReturnType<typeof generateMigration>): Schema {
  return JSON.parse(draft!.files['snapshot.json']!)
}

describe('generateMigration', () => {
  const first = users({ email: { kind: 'text', maxLength: 320, unique: true }, nick: { kind: 'text', maxLength: 40, nullable: true } })

  it('writes up and down for each engine, what it means, and the schema after it', () => {
    const { draft, operations } = generateMigration(options(undefined, first))
    expect(Object.keys(draft!.files).sort()).toEqual(
      ['migration.json', 'snapshot.json', ...ENGINES.flatMap((engine) => [`down.${engine}.sql`, `up.${engine}.sql`])].sort(),
    )
    expect(operations).toEqual([{ kind: 'createTable', table: 'users' }])
    const described = JSON.parse(draft!.files['migration.json']!)
    expect(described).toMatchObject({
      id: '20261123T120000Z_change',
      parents: [],
      operations,
      lossyDown: [{ kind: 'dropped', table: 'users' }],
    })
    for (const engine of ENGINES) {
      expect(draft!.files[`up.${engine}.sql`]).toMatch(/^create table/i)
      expect(draft!.files[`down.${engine}.sql`]).toMatch(/^drop table/i)
    }
  })

  it('gives nothing the second time, from what the first has written', () => {
    const snapshot = snapshotOf(generateMigration(options(undefined, first)))
    expect(generateMigration(options(snapshot, first))).toEqual({
      decisions: [],
      operations: [],
      losses: [],
      warnings: [],
      draft: undefined,
    })
  })

  it('puts one statement in each step, and the approval of a drop above it', () => {
    const to = users({ email: { kind: 'text', maxLength: 320, unique: true }, age: { kind: 'integer', nullable: true } })
    const facts = { drops: ['users.nick'] }
    const { draft } = generateMigration(options(first, to, { facts }))
    const up = draft!.files['up.postgres.sql']!
    const steps = up.split('-- latchwork:step\n')
    expect(steps).toHaveLength(2)
    expect(steps.filter((step) => step.startsWith('-- latchwork:approve drop-column users.nick\n'))).toHaveLength(1)
    expect(draft!.files['down.postgres.sql']).not.toContain('approve')
  })

  it('gives all decisions at once, and no draft', () => {
    const to = users({ email: { kind: 'text', maxLength: 320, unique: true }, handle: { kind: 'text', maxLength: 40, nullable: true } })
    const { decisions, draft } = generateMigration(options(first, to))
    expect(decisions).toEqual([{ kind: 'renameColumn', table: 'users', removed: 'nick', added: 'handle', sameType: true }])
    expect(draft).toBeUndefined()
  })

  it('renames by a fact', () => {
    const to = users({ email: { kind: 'text', maxLength: 320, unique: true }, handle: { kind: 'text', maxLength: 40, nullable: true } })
    const { operations, losses, draft } = generateMigration(options(first, to, { facts: { renamedColumns: { 'users.nick': 'handle' } } }))
    expect(operations).toEqual([{ kind: 'renameColumn', table: 'users', name: 'nick', to: 'handle' }])
    expect(losses).toEqual([])
    expect(JSON.parse(draft!.files['migration.json']!)).toMatchObject({ lossyDown: [], parents: ['20260101T000000Z_first'] })
  })
})

describe('the way back of a column that takes no null', () => {
  const kept: Readonly<Record<string, FieldSpec>> = { email: { kind: 'text', maxLength: 320 } }

  it.each<[string, FieldSpec, string]>([
    ['a check', { kind: 'integer', check: { $gt: 17 } }, 'users_age_check'],
    ['a unique key', { kind: 'integer', unique: true }, 'users_age_key'],
  ])('says in the file and beside it that %s may refuse what rows get', (_what, age, refusedBy) => {
    const from = users({ ...kept, age })
    const { draft, warnings, losses } = generateMigration(options(from, users(kept), { facts: { drops: ['users.age'] } }))
    expect(losses).toEqual([{ kind: 'notRestored', table: 'users', column: 'age' }])
    expect(warnings).toEqual([expect.stringContaining(`a placeholder in users.age, such as 0 or '', which ${refusedBy} may refuse`)])
    for (const engine of ENGINES) {
      expect(draft!.files[`down.${engine}.sql`]).toMatch(new RegExp(`^-- rows that are there get .*${refusedBy} may refuse`))
      expect(draft!.files[`up.${engine}.sql`]).not.toContain('placeholder')
    }
    // the same where it only was made to take null
    const loose = users({ ...kept, age: { ...age, nullable: true } as FieldSpec })
    expect(generateMigration(options(from, loose)).warnings).toEqual(warnings)
  })

  it.each<[string, FieldSpec]>([
    ['nothing speaks of it', { kind: 'integer' }],
    ['its check lists what it may be', { kind: 'enum', values: ['a', 'b'] }],
    ['it has a default', { kind: 'integer', default: 21, check: { $gt: 17 } }],
    ['it takes null', { kind: 'integer', nullable: true, check: { $gt: 17 } }],
  ])('says nothing where %s', (_why, age) => {
    const dropped = generateMigration(options(users({ ...kept, age }), users(kept), { facts: { drops: ['users.age'] } }))
    expect([dropped.warnings, dropped.draft!.files['down.postgres.sql']]).toEqual([[], expect.not.stringContaining('placeholder')])
  })
})

describe('generateSplit', () => {
  const old = users({ nick: { kind: 'text' }, legacy: { kind: 'integer', check: { $gt: 0 } } })

  it('splits what a model says to be renamed, table and column, as well as what a fact does', () => {
    class Person {}
    const fields: Readonly<Record<string, FieldSpec>> = { id: ID, handle: { kind: 'text', renamedFrom: 'nick' } }
    const to = schemaOf([defineLooseModel(Person, { name: 'Person', table: 'people', renamedFrom: 'users', fields })])
    const split = generateSplit(options(old, to, { facts: { drops: ['users.legacy'] } }))
    expect(split.map(({ operations }) => operations.map(({ kind }) => kind))).toEqual([
      ['renameTable', 'renameColumn', 'alterColumn'],
      ['dropCheck', 'dropColumn'],
    ])
    expect(snapshotOf(split[1]!).tables[0]?.columns.map(({ name }) => name)).toEqual(['id', 'handle'])
  })

  it.each([
    ['column', users({ nick: { kind: 'integer' } }), { drops: ['users.nick'], renamedColumns: { 'users.legacy': 'nick' } }, 'users.nick'],
    ['table', users({ nick: { kind: 'text' } }, 'users'), { drops: ['users'], renamedTables: { people: 'users' } }, 'users'],
  ])('refuses to keep a %s whose name another takes', (kind, to, facts, name) => {
    const from = kind === 'column' ? old : { ...old, tables: [...old.tables, ...users({ nick: { kind: 'text' } }, 'people').tables] }
    expect(generateMigration(options(from, to, { facts }))).toMatchObject({ decisions: [] })
    const refusal = rejectionOf(() => generateSplit(options(from, to, { facts })))
    expect(refusal).toMatchObject({ code: 'MIGRATION_DECISION', exitCode: 3 })
    expect(String(refusal)).toContain(`cannot keep ${name} for`)
  })

  it('lets rows be made without a column that goes, before it does', () => {
    const [first, second] = generateSplit(options(old, users({ nick: { kind: 'text' } }), { facts: { drops: ['users.legacy'] } }))
    expect(first!.operations).toEqual([expect.objectContaining({ kind: 'alterColumn', table: 'users', name: 'legacy' })])
    expect(snapshotOf(first!).tables[0]?.columns.find(({ name }) => name === 'legacy')).toMatchObject({ nullable: true })
    expect(second!.operations.map(({ kind }) => kind)).toEqual(['dropCheck', 'dropColumn'])
  })
})

describe('emptyMigration', () => {
  const first = users({ email: { kind: 'text' } })

  it('keeps the schema, and has files to be written by hand', () => {
    const { files } = emptyMigration(options(first, first, { engines: ['sqlite'] }), 'sql')
    expect(Object.keys(files).sort()).toEqual(['down.sqlite.sql', 'migration.json', 'snapshot.json', 'up.sqlite.sql'])
    expect(JSON.parse(files['snapshot.json']!)).toEqual(first)
  })

  it('has a module instead of SQL for data', () => {
    expect(Object.keys(emptyMigration(options(first, first), 'data').files).sort()).toEqual(['data.ts', 'migration.json', 'snapshot.json'])
  })
})
