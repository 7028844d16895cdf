import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { ModelError } from '../../../lib/errors.js'
import { defineLooseModel, definitionOf } from '../../../lib/model/define-model.js'
import type { ModelDefinition } from '../../../lib/model/model-definition.js'
import { schemaOf } from '../../../lib/model/schema.js'
import { uuid7 } from '../../../lib/model/uuid7.js'
import { View } from '../../../lib/model/view.js'

const ID = { kind: 'integer', primary: true, increment: true }

/** Defines a fresh class called `Order`; options of any kind, as an untyped caller may give them. */
function define(options: object): ModelDefinition {
  class Order {}
  return defineLooseModel(Order, options as never)
}

const withField = (spec: object, rest: object = {}) => define({ fields: { id: ID, total: spec }, ...rest })

const AS_IS = { encode: String, decode: String }

describe('defineModel', () => {
  it('gives a definition that definitionOf finds again', () => {
    class Customer {}
    const definition = defineLooseModel(Customer, { fields: { id: { kind: 'uuid', primary: true, default: uuid7 } } })
    expect(definitionOf(Customer)).toBe(definition)
    expect(definition).toMatchObject({ name: 'Customer', table: 'customers', schema: undefined, primaryKey: ['id'] })
  })

  it('names tables and columns in snake_case unless said', () => {
    const definition = define({
      schema: 'shop',
      table: 'purchases',
      fields: { orderId: ID, placedOn: { kind: 'date' }, total: { kind: 'float', column: 'sum' } },
    })
    expect(definition).toMatchObject({ schema: 'shop', table: 'purchases' })
    expect(definition.fields.map(({ column }) => column)).toEqual(['order_id', 'placed_on', 'sum'])
  })

  it('keeps a polymorphic relation as a choice, with the fields that make it', () => {
    const target = () => class Customer {}
    const optional = { kind: 'integer', nullable: true }
    const definition = define({
      fields: { id: ID, shopId: { kind: 'integer' }, postId: optional, photoId: optional },
      relations: {
        // before what it names
        subject: { kind: 'polymorphic', of: ['post', 'photo'] },
        post: { kind: 'belongsTo', target, foreignKey: ['shopId', 'postId'] },
        photo: { kind: 'belongsTo', target, foreignKey: 'photoId' },
      },
    })
    expect(definition.relations.map(({ name }) => name)).toEqual(['post', 'photo'])
    const choices = [
      { relation: 'post', keyFields: ['postId'] },
      { relation: 'photo', keyFields: ['photoId'] },
    ]
    expect(definition.polymorphics).toEqual([{ name: 'subject', choices, nullable: false }])
    expect(Object.isFrozen(definition.polymorphics[0]!.choices[0]!.keyFields)).toBe(true)
  })

  it('fills in what was not said', () => {
    expect(define({ fields: { id: ID, name: { kind: 'text' } } }).fieldByName.get('name')).toEqual({
      name: 'name',
      column: 'name',
      type: { kind: 'text' },
      bigintMode: 'bigint',
      nullable: false,
      default: undefined,
      role: undefined,
      minLength: 0,
      redacted: false,
      schema: undefined,
      comment: undefined,
      renamedFrom: undefined,
    })
  })

  it('takes false, 0 and an empty text for values to default to', () => {
    const defaults = [
      withField({ kind: 'boolean', default: false }),
      withField({ kind: 'integer', default: 0 }),
      withField({ kind: 'text', default: '' }),
    ]
    expect(defaults.map(({ fieldByName }) => fieldByName.get('total')!.default)).toEqual(
      [false, 0, ''].map((value) => ({ kind: 'value', value })),
    )
    expect(() => withField({ kind: 'boolean', default: false, defaultSql: '1' })).toThrow('default and defaultSql exclude each other')
  })

  it.each([
    [
      { kind: 'text', maxLength: 9 },
      { kind: 'varchar', length: 9 },
    ],
    [
      { kind: 'varchar', length: 9 },
      { kind: 'varchar', length: 9 },
    ],
    [{ kind: 'timestamp' }, { kind: 'timestamp', precision: 3 }],
    [
      { kind: 'timestamp', precision: 6 },
      { kind: 'timestamp', precision: 6 },
    ],
    [
      { kind: 'decimal', precision: 65, scale: 30 },
      { kind: 'decimal', precision: 65, scale: 30 },
    ],
    [
      { kind: 'enum', values: ['a', 'b'] },
      { kind: 'enum', name: 'orders_total', values: ['a', 'b'], native: false },
    ],
    [
      { kind: 'enum', values: ['a'], native: true, name: 'mood' },
      { kind: 'enum', name: 'mood', values: ['a'], native: true },
    ],
    [
      { kind: 'array', of: { kind: 'integer' } },
      { kind: 'array', of: { kind: 'integer' } },
    ],
    [
      { kind: 'array', of: { kind: 'decimal', precision: 3, scale: 1 } },
      { kind: 'array', of: { kind: 'decimal', precision: 3, scale: 1 } },
    ],
  ])('reads %j as the type %j', (spec, type) => expect(withField(spec).fieldByName.get('total')!.type).toEqual(type))

  it('keeps how a bigint shows, of elements too', () => {
    expect(withField({ kind: 'bigint', as: 'string' }).fieldByName.get('total')!.bigintMode).toBe('string')
    expect(withField({ kind: 'array', of: { kind: 'bigint', as: 'number' } }).fieldByName.get('total')!.bigintMode).toBe('number')
  })

  it('gathers keys, indexes and checks from fields first, then from the model', () => {
    const definition = define({
      fields: {
        id: ID,
        email: { kind: 'text', maxLength: 99, unique: true },
        age: { kind: 'integer', nullable: true, index: true, check: { $gte: 0 } },
        live: { kind: 'boolean' },
      },
      uniques: [{ on: ['age', 'live'], name: 'one_of_each' }],
      indexes: [{ on: ['live'] }, { on: ['age'], unique: true, where: { live: true } }, { expression: 'lower(email)', name: 'by_lower' }],
      checks: [{ where: { $or: [{ live: true }, { age: { $lt: 18 } }] } }, { name: 'sane', sql: 'age < 200' }],
    })
    expect(definition.uniques).toEqual([
      { fields: ['email'], name: undefined, where: undefined, countsDeleted: true },
      { fields: ['age', 'live'], name: 'one_of_each', where: undefined, countsDeleted: true },
      { fields: ['age'], name: undefined, where: { live: true }, countsDeleted: true },
    ])
    expect(definition.indexes).toEqual([
      { on: ['age'], expression: undefined, name: undefined, where: undefined },
      { on: ['live'], expression: undefined, name: undefined, where: undefined },
      { on: [], expression: 'lower(email)', name: 'by_lower', where: undefined },
    ])
    expect(definition.checks).toEqual([
      { name: undefined, condition: { age: { $gte: 0 } }, sql: undefined, fields: ['age'] },
      { name: undefined, condition: { $or: [{ live: true }, { age: { $lt: 18 } }] }, sql: undefined, fields: ['live', 'age'] },
      { name: 'sane', condition: undefined, sql: 'age < 200', fields: [] },
    ])
  })

  it('makes a composite key in order of declaration', () => {
    const key = { kind: 'integer', primary: true }
    expect(define({ fields: { line: key, order: key, note: { kind: 'text' } } }).primaryKey).toEqual(['line', 'order'])
  })

  it('gives roles their defaults', () => {
    const { roles } = define({
      fields: {
        id: ID,
        made: { kind: 'timestamp', role: 'createdAt' },
        version: { kind: 'integer', role: 'version' },
        gone: { kind: 'timestamp', role: 'deletedAt', nullable: true },
      },
    })
    expect(roles.createdAt).toMatchObject({ name: 'made', default: { kind: 'function' } })
    expect((roles.createdAt!.default as { create: () => unknown }).create()).toBeInstanceOf(Date)
    expect(roles.version).toMatchObject({ default: { kind: 'value', value: 1 } })
    expect(roles.deletedAt).toMatchObject({ name: 'gone', default: undefined, nullable: true })
    expect(roles.updatedAt).toBeUndefined()
  })

  it('stores a default in the form in which it is stored', () => {
    expect(withField({ kind: 'decimal', precision: 9, scale: 2, default: '1.5' }).fieldByName.get('total')!.default).toEqual({
      kind: 'value',
      value: '1.50',
    })
  })

  it('takes any Standard Schema', () => {
    const schema = z.email()
    expect(withField({ kind: 'text', schema }).fieldByName.get('total')!.schema).toBe(schema)
  })

  it('counts an option set to undefined as left out', () => {
    expect(withField({ kind: 'text', comment: undefined, default: undefined }).fieldByName.get('total')!.default).toBeUndefined()
  })

  describe('freezes', () => {
    it('everything that it gives', () => {
      const definition = define({
        fields: { id: ID, tags: { kind: 'array', of: { kind: 'text' } }, settings: { kind: 'json', default: { a: [1] } } },
        relations: { other: { kind: 'hasMany', target: () => class {}, foreignKey: 'x' } },
        indexes: [{ on: ['id'], where: { id: { $in: [1] } } }],
      })
      expect(thawed(definition, 'definition')).toEqual([])
    })

    it('the map of fields, which Object.freeze alone would not', () => {
      const { fieldByName } = define({ fields: { id: ID } })
      expect(() => (fieldByName as Map<string, unknown>).set('x', 1)).toThrow('cannot be changed')
      expect(() => (fieldByName as Map<string, unknown>).clear()).toThrow('cannot be changed')
      expect(fieldByName.size).toBe(1)
    })

    it('copies, so that what the caller does later changes nothing', () => {
      const settings = { theme: 'dark' }
      const where = { total: { $in: [1] } }
      const definition = withField({ kind: 'integer' }, { indexes: [{ on: ['total'], where }] })
      const withDefault = withField({ kind: 'json', default: settings })
      settings.theme = 'light'
      where.total.$in.push(2)
      expect(definition.indexes[0]!.where).toEqual({ total: { $in: [1] } })
      expect(withDefault.fieldByName.get('total')!.default).toEqual({ kind: 'value', value: { theme: 'dark' } })
    })
  })

  describe('refuses', () => {
    const wrongFields: readonly (readonly [problem: string, spec: object])[] = [
      ['type: expected the kind that values are stored as', { kind: 'custom', ...AS_IS }],
      ['type: expected the kind that values are stored as', { kind: 'custom', type: 'money', ...AS_IS }],
      ['unknown option "maxLength"', { kind: 'custom', type: { kind: 'text', maxLength: 3 }, ...AS_IS }],
      ['encode: expected a function', { kind: 'custom', type: 'text', decode: String }],
      ['decode: expected a function', { kind: 'custom', type: 'text', encode: String, decode: 'String' }],
      ['ordered: expected a boolean', { kind: 'custom', type: 'text', ...AS_IS, ordered: 'yes' }],
      ['ordered: values stored as json have no order', { kind: 'custom', type: 'json', ...AS_IS, ordered: true }],
      ['as output of its encode', { kind: 'custom', type: 'integer', ...AS_IS, default: 1 }],
      ['cannot be in a key or index', { kind: 'custom', type: 'json', ...AS_IS, unique: true }],
      ['unknown option "encode"', { kind: 'text', ...AS_IS }],
      ['unknown option "increment"', { kind: 'custom', type: 'integer', ...AS_IS, increment: true }],
      ['unknown kind "txt"; did you mean "text"?', { kind: 'txt' }],
      ['has no kind', {}],
      ['redacted: expected a boolean', { kind: 'text', redacted: 'yes' }],
      ['a primary key cannot be redacted', { kind: 'text', maxLength: 3, primary: true, redacted: true }],
      ['unknown option "nulable"; did you mean "nullable"?', { kind: 'text', nulable: true }],
      ['unknown option "increment"', { kind: 'text', increment: true }],
      ['increment needs a primary key', { kind: 'integer', increment: true }],
      ['nullable: expected a boolean, got string', { kind: 'text', nullable: 'yes' }],
      ['scale: expected a whole number from 0 to 2', { kind: 'decimal', precision: 2, scale: 3 }],
      ['precision: expected a whole number from 1 to 65', { kind: 'decimal', precision: 66, scale: 2 }],
      ['precision: expected a whole number from 1 to 65', { kind: 'decimal' }],
      ['length: expected a whole number from 1', { kind: 'varchar', length: 0 }],
      ['maxLength: expected a whole number from 1', { kind: 'text', maxLength: 1.5 }],
      ['minLength: expected a whole number', { kind: 'text', maxLength: 2, minLength: 3 }],
      ['precision: expected one of 3, 6', { kind: 'timestamp', precision: 9 }],
      ['as: expected one of bigint, number, string', { kind: 'bigint', as: 'int' }],
      ['values: expected a list', { kind: 'enum', values: [] }],
      ['values: one of them stands there twice', { kind: 'enum', values: ['a', 'a'] }],
      ['values: each must be a text', { kind: 'enum', values: ['a', 1] }],
      ['of: an array cannot hold elements of kind array', { kind: 'array', of: { kind: 'array', of: { kind: 'text' } } }],
      ['of: an array cannot hold elements of kind json', { kind: 'array', of: { kind: 'json' } }],
      ['of: expected the kind of the elements', { kind: 'array' }],
      ['default: expected', { kind: 'integer', default: 'one' }],
      ['default: expected', { kind: 'enum', values: ['a'], default: 'b' }],
      ['default: a nullable field is null without a default', { kind: 'text', nullable: true, default: null }],
      ['default and defaultSql exclude each other', { kind: 'text', default: '', defaultSql: "''" }],
      ['defaultSql is empty', { kind: 'text', defaultSql: ' ' }],
      ['schema: expected a Standard Schema', { kind: 'text', schema: { parse: () => '' } }],
      ['role: expected one of createdAt', { kind: 'timestamp', role: 'madeAt' }],
      ['role version needs an integer', { kind: 'timestamp', role: 'version' }],
      ['role createdAt needs a timestamp of precision 3', { kind: 'timestamp', precision: 6, role: 'createdAt' }],
      ['role deletedAt needs a field that is nullable', { kind: 'timestamp', role: 'deletedAt' }],
      ['role version needs a field that is not nullable', { kind: 'integer', role: 'version', nullable: true }],
      ['role version and default exclude each other', { kind: 'integer', role: 'version', default: 3 }],
      ['unique: a field of kind json cannot be in a key', { kind: 'json', unique: true }],
      ['a primary key cannot be nullable', { kind: 'integer', primary: true, nullable: true }],
      ['primary and unique', { kind: 'integer', primary: true, unique: true }],
      ['column: "a.b" holds a dot', { kind: 'text', column: 'a.b' }],
      ['column: a name cannot be empty', { kind: 'text', column: '' }],
      ['has the column "ID", as "id" has', { kind: 'text', column: 'ID' }],
      ['renamedFrom: a name cannot be empty', { kind: 'text', renamedFrom: '' }],
      ['a check or index cannot hold $like', { kind: 'text', check: { $like: 'a%' } }],
      ['in a condition: expected', { kind: 'integer', check: { $gte: '0' } }],
    ]

    it.each(wrongFields)('a field: %s', (problem, spec) => {
      const error = refusal(() => withField(spec))
      expect(error).toMatchObject({ code: 'MODEL', model: 'Order', field: 'total' })
      expect(error.message).toContain(problem)
    })

    it.each(['$or', '__proto__', 'constructor', 'has space'])('a field called %s', (name) => {
      expect(refusal(() => define({ fields: { id: ID, [name]: { kind: 'text' } } }))).toMatchObject({ field: name })
    })

    const wrongModels: readonly (readonly [problem: string, options: object])[] = [
      ['has no primary key', { fields: { name: { kind: 'text' } } }],
      ['has no primary key', { fields: {} }],
      ['fields: expected an object', {}],
      ['fields: expected an object', { fields: [] }],
      ['unknown option "indices"', { fields: { id: ID }, indices: [] }],
      ['unknown option "tabel"; did you mean "table"?', { fields: { id: ID }, tabel: 'x' }],
      ['table: a name cannot be empty', { fields: { id: ID }, table: '' }],
      ['table: names that begin with "sqlite_" are reserved', { fields: { id: ID }, table: 'sqlite_x' }],
      ['schema: ', { fields: { id: ID }, schema: 'a"b' }],
      ['primaryKeyName: ', { fields: { id: ID }, primaryKeyName: 'a"b' }],
      ['primaryKeyName: ', { fields: { id: ID }, primaryKeyName: 3 }],
      ['comment: expected a string', { fields: { id: ID }, comment: 3 }],
      ['increment needs a key of one field', { fields: { id: ID, other: { kind: 'integer', primary: true } } }],
      ['indexes[0]: "nmae" is no field; did you mean "name"?', { ...named(), indexes: [{ on: ['nmae'] }] }],
      ['uniques[0]: "x" is no field', { ...named(), uniques: [{ on: ['x'] }] }],
      ['uniques[0]: deleted: the model has no deletedAt', { ...named(), uniques: [{ on: ['name'], deleted: 'include' }] }],
      ["uniques[0]: deleted: expected 'include', or nothing", { ...named(), uniques: [{ on: ['name'], deleted: 'only' }] }],
      ['indexes[0]: unknown option "deleted"', { ...named(), indexes: [{ on: ['name'], deleted: 'include' }] }],
      ['uniques[0]: unknown option "fields"', { ...named(), uniques: [{ fields: ['name'] }] }],
      ['indexes[0]: names a field twice', { ...named(), indexes: [{ on: ['name', 'name'] }] }],
      ['indexes[0]: on: expected a list', { ...named(), indexes: [{}] }],
      ['indexes: expected a list', { ...named(), indexes: {} }],
      ['indexes[0]: an index on an expression needs a name', { ...named(), indexes: [{ expression: 'lower(name)' }] }],
      ['indexes[0]: an index on an expression cannot be unique', { ...named(), indexes: [{ expression: 'a', name: 'a', unique: true }] }],
      ['indexes[0]: on and expression exclude each other', { ...named(), indexes: [{ expression: 'a', name: 'a', on: ['name'] }] }],
      ['a condition names "x", which is not a field', { ...named(), indexes: [{ on: ['name'], where: { x: 1 } }] }],
      ['a condition names "x", which is not a field', { ...named(), indexes: [{ expression: 'a', name: 'a', where: { x: 1 } }] }],
      ['a condition is empty', { ...named(), checks: [{ where: {} }] }],
      ['checks[0]: give either where or sql', { ...named(), checks: [{ name: 'a' }] }],
      ['checks[0]: a check in SQL needs a name', { ...named(), checks: [{ sql: '1 = 1' }] }],
      ['checks[0]: name: a name cannot be empty', { ...named(), checks: [{ sql: '1 = 1', name: '' }] }],
      ['has two keys or indexes on name', { ...named(), uniques: [{ on: ['name'] }], indexes: [{ on: ['name'] }] }],
      ['has two keys or indexes on id', { ...named(), uniques: [{ on: ['id'] }] }],
      ['called "A"', { ...named(), uniques: [{ on: ['name'], name: 'a' }], checks: [{ sql: '1 = 1', name: 'A' }] }],
    ]

    it.each(wrongModels)('a model: %s', (problem, options) => {
      const error = refusal(() => define(options))
      expect(error).toMatchObject({ model: 'Order' })
      expect(error.message).toContain(problem)
    })

    it('a second field with the same role', () => {
      const version = { kind: 'integer', role: 'version' }
      expect(refusal(() => define({ fields: { id: ID, one: version, two: version } }))).toMatchObject({
        field: 'two',
        message: expect.stringContaining('is version, as "one" is'),
      })
    })

    const target = () => class Customer {}
    const wrongRelations: readonly (readonly [problem: string, spec: object])[] = [
      ["a relation's kind is one of", { target, foreignKey: 'name' }],
      ['names "nmae", which is no field of Order; did you mean "name"?', { kind: 'belongsTo', target, foreignKey: 'nmae' }],
      ['names "key", which is no field', { kind: 'hasMany', target, foreignKey: 'a', references: 'key' }],
      ['target: expected a function that gives the model', { kind: 'hasMany', foreignKey: 'a' }],
      ['target: expected a function that gives the model', { kind: 'hasMany', target: class Customer {}, foreignKey: 'a' }],
      ['foreignKey: expected the name of a field', { kind: 'hasMany', target }],
      ['foreignKey: names a field twice', { kind: 'hasMany', target, foreignKey: ['a', 'a'] }],
      ['through: expected a function', { kind: 'manyToMany', target, foreignKey: 'a', otherKey: 'b' }],
      ['unknown option "onDelete"', { kind: 'hasMany', target, foreignKey: 'a', onDelete: 'cascade' }],
      ['onDelete: expected one of cascade', { kind: 'belongsTo', target, foreignKey: 'name', onDelete: 'forget' }],
      ['setNull needs "name" to be nullable', { kind: 'belongsTo', target, foreignKey: 'name', onDelete: 'setNull' }],
      ['different numbers of fields', { kind: 'belongsTo', target, foreignKey: 'name', references: ['a', 'b'] }],
      ['constraintName: a name cannot be empty', { kind: 'belongsTo', target, foreignKey: 'name', constraintName: '' }],
      [
        'constraintName: constraint: false makes none',
        { kind: 'belongsTo', target, foreignKey: 'name', constraint: false, constraintName: 'a' },
      ],
      ['constraint: expected a boolean', { kind: 'belongsTo', target, foreignKey: 'name', constraint: 'no' }],
    ]

    it.each(wrongRelations)('a relation: %s', (problem, spec) => {
      const error = refusal(() => define({ ...named(), relations: { customer: spec } }))
      expect(error).toMatchObject({ model: 'Order', field: 'customer' })
      expect(error.message).toContain(problem)
    })

    const optional = { kind: 'integer', nullable: true }
    const toOne = (foreignKey: string | readonly string[], more: object = {}) => ({ kind: 'belongsTo', target, foreignKey, ...more })
    const keyed = {
      fields: { id: ID, shopId: { kind: 'integer' }, postId: optional, photoId: optional, areaId: optional },
      relations: {
        post: toOne('postId'),
        photo: toOne('photoId', { onDelete: 'setNull' }),
        area: toOne('areaId', { onUpdate: 'setDefault' }),
        shop: toOne('shopId'),
        samePost: toOne(['shopId', 'postId']),
        place: toOne(['areaId', 'photoId']),
        posts: { kind: 'hasMany', target, foreignKey: 'postId' },
      },
    }
    const polymorphic = (of: unknown, more: object = {}) => ({ kind: 'polymorphic', of, nullable: true, ...more })
    const wrongPolymorphics: readonly (readonly [problem: string, spec: object])[] = [
      ['of: expected a list of at least two relations', polymorphic(undefined)],
      ['of: expected a list of at least two relations', polymorphic('post')],
      ['of: expected a list of at least two relations', polymorphic(['post'])],
      ['of: expected a list of at least two relations', polymorphic(['post', 7])],
      ['of: names "post" twice', polymorphic(['post', 'photo', 'post'])],
      ['of: "phto" is no relation of Order; did you mean "photo"?', polymorphic(['post', 'phto'])],
      ['of: "postId" is no relation of Order', polymorphic(['photo', 'postId'])],
      ['of: "subject" is no relation of Order', polymorphic(['post', 'subject'])],
      ['of: "posts" is a hasMany, and has to be a belongsTo', polymorphic(['photo', 'posts'])],
      ['of: every row has a "shop": make shopId nullable', polymorphic(['post', 'shop'])],
      ['setNull of "photo" would leave a row with none', polymorphic(['post', 'photo'], { nullable: false })],
      ['setDefault of "area" would leave a row with none', polymorphic(['post', 'area'], { nullable: false })],
      ['"samePost" is never set without "post"', polymorphic(['post', 'samePost'])],
      ['"place" is never set without "photo"', polymorphic(['place', 'photo'])],
      ['nullable: expected a boolean, got string', polymorphic(['post', 'photo'], { nullable: 'yes' })],
      ['unknown option "target"', polymorphic(['post', 'photo'], { target })],
    ]

    it.each(wrongPolymorphics)('a polymorphic relation: %s', (problem, spec) => {
      const error = refusal(() => define({ ...keyed, relations: { ...keyed.relations, subject: spec } }))
      expect(error).toMatchObject({ model: 'Order', field: 'subject' })
      expect(error.message).toContain(problem)
    })

    it('a relation that two polymorphic ones choose among', () => {
      const relations = { ...keyed.relations, subject: polymorphic(['post', 'photo']), other: polymorphic(['place', 'post']) }
      const error = refusal(() => define({ ...keyed, relations }))
      expect(error).toMatchObject({ model: 'Order', field: 'other' })
      expect(error.message).toContain('"post" is a choice of "subject" already')
    })

    it.each(['postId', '$post', 'constructor'])('a polymorphic relation that is called %s', (name) => {
      const relations = { ...keyed.relations, [name]: polymorphic(['post', 'photo']) }
      expect(refusal(() => define({ ...keyed, relations }))).toMatchObject({ model: 'Order', field: name })
    })

    it('a property that is a field and a relation', () => {
      const relations = { name: { kind: 'hasMany', target, foreignKey: 'a' } }
      expect(refusal(() => define({ ...named(), relations })).message).toContain('is a field and a relation')
    })

    it('a class that has a definition', () => {
      class Customer {}
      const options = { fields: { id: { kind: 'integer', primary: true } } } as const
      defineLooseModel(Customer, options)
      expect(refusal(() => defineLooseModel(Customer, options)).message).toContain('is defined twice')
    })

    it('a class without a name, unless one is said', () => {
      const options = { fields: { id: { kind: 'integer', primary: true } } } as const
      expect(refusal(() => defineLooseModel(class {}, options)).message).toContain('the class has no name')
      expect(defineLooseModel(class {}, { ...options, name: 'Customer' })).toMatchObject({ name: 'Customer', table: 'customers' })
    })

    it('a default without telling it', () => {
      expect(refusal(() => withField({ kind: 'integer', default: 'hunter2' })).message).not.toContain('hunter2')
    })
  })

  describe('warns', () => {
    const warning = vi.spyOn(process, 'emitWarning')
    beforeEach(() => void warning.mockReset().mockImplementation(() => {}))
    afterEach(() => void warning.mockReset())

    it('of a class name so short that a minifier may have made it', () => {
      defineLooseModel(class Ab {}, { fields: { id: { kind: 'integer', primary: true } } })
      expect(warning).toHaveBeenCalledExactlyOnceWith(expect.stringContaining('@model({ name })'), expect.anything())
    })

    it('not of a short name that was said', () => {
      defineLooseModel(class Ab {}, { name: 'Ab', fields: { id: { kind: 'integer', primary: true } } })
      expect(warning).not.toHaveBeenCalled()
    })
  })
})

