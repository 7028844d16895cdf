import { describe, expect, it } from 'vitest'
import { defineLooseModel } from '../../../lib/model/define-model.js'
import { fromJsonValue, normaliseFieldValue, toJsonValue } from '../../../lib/model/field-type.js'
import { jsonSchemaOf, type ModelOperation } from '../../../lib/model/json-schema.js'
import { compileValidator } from '../../../lib/model/validate-input.js'
import { isValid } from '../../support/json-schema-check.js'

const PRODUCT = defineLooseModel(class Product {}, {
  comment: 'Something for sale',
  fields: {
    id: { kind: 'integer', primary: true, increment: true },
    code: { kind: 'text', maxLength: 5, minLength: 2, comment: 'As printed on the shelf' },
    shop: { kind: 'text' },
    note: { kind: 'text', nullable: true },
    stock: { kind: 'integer', default: 0 },
    sold: { kind: 'bigint', default: 5n },
    weight: { kind: 'float', nullable: true },
    price: { kind: 'decimal', precision: 5, scale: 2 },
    active: { kind: 'boolean', default: true },
    since: { kind: 'date', nullable: true },
    opens: { kind: 'time', nullable: true },
    soldAt: { kind: 'timestamp', nullable: true },
    uid: { kind: 'uuid', nullable: true },
    extra: { kind: 'json', nullable: true },
    photo: { kind: 'bytes', nullable: true },
    colour: { kind: 'enum', values: ['red', 'green'], nullable: true },
    tags: { kind: 'array', of: { kind: 'text' }, nullable: true },
    createdAt: { kind: 'timestamp', role: 'createdAt' },
    version: { kind: 'integer', role: 'version' },
  },
  uniques: [{ on: ['shop', 'code'] }, { on: ['note'], where: { active: true } }],
})

class Owner {}
const OWNER = defineLooseModel(Owner, {
  fields: { id: { kind: 'integer', primary: true, increment: true }, name: { kind: 'text', nullable: true } },
  relations: { houses: { kind: 'hasMany', target: () => House, foreignKey: 'ownerId' } },
})
class House {}
const HOUSE = defineLooseModel(House, {
  fields: {
    id: { kind: 'integer', primary: true, increment: true },
    ownerId: { kind: 'integer' },
    tenantId: { kind: 'integer', nullable: true },
    street: { kind: 'text' },
  },
  relations: {
    owner: { kind: 'belongsTo', target: () => Owner, foreignKey: 'ownerId' },
    tenant: { kind: 'belongsTo', target: () => Owner, foreignKey: 'tenantId' },
  },
})

class Remark {}
const REMARK = defineLooseModel(Remark, {
  fields: {
    id: { kind: 'integer', primary: true, increment: true },
    ownerId: { kind: 'integer', nullable: true },
    houseId: { kind: 'integer', nullable: true },
  },
  relations: {
    owner: { kind: 'belongsTo', target: () => Owner, foreignKey: 'ownerId' },
    house: { kind: 'belongsTo', target: () => House, foreignKey: 'houseId' },
    subject: { kind: 'polymorphic', of: ['owner', 'house'] },
  },
})

const PLAIN = defineLooseModel(class Plain {}, { fields: { id: { kind: 'integer', primary: true, increment: true } } })

const OPERATIONS: readonly ModelOperation[] = [
  'create',
  'read',
  'update',
  'delete',
  'list',
  'count',
  'upsert',
  'bulkCreate',
  'bulkUpdate',
  'bulkDelete',
  'bulkUpsert',
]

const NEW = { code: 'AB1', shop: 's', price: '1.50' }

const ROW = {
  ...NEW,
  id: 1,
  note: null,
  stock: 0,
  sold: '5',
  weight: 1.5,
  active: true,
  since: '2024-01-31',
  opens: '08:00:00',
  soldAt: '2024-01-31T00:00:00.000Z',
  uid: null,
  extra: { a: [1] },
  photo: 'AP8Q',
  colour: 'red',
  tags: ['a'],
  createdAt: '2024-01-31T00:00:00.000Z',
  version: 1,
}

