import { describe, expect, it } from 'vitest'
import { revertOf } from '../../../lib/model/revert-diff.js'
import type { ColumnSchema, Schema, TableSchema } from '../../../lib/model/schema.js'
import { factName, type SchemaChange, type SchemaDecision, type SchemaFacts } from '../../../lib/model/schema-change.js'
import { diffSchemas, type SchemaDiff } from '../../../lib/model/schema-diff.js'

function table(name: string, more: Partial<TableSchema> = {}): TableSchema {
  return {
    name,
    columns: [
      { name: 'id', type: { kind: 'integer' }, nullable: false },
      { name: 'other', type: { kind: 'integer' }, nullable: true },
    ],
    primaryKey: { name: `${name}_pkey`, columns: ['id'] },
    uniques: [],
    indexes: [{ name: `${name}_other_idx`, columns: ['other'] }],
    foreignKeys: [],
    checks: [],
    ...more,
  }
}

function referring(name: string, to: string): TableSchema {
  const target = { table: to, columns: ['id'] }
  return table(name, {
    foreignKeys: [{ name: `${name}_other_fkey`, columns: ['other'], target, onDelete: 'noAction', onUpdate: 'noAction' }],
  })
}

function schema(...tables: readonly TableSchema[]): Schema {
  return { version: 1, tables }
}

function told({ changes, decisions }: SchemaDiff): readonly string[] {
  expect(decisions).toEqual([])
  return changes.map(tell)
}

function tell(change: SchemaChange): string {
  switch (change.kind) {
    case 'createSchema':
      return `schema ${change.name}`
    case 'createEnum':
      return `enum ${factName(change)}: ${change.values.join(' ')}`
    case 'addEnumValue':
      return `value ${change.value} of ${factName(change)}${change.next === undefined ? '' : ` before ${change.next}`}`
    case 'renameEnum':
      return `enum ${factName(change)} is ${change.to}`
    case 'replaceEnum':
    case 'dropEnum':
      return `${change.kind} ${factName(change)}`
    case 'createTable':
    case 'dropTable':
      return `${change.kind === 'createTable' ? '' : 'drop '}table ${change.table.name}`
    case 'renameTable':
      return `table ${change.before.name} is ${change.to.name}`
    case 'renameColumn':
      return `column ${change.table.name}.${change.from} is ${change.to}`
    case 'addColumn':
    case 'dropColumn':
      return `${change.kind === 'addColumn' ? '' : 'drop '}column ${change.table.name}.${change.column.name}`
    case 'alterColumn':
      return `alter column ${change.table.name}.${change.to.name}`
    case 'changePrimaryKey':
      return `key ${change.table.name} (${change.to.columns.join(', ')})`
    case 'addUnique':
    case 'dropUnique':
      return `${change.kind === 'addUnique' ? '' : 'drop '}unique ${change.unique.name}`
    case 'createIndex':
    case 'dropIndex':
      return `${change.kind === 'createIndex' ? '' : 'drop '}index ${change.index.name}`
    case 'addForeignKey':
    case 'dropForeignKey':
      return `${change.kind === 'addForeignKey' ? '' : 'drop '}foreign key ${change.foreignKey.name}`
    case 'addCheck':
    case 'dropCheck':
      return `${change.kind === 'addCheck' ? '' : 'drop '}check ${change.check.name}`
    case 'comment':
      return `comment ${change.table.name}${change.column === undefined ? '' : `.${change.column}`}: ${change.comment ?? ''}`
  }
}

function column(name: string, more: Partial<ColumnSchema> = {}): ColumnSchema {
  return { name, type: { kind: 'integer' }, nullable: true, ...more }
}

/** A table `users` with an id and these columns. */
function users(...columns: readonly ColumnSchema[]): Schema {
  return schema(table('users', { columns: [column('id', { nullable: false }), ...columns], indexes: [] }))
}

const mood = (...values: string[]) =>
  ({ name: 'mood', type: { kind: 'enum', name: 'mood', values, native: true }, nullable: false }) as const

