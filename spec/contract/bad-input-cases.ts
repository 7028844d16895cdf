import type { Generated } from 'kysely'
import {
  belongsTo,
  createdAt,
  deletedAt,
  field,
  hasMany,
  id,
  type Json,
  type Many,
  type ModelNodes,
  model,
  type One,
  updatedAt,
  version,
} from '../../index.js'

/** A field of each type that input is checked for, with all that must not be given. */
@model()
export class Person {
  @id() id!: Generated<number>
  @field.text({ unique: true, maxLength: 10, minLength: 2 }) email!: string
  @field.integer({ nullable: true }) age!: number | null
  @field.bigint({ nullable: true }) big!: bigint | null
  @field.float({ nullable: true }) ratio!: number | null
  @field.decimal({ precision: 5, scale: 2, nullable: true }) balance!: string | null
  @field.boolean({ nullable: true }) active!: boolean | null
  @field.date({ nullable: true }) born!: string | null
  @field.time({ nullable: true }) wakes!: string | null
  @field.timestamp({ nullable: true }) seenAt!: Date | null
  @field.uuid({ nullable: true }) token!: string | null
  @field.json({ nullable: true }) settings!: Json<Record<string, unknown>> | null
  @field.bytes({ nullable: true }) photo!: Uint8Array | null
  @field.oneOf(['draft', 'live'], { nullable: true }) state!: 'draft' | 'live' | null
  @field.array('integer', { nullable: true }) scores!: number[] | null
  @createdAt() createdAt!: Generated<Date>
  @updatedAt() updatedAt!: Generated<Date>
  @version() version!: Generated<number>
  @deletedAt() deletedAt!: Generated<Date | null>
  @field.integer({ nullable: true }) friendId!: number | null
  @hasMany(() => Visit, 'personId') visits!: Many<Visit>
  @hasMany(() => Person, 'friendId') friends!: Many<Person>
}

@model()
export class Visit {
  @id() id!: Generated<number>
  @field.integer() personId!: number
  @belongsTo(() => Person, 'personId') person!: One<Person>
}

/** Stands in values; no error may repeat it. */
export const SECRET = 's3cr3t'

/** A value of one field that has to be refused, and what the error says of it. */
export type BadValue = readonly [field: keyof Person & string, value: unknown, expected: RegExp]

class Money {
  amount = SECRET
}

const trap = {
  toString: () => SECRET,
  valueOf: () => 1,
  [Symbol.toPrimitive]: () => SECRET,
  toJSON: () => SECRET,
}

const circular: Record<string, unknown> = {}
circular.self = circular

function nested(levels: number): unknown {
  return levels === 0 ? SECRET : [nested(levels - 1)]
}

const OF_EVERY_SCALAR = [{ $eq: SECRET }, [SECRET], Symbol(SECRET), () => SECRET, trap, new Money(), Object(SECRET), new Map([[SECRET, 1]])]
const SCALARS = ['email', 'age', 'big', 'ratio', 'balance', 'active', 'born', 'wakes', 'seenAt', 'token', 'photo', 'state'] as const

/** Wrong wherever they stand for a value: in a create, an update, a row of many, a comparison. */
export const BAD_VALUES: readonly BadValue[] = [
  ...SCALARS.flatMap((name) => OF_EVERY_SCALAR.map((value): BadValue => [name, value, /expected/])),
  ['email', 7, /expected text, got a whole number/],
  ['email', `${SECRET}\0`, /expected text without NUL/],
  ['email', `${SECRET}\ud800`, /expected well-formed text/],
  ['email', `\udc00${SECRET}`, /expected well-formed text/],
  ['age', SECRET, /expected a whole number .* got text/],
  ['age', '7', /got text/],
  ['age', 1.5, /got a fraction/],
  ['age', 2 ** 31, /from -2147483648 to 2147483647, got one outside/],
  ['age', -(2 ** 31) - 1, /got one outside/],
  ['age', Number.NaN, /got NaN/],
  ['age', Number.POSITIVE_INFINITY, /got an infinite number/],
  ['age', 7n, /got a bigint/],
  ['age', true, /got a boolean/],
  ['big', 7, /expected a bigint, got a whole number/],
  ['big', '7', /expected a bigint, got text/],
  ['big', 2n ** 63n, /got one outside/],
  ['big', -(2n ** 63n) - 1n, /got one outside/],
  ['ratio', Number.NaN, /expected a finite number, got NaN/],
  ['ratio', Number.NEGATIVE_INFINITY, /got an infinite number/],
  ['ratio', '1.5', /got text/],
  ['balance', 1.5, /expected a decimal as text/],
  ['balance', '1000', /at most 3 digits before the point and 2 after it, got more before it/],
  ['balance', '1.005', /got more after it/],
  ['balance', '1e2', /got other text/],
  ['balance', 'NaN', /got other text/],
  ['balance', ' 1', /got other text/],
  ['balance', '', /got other text/],
  ['active', 1, /expected true or false, got a whole number/],
  ['active', 'true', /expected true or false, got text/],
  ['born', '2023-02-29', /expected a day as YYYY-MM-DD, got other text/],
  ['born', '0000-01-01', /got other text/],
  ['born', '10000-01-01', /got other text/],
  ['born', new Date(0), /got a date/],
  ['wakes', '24:00:00', /expected a time as HH:MM:SS/],
  ['wakes', '7:00', /got other text/],
  ['seenAt', new Date(Number.NaN), /expected a Date of the years 1 to 9999/],
  ['seenAt', new Date('+010000-01-01T00:00:00Z'), /expected a Date of the years 1 to 9999/],
  ['seenAt', '2024-01-01T00:00:00Z', /expected a Date, got text/],
  ['seenAt', 0, /expected a Date, got a whole number/],
  ['token', SECRET, /expected a uuid/],
  ['photo', SECRET, /expected bytes/],
  ['photo', [1, 2, 3], /expected bytes .* got a list/],
  ['photo', new ArrayBuffer(2), /expected bytes/],
  ['state', SECRET, /expected one of "draft", "live", got other text/],
  ['state', 'DRAFT', /expected one of/],
]

