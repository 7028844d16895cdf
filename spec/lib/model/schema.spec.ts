import { describe, expect, it } from 'vitest'
import { defineLooseModel, definitionOf } from '../../../lib/model/define-model.js'
import type { ModelClass, ModelDefinition } from '../../../lib/model/model-definition.js'
import type { LooseModelOptions, RelationSpec } from '../../../lib/model/model-options.js'
import { schemaOf } from '../../../lib/model/schema.js'

const id = { kind: 'integer', primary: true } as const

/** A model of a class of its own. */
function modelOf(name: string, options: Partial<LooseModelOptions>): ModelDefinition {
  return defineLooseModel(class {}, { name, ...options, fields: { id, ...options.fields } })
}

function classOf(name: string, options: Partial<LooseModelOptions> = {}): ModelClass {
  const made = class {}
  defineLooseModel(made, { name, ...options, fields: { id, ...options.fields } })
  return made
}

function tableOf(options: Partial<LooseModelOptions>, ...others: readonly ModelClass[]) {
  return schemaOf([modelOf('User', options), ...others.map((other) => definitionOf(other))]).tables[0]!
}

describe('schemaOf', () => {
  it('is JSON: it survives being written and read', () => {
    const schema = schemaOf([
      modelOf('Post', {
        comment: 'all posts',
        fields: {
          at: { kind: 'timestamp', default: new Date(0), check: { $gte: new Date(0) } },
          size: { kind: 'bigint', default: 5n, comment: 'in bytes' },
          key: { kind: 'bytes', default: new Uint8Array([1]), unique: true },
          kind: { kind: 'enum', values: ['a', 'b'] },
        },
        indexes: [{ on: ['size'], where: { kind: 'a' } }],
      }),
    ])
    expect(JSON.parse(JSON.stringify(schema))).toEqual(schema)
  })

  it('is the same for the same models, and frozen throughout', () => {
    const model = modelOf('User', { fields: { tags: { kind: 'array', of: { kind: 'text' }, default: ['a'] } } })
    expect(schemaOf([model])).toEqual(schemaOf([model]))
    const frozen: unknown[] = [schemaOf([model])]
    for (let value = frozen.pop(); value !== undefined; value = frozen.pop()) {
      expect(Object.isFrozen(value)).toBe(true)
      if (typeof value === 'object' && value !== null) frozen.push(...Object.values(value))
    }
  })

  it('names keys, indexes and checks after table and columns, and numbers those on the same columns', () => {
    const table = tableOf({
      fields: { firstName: { kind: 'text', maxLength: 9, unique: true, check: { $ne: '' } }, age: { kind: 'integer', index: true } },
      uniques: [
        { on: ['firstName', 'age'], name: 'by_name' },
        { on: ['firstName'], where: { age: 1 } },
      ],
      checks: [{ where: { firstName: { $ne: 'x' } } }],
    })
    expect(table.primaryKey).toEqual({ name: 'users_pkey', columns: ['id'] })
    expect(table.uniques).toEqual([
      { name: 'users_first_name_key', columns: ['first_name'] },
      { name: 'by_name', columns: ['first_name', 'age'] },
      { name: 'users_first_name_key2', columns: ['first_name'], where: { age: { $eq: 1 } } },
    ])
    expect(table.indexes).toEqual([{ name: 'users_age_idx', columns: ['age'] }])
    expect(table.checks).toEqual([
      { name: 'users_first_name_check', columns: ['first_name'], condition: { first_name: { $ne: '' } } },
      { name: 'users_first_name_check2', columns: ['first_name'], condition: { first_name: { $ne: 'x' } } },
    ])
  })

  it('holds the defaults that a database can make, and no function', () => {
    const { columns } = tableOf({
      fields: {
        text: { kind: 'text', default: 'x' },
        price: { kind: 'decimal', precision: 6, scale: 2, default: '1.5' },
        count: { kind: 'bigint', as: 'number', default: 7 },
        counts: { kind: 'array', of: { kind: 'bigint', as: 'number' }, default: [7] },
        made: { kind: 'text', default: () => 'x' },
        sql: { kind: 'integer', defaultSql: '1 + 1' },
        createdAt: { kind: 'timestamp', role: 'createdAt' },
        updatedAt: { kind: 'timestamp', role: 'updatedAt' },
        version: { kind: 'integer', role: 'version' },
        deletedAt: { kind: 'timestamp', role: 'deletedAt', nullable: true },
      },
    })
    expect(Object.fromEntries(columns.map((column) => [column.name, column.default]))).toEqual({
      id: undefined,
      text: { kind: 'value', value: 'x' },
      price: { kind: 'value', value: '1.50' },
      count: { kind: 'value', value: '7' },
      counts: { kind: 'value', value: ['7'] },
      made: undefined,
      sql: { kind: 'sql', sql: '1 + 1' },
      created_at: { kind: 'now' },
      updated_at: { kind: 'now' },
      version: { kind: 'value', value: 1 },
      deleted_at: undefined,
    })
  })

  it('leaves rows that are marked as deleted out of the keys of their model, unless a key says otherwise', () => {
    const { uniques } = tableOf({
      fields: {
        email: { kind: 'text', unique: true },
        badge: { kind: 'integer' },
        rank: { kind: 'integer' },
        goneAt: { kind: 'timestamp', role: 'deletedAt', nullable: true },
      },
      uniques: [
        { on: ['badge'], deleted: 'include' },
        { on: ['rank'], where: { badge: 1 } },
        { on: ['rank', 'badge'], where: { $or: [{ goneAt: null }, { badge: 1 }] } },
      ],
      indexes: [{ on: ['badge', 'rank'], unique: true }, { on: ['rank'] }],
    })
    const alive = { gone_at: { $null: true } }
    expect(uniques.map(({ columns, where }) => [columns.join(), where])).toEqual([
      ['email', alive],
      ['badge', undefined],
      ['rank', { $and: [{ badge: { $eq: 1 } }, alive] }],
      ['rank,badge', { $or: [alive, { badge: { $eq: 1 } }] }],
      ['badge,rank', alive],
    ])
  })

  it('holds an enum to its values by a check, unless the enum is native', () => {
    const { checks } = tableOf({
      fields: { kind: { kind: 'enum', values: ['a', 'b'] }, native: { kind: 'enum', values: ['a'], native: true } },
    })
    expect(checks).toEqual([{ name: 'users_kind_check', columns: ['kind'], condition: { kind: { $in: ['a', 'b'] } } }])
  })

  it('holds a polymorphic relation to one of its keys by a check with its name', () => {
    const optional = { kind: 'integer', nullable: true } as const
    const toOne = (foreignKey: string | string[]): RelationSpec => ({
      kind: 'belongsTo',
      target: () => class {},
      foreignKey,
      constraint: false,
    })
    const checksOf = (nullable: boolean) =>
      tableOf({
        fields: { postId: optional, area: optional, place: { ...optional, column: 'nr' } },
        relations: {
          post: toOne('postId'),
          seat: toOne(['area', 'place']),
          mainSubject: { kind: 'polymorphic', of: ['post', 'seat'], nullable },
        },
      }).checks
    const common = { name: 'users_main_subject_check', columns: ['post_id', 'area', 'nr'] }
    const [isSet, isNull] = [{ $null: false }, { $null: true }]
    const noSeat = { $or: [{ area: isNull }, { nr: isNull }] }
    const one = [{ $and: [{ post_id: isSet }, noSeat] }, { $and: [{ post_id: isNull }, { area: isSet }, { nr: isSet }] }]
    expect(checksOf(false)).toEqual([{ ...common, condition: { $or: one } }])
    expect(checksOf(true)).toEqual([{ ...common, condition: { $or: [...one, { $and: [{ post_id: isNull }, noSeat] }] } }])
  })

  it('says of a check in SQL that its columns are not known', () => {
    expect(tableOf({ checks: [{ name: 'odd', sql: 'id % 2 = 1' }] }).checks).toEqual([{ name: 'odd', columns: [], sql: 'id % 2 = 1' }])
  })
})

