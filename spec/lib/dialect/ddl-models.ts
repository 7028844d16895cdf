import { defineLooseModel, definitionOf } from '../../../lib/model/define-model.js'
import type { FieldSpec } from '../../../lib/model/field-spec.js'
import type { ModelClass, ModelDefinition } from '../../../lib/model/model-definition.js'

/** Text that no engine may read as anything but text. */
export const AWKWARD = `it's "a\\b" \`c\` ; -- \\' 😀 %_$1`

const ENUM = ['open', 'closed', `o'pen\\`]

/** A column of every type with a default; the value says what an insert that names no column leaves. */
export const EVERY_TYPE = {
  aText: { kind: 'text', default: AWKWARD },
  aVarchar: { kind: 'varchar', length: 60, default: AWKWARD },
  anInteger: { kind: 'integer', default: -2147483648 },
  aBigint: { kind: 'bigint', default: -9223372036854775808n },
  aFloat: { kind: 'float', default: 1.7976931348623157e308 },
  aDecimal: { kind: 'decimal', precision: 38, scale: 10, default: '-1234567890123456789012345678.0123456789' },
  aBoolean: { kind: 'boolean', default: true },
  aDate: { kind: 'date', default: '2024-02-29' },
  aTime: { kind: 'time', default: '23:59:59.5' },
  anInstant: { kind: 'timestamp', default: new Date('2024-02-29T12:30:00.120Z') },
  aMicrosecond: { kind: 'timestamp', precision: 6, default: '2024-02-29T12:30:00.12Z' },
  aUuid: { kind: 'uuid', default: '6F9619FF-8B86-D011-B42D-00C04FC964FF' },
  aJson: { kind: 'json', default: { list: [1, AWKWARD], nested: { yes: true } } },
  someBytes: { kind: 'bytes', default: new Uint8Array([0, 39, 92, 255]) },
  noBytes: { kind: 'bytes', default: new Uint8Array(0) },
  anEnum: { kind: 'enum', values: ENUM, default: `o'pen\\` },
  aNativeEnum: { kind: 'enum', values: ENUM, native: true, default: `o'pen\\` },
  texts: { kind: 'array', of: { kind: 'text' }, default: [AWKWARD, 'null', ''] },
  bigints: { kind: 'array', of: { kind: 'bigint' }, default: [9223372036854775807n] },
  nativeEnums: { kind: 'array', of: { kind: 'enum', values: ENUM, native: true, name: 'everything_a_native_enum' }, default: ['open'] },
  empty: { kind: 'array', of: { kind: 'integer' }, default: [] },
} satisfies Record<string, FieldSpec>

class Everything {}
defineLooseModel(Everything, {
  table: 'everything',
  comment: AWKWARD,
  fields: {
    id: { kind: 'integer', primary: true, increment: true },
    ...EVERY_TYPE,
    expression: { kind: 'integer', defaultSql: '1 + 1', comment: AWKWARD },
    createdAt: { kind: 'timestamp', role: 'createdAt' },
    updatedAt: { kind: 'timestamp', role: 'updatedAt' },
    version: { kind: 'integer', role: 'version' },
    deletedAt: { kind: 'timestamp', role: 'deletedAt', nullable: true },
  },
})

/** Each operator on a column of its own: values that pass and values that do not. */
export const CHECKED: Readonly<Record<string, { spec: FieldSpec; passes: readonly unknown[]; fails: readonly unknown[] }>> = {
  eq: check({ kind: 'varchar', length: 60, check: { $eq: AWKWARD } }, [AWKWARD], ['x', AWKWARD.toUpperCase()]),
  ne: check({ kind: 'integer', check: { $ne: 0 } }, [1], [0]),
  gt: check({ kind: 'integer', check: { $gt: -5 } }, [-4], [-5]),
  lte: check({ kind: 'bigint', check: { $lte: 9007199254740993n } }, ['9007199254740993'], ['9007199254740994']),
  lt: check({ kind: 'float', check: { $lt: 0.5 } }, [0.25], [0.5]),
  between: check({ kind: 'date', check: { $between: ['2024-01-01', '2024-12-31'] } }, ['2024-12-31'], ['2025-01-01', '2023-12-31']),
  inList: check({ kind: 'text', check: { $in: ['a', AWKWARD] } }, ['a', AWKWARD], ['b', 'A']),
  nin: check({ kind: 'integer', check: { $nin: [1, 2] } }, [3], [1, 2]),
  not: check({ kind: 'integer', check: { $not: { $gte: 5, $lte: 7 } } }, [4, 8], [5, 7]),
  instant: check(
    { kind: 'timestamp', check: { $gte: new Date('2024-01-01T00:00:00.000Z') } },
    [new Date('2024-01-01T00:00:00.000Z')],
    [new Date('2023-12-31T23:59:59.999Z')],
  ),
  time: check({ kind: 'time', check: { $lt: '12:00:00.5' } }, ['12:00:00', '12:00:00.4'], ['12:00:00.5', '13:00:00']),
  bool: check({ kind: 'boolean', check: { $eq: true } }, [true], [false]),
  bytes: check({ kind: 'bytes', check: { $ne: new Uint8Array([0, 92]) } }, [new Uint8Array([0])], [new Uint8Array([0, 92])]),
  uuid: check(
    { kind: 'uuid', check: { $ne: '6F9619FF-8B86-D011-B42D-00C04FC964FF' } },
    ['00000000-0000-0000-0000-000000000000'],
    ['6f9619ff-8b86-d011-b42d-00c04fc964ff'],
  ),
  atLeast: check(
    { kind: 'decimal', precision: 40, scale: 2, check: { $gte: '9.5' } },
    ['9.50', '10.00', '99999999999999999999999999999999999999.99'],
    ['9.49', '-10.00', '0.00'],
  ),
  moreThanNegative: check(
    { kind: 'decimal', precision: 40, scale: 2, check: { $gt: '-10' } },
    ['-9.99', '0.00', '10.00', '100.00'],
    ['-10.00', '-10.01', '-100.00'],
  ),
  atMost: check({ kind: 'decimal', precision: 6, scale: 0, check: { $lte: '10' } }, ['10', '9', '-100'], ['11', '100']),
  lessThanNegative: check(
    { kind: 'decimal', precision: 6, scale: 1, check: { $lt: '-1.5' } },
    ['-1.6', '-10.0'],
    ['-1.5', '-1.4', '0.0', '20.0'],
  ),
  status: check({ kind: 'enum', values: ENUM }, ['open', `o'pen\\`], ['OPEN', 'other']),
}

