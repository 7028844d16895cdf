import { describe, expect, it } from 'vitest'
import type { Schema, TableSchema } from '../../../lib/model/schema.js'
import { diffSchemas, type SchemaChange } from '../../../lib/model/schema-diff.js'

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

function told(changes: readonly SchemaChange[]): readonly string[] {
  return changes.map(tell)
}

function tell(change: SchemaChange): string {
  switch (change.kind) {
    case 'createSchema':
      return `schema ${change.name}`
    case 'createEnum':
      return `enum ${change.schema === undefined ? '' : `${change.schema}.`}${change.name}: ${change.values.join(' ')}`
    case 'createTable':
      return `table ${change.table.name}`
    case 'createIndex':
      return `index ${change.index.name}`
    case 'addForeignKey':
      return `foreign key ${change.foreignKey.name}`
  }
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
    expect(diffSchemas(schema(users, table('posts')), schema(table('posts'), shuffled))).toEqual([])
    expect(diffSchemas(JSON.parse(JSON.stringify(schema(users))), schema(users))).toEqual([])
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

  const unexpressed: Readonly<Record<string, readonly [from: Schema, to: Schema]>> = {
    'a table that is gone': [schema(table('users'), table('posts')), schema(table('users'))],
    'a table that moved to another schema': [schema(table('users')), schema(table('users', { schema: 'other' }))],
    'a new column': [schema(table('users', { columns: [] })), schema(table('users'))],
    'a lost index': [schema(table('users')), schema(table('users', { indexes: [] }))],
    'another comment': [schema(table('users')), schema(table('users', { comment: 'new' }))],
    'the order of a key': [
      schema(table('users', { primaryKey: { name: 'k', columns: ['id', 'other'] } })),
      schema(table('users', { primaryKey: { name: 'k', columns: ['other', 'id'] } })),
    ],
    'the order of a default': [
      schema(table('users', { columns: [jsonDefault([{ name: 'a' }, { name: 'b' }])] })),
      schema(table('users', { columns: [jsonDefault([{ name: 'b' }, { name: 'a' }])] })),
    ],
    'other values of an enum type': [
      schema(table('people', { columns: [mood('glad')] })),
      schema(table('people', { columns: [mood('glad')] }), table('cats', { columns: [mood('glad', 'sad')] })),
    ],
  }
  for (const [what, [from, to]] of Object.entries(unexpressed)) {
    it(`throws for ${what}, which it cannot express`, () => {
      expect(() => diffSchemas(from, to)).toThrow(/cannot be expressed yet/)
    })
  }
})

function jsonDefault(value: unknown) {
  return { name: 'options', type: { kind: 'json' }, nullable: false, default: { kind: 'value', value } } as const
}
