import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { ModelError, type ValidationIssue } from '../../../lib/errors.js'
import { defineLooseModel } from '../../../lib/model/define-model.js'
import type { FieldSpec } from '../../../lib/model/field-spec.js'
import type { ModelDefinition } from '../../../lib/model/model-definition.js'
import { compileListValidator, compileValidator } from '../../../lib/model/validate-input.js'

class Team {}

const USER = defineLooseModel(class User {}, {
  fields: {
    id: { kind: 'integer', primary: true, increment: true },
    email: { kind: 'text', maxLength: 20, unique: true, schema: z.email().toLowerCase() },
    nickname: { kind: 'text', nullable: true, minLength: 2, schema: z.string() },
    age: { kind: 'integer', default: 18 },
    visits: { kind: 'bigint', default: () => 0n },
    hits: { kind: 'bigint', as: 'string', default: '0' },
    balance: { kind: 'decimal', precision: 5, scale: 2, default: '0' },
    score: { kind: 'float', nullable: true },
    settings: { kind: 'json', default: { theme: 'dark' } },
    joined: { kind: 'date', defaultSql: 'current_date' },
    teamId: { kind: 'integer', nullable: true },
    createdAt: { kind: 'timestamp', role: 'createdAt' },
    version: { kind: 'integer', role: 'version' },
    deletedAt: { kind: 'timestamp', role: 'deletedAt', nullable: true },
  },
  relations: { team: { kind: 'belongsTo', target: () => Team, foreignKey: 'teamId' } },
})

const create = compileValidator(USER, 'create')
const update = compileValidator(USER, 'update')

function modelOf(fields: Record<string, FieldSpec>): ModelDefinition {
  return defineLooseModel(class Thing {}, { fields: { id: { kind: 'integer', primary: true }, ...fields } })
}

function shown(issues: readonly ValidationIssue[]): string[] {
  return issues.map(({ path, message }) => `${path.join('.')}: ${message}`)
}

describe('the validators of a model with a polymorphic relation', () => {
  const optional = { kind: 'integer', nullable: true } as const
  const NOTE = defineLooseModel(class Note {}, {
    fields: {
      id: { kind: 'integer', primary: true },
      teamId: { kind: 'integer' },
      userId: { ...optional, defaultSql: '1' },
      postId: { ...optional, default: 5 },
      taskId: optional,
    },
    relations: {
      user: { kind: 'belongsTo', target: () => Team, foreignKey: 'userId' },
      post: { kind: 'belongsTo', target: () => Team, foreignKey: ['teamId', 'postId'] },
      task: { kind: 'belongsTo', target: () => Team, foreignKey: 'taskId' },
      on: { kind: 'polymorphic', of: ['user', 'post', 'task'] },
    },
  })
  const createNote = compileValidator(NOTE, 'create')
  const updateNote = compileValidator(NOTE, 'update')
  const none = ['on: needs one of userId, postId, taskId']
  const two = (keys: string) => [`on: takes one of userId, postId, taskId, and is given ${keys}`]

  it.each([
    ['a default of its own', {}, []],
    ['two, one of them by its default', { taskId: 1 }, two('postId and taskId')],
    ['one, and what the database makes up', { postId: null, taskId: 1 }, []],
    ['nothing but what the database makes up', { postId: null }, []],
    ['none', { postId: null, userId: null }, none],
    ['undefined, which is left out', { postId: null, userId: null, taskId: undefined }, none],
    ['all', { userId: 1, postId: 1, taskId: 1 }, two('userId and postId and taskId')],
    ['what is no key', { taskId: 'a', postId: null }, ['taskId: expected a whole number from -2147483648 to 2147483647, got text']],
  ])('say of a new row with %s what is wrong', (_, keys, issues) => {
    expect(shown(createNote({ id: 1, teamId: 1, ...keys }).issues)).toEqual(issues)
  })

  it('count a key that is filled in from another row', () => {
    const filled = new Map([['taskId', '"task"']])
    expect(shown(createNote({ id: 1, teamId: 1 }, filled).issues)).toEqual(two('postId and taskId'))
    expect(createNote({ id: 1, teamId: 1, postId: null }, filled).issues).toEqual([])
  })

  it.each([
    ['one', { taskId: 1 }, []],
    ['one, and none of another', { taskId: 1, postId: null }, []],
    ['some of them to null', { taskId: null, postId: null }, []],
    ['one by arithmetic', { taskId: { $increment: 1 }, postId: 1 }, []],
    ['two', { taskId: 1, userId: 1 }, two('userId and taskId')],
    ['all of them to null', { taskId: null, postId: null, userId: null }, none],
    ['something else', { teamId: 2 }, []],
  ])('say of a change that sets %s what is certain', (_, set, issues) => {
    expect(shown(updateNote(set).issues)).toEqual(issues)
  })
})