describe('definitionOf', () => {
  it('refuses a class without a definition, and says what to do', () => {
    class Customer {}
    expect(refusal(() => definitionOf(Customer)).message).toBe(
      'model Customer: has no definition; decorate the class with @model() or call defineModel',
    )
  })

  it("does not take a base class's definition for a class's own", () => {
    class Customer {}
    defineLooseModel(Customer, { fields: { id: { kind: 'integer', primary: true } } })
    class Buyer extends Customer {}
    expect(refusal(() => definitionOf(Buyer))).toMatchObject({ model: 'Buyer' })
  })

  it('finds what another copy of the package defined', async () => {
    class Customer {}
    const definition = defineLooseModel(Customer, { fields: { id: { kind: 'integer', primary: true } } })
    vi.resetModules()
    const copy = await import('../../../lib/model/define-model.js')
    expect(copy.definitionOf).not.toBe(definitionOf)
    expect(copy.definitionOf(Customer)).toBe(definition)
  })
})

function named(): { fields: object } {
  return { fields: { id: ID, name: { kind: 'text' } } }
}

function refusal(act: () => unknown): ModelError {
  try {
    act()
  } catch (error) {
    if (error instanceof ModelError) return error
    throw error
  }
  throw new Error('nothing was refused')
}

/** Paths of the objects in `value` that are not frozen; functions aside. */
function thawed(value: unknown, path: string): readonly string[] {
  if (typeof value !== 'object' || value === null) return []
  const inside = value instanceof Map ? [...value] : Object.entries(value)
  return [...(Object.isFrozen(value) ? [] : [path]), ...inside.flatMap(([key, item]) => thawed(item, `${path}.${key}`))]
}

