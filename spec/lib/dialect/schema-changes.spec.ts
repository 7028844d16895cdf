import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { ColumnType } from '../../../lib/model/column-type.js'
import { revertOf } from '../../../lib/model/revert-diff.js'
import type { ColumnSchema, ForeignKeySchema, Schema, TableSchema } from '../../../lib/model/schema.js'
import type { SchemaFacts } from '../../../lib/model/schema-change.js'
import { diffSchemas } from '../../../lib/model/schema-diff.js'
import { forEachEngine } from '../../support/engines.js'
import { decided } from '../model/decided.js'
import { anySchema } from '../model/schema-pairs.js'
import { MigratedDatabase } from './migrated-database.js'

const INTEGER: ColumnType = { kind: 'integer' }

function column(name: string, more: Partial<ColumnSchema> = {}): ColumnSchema {
  return { name, type: INTEGER, nullable: true, ...more }
}

function users(more: Partial<TableSchema>, ...columns: readonly ColumnSchema[]): TableSchema {
  return {
    name: 'users',
    columns: [column('id', { nullable: false }), ...columns],
    primaryKey: { name: 'users_pkey', columns: ['id'] },
    uniques: [],
    indexes: [],
    foreignKeys: [],
    checks: [],
    ...more,
  }
}

function schema(...tables: readonly TableSchema[]): Schema {
  return { version: 1, tables }
}

const nick = column('nick', { type: { kind: 'varchar', length: 20 } })
const age = column('age')
const mood = (...values: string[]): ColumnType => ({ kind: 'enum', name: 'mood', values, native: true })
const spirit = (...values: string[]): ColumnType => ({ kind: 'enum', name: 'spirit', values, native: true })
const posts = (more: Partial<TableSchema> = {}): TableSchema => ({
  ...users({ name: 'posts', primaryKey: { name: 'posts_pkey', columns: ['id'] } }, column('user_id')),
  indexes: [{ name: 'posts_user_id_idx', columns: ['user_id'] }],
  ...more,
})
const toUsers: ForeignKeySchema = {
  name: 'posts_user_id_fkey',
  columns: ['user_id'],
  target: { table: 'users', columns: ['id'] },
  onDelete: 'cascade',
  onUpdate: 'noAction',
}
const adult = { age: { $gte: 18 } }
const spoken: Partial<TableSchema> = {
  indexes: [{ name: 'abs_age', columns: [], expression: 'abs(age)' }],
  checks: [
    { name: 'some_age', columns: [], sql: 'age > 0' },
    { name: 'some_size', columns: [], sql: 'size > 0' },
  ],
}

interface Case {
  readonly from: Schema
  readonly to: Schema
  readonly facts?: SchemaFacts
  readonly rows?: readonly string[]
  /** A question and its answer when all is done, as texts. */
  readonly gives?: readonly [sql: string, rows: readonly (readonly (string | null)[])[]]
}

const insertUser = "insert into users (id, nick, age) values (1, 'ada', 36)"