describe('diffSchemas', () => {
  it('makes tables, then indexes, then foreign keys, so that tables may refer to each other', () => {
    expect(told(diffSchemas(undefined, schema(referring('posts', 'users'), referring('users', 'posts'))))).toEqual([
      'table posts',
      'table users',
      'index posts_other_idx',
      'index users_other_idx',
      'foreign key posts_other_fkey',
      'foreign key users_other_fkey',
    ])
  })

  it('makes an enum type once a schema, before the tables that use it', () => {
    const array = { name: 'moods', type: { kind: 'array', of: mood('glad', 'sad').type }, nullable: false } as const
    const changes = diffSchemas(
      undefined,
      schema(
        table('people', { columns: [mood('glad', 'sad'), array] }),
        table('cats', { columns: [mood('glad', 'sad')] }),
        table('dogs', { schema: 'kennel', columns: [mood('glad')] }),
      ),
    )
    expect(told(changes).slice(0, 4)).toEqual(['schema kennel', 'enum mood: glad sad', 'enum kennel.mood: glad', 'table people'])
  })

  it('finds nothing between a schema and itself read back, in whatever order its parts are', () => {
    const users = table('users', {
      checks: [
        { name: 'a', columns: [], sql: '1' },
        { name: 'b', columns: [], sql: '2' },
      ],
    })
    const { indexes, checks, columns, ...rest } = users
    const shuffled = { checks: [...checks].reverse(), columns: [...columns].reverse(), indexes, ...rest }
    expect(told(diffSchemas(schema(users, table('posts')), schema(table('posts'), shuffled)))).toEqual([])
    expect(told(diffSchemas(JSON.parse(JSON.stringify(schema(users))), schema(users)))).toEqual([])
  })

  it('makes what is new beside what is there', () => {
    expect(told(diffSchemas(schema(table('users')), schema(table('users'), referring('posts', 'users'))))).toEqual([
      'table posts',
      'index posts_other_idx',
      'foreign key posts_other_fkey',
    ])
  })

  it('uses an enum type that is there', () => {
    const before = schema(table('people', { columns: [mood('glad')] }))
    const after = schema(...before.tables, table('cats', { columns: [mood('glad')] }))
    expect(told(diffSchemas(before, after))).toEqual(['table cats', 'index cats_other_idx'])
  })

  describe('of a table that both have', () => {
    const key = { name: 'users_nick_key', columns: ['nick'] }
    const text = { kind: 'text' } as const

    it('goes by where each part may stand: what a part needs comes before it and goes after it', () => {
      const before = schema(
        table('users', { checks: [{ name: 'c', columns: ['other'], condition: { other: { $gt: 0 } } }] }),
        referring('posts', 'users'),
      )
      const after = schema(
        table('users', {
          columns: [column('id', { nullable: false }), column('more')],
          indexes: [{ name: 'users_more_idx', columns: ['more'] }],
          checks: [{ name: 'd', columns: ['more'], condition: { more: { $gt: 0 } } }],
        }),
        table('posts'),
      )
      expect(told(diffSchemas(before, after, { drops: ['users.other'] }))).toEqual([
        'drop check c',
        'drop foreign key posts_other_fkey',
        'column users.more',
        'index users_more_idx',
        'drop index users_other_idx',
        'drop column users.other',
        'check d',
      ])
    })

    it('finds a column renamed by renamedFrom, keeps the names of its key, and finds nothing the next time', () => {
      const before = schema(table('users', { columns: [column('id', { nullable: false }), column('nick')], indexes: [], uniques: [key] }))
      const handle = column('handle', { renamedFrom: 'nick' })
      const after = schema(
        table('users', {
          columns: [column('id', { nullable: false }), handle],
          indexes: [],
          uniques: [{ name: 'users_handle_key', columns: ['handle'] }],
        }),
      )
      const diff = diffSchemas(before, after)
      expect(told(diff)).toEqual(['column users.nick is handle'])
      expect(diff.schema.tables[0]?.uniques).toEqual([{ name: 'users_nick_key', columns: ['handle'] }])
      expect(diff.schema.tables[0]?.columns[1]).toEqual(column('handle'))
      expect(told(diffSchemas(diff.schema, after))).toEqual([])
      expect(diff.renamed).toEqual({ renamedTables: {}, renamedColumns: { 'users.nick': 'handle' } })
    })

    it('finds a table renamed by renamedFrom or a fact, with what refers to it', () => {
      const before = schema(table('users'), referring('posts', 'users'))
      const after = schema(table('people', { renamedFrom: 'users' }), referring('posts', 'people'))
      const diff = diffSchemas(before, after)
      expect(told(diff)).toEqual(['table users is people'])
      expect(diff.schema.tables[0]?.indexes[0]?.name).toBe('users_other_idx')
      const stated = diffSchemas(before, schema(table('people'), referring('posts', 'people')), { renamedTables: { users: 'people' } })
      expect(told(stated)).toEqual(['table users is people'])
    })

    it('lets columns change names with each other', () => {
      const facts = { renamedColumns: { 'users.a': 'b', 'users.b': 'a' } }
      const both = users(column('a', { type: text }), column('b'))
      const swapped = users(column('b', { type: text }), column('a'))
      expect(told(diffSchemas(both, swapped, facts))).toEqual([
        'column users.b is _lw_b_aside',
        'column users.a is b',
        'column users._lw_b_aside is a',
      ])
    })

    it('makes checks and indexes in SQL anew that speak of a column whose name is another one now', () => {
      const speaking: Partial<TableSchema> = {
        indexes: [
          { name: 'abs_a', columns: [], expression: 'abs(A)' },
          { name: 'area', columns: [], expression: 'area + other' },
        ],
        checks: [{ name: 'a_pos', columns: [], sql: '"a" > 0' }],
      }
      const columns = ['id', 'a', 'b', 'area', 'other'].map((name) => column(name, { nullable: name !== 'id' }))
      const both = schema(table('users', { ...speaking, columns }))
      const swapped = diffSchemas(both, both, { renamedColumns: { 'users.a': 'b', 'users.b': 'a' } })
      expect(told(swapped)).toEqual([
        'drop check a_pos',
        'drop index abs_a',
        'column users.b is _lw_b_aside',
        'column users.a is b',
        'column users._lw_b_aside is a',
        'index abs_a',
        'check a_pos',
      ])
      expect(
        revertOf(both, swapped)
          .changes.map(tell)
          .filter((each) => /abs_a|a_pos/.test(each)),
      ).toEqual(['drop check a_pos', 'drop index abs_a', 'index abs_a', 'check a_pos'])
      const moved = schema(table('users', { ...speaking, columns: columns.filter(({ name }) => name !== 'b') }))
      expect(told(diffSchemas(both, moved, { renamedColumns: { 'users.b': 'a' }, drops: ['users.a'] }))).toEqual([
        'drop check a_pos',
        'drop index abs_a',
        'column users.a is _lw_a_aside',
        'column users.b is a',
        'index abs_a',
        'drop column users._lw_a_aside',
        'check a_pos',
      ])
    })

    it('follows names that go on from column to column and from table to table, in any order', () => {
      const before = schema(table('users', { columns: [column('id', { nullable: false }), column('a'), column('b')], indexes: [] }))
      const moved = [column('b', { renamedFrom: 'a' }), column('c', { renamedFrom: 'b' })]
      for (const columns of [moved, moved.toReversed()]) {
        const after = schema(table('users', { columns: [column('id', { nullable: false }), ...columns], indexes: [] }))
        const diff = diffSchemas(before, after)
        expect(diff.decisions).toEqual([])
        expect(diff.renamed.renamedColumns).toEqual({ 'users.a': 'b', 'users.b': 'c' })
        expect(told(diffSchemas(diff.schema, after))).toEqual([])
      }
      const tables = [table('people', { renamedFrom: 'users' }), table('persons', { renamedFrom: 'people' })]
      for (const given of [tables, tables.toReversed()]) {
        const diff = diffSchemas(schema(table('users'), table('people')), schema(...given))
        expect(diff.decisions).toEqual([])
        expect(diff.renamed.renamedTables).toEqual({ users: 'people', people: 'persons' })
        expect(told(diffSchemas(diff.schema, schema(...given)))).toEqual([])
      }
    })

    it('gives a new key another name where a renamed column has kept it', () => {
      const before = schema(table('users', { columns: [column('id', { nullable: false }), column('nick')], indexes: [], uniques: [key] }))
      const columns = [column('id', { nullable: false }), column('handle', { renamedFrom: 'nick' }), column('nick')]
      const uniques = [{ name: 'users_handle_key', columns: ['handle'] }, key]
      const diff = diffSchemas(before, schema(table('users', { columns, indexes: [], uniques })))
      expect(diff.schema.tables[0]?.uniques.map(({ name }) => name)).toEqual(['users_nick_key', 'users_nick_key2'])
    })

    it('widens a type where it stands, between its foreign keys', () => {
      const wide = (id: 'integer' | 'bigint') => {
        const columns = [column('id', { type: { kind: id }, nullable: false }), column('other', { type: { kind: id } })]
        return schema(table('users', { columns }), { ...referring('posts', 'users'), columns })
      }
      expect(told(diffSchemas(wide('integer'), wide('bigint')))).toEqual([
        'drop foreign key posts_other_fkey',
        'alter column users.id',
        'alter column users.other',
        'alter column posts.id',
        'alter column posts.other',
        'foreign key posts_other_fkey',
      ])
    })

    it('adds values to an enum type, each where it belongs', () => {
      const people = (...values: string[]) => schema(table('people', { columns: [mood(...values)], indexes: [] }))
      expect(told(diffSchemas(people('b', 'd'), people('a', 'b', 'c', 'd', 'e')))).toEqual([
        'value a of mood before b',
        'value c of mood before d',
        'value e of mood',
        'alter column people.mood',
      ])
    })

    it('drops an enum type when nothing has it any more', () => {
      const before = schema(table('people', { columns: [column('id', { nullable: false }), mood('a')], indexes: [] }))
      const after = schema(table('people', { columns: [column('id', { nullable: false })], indexes: [] }))
      expect(told(diffSchemas(before, after, { drops: ['people.mood'] }))).toEqual(['drop column people.mood', 'dropEnum mood'])
    })

    it('changes comments and defaults', () => {
      const before = users(column('age', { comment: 'in years' }))
      const after = users(column('age', { default: { kind: 'value', value: 1 } }))
      expect(told(diffSchemas(before, after))).toEqual(['alter column users.age', 'comment users.age: '])
    })
  })

  describe('asks', () => {
    const none = users()
    const cases: Readonly<Record<string, readonly [from: Schema, to: Schema, decisions: readonly SchemaDecision[], answer?: SchemaFacts]>> =
      {
        'whether a column that is gone was renamed': [
          users(column('nick')),
          users(column('handle')),
          [{ kind: 'renameColumn', table: 'users', removed: 'nick', added: 'handle', sameType: true }],
          { renamedColumns: { 'users.nick': 'handle' } },
        ],
        'for the approval of a drop': [
          users(column('nick')),
          none,
          [{ kind: 'dropColumn', table: 'users', column: 'nick' }],
          { drops: ['users.nick'] },
        ],
        'for the approval of a drop of a table': [
          schema(table('users'), table('posts')),
          schema(table('users')),
          [{ kind: 'dropTable', table: 'posts' }],
          { drops: ['posts'] },
        ],
        'whether a table that is gone was renamed, and says where it may be now': [
          schema(table('users')),
          schema(table('users', { schema: 'hr' })),
          [{ kind: 'renameTable', removed: 'users', added: 'hr.users', sameColumns: true }],
          { renamedTables: { users: 'hr.users' } },
        ],
        'what rows get in a new column that takes no null': [
          none,
          users(column('age', { nullable: false })),
          [{ kind: 'fillColumn', table: 'users', column: 'age' }],
          { defaults: { 'users.age': 0 } },
        ],
        'how a type becomes narrower': [
          users(column('age', { type: { kind: 'bigint' } })),
          users(column('age')),
          [{ kind: 'narrowType', table: 'users', column: 'age', from: column('age', { type: { kind: 'bigint' } }), to: column('age') }],
        ],
        'how an enum type loses a value': [
          users(mood('glad', 'sad')),
          users(mood('sad')),
          [{ kind: 'changeEnum', name: 'mood', from: ['glad', 'sad'], to: ['sad'] }],
        ],
        'for the numbers of rows in a new column that counts': [
          none,
          users(column('nr', { nullable: false, default: { kind: 'increment' } })),
          [{ kind: 'addCounter', table: 'users', column: 'nr' }],
        ],
      }
    for (const [what, [from, to, decisions, answer]] of Object.entries(cases)) {
      it(what, () => {
        expect(diffSchemas(from, to)).toMatchObject({ changes: [], decisions })
        if (answer === undefined) return
        const answered = diffSchemas(from, to, answer)
        expect(answered.decisions).toEqual([])
        expect(answered.changes.length).toBeGreaterThan(0)
      })
    }

    it('everything at once, and what a fact may have meant that names nothing', () => {
      const facts = {
        drops: ['users.nik'],
        renamedTables: { user: 'users' },
        renamedColumns: { 'users.a': 'b' },
        defaults: { 'users.x': 1 },
      }
      const { decisions, changes } = diffSchemas(users(column('nick')), users(column('age', { nullable: false })), facts)
      expect(changes).toEqual([])
      expect(decisions.map((decision) => ('fact' in decision ? `${decision.fact} ${decision.name}` : decision.kind))).toEqual([
        'renamedTables user:users',
        'renamedColumns users.a:b',
        'drops users.nik',
        'defaults users.x',
        'renameColumn',
        'fillColumn',
      ])
    })

    it('for a value that the type holds', () => {
      const { decisions } = diffSchemas(none, users(column('age', { nullable: false })), { defaults: { 'users.age': 'old' } })
      expect(decisions).toEqual([{ kind: 'unfitDefault', table: 'users', column: 'age', problem: expect.stringContaining('got text') }])
    })
  })

  it('finds the order of a key or a default a difference', () => {
    const keyed = (...columns: string[]) => schema(table('users', { primaryKey: { name: 'users_pkey', columns } }))
    expect(told(diffSchemas(keyed('id', 'other'), keyed('other', 'id')))).toEqual(['key users (other, id)'])
    const list = (...names: string[]) => users(jsonDefault(names.map((name) => ({ name }))))
    expect(told(diffSchemas(list('a', 'b'), list('b', 'a')))).toEqual(['alter column users.options'])
  })
})

describe('revertOf', () => {
  it('leads back to the same names, and says what does not come back', () => {
    const before = users(column('nick', { nullable: false }), column('age'))
    const after = users(column('age', { type: { kind: 'bigint' } }), column('more'))
    const diff = diffSchemas(before, after, { drops: ['users.nick'] })
    const { changes, losses } = revertOf(before, diff)
    expect(changes.map(tell)).toEqual(['column users.nick', 'alter column users.age', 'drop column users.more'])
    expect(changes[0]).toMatchObject({ backfill: 0 })
    expect(losses).toEqual([
      { kind: 'notRestored', table: 'users', column: 'nick' },
      { kind: 'narrowed', table: 'users', column: 'age' },
      { kind: 'dropped', table: 'users', column: 'more' },
    ])
  })

  it('gives an enum type its former values', () => {
    const [before, after] = [users(mood('b')), users(mood('a', 'b'))]
    const { changes } = revertOf(before, diffSchemas(before, after))
    expect(changes[0]).toMatchObject({ kind: 'replaceEnum', name: 'mood', values: ['b'] })
  })
})

function jsonDefault(value: unknown) {
  return { name: 'options', type: { kind: 'json' }, nullable: false, default: { kind: 'value', value } } as const
}