describe('the validator of create', () => {
  it('gives the values to store, with defaults, without what the database makes itself', () => {
    expect(create({ email: 'ada@example.com' })).toEqual({
      value: {
        email: 'ada@example.com',
        age: 18,
        visits: 0n,
        hits: '0',
        balance: '0.00',
        settings: { theme: 'dark' },
      },
      issues: [],
      unknownField: undefined,
    })
  })

  it('does not change its input, nor gives it back', () => {
    const input = Object.freeze({ email: 'ada@example.com', age: 36 })
    expect(create(input).value).not.toBe(input)
    expect(create(input).value.age).toBe(36)
  })

  it('takes undefined for left out', () => {
    const { value, issues } = create({ email: 'ada@example.com', age: undefined, nickname: undefined, id: undefined, createdAt: undefined })
    expect(issues).toEqual([])
    expect(value.age).toBe(18)
    expect(value).not.toHaveProperty('nickname')
    expect(shown(create({ email: undefined }).issues)).toEqual(['email: is required'])
  })

  it('takes null only where the field is nullable, and then in place of a default', () => {
    const { value, issues } = create({ email: 'ada@example.com', nickname: null, age: null, settings: null })
    expect(value.nickname).toBeNull()
    expect(shown(issues)).toEqual(['age: expected a value, got null', 'settings: expected a value, got null'])
  })

  it('says all that is wrong at once', () => {
    expect(shown(create({ nickname: 'x', age: '1', score: Number.NaN }).issues)).toEqual([
      'nickname: expected at least 2 characters, got 1',
      'age: expected a whole number from -2147483648 to 2147483647, got text',
      'score: expected a finite number, got NaN',
      'email: is required',
    ])
  })

  it('refuses what the database generates and what the layer keeps, by name', () => {
    const input = { email: 'ada@example.com', id: 1, createdAt: new Date(), version: 7, deletedAt: null }
    expect(shown(create(input).issues)).toEqual([
      'id: is generated by the database, and cannot be given',
      'createdAt: is kept by the layer, and cannot be given',
      'version: is kept by the layer, and cannot be given',
      'deletedAt: is kept by the layer, and cannot be given',
    ])
  })

  it('refuses a relation and says what to set instead', () => {
    const { issues, unknownField } = create({ email: 'ada@example.com', team: { name: 'x' } })
    expect(shown(issues)).toEqual(['team: is a relation, and cannot be given; set teamId'])
    expect(unknownField).toBeUndefined()
  })

  it('refuses a field that the model does not have, and names the nearest that it has', () => {
    const { issues, unknownField } = create({ email: 'ada@example.com', nickName: 'ada', isAdmin: true })
    expect(unknownField).toBe('nickName')
    expect(shown(issues)).toEqual(['nickName: unknown field "nickName"; did you mean "nickname"?', 'isAdmin: unknown field "isAdmin"'])
  })

  it('refuses an unknown field that is undefined', () => {
    expect(create({ email: 'ada@example.com', emial: undefined }).unknownField).toBe('emial')
  })

  it('suggests no name that could not be given either', () => {
    expect(shown(create({ email: 'ada@example.com', versoin: 1 }).issues)).toEqual(['versoin: unknown field "versoin"'])
  })

  it('takes the keys of a prototype for what they are: not given, or unknown', () => {
    const inherited = Object.create({ age: 99 }, { email: { value: 'ada@example.com', enumerable: true } })
    expect(create(inherited).value.age).toBe(18)
    const hostile = JSON.parse('{"email": "ada@example.com", "__proto__": {"age": 99}, "constructor": {"prototype": {}}}')
    const { value, issues } = create(hostile)
    expect(shown(issues).map((issue) => issue.split(':')[0])).toEqual(['__proto__', 'constructor'])
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype)
    expect(({} as Record<string, unknown>).age).toBeUndefined()
  })

  it('takes an instance of a class by its own properties', () => {
    class NewUser {
      email = 'ada@example.com'
    }
    expect(create(new NewUser()).issues).toEqual([])
  })

  it.each([null, undefined, 'text', 5, [], [{}], () => 1, Symbol('a'), true])('refuses %o, which has no fields', (input) => {
    const { issues } = create(input)
    expect(issues).toHaveLength(1)
    expect(issues[0]?.message).toMatch(/^expected an object with fields of User, got /)
  })

  it('shows but the beginning of a name without an end, and no more than 1,000 issues', () => {
    const long = 'x'.repeat(10_000_000)
    const { issues, unknownField } = create({ [long]: 1 })
    expect(unknownField?.length).toBeLessThan(100)
    expect(issues[0]?.message.length).toBeLessThan(200)
    const many = Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`e${i}`, 1]))
    const startedMs = performance.now()
    expect(create(many).issues).toHaveLength(1_000)
    expect(performance.now() - startedMs).toBeLessThan(2_000)
  })

  it('calls a default function once a row', () => {
    let count = 0
    const validate = compileValidator(modelOf({ serial: { kind: 'integer', default: () => ++count } }), 'create')
    expect([validate({ id: 1 }), validate({ id: 2 }), validate({ id: 3, serial: 9 })].map(({ value }) => value.serial)).toEqual([1, 2, 9])
    expect(count).toBe(2)
  })

  it('raises a ModelError when a default function gives what the field does not take', () => {
    const validate = compileValidator(modelOf({ serial: { kind: 'integer', default: () => 0.5 } }), 'create')
    expect(() => validate({ id: 1 })).toThrow(ModelError)
    expect(() => validate({ id: 1 })).toThrow('model Thing, field "serial": its default function: expected a whole number')
  })
})