const CASES: Readonly<Record<string, Case>> = {
  'a new table with a foreign key': { from: schema(users({})), to: schema(users({}), posts({ foreignKeys: [toUsers] })) },
  'a table that goes': { from: schema(users({}), posts({ foreignKeys: [toUsers] })), to: schema(users({})), facts: { drops: ['posts'] } },
  'tables that refer to each other and go': {
    from: schema(
      users(
        {
          foreignKeys: [{ ...toUsers, name: 'users_best_fkey', columns: ['best'], target: { table: 'posts', columns: ['id'] } }],
          indexes: [{ name: 'users_best_idx', columns: ['best'] }],
        },
        column('best'),
      ),
      posts({ foreignKeys: [toUsers] }),
    ),
    to: schema(),
    facts: { drops: ['posts', 'users'] },
  },
  'a table that is renamed, with what refers to it': {
    from: schema(users({}, nick, age), posts({ foreignKeys: [toUsers] })),
    to: schema(
      users({ name: 'people', renamedFrom: 'users' }, nick, age),
      posts({ foreignKeys: [{ ...toUsers, target: { table: 'people', columns: ['id'] } }] }),
    ),
    rows: [insertUser, 'insert into posts (id, user_id) values (1, 1)'],
    gives: ['select nick from people', [['ada']]],
  },
  'a column that is renamed, in a check, a key, an index and a condition': {
    from: schema(
      users(
        {
          uniques: [{ name: 'users_age_key', columns: ['age'], where: { age: { $null: false } } }],
          indexes: [
            { name: 'users_nick_age_idx', columns: ['nick', 'age'] },
            { name: 'users_nick_idx', columns: ['nick'], where: adult },
          ],
          checks: [{ name: 'users_age_check', columns: ['age'], condition: adult }],
        },
        nick,
        age,
      ),
    ),
    to: schema(
      users(
        {
          uniques: [{ name: 'users_years_key', columns: ['years'], where: { years: { $null: false } } }],
          indexes: [
            { name: 'users_nick_years_idx', columns: ['nick', 'years'] },
            { name: 'users_nick_idx', columns: ['nick'], where: { years: { $gte: 18 } } },
          ],
          checks: [{ name: 'users_years_check', columns: ['years'], condition: { years: { $gte: 18 } } }],
        },
        nick,
        column('years', { renamedFrom: 'age' }),
      ),
    ),
    rows: [insertUser],
    gives: ['select years from users', [['36']]],
  },
  'columns that change names with each other': {
    from: schema(users({}, nick, column('name', { type: { kind: 'varchar', length: 20 } }))),
    to: schema(users({}, nick, column('name', { type: { kind: 'varchar', length: 20 } }))),
    facts: { renamedColumns: { 'users.nick': 'name', 'users.name': 'nick' } },
    rows: ["insert into users (id, nick, name) values (1, 'n', 'm')"],
    gives: ['select nick, name from users', [['m', 'n']]],
  },
  'columns that change names with each other, of which SQL speaks': {
    from: schema(users(spoken, age, column('size'))),
    to: schema(users(spoken, age, column('size'))),
    facts: { renamedColumns: { 'users.age': 'size', 'users.size': 'age' } },
    rows: ['insert into users (id, age, size) values (1, 36, 180)'],
    gives: ['select age, size from users', [['180', '36']]],
  },
  'new columns, with null, a default, and a value for the rows that are there': {
    from: schema(users({}, nick, age)),
    to: schema(
      users(
        {},
        nick,
        age,
        column('more', { comment: 'what it is' }),
        column('size', { nullable: false, default: { kind: 'value', value: 7 } }),
        column('seen', { nullable: false, type: { kind: 'timestamp', precision: 3 }, default: { kind: 'now' } }),
        column('rank', { nullable: false }),
        column('flag', { nullable: false, type: { kind: 'boolean' }, default: { kind: 'value', value: false } }),
      ),
    ),
    facts: { defaults: { 'users.rank': 3 } },
    rows: [insertUser],
    gives: ['select nick, more, size, rank from users where seen is not null', [['ada', null, '7', '3']]],
  },
  'a column that goes': {
    from: schema(users({ indexes: [{ name: 'users_age_idx', columns: ['age'] }] }, nick, age)),
    to: schema(users({}, nick)),
    facts: { drops: ['users.age'] },
    rows: [insertUser],
    gives: ['select nick from users', [['ada']]],
  },
  'types that become wider': {
    from: schema(
      users(
        { indexes: [{ name: 'users_nick_idx', columns: ['nick'], where: adult }] },
        nick,
        age,
        column('at', { type: { kind: 'timestamp', precision: 3 } }),
      ),
    ),
    to: schema(
      users(
        { indexes: [{ name: 'users_nick_idx', columns: ['nick'], where: adult }] },
        { ...nick, type: { kind: 'varchar', length: 40 } },
        { ...age, type: { kind: 'bigint' }, default: { kind: 'value', value: '5' } },
        column('at', { type: { kind: 'timestamp', precision: 6 } }),
      ),
    ),
    rows: [insertUser],
    gives: ['select nick, age from users', [['ada', '36']]],
  },
  'a key that becomes wider with what refers to it': {
    from: schema(users({}, nick, age), posts({ foreignKeys: [toUsers] })),
    to: schema(
      { ...users({}, nick, age), columns: [column('id', { nullable: false, type: { kind: 'bigint' } }), nick, age] },
      {
        ...posts({ foreignKeys: [toUsers] }),
        columns: [column('id', { nullable: false }), column('user_id', { type: { kind: 'bigint' } })],
      },
    ),
    rows: [insertUser, 'insert into posts (id, user_id) values (1, 1)'],
    gives: ['select user_id from posts', [['1']]],
  },
  'null that is taken no more, and taken again': {
    from: schema(users({}, { ...nick, nullable: false }, age)),
    to: schema(users({}, nick, { ...age, nullable: false })),
    facts: { defaults: { 'users.age': 9 } },
    rows: ["insert into users (id, nick) values (1, 'ada')"],
    gives: ['select nick, age from users', [['ada', '9']]],
  },
  'defaults and comments': {
    from: schema(users({ comment: 'all' }, { ...nick, comment: 'short', default: { kind: 'value', value: 'x' } }, age)),
    to: schema(
      users(
        {},
        { ...nick, default: { kind: 'value', value: "it's" } },
        { ...age, comment: "in 'years'", default: { kind: 'sql', sql: '1 + 1' } },
      ),
    ),
    rows: [insertUser],
  },
  'a key that begins to count': {
    from: schema(users({}, nick, age)),
    to: schema({ ...users({}), columns: [column('id', { nullable: false, default: { kind: 'increment' } }), nick, age] }),
    rows: [insertUser, "insert into users (nick) values ('next')"].slice(0, 1),
  },
  'another primary key': {
    from: schema(users({}, nick, { ...age, nullable: false })),
    to: schema({ ...users({ primaryKey: { name: 'users_pkey', columns: ['age', 'id'] } }, nick, { ...age, nullable: false }) }),
    rows: [insertUser],
    gives: ['select nick from users', [['ada']]],
  },
  'keys, indexes and checks that come, go and change under one name': {
    from: schema(
      users(
        {
          uniques: [{ name: 'users_nick_key', columns: ['nick'] }],
          indexes: [
            { name: 'users_age_idx', columns: ['age'] },
            { name: 'lower_nick', columns: [], expression: 'lower(nick)' },
          ],
          checks: [{ name: 'users_age_check', columns: ['age'], condition: adult }],
        },
        nick,
        age,
      ),
    ),
    to: schema(
      users(
        {
          uniques: [
            { name: 'users_nick_age_key', columns: ['nick', 'age'] },
            { name: 'users_nick_key', columns: ['nick'], where: adult },
          ],
          indexes: [
            { name: 'users_age_idx', columns: ['age', 'nick'] },
            { name: 'lower_nick', columns: [], expression: 'upper(nick)' },
          ],
          checks: [{ name: 'users_age_check', columns: ['age'], condition: { age: { $gte: 16 } } }],
        },
        nick,
        age,
      ),
    ),
    rows: [insertUser],
    gives: ['select nick from users', [['ada']]],
  },
  'an index that a foreign key needs, under the same name': {
    from: schema(users({}), posts({ foreignKeys: [toUsers] })),
    to: schema(users({}), posts({ foreignKeys: [toUsers], indexes: [{ name: 'posts_user_id_idx', columns: ['user_id', 'id'] }] })),
  },
  'a foreign key that comes, and does something else': {
    from: schema(users({}), posts({ foreignKeys: [toUsers] })),
    to: schema(users({}), posts({ foreignKeys: [{ ...toUsers, onDelete: 'setNull' }] })),
  },
  'an enum type with new values, and one that is renamed': {
    from: schema(users({}, nick, age, column('mood', { type: mood('sad'), default: { kind: 'value', value: 'sad' } }))),
    to: schema(users({}, nick, age, column('mood', { type: mood('glad', 'sad', 'so-so'), default: { kind: 'value', value: 'glad' } }))),
    rows: [insertUser],
    gives: ['select mood from users', [['sad']]],
  },
  'an enum type that is renamed and gets a new value': {
    from: schema(users({}, column('mood', { type: mood('sad'), default: { kind: 'value', value: 'sad' } }))),
    to: schema(users({}, column('mood', { type: spirit('glad', 'sad'), default: { kind: 'value', value: 'sad' } }))),
    rows: ["insert into users (id, mood) values (1, 'sad')"],
    gives: ['select mood from users', [['sad']]],
  },
  'a table whose name becomes another in capitals alone': {
    from: schema(users({}, nick, age), posts({ foreignKeys: [toUsers] })),
    to: schema(
      users({ name: 'Users', renamedFrom: 'users' }, nick, age),
      posts({ foreignKeys: [{ ...toUsers, target: { table: 'Users', columns: ['id'] } }] }),
    ),
    rows: [insertUser, 'insert into posts (id, user_id) values (1, 1)'],
    gives: ['select user_id from posts', [['1']]],
  },
  'a column of an enum type that goes': {
    from: schema(users({}, nick, column('mood', { type: mood('sad') }), column('other', { type: mood('sad') }))),
    to: schema(users({}, nick, column('other', { type: mood('sad') }))),
    facts: { drops: ['users.mood'] },
    rows: ["insert into users (id, other) values (1, 'sad')"],
    gives: ['select other from users', [['sad']]],
  },
  'an enum type that is renamed': {
    from: schema(users({}, column('mood', { type: mood('sad') }))),
    to: schema(users({}, column('mood', { type: spirit('sad') }))),
    rows: ["insert into users (id, mood) values (1, 'sad')"],
    gives: ['select mood from users', [['sad']]],
  },
}

