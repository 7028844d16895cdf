import 'reflect-metadata'
import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { FieldSpec } from 'latchwork'
import { createMigrator } from 'latchwork/migrations'
import { describe, expect, it } from 'vitest'
import { defineLooseModel } from '../../lib/model/define-model.js'
import { type Schema, schemaOf } from '../../lib/model/schema.js'
import type { SchemaFacts } from '../../lib/model/schema-change.js'
import { generateMigration } from '../../migrations/generate.js'
import { linkProblems } from '../../migrations/snapshot-chain.js'
import { writeMigration } from '../../migrations/write-migration.js'
import { folderOf } from './draft.js'

const ID: FieldSpec = { kind: 'integer', primary: true, increment: true }
const EMAIL: FieldSpec = { kind: 'text', maxLength: 320, unique: true }
const NICK: FieldSpec = { kind: 'text', maxLength: 40, nullable: true, index: true }

function users(fields: Readonly<Record<string, FieldSpec>>, table = 'users'): Schema {
  class User {}
  return schemaOf([defineLooseModel(User, { name: 'User', table, fields: { id: ID, ...fields } })])
}

/** What a generated migration from the one to the other says it does, and the schema that it leaves. */
function generated(from: Schema | undefined, to: Schema, facts: SchemaFacts = {}) {
  const now = new Date('2026-11-23T12:00:00Z')
  return generateMigration({ name: 'change', now, ids: [], parents: [], from, to, facts, engines: ['sqlite'] })
}

function leftBy({ draft }: ReturnType<typeof generated>): Schema {
  return JSON.parse(draft!.files['snapshot.json']!)
}

describe('linkProblems', () => {
  const first = users({ email: EMAIL, nick: NICK })
  const cases: readonly { readonly what: string; readonly to: Schema; readonly facts?: SchemaFacts }[] = [
    { what: 'a new column', to: users({ email: EMAIL, nick: NICK, age: { kind: 'integer', nullable: true, check: { $gte: 0 } } }) },
    { what: 'a dropped column', to: users({ email: EMAIL }), facts: { drops: ['users.nick'] } },
    { what: 'a renamed column', to: users({ email: EMAIL, handle: NICK }), facts: { renamedColumns: { 'users.nick': 'handle' } } },
    {
      what: 'columns that change their names',
      to: users({ nick: EMAIL, email: NICK }),
      facts: { renamedColumns: { 'users.nick': 'email', 'users.email': 'nick' } },
    },
    {
      what: 'a renamed table with a new column',
      to: users({ email: EMAIL, nick: NICK, age: { kind: 'integer', nullable: true } }, 'people'),
      facts: { renamedTables: { users: 'people' } },
    },
    {
      what: 'a wider column with another default',
      to: users({ email: EMAIL, nick: { ...NICK, maxLength: 80, default: 'x' } as FieldSpec }),
    },
    { what: 'a dropped table', to: schemaOf([]), facts: { drops: ['users'] } },
  ]

  it.each(cases)('finds nothing in what generate writes of $what', ({ to, facts }) => {
    const change = generated(first, to, facts)
    expect(change.decisions).toEqual([])
    expect(change.operations.length).toBeGreaterThan(0)
    expect(linkProblems(first, leftBy(change), change.operations)).toEqual([])
  })

  it.each(cases)('finds that $what has no operation', ({ to, facts }) => {
    const change = generated(first, to, facts)
    expect(linkProblems(first, leftBy(change), [])).not.toEqual([])
  })

  it('finds what an operation makes or drops and the snapshot does not', () => {
    const change = generated(first, users({ email: EMAIL, nick: NICK, age: { kind: 'integer', nullable: true } }))
    expect(linkProblems(first, first, change.operations)).toEqual(['it adds users.age, which its snapshot lacks'])
    expect(linkProblems(first, first, [{ kind: 'dropTable', table: 'users' }])).toEqual([
      'it drops the table users, which its snapshot has',
    ])
    expect(linkProblems(first, first, [{ kind: 'renameColumn', table: 'users', name: 'no', to: 'one' }])).toEqual([
      'it renames users.no, which the snapshot before it does not have',
    ])
  })
})

describe('verify', () => {
  it('follows the chain of snapshots, and says which of them was changed', async () => {
    const folder = await folderOf([])
    const drafts = ['2026-11-23T12:00:00Z', '2026-11-23T12:00:01Z'].map((now) => new Date(now))
    const [one, two] = [users({ email: EMAIL }), users({ email: EMAIL, nick: NICK })]
    const first = generateMigration({
      name: 'one',
      now: drafts[0]!,
      ids: [],
      parents: [],
      from: undefined,
      to: one,
      facts: {},
      engines: ['sqlite'],
    })
    await writeMigration(folder, first.draft!)
    const ids = [first.draft!.id]
    const second = generateMigration({
      name: 'two',
      now: drafts[1]!,
      ids,
      parents: ids,
      from: one,
      to: two,
      facts: {},
      engines: ['sqlite'],
    })
    await writeMigration(folder, second.draft!)
    const migrator = createMigrator({ url: 'sqlite:/nowhere/at-all.db', folder })
    expect(await migrator.verify({ offline: true })).toMatchObject({ ok: true, exitCode: 0, problems: [] })

    const file = join(folder, second.draft!.id, 'snapshot.json')
    await cp(file, `${file}.kept`)
    await writeFile(file, (await readFile(file, 'utf8')).replaceAll('"nick"', '"handle"').replace('"length": 320', '"length": 300'))
    const { problems, exitCode } = await migrator.verify({ offline: true })
    expect(exitCode).toBe(6)
    expect(problems.map(({ kind, ids: of }) => [kind, of])).toEqual(problems.map(() => ['snapshot', [second.draft!.id]]))
    const said = problems.map(({ message }) => message).join('\n')
    for (const words of ['changes the column users.email', 'has the column users.handle', 'it adds users.nick, which its snapshot lacks'])
      expect(said).toContain(words)

    await writeFile(file, '{ "version": 1')
    expect((await migrator.verify({ offline: true })).problems[0]?.message).toContain('is not JSON')
    await cp(`${file}.kept`, file)
    expect(await migrator.verify({ offline: true })).toMatchObject({ ok: true })
  })
})