describe('the validator of a field with a schema', () => {
  it('stores the output of the schema', () => {
    const schema = z.string().trim().toLowerCase()
    const validate = compileValidator(modelOf({ tag: { kind: 'text', schema } }), 'create')
    expect(validate({ id: 1, tag: '  New ' }).value.tag).toBe('new')
  })

  it('asks the schema only when the type is right and there is a value', () => {
    expect(shown(create({ email: 5 }).issues)).toEqual(['email: expected text, got a whole number'])
    expect(create({ email: 'ada@example.com', nickname: null }).issues).toEqual([])
  })

  it('puts the field before the path of each of the issues', () => {
    const schema = z.object({ size: z.number(), tags: z.array(z.string()) })
    const validate = compileValidator(modelOf({ options: { kind: 'json', schema } }), 'create')
    const { issues } = validate({ id: 1, options: { size: 'x', tags: ['a', 5] } })
    expect(issues.map(({ path }) => path)).toEqual([
      ['options', 'size'],
      ['options', 'tags', 1],
    ])
  })

  it('checks the output again', () => {
    const schema = z.string().transform((text) => `${text}${text}`)
    const validate = compileValidator(modelOf({ code: { kind: 'text', maxLength: 3, schema } }), 'create')
    expect(shown(validate({ id: 1, code: 'ab' }).issues)).toEqual(['code: expected at most 3 characters, got 4, as output of its schema'])
  })

  it('raises a ModelError for a schema that answers later', async () => {
    const rejecting = { '~standard': { version: 1, vendor: 'spec', validate: () => Promise.reject(new Error('late')) } } as const
    const validate = compileValidator(modelOf({ code: { kind: 'text', schema: rejecting } }), 'create')
    expect(() => validate({ id: 1, code: 'a' })).toThrow(ModelError)
    expect(() => validate({ id: 1, code: 'a' })).toThrow('asynchronous')
    // a rejection that nobody handles would fail this run
    await new Promise((resolve) => setImmediate(resolve))
  })
})