class Checked {}
defineLooseModel(Checked, {
  table: 'checked',
  fields: {
    id: { kind: 'integer', primary: true, increment: true },
    ...Object.fromEntries(Object.entries(CHECKED).map(([name, { spec }]) => [name, spec])),
    low: { kind: 'integer', nullable: true },
    high: { kind: 'integer', nullable: true },
  },
  checks: [
    { where: { $or: [{ low: null }, { high: { $null: true } }, { $and: [{ low: { $lt: 10 } }, { high: { $gte: 10 } }] }] } },
    { name: 'low_before_high', sql: 'high - low > 1' },
    { where: { $not: { low: 3, high: 30 } }, name: 'not both' },
  ],
})

class Country {}
defineLooseModel(Country, {
  table: 'countries',
  fields: { code: { kind: 'text', maxLength: 2, primary: true }, name: { kind: 'text' } },
})

class Author {}
defineLooseModel(Author, {
  table: 'authors',
  fields: {
    id: { kind: 'bigint', primary: true, increment: true },
    email: { kind: 'text', maxLength: 320, unique: true },
    nick: { kind: 'text', maxLength: 20, nullable: true },
    active: { kind: 'boolean' },
    countryCode: { kind: 'text', maxLength: 2, nullable: true },
    favouriteBookId: { kind: 'integer', nullable: true },
  },
  relations: {
    country: { kind: 'belongsTo', target: () => Country, foreignKey: 'countryCode', onUpdate: 'cascade', onDelete: 'setNull' },
    favouriteBook: { kind: 'belongsTo', target: () => Book, foreignKey: 'favouriteBookId', onDelete: 'setNull' },
  },
  uniques: [{ on: ['nick'], where: { active: true } }],
  indexes: [
    { on: ['countryCode', 'active'] },
    { on: ['nick', 'email'], where: { countryCode: { $in: ['FR', AWKWARD.slice(0, 2)] }, active: true } },
    { expression: 'lower(email)', name: 'authors_lower_email_idx' },
    { expression: 'lower(nick)', name: 'authors_lower_nick_idx', where: { active: true } },
  ],
})

class Book {}
defineLooseModel(Book, {
  table: 'books',
  fields: {
    id: { kind: 'integer', primary: true },
    authorId: { kind: 'bigint' },
    title: { kind: 'text', maxLength: 200 },
    sequelOf: { kind: 'integer', nullable: true },
  },
  relations: {
    author: { kind: 'belongsTo', target: () => Author, foreignKey: 'authorId', onDelete: 'cascade' },
    original: { kind: 'belongsTo', target: () => Book, foreignKey: 'sequelOf', onDelete: 'restrict' },
  },
  uniques: [{ on: ['authorId', 'title'] }],
})

/** Reserved words and characters that need quoting, as the names of a table, columns, a key, an index and a check. */
class Order {}
defineLooseModel(Order, {
  table: 'order',
  fields: {
    group: { kind: 'integer', primary: true },
    user: { kind: 'integer', primary: true },
    select: { kind: 'text', maxLength: 10, unique: true },
    odd: { kind: 'integer', column: 'grösse & co-1; --', check: { $gt: 0 } },
    back: { kind: 'integer', column: 'from', nullable: true },
    backUser: { kind: 'integer', column: 'to', nullable: true },
  },
  relations: { parent: { kind: 'belongsTo', target: () => Order, foreignKey: ['back', 'backUser'] } },
  uniques: [{ on: ['odd'], name: 'unique & odd', where: { odd: { $gt: 5 } } }],
})

/** Two tables refer to each other, and one to itself; each comes before what it refers to. */
export const MODELS: readonly ModelDefinition[] = definitionsOf([Everything, Checked, Author, Book, Country, Order])

export function definitionsOf(classes: readonly ModelClass[]): readonly ModelDefinition[] {
  return classes.map((each) => definitionOf(each))
}

function check(spec: FieldSpec, passes: readonly unknown[], fails: readonly unknown[]) {
  return { spec: { ...spec, nullable: true } as FieldSpec, passes, fails }
}
