import type { FieldSpec } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { defineLooseModel } from '../../lib/model/define-model.js'
import { type Schema, schemaOf } from '../../lib/model/schema.js'
import { mergeSchemas } from '../../migrations/merge-schemas.js'

const TEXT: FieldSpec = { kind: 'text', maxLength: 40 }

function schema(tables: Readonly<Record<string, Readonly<Record<string, FieldSpec>>>>): Schema {
  const definitions = Object.entries(tables).map(([table, fields]) => {
    const id: FieldSpec = { kind: 'integer', primary: true, increment: true }
    return defineLooseModel(class {}, { name: `Of${table}`, table, fields: { id, ...fields } })
  })
  return schemaOf(definitions)
}

describe('mergeSchemas', () => {
  const base = schema({ users: { nick: TEXT }, posts: {} })

  it('keeps what each branch has changed, in one table too', () => {
    const ours = schema({ users: { nick: TEXT, email: { ...TEXT, unique: true } }, posts: {}, tags: {} })
    const theirs = schema({ users: { nick: { ...TEXT, nullable: true }, age: { kind: 'integer' } } })
    const { schema: merged, conflicts } = mergeSchemas(base, [ours, theirs])
    expect(conflicts).toEqual([])
    expect(merged.tables.map(({ name }) => name)).toEqual(['users', 'tags'])
    const [users] = merged.tables
    expect(users!.columns.map(({ name, nullable }) => [name, nullable])).toEqual([
      ['id', false],
      ['nick', true],
      ['email', false],
      ['age', false],
    ])
    expect(users!.uniques.map(({ name }) => name)).toEqual(['users_email_key'])
  })

  it('takes the same change of both once', () => {
    const both = schema({ users: { nick: TEXT, email: TEXT }, posts: {} })
    expect(mergeSchemas(base, [both, both])).toEqual({ schema: both, conflicts: [] })
  })

  it('names what both have changed, and not alike', () => {
    const ours = schema({ users: { nick: { ...TEXT, nullable: true } }, posts: { title: TEXT } })
    const theirs = schema({ users: { nick: { kind: 'text', maxLength: 80 } } })
    expect(mergeSchemas(base, [ours, theirs]).conflicts).toEqual(['users.nick', 'posts'])
  })

  it('joins what began as nothing', () => {
    const nothing = schema({})
    expect(mergeSchemas(nothing, [schema({ users: {} }), schema({ posts: {} })]).schema.tables.map(({ name }) => name)).toEqual([
      'users',
      'posts',
    ])
  })
})