/** Wrong to store, though they may be compared with or cannot be. */
export const BAD_STORED: readonly BadValue[] = [
  ['email', `${SECRET}-too-long`, /expected at most 10 characters, got 15/],
  ['email', 'x', /expected at least 2 characters, got 1/],
  ['email', null, /expected a value, got null/],
  ['settings', { at: new Date(0) }, /expected JSON .* got a date in it/],
  ['settings', { big: 1n }, /got a bigint in it/],
  ['settings', { ratio: Number.NaN }, /got NaN in it/],
  ['settings', { left: undefined }, /got undefined in it/],
  ['settings', [SECRET, Symbol(SECRET)], /got a symbol in it/],
  ['settings', { text: `${SECRET}\0` }, /without NUL/],
  ['settings', { [`${SECRET}\ud800`]: 1 }, /well-formed/],
  ['settings', circular, /an object that contains itself/],
  ['settings', nested(32), /at most 31 levels/],
  ['settings', new Money(), /got an instance of a class/],
  ['settings', trap, /expected JSON/],
  ['scores', [1, '2'], /got text \(at position 1\)/],
  ['scores', [1, null], /expected no null in a list/],
  // biome-ignore lint/suspicious/noSparseArray: a hole is what is to be refused
  ['scores', [1, , 3], /got undefined \(at position 1\)/],
  ['scores', { length: 0 }, /expected a list, got an object/],
  ['scores', new Int32Array(1), /expected a list/],
]

/** What must not be given as a field. */
export const BAD_NAMES: readonly (readonly [name: string, expected: RegExp])[] = [
  ['emial', /emial: unknown field "emial"; did you mean "email"\?/],
  ['EMAIL', /unknown field "EMAIL"/],
  ['seen_at', /unknown field "seen_at"/],
  ['id', /id: is generated by the database, and cannot be given/],
  ['version', /version: is kept by the layer, and cannot be given/],
  ['createdAt', /is kept by the layer/],
  ['updatedAt', /is kept by the layer/],
  ['deletedAt', /is kept by the layer/],
  // for create alone they are rows to make
  ['visits', /visits: (is a relation, and cannot be given|expected a list of rows of Visit, got text)/],
  ['__proto__', /unknown field "__proto__"/],
  ['constructor', /unknown field "constructor"/],
  ['prototype', /unknown field "prototype"/],
  ['toString', /unknown field "toString"/],
  ['$set', /unknown field "\$set"/],
  ['', /unknown field ""/],
  [`${'x'.repeat(10_000)}`, /unknown field "x{64}…"/],
]

/** An own property, whatever its name means to object literals. */
export function own(name: string, value: unknown): Record<string, unknown> {
  return Object.defineProperty({}, name, { value, enumerable: true, configurable: true, writable: true })
}

export const FIT = { email: 'a@b.c' }

type People = ModelNodes<Person>

/** Ways that a value of a field goes into a database; the path under which an error speaks of it. */
export const STORES: readonly (readonly [node: string, path: string, store: (people: People, fields: never) => Promise<unknown>])[] = [
  ['create', '', (people, fields) => people.create({ ...FIT, ...(fields as object) })],
  ['update', 'set.', (people, fields) => people.update({ where: { id: 1 }, set: fields })],
  ['bulkUpdate', 'set.', (people, fields) => people.bulkUpdate({ where: { id: 1 }, set: fields })],
  ['upsert', 'values.', (people, fields) => people.upsert({ on: ['email'], values: { ...FIT, ...(fields as object) } })],
  ['the update of upsert', 'update.', (people, fields) => people.upsert({ on: ['email'], values: FIT, update: fields })],
  ['bulkCreate', 'rows[1].', (people, fields) => people.bulkCreate({ rows: [FIT, { ...FIT, ...(fields as object) }] })],
  [
    'bulkUpsert',
    'rows[1].',
    (people, fields) => people.bulkUpsert({ on: ['email'], rows: [{ email: 'x@y.z' }, { ...FIT, ...(fields as object) }] }),
  ],
]