function accepts(operation: ModelOperation, side: 'input' | 'output', value: unknown, model = PRODUCT): boolean {
  return isValid(jsonSchemaOf(model, operation)[side], value)
}

describe('jsonSchemaOf', () => {
  it('gives the same frozen schemas each time', () => {
    const schemas = jsonSchemaOf(PRODUCT, 'create')
    expect(jsonSchemaOf(PRODUCT, 'create')).toBe(schemas)
    expect(isDeeplyFrozen(schemas)).toBe(true)
  })

  it.each(OPERATIONS)('gives whole documents for %s, whose references lead somewhere', (operation) => {
    for (const schema of Object.values(jsonSchemaOf(PRODUCT, operation))) {
      expect(schema.$schema).toBe('https://json-schema.org/draft/2020-12/schema')
      const definitions = Object.keys((schema.$defs ?? {}) as object)
      const references = [...JSON.stringify(schema).matchAll(/"\$ref":"#\/\$defs\/(\w+)"/g)].map(([, name]) => name)
      expect(new Set(references)).toEqual(new Set(definitions))
    }
  })

  it('carries comments and defaults', () => {
    const { $defs } = jsonSchemaOf(PRODUCT, 'create').input as { $defs: { newRow: { properties: Record<string, object> } } }
    expect($defs.newRow.properties.code).toEqual({
      type: 'string',
      minLength: 2,
      maxLength: 5,
      description: 'As printed on the shelf',
    })
    expect($defs.newRow.properties.sold).toMatchObject({ default: '5' })
    expect(jsonSchemaOf(PRODUCT, 'create').output).toMatchObject({ $defs: { row: { description: 'Something for sale' } } })
  })

  it.each<[ModelOperation, unknown]>([
    ['create', NEW],
    ['create', { ...NEW, note: null, colour: 'green', tags: [], sold: '-9223372036854775808', extra: [1, 'a', { b: true }] }],
    ['read', { where: { id: 1 } }],
    ['read', { where: { shop: 's', code: 'AB1', stock: { $gt: 0 } } }],
    ['update', { where: { id: 1 }, set: { note: null, stock: { $increment: 1 } }, version: 3 }],
    ['update', { where: { id: 1 }, set: { price: { $multiply: 1.5 }, sold: { $decrement: '1' }, weight: { $multiply: 0.5 } } }],
    ['delete', { where: { id: { $eq: 1 } }, version: 3 }],
    ['list', {}],
    ['list', { where: {}, orderBy: { code: 'asc', stock: { direction: 'desc', nulls: 'last' } }, limit: 10, offset: 0, total: true }],
    ['list', { orderBy: [{ code: 'asc' }, { id: 'desc' }] }],
    ['count', { where: { $or: [{ code: { $startsWith: 'A' } }, { $not: { note: null } }], $and: [] } }],
    ['count', { where: { stock: { $between: [1, 2], $not: { $in: [1] } }, colour: { $ne: null }, extra: { $null: false }, tags: null } }],
    ['count', { where: { extra: { $path: ['a', 0], $eq: 'x', $gt: 1, $not: { $in: [1] } }, tags: { $has: 'a', $hasSome: [] } } }],
    ['count', { where: { code: 'longer than any that there is' } }],
    ['upsert', { on: ['code', 'shop'], values: NEW, update: { stock: 1 } }],
    ['bulkCreate', { rows: [NEW, NEW], onConflict: 'skip', returning: true }],
    ['bulkUpdate', { where: { active: false }, set: { stock: 0 } }],
    ['bulkUpdate', { all: true, set: { stock: 0 } }],
    ['bulkDelete', { where: { id: { $in: [1, 2] } } }],
    ['bulkUpsert', { on: ['shop', 'code'], rows: [NEW] }],
  ])('lets %s have %j', (operation, input) => {
    expect(accepts(operation, 'input', input)).toBe(true)
  })

  it.each<[ModelOperation, unknown]>([
    ['create', {}],
    ['create', { ...NEW, id: 1 }],
    ['create', { ...NEW, createdAt: '2024-01-31T00:00:00.000Z' }],
    ['create', { ...NEW, isAdmin: true }],
    ['create', { ...NEW, shop: null }],
    ['create', { ...NEW, extra: undefined, sold: '01' }],
    ['read', { where: { code: 'AB1' } }],
    ['read', { where: {} }],
    ['read', {}],
    ['update', { where: { id: 1 }, set: {} }],
    ['update', { where: { id: 1 }, set: { stock: { $increment: 1, $multiply: 2 } } }],
    ['update', { where: { id: 1 }, set: { code: { $increment: 1 } } }],
    ['update', { where: { id: 1 }, set: { version: 1 } }],
    ['list', { where: { foo: 1 } }],
    ['list', { where: { active: { $gt: false } } }],
    ['list', { where: { stock: { $contains: '1' } } }],
    ['list', { where: { stock: {} } }],
    ['list', { where: { stock: '1' } }],
    ['list', { where: { extra: { a: 1 } } }],
    ['list', { where: { stock: { $between: [1] } } }],
    ['list', { where: { extra: { $path: ['a'] } } }],
    ['list', { where: { extra: { $path: [], $eq: 1 } } }],
    ['list', { where: { extra: { $path: ['a'], $eq: {} } } }],
    ['list', { where: { extra: { $path: [-1], $eq: 1 } } }],
    ['list', { where: { tags: { $has: 1 } } }],
    ['list', { where: { tags: { $hasEvery: 'a' } } }],
    ['list', { where: { code: { $has: 'a' } } }],
    ['list', { where: { $or: { id: 1 } } }],
    ['list', { orderBy: { extra: 'asc' } }],
    ['list', { orderBy: { code: 'up' } }],
    ['list', { limit: -1 }],
    ['upsert', { on: ['id'], values: NEW }],
    ['upsert', { on: ['shop'], values: NEW }],
    ['upsert', { on: ['note'], values: NEW }],
    ['bulkCreate', { rows: [{}] }],
    ['bulkUpdate', { set: { stock: 0 } }],
    ['bulkUpdate', { where: {}, set: { stock: 0 } }],
    ['bulkDelete', {}],
    ['bulkDelete', { where: { id: 1 }, all: true }],
    ['bulkDelete', { all: false }],
  ])('does not let %s have %j', (operation, input) => {
    expect(accepts(operation, 'input', input)).toBe(false)
  })

  it.each<[boolean, unknown, typeof OWNER]>([
    [true, { houses: [{ street: 'a' }, { street: 'b', tenant: { name: 'x' } }] }, OWNER],
    [true, { houses: [] }, OWNER],
    [false, { houses: { street: 'a' } }, OWNER],
    [false, { houses: [{}] }, OWNER],
    [false, { houses: [{ street: 'a', ownerId: 1 }] }, OWNER],
    [false, { houses: [{ street: 'a', colour: 1 }] }, OWNER],
    [true, { street: 'a', ownerId: 1 }, HOUSE],
    [true, { street: 'a', owner: { name: null }, tenant: {} }, HOUSE],
    [false, { street: 'a' }, HOUSE],
    [false, { street: 'a', ownerId: 1, owner: {} }, HOUSE],
    [false, { street: 'a', owner: [] }, HOUSE],
    [false, { street: 'a', owner: { id: 1 } }, HOUSE],
  ])('says %s to a create of rows with %j', (isTaken, input, model) => {
    expect(accepts('create', 'input', input, model)).toBe(isTaken)
  })

  it.each([
    [true, true],
    [true, { owner: true }],
    [true, { owner: { select: ['name'], include: { houses: true } }, house: { where: { street: 'a' } } }],
    [false, {}],
    [false, { houses: true }],
    [false, { owner: { select: ['street'] } }],
    [false, { house: { limit: 1 } }],
  ])('says %s to a polymorphic relation that is included by %j', (isTaken, subject) => {
    expect(accepts('list', 'input', { include: { subject } }, REMARK)).toBe(isTaken)
  })

  it.each([
    [true, null],
    [true, { type: 'owner', row: { id: 1, name: null } }],
    [true, { type: 'house', row: { street: 'a' } }],
    [false, { type: 'houses', row: { street: 'a' } }],
    [false, { type: 'house', row: null }],
    [false, { type: 'house' }],
    [false, { street: 'a' }],
  ])('says %s to a row that has of a polymorphic relation %j', (isTaken, subject) => {
    expect(accepts('read', 'output', { id: 1, ownerId: 1, houseId: null, subject }, REMARK)).toBe(isTaken)
  })

  it('takes no polymorphic relation where it is not read', () => {
    const subject = { owner: { name: null } }
    expect(accepts('create', 'input', { subject }, REMARK)).toBe(false)
    expect(accepts('list', 'input', { where: { subject } }, REMARK)).toBe(false)
  })

  it('takes rows of relations in create alone', () => {
    const rows = [{ street: 'a', ownerId: 1 }]
    expect(accepts('bulkCreate', 'input', { rows }, HOUSE)).toBe(true)
    expect(accepts('bulkCreate', 'input', { rows: [{ street: 'a', owner: {} }] }, HOUSE)).toBe(false)
  })

  it('asks for a version only where the model has one', () => {
    const input = { where: { id: 1 }, version: 1 }
    expect([accepts('delete', 'input', input), accepts('delete', 'input', input, PLAIN)]).toEqual([true, false])
  })

  it('says that nothing can be upserted by a key that only the database makes', () => {
    expect(accepts('upsert', 'input', { on: ['id'], values: {} }, PLAIN)).toBe(false)
  })

  it.each<[ModelOperation, unknown, unknown]>([
    ['create', ROW, { ...ROW, id: '1' }],
    ['read', null, {}],
    ['update', ROW, null],
    ['delete', ROW, { ...ROW, secret: 1 }],
    ['list', { rows: [ROW], total: 1 }, [ROW]],
    ['count', 3, -1],
    ['upsert', { row: ROW, outcome: 'unchanged' }, { row: ROW, outcome: 'kept' }],
    ['bulkCreate', { count: 1, rows: [ROW] }, { rows: [ROW] }],
    ['bulkUpdate', { count: 0 }, 0],
    ['bulkDelete', { count: 0 }, { count: 0.5 }],
    ['bulkUpsert', { created: 1, updated: 0, unchanged: 2 }, { created: 1 }],
  ])('describes what %s gives', (operation, output, other) => {
    expect([accepts(operation, 'output', output), accepts(operation, 'output', other)]).toEqual([true, false])
  })

  it('lets nothing through that create refuses, and all that create takes in its stored form', () => {
    const validate = compileValidator(PRODUCT, 'create')
    const scalars = [null, true, 1, 1.5, -1, 2 ** 31, '', 'AB', 'ABCDEF', '😀😀😀😀😀', '007', '1.5', '1.555', '1000', 'red', 'AP8Q']
    const others = ['2024-01-31', '25:00:00', '08:00:00.10', '2024-01-31T00:00:00Z', '018F4E7C-0000-7000-8000-00000000ABCD']
    const outcomes = new Set<boolean>()
    for (const field of PRODUCT.fields) {
      for (const json of [...scalars, ...others, {}, { a: null }, ['a'], [1], [null]]) {
        const value = fromJsonValue(field.type, field.bigintMode, json)
        const isTaken = validate({ ...NEW, [field.name]: value }).issues.length === 0
        const stored = isTaken && value !== null ? toJsonValue(field.type, normaliseFieldValue(field, value)) : json
        outcomes.add(isTaken)
        expect(accepts('create', 'input', { ...NEW, [field.name]: stored }), `${field.name} ${JSON.stringify(json)}`).toBe(isTaken)
      }
    }
    expect(outcomes.size).toBe(2)
  })
})

function isDeeplyFrozen(value: unknown): boolean {
  return typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(isDeeplyFrozen))
}