describe('foreign keys of schemaOf', () => {
  const Country = classOf('Country', { fields: { code: { kind: 'text', maxLength: 2, unique: true }, name: { kind: 'text' } } })
  const belongsTo = (options: object = {}): Record<string, RelationSpec> => ({
    country: { kind: 'belongsTo', target: () => Country, foreignKey: 'countryId', ...options },
  })
  const countryId = { kind: 'integer', nullable: true } as const

  it('point at the primary key, and get an index before them', () => {
    const table = tableOf({ fields: { countryId }, relations: belongsTo({ onDelete: 'setNull', onUpdate: 'cascade' }) }, Country)
    expect(table.foreignKeys).toEqual([
      {
        name: 'users_country_id_fkey',
        columns: ['country_id'],
        target: { table: 'countries', columns: ['id'] },
        onDelete: 'setNull',
        onUpdate: 'cascade',
      },
    ])
    expect(table.indexes).toEqual([{ name: 'users_country_id_idx', columns: ['country_id'] }])
  })

  it('point at another key where the relation says so, in the schema of the target', () => {
    const Region = classOf('Region', { schema: 'geo', fields: { code: { kind: 'text', maxLength: 3, unique: true } } })
    const relations: Record<string, RelationSpec> = {
      region: { kind: 'belongsTo', target: () => Region, foreignKey: 'regionCode', references: 'code' },
    }
    const table = tableOf({ fields: { regionCode: { kind: 'text', maxLength: 3 } }, relations }, Region)
    expect(table.foreignKeys[0]!.target).toEqual({ schema: 'geo', table: 'regions', columns: ['code'] })
  })

  const other = { kind: 'integer' } as const
  const covering: Readonly<Record<string, Partial<LooseModelOptions>>> = {
    'an index that starts with its columns': { indexes: [{ on: ['countryId', 'other'] }] },
    'a key that starts with its columns': { uniques: [{ on: ['countryId', 'other'] }] },
  }
  for (const [what, options] of Object.entries(covering)) {
    it(`get no index beside ${what}`, () => {
      const { indexes } = tableOf({ fields: { countryId, other }, relations: belongsTo(), ...options }, Country)
      expect(indexes.map(({ name }) => name)).not.toContain('users_country_id_idx')
    })
  }

  const notCovering: Readonly<Record<string, Partial<LooseModelOptions>>> = {
    'an index that ends with its columns': { indexes: [{ on: ['other', 'countryId'] }] },
    'a partial index': { indexes: [{ on: ['countryId'], where: { other: 1 } }] },
    'a partial key': { uniques: [{ on: ['countryId'], where: { other: 1 } }] },
  }
  for (const [what, options] of Object.entries(notCovering)) {
    it(`get an index beside ${what}`, () => {
      const { indexes } = tableOf({ fields: { countryId, other }, relations: belongsTo(), ...options }, Country)
      expect(indexes).toContainEqual({ name: expect.stringMatching(/^users_country_id_idx2?$/), columns: ['country_id'] })
    })
  }

  it('point at a key that counts rows which are marked as deleted: no other is one to the database', () => {
    const deletedAt = { kind: 'timestamp', role: 'deletedAt', nullable: true } as const
    const fields = { code: { kind: 'text', maxLength: 2 }, deletedAt } as const
    const Plain = classOf('Plain', { fields, uniques: [{ on: ['code'] }] })
    const Kept = classOf('Kept', { fields, uniques: [{ on: ['code'], deleted: 'include' }] })
    const to = (target: typeof Plain) => ({
      other: { kind: 'belongsTo', target: () => target, foreignKey: 'otherCode', references: 'code' } as const,
    })
    const table = (target: typeof Plain) =>
      tableOf({ fields: { otherCode: { kind: 'text', maxLength: 2 } }, relations: to(target) }, target)
    expect(() => table(Plain)).toThrow(
      /a key that does not count rows that are marked as deleted; say it there as \{ on: \['code'\], deleted: 'include' \}/,
    )
    expect(table(Kept).foreignKeys).toHaveLength(1)
  })

  it('are called as the relation says', () => {
    const [foreignKey] = tableOf({ fields: { countryId }, relations: belongsTo({ constraintName: 'fk_country' }) }, Country).foreignKeys
    expect(foreignKey?.name).toBe('fk_country')
  })

  it('are made for belongsTo alone, and not where the relation says constraint: false', () => {
    const relations: Record<string, RelationSpec> = {
      ...belongsTo({ constraint: false }),
      twins: { kind: 'hasMany', target: () => Country, foreignKey: 'id' },
    }
    expect(tableOf({ fields: { countryId }, relations }).foreignKeys).toEqual([])
  })

  const refused: Readonly<Record<string, readonly [fields: LooseModelOptions['fields'], relation: object, message: RegExp]>> = {
    'a target that is not a key': [
      { countryId: { kind: 'text' } },
      { references: 'name' },
      /by name, which is not a key there, in this order/,
    ],
    'a field of another type than its target': [
      { countryId: { kind: 'bigint' } },
      {},
      /countryId is of type bigint and refers to Country.id of type integer/,
    ],
    'more fields than the key has': [
      { countryId, more: countryId },
      { foreignKey: ['countryId', 'more'] },
      /has 2 foreign key fields and Country has 1/,
    ],
    'a field that the target does not have': [{ countryId }, { references: 'capital' }, /capital/],
  }
  for (const [what, [fields, relation, message]] of Object.entries(refused)) {
    it(`refuse ${what}`, () => {
      expect(() => tableOf({ fields, relations: belongsTo(relation) }, Country)).toThrow(message)
    })
  }

  it('take an enum for an enum with the same values, whatever table it is of', () => {
    const values = ['a', 'b']
    const Kind = classOf('Kind', { fields: { name: { kind: 'enum', values, unique: true } } })
    const relations: Record<string, RelationSpec> = {
      kind: { kind: 'belongsTo', target: () => Kind, foreignKey: 'kindName', references: 'name' },
    }
    expect(tableOf({ fields: { kindName: { kind: 'enum', values } }, relations }, Kind).foreignKeys).toHaveLength(1)
    expect(() => tableOf({ fields: { kindName: { kind: 'enum', values: ['a'] } }, relations }, Kind)).toThrow(/of type enum/)
  })

  it('refuse a target that is not among the models', () => {
    expect(() => tableOf({ fields: { countryId }, relations: belongsTo() })).toThrow(/refers to Country, which is not among the models/)
  })
})