forEachEngine((engine) => {
  let db: MigratedDatabase

  beforeEach(async () => {
    db = await MigratedDatabase.open(engine)
  })
  afterEach(() => db.close())

  async function expectSchema(expected: Schema): Promise<void> {
    const { schema: found, findings } = await db.introspect(expected)
    expect(findings).toEqual([])
    expect(diffSchemas(found, expected)).toMatchObject({ changes: [], decisions: [] })
  }

  describe('a schema change', () => {
    for (const [what, { from, to, facts, rows = [], gives }] of Object.entries(CASES)) {
      it(`makes ${what}, keeps the rows, and goes back`, async () => {
        await db.change(diffSchemas(undefined, from).changes)
        for (const row of rows) await db.run(row)
        const diff = diffSchemas(from, to, facts)
        expect(diff.decisions).toEqual([])
        expect(diff.changes.length).toBeGreaterThan(0)
        await db.change(diff.changes)
        await expectSchema(diff.schema)
        if (gives !== undefined)
          expect((await db.run(gives[0])).map((row) => row.map((value) => (value === null ? null : String(value))))).toEqual(gives[1])
        await db.change(revertOf(from, diff).changes)
        await expectSchema(from)
      })
    }
  })

  it('leads from any schema to any other and back', async () => {
    const pairs = fc.sample(fc.tuple(anySchema, anySchema, fc.array(fc.nat(5), { minLength: 8, maxLength: 8 })), { numRuns: 40, seed: 7 })
    let done = 0
    for (const [from, to, picks] of pairs) {
      const facts = decided(from, to, picks)
      if (facts === undefined || done === 10) continue
      done++
      await db.change(diffSchemas(undefined, from).changes)
      const diff = diffSchemas(from, to, facts)
      await db.change(diff.changes)
      await expectSchema(diff.schema)
      await db.change(revertOf(from, diff).changes)
      await expectSchema(from)
      const names = from.tables.map(({ name }) => name)
      await db.change(diffSchemas(from, { version: 1, tables: [] }, { drops: names }).changes)
    }
    expect(done).toBe(10)
  }, 60_000)
})