describe('a view', () => {
  const key = { kind: 'integer', primary: true }
  const view = (options: object, named = 'Sum') => {
    const target = { [named]: class extends View {} }[named]!
    return defineLooseModel(target, options as never)
  }

  it('needs no key, and has neither indexes nor foreign keys', () => {
    const definition = view({
      fields: { userId: { kind: 'integer' }, orgId: { kind: 'integer', role: 'tenant' } },
      relations: { user: { kind: 'belongsTo', target: () => Object, foreignKey: 'userId' } },
    })
    expect(definition).toMatchObject({ isView: true, table: 'sums', primaryKey: [], indexes: [], relations: [{ constraint: false }] })
    expect(schemaOf([definition]).tables).toEqual([])
  })

  it.each([
    ['indexes: a view has none', { fields: { id: key }, indexes: [{ on: ['id'] }] }],
    ['checks: a view has none', { fields: { id: key }, checks: [{ where: { id: 1 } }] }],
    ['check: a view has none', { fields: { id: { ...key, check: { $gt: 0 } } } }],
    ['index: a view has none', { fields: { id: key, n: { kind: 'integer', index: true } } }],
    ['give its fields @id', { fields: { n: { kind: 'integer', unique: true } } }],
    [
      'onDelete: a view has no foreign keys',
      { fields: { id: key }, relations: { user: { kind: 'belongsTo', target: () => Object, foreignKey: 'id', onDelete: 'cascade' } } },
    ],
  ])('is refused where it asks for what only a table has: %s', (problem, options) => {
    expect(() => view(options)).toThrow(problem)
  })

  it('cannot be what a foreign key refers to', () => {
    class Target extends View {}
    defineLooseModel(Target, { fields: { id: { kind: 'integer', primary: true } } })
    class Source {}
    const definition = defineLooseModel(Source, {
      fields: { id: { kind: 'integer', primary: true } },
      relations: { target: { kind: 'belongsTo', target: () => Target, foreignKey: 'id' } },
    })
    expect(() => schemaOf([definition, definitionOf(Target)])).toThrow('which is a view; set constraint: false')
  })
})