describe('names of schemaOf', () => {
  const clashes: Readonly<Record<string, readonly [one: Partial<LooseModelOptions>, other: Partial<LooseModelOptions>]>> = {
    'a table': [{ table: 'same' }, { table: 'same' }],
    'an index': [
      { fields: { a: id }, indexes: [{ on: ['a'], name: 'same' }] },
      { fields: { a: id }, uniques: [{ on: ['a'], name: 'same' }] },
    ],
    'a table that another has an index of': [{ table: 'same' }, { fields: { a: id }, indexes: [{ on: ['a'], name: 'same' }] }],
    'an index in other case': [
      { fields: { a: id }, indexes: [{ on: ['a'], name: 'same' }] },
      { fields: { a: id }, indexes: [{ on: ['a'], name: 'Same' }] },
    ],
    'a check': [{ checks: [{ name: 'same', sql: 'id > 0' }] }, { checks: [{ name: 'same', sql: 'id > 0' }] }],
    'an enum type with other values': [
      { fields: { a: { kind: 'enum', values: ['x'], native: true, name: 'same' } } },
      { fields: { a: { kind: 'enum', values: ['y'], native: true, name: 'same' } } },
    ],
    'a table that is an enum type': [{ table: 'same' }, { fields: { a: { kind: 'enum', values: ['y'], native: true, name: 'same' } } }],
  }
  for (const [what, [one, other]] of Object.entries(clashes)) {
    it(`are refused where two models share that of ${what}`, () => {
      expect(() => schemaOf([modelOf('One', one), modelOf('Other', other)])).toThrow(/"same" is already the name of/i)
    })
  }

  it('may be shared between schemas, and an enum type between tables with the same values', () => {
    const native = { kind: 'enum', values: ['x'], native: true, name: 'shared' } as const
    const models = [
      modelOf('One', { table: 'same' }),
      modelOf('Other', { table: 'same', schema: 'elsewhere' }),
      modelOf('Left', { fields: { native } }),
      modelOf('Right', { fields: { native } }),
    ]
    expect(schemaOf(models).tables).toHaveLength(4)
  })
})