describe('the validator of update', () => {
  it('takes some of the fields and fills in nothing', () => {
    expect(update({ age: 5, nickname: null })).toEqual({ value: { age: 5, nickname: null }, issues: [], unknownField: undefined })
  })

  it('refuses to set nothing', () => {
    const message = 'expected at least one field of User to set, got none'
    expect(update({}).issues).toEqual([{ path: [], message }])
    expect(update({ age: undefined }).issues).toEqual([{ path: [], message }])
    expect(shown(update({ foo: 1 }).issues)).toEqual(['foo: unknown field "foo"'])
  })

  it('refuses what create refuses', () => {
    expect(shown(update({ id: 5, version: 1, age: null, team: {}, email: 'nobody' }).issues)).toEqual([
      'id: is generated by the database, and cannot be given',
      'version: is kept by the layer, and cannot be given',
      'age: expected a value, got null',
      'team: is a relation, and cannot be given; set teamId',
      'email: Invalid email address',
    ])
  })

  it('takes a change of a number, in the form that the field has', () => {
    const set = {
      age: { $increment: 1 },
      visits: { $decrement: 2n },
      hits: { $increment: 3 },
      balance: { $multiply: '1.5' },
      score: { $multiply: 0.5 },
    }
    const { value, issues } = update(set)
    expect(issues).toEqual([])
    expect(value).toEqual({ ...set, hits: { $increment: '3' } })
    expect(update({ visits: { $increment: 1 }, balance: { $increment: 0.1 } }).value).toEqual({
      visits: { $increment: 1n },
      balance: { $increment: '0.1' },
    })
  })

  it.each([
    [{ age: {} }, 'age: expected a value, or one of $increment, $decrement, $multiply'],
    [{ age: { $increment: 1, $multiply: 2 } }, 'age: expected a value, or one of $increment, $decrement, $multiply'],
    [{ age: { $set: 1 } }, 'age: expected a value, or one of $increment, $decrement, $multiply'],
    [{ age: { constructor: 1 } }, 'age: expected a value, or one of $increment, $decrement, $multiply'],
    [{ age: { $increment: null } }, 'age.$increment: expected a number, got null'],
    [{ age: { $increment: '1' } }, 'age.$increment: expected a whole number from -2147483648 to 2147483647, got text'],
    [{ age: { $increment: { $increment: 1 } } }, 'age.$increment: expected a whole number from -2147483648 to 2147483647, got an object'],
    [{ visits: { $increment: 0.5 } }, 'visits.$increment: expected a bigint, got a fraction'],
    [
      { balance: { $increment: 0.001 } },
      'balance.$increment: expected a decimal as text with at most 3 digits before the point and 2 after it, got more after it',
    ],
    [
      { balance: { $increment: 1e-7 } },
      'balance.$increment: expected a decimal as text with at most 3 digits before the point and 2 after it, got a fraction',
    ],
    [{ score: { $increment: Number.NaN } }, 'score.$increment: expected a finite number, got NaN'],
    [{ email: { $increment: 1 } }, 'email: expected text, got an object'],
  ])('refuses %o', (set, issue) => {
    expect(shown(update(set).issues)).toEqual([issue])
  })

  it('stores an object in a JSON field, whatever its keys', () => {
    expect(update({ settings: { $increment: 1 } }).value).toEqual({ settings: { $increment: 1 } })
  })
})

describe('the validator of a list', () => {
  const validate = compileListValidator(USER, 'create')

  it('gives the values of each row, in order', () => {
    const { values, issues } = validate([{ email: 'a@example.com' }, { email: 'b@example.com', age: 5 }])
    expect(issues).toEqual([])
    expect(values.map(({ email, age }) => [email, age])).toEqual([
      ['a@example.com', 18],
      ['b@example.com', 5],
    ])
  })

  it('says which row is wrong, counted over all parts of the list', () => {
    const { issues, unknownField } = validate([{ email: 'a@example.com' }, { emial: 'x' }, 5], 1_000)
    expect(unknownField).toBe('emial')
    expect(issues.map(({ path }) => path)).toEqual([
      ['rows', 1001, 'emial'],
      ['rows', 1001, 'email'],
      ['rows', 1002],
    ])
  })

  it('stops after 1,000 issues', () => {
    expect(validate(Array.from({ length: 100_000 }, () => ({}))).issues).toHaveLength(1_000)
  })
})
