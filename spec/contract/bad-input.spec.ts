import { inspect } from 'node:util'
import { afterAll, describe, expect, it } from 'vitest'
import { ConnectionError, createDatabase, UnknownFieldError, ValidationError } from '../../index.js'
import { BAD_NAMES, BAD_STORED, BAD_VALUES, FIT, own, Person, SECRET, STORES, Visit } from './bad-input-cases.js'

// nothing answers there: an error other than ConnectionError came before any SQL
const UNREACHABLE = {
  postgres: 'postgres://nobody@127.0.0.1:1/none',
  mysql: 'mysql://nobody@127.0.0.1:1/none',
  sqlite: 'sqlite:/no/such/folder/none.db',
}

const CYCLE: Record<string, unknown> = {}
CYCLE.visits = { include: { person: { include: CYCLE } } }
/** Two of each level, each twice in the one above. */
const doubled = (levels: number): object => {
  const include = levels === 0 ? {} : doubled(levels - 1)
  return { friends: { include }, visits: { include: { person: { include } } } }
}

describe.each(Object.entries(UNREACHABLE))('with %s, before any SQL,', (_engine, url) => {
  const db = createDatabase({ url, models: { people: Person, visits: Visit }, pool: { acquireTimeoutMs: 2_000 } })
  const { people, visits } = db.nodes

  afterAll(() => db.close())

  async function refusal(call: Promise<unknown>): Promise<ValidationError> {
    const error = await call.then(
      () => expect.fail('was not refused'),
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(ValidationError)
    expect(inspect(error, { depth: 10 })).not.toContain(SECRET)
    return error as ValidationError
  }

  it('fit input gets as far as the connection', async () => {
    await expect(people.create(FIT)).rejects.toThrow(ConnectionError)
    await expect(people.list()).rejects.toThrow(ConnectionError)
    await expect(people.bulkCreate({ rows: [FIT] })).rejects.toThrow(ConnectionError)
  })

  describe.each(STORES)('%s', (_node, path, store) => {
    it('refuses values of a wrong type, form, length or range', async () => {
      for (const [name, value, expected] of [...BAD_VALUES, ...BAD_STORED]) {
        // an operator is a value's change there
        if (path === 'update.' && name === 'email') continue
        const error = await refusal(store(people, { [name]: value } as never))
        expect(error.issues[0]!.path.at(path === '' ? 0 : path.startsWith('rows') ? 2 : 1)).toBe(name)
        expect(error.message).toContain(`${path}${name}`)
        if (!isOperators(value)) expect(error.message).toMatch(expected)
      }
    })

    it('refuses names that are no field, or none to be given', async () => {
      for (const [name, expected] of BAD_NAMES) {
        // copied as own properties: an assignment to __proto__ would be lost on the way
        const error = await refusal(store(people, own(name, SECRET) as never))
        expect(error.message).toMatch(expected)
        expect(error.message.length).toBeLessThan(500)
        expect(error instanceof UnknownFieldError).toBe(/unknown/.test(expected.source))
      }
      expect(Object.keys({})).toEqual([])
      expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
    })
  })

  it('says all that is wrong at once', async () => {
    const error = await refusal(people.create({ email: 'x', age: SECRET, nope: 1, also: 2 } as never))
    expect(error.issues.map((issue) => issue.path.join('.')).sort()).toEqual(['age', 'also', 'email', 'nope'])
    expect(error).toMatchObject({ code: 'UNKNOWN_FIELD', field: 'nope', model: 'Person', operation: 'create' })
  })

  it('a row without its required fields is refused', async () => {
    expect((await refusal(people.create({} as never))).message).toBe('Person.create: email: is required')
    expect((await refusal(people.create({ email: undefined } as never))).message).toContain('email: is required')
    expect((await refusal(people.bulkCreate({ rows: [FIT, {} as never] }))).message).toContain('rows[1].email: is required')
    expect((await refusal(people.upsert({ on: ['email'], values: {} as never }))).message).toContain('values.email: is required')
  })

  it.each([undefined, null, SECRET, 7, [], [FIT], Symbol(SECRET), new Date(0), () => FIT])('%o is no input', async (input) => {
    await refusal(people.create(input as never))
    await refusal(people.upsert({ on: ['email'], values: input as never }))
    await refusal(people.update({ where: { id: 1 }, set: input as never }))
    await refusal(people.bulkCreate({ rows: [input as never] }))
    await refusal(people.read(input as never))
    await refusal(people.update(input as never))
    await refusal(people.delete(input as never))
    await refusal(people.bulkUpdate(input as never))
    await refusal(people.bulkDelete(input as never))
    await refusal(people.upsert(input as never))
    if (input !== undefined) await refusal(people.list(input as never))
    if (input !== undefined) await refusal(people.count(input as never))
  })

  describe('a filter', () => {
    const where = (filter: unknown) => refusal(people.list({ where: filter as never }))

    it('is held to the types of its fields', async () => {
      for (const [name, value] of BAD_VALUES) {
        if (!isOperators(value)) expect((await where({ [name]: value })).message).toContain(`where.${name}`)
        expect((await where({ [name]: { $eq: value } })).message).toContain(`where.${name}.$eq`)
        expect((await where({ [name]: { $ne: value } })).message).toContain(`where.${name}.$ne`)
        expect((await where({ [name]: { $in: [value] } })).message).toContain(`where.${name}.$in[0]`)
        expect((await where({ [name]: { $not: { $nin: [value] } } })).message).toContain(`where.${name}.$not.$nin[0]`)
        expect((await where({ $or: [{ id: 1 }, { $and: [{ [name]: { $eq: value } }] }] })).message).toContain(
          `where.$or[1].$and[0].${name}`,
        )
      }
    })

    it.each<[unknown, string]>([
      [null, 'where: expected an object of conditions, got null'],
      [[], 'where: expected an object of conditions, got a list'],
      [SECRET, 'where: expected an object of conditions, got text'],
      [() => true, 'where: expected an object of conditions, got a function'],
      [new Map([[SECRET, 1]]), 'where: expected an object of conditions'],
      [{ id: undefined }, 'where.id: is undefined'],
      [{ id: { $eq: undefined } }, 'where.id.$eq: is undefined'],
      [{ id: { $in: [1, undefined] } }, 'where.id.$in[1]: is undefined'],
      [{ id: { $in: [null] } }, 'where.id.$in[0]: expected a value, got null'],
      [{ id: { $gt: null } }, 'where.id.$gt: expected a value, got null'],
      [{ id: { $in: 1 } }, 'where.id.$in: expected a list, got a whole number'],
      [{ id: { $in: { 0: 1, length: 1 } } }, 'where.id.$in: expected a list, got an object'],
      [{ id: { $between: [1] } }, 'where.id.$between: expected a list of two'],
      [{ id: { $between: [1, 2, 3] } }, 'where.id.$between: expected a list of two'],
      [{ id: { $null: 'yes' } }, 'where.id.$null: expected true or false, got text'],
      [{ id: { $null: 1 } }, 'where.id.$null: expected true or false'],
      [{ id: {} }, 'where.id: expected an operator, got an empty object'],
      [{ id: { $not: 1 } }, 'where.id.$not: expected an object of operators'],
      [{ id: { $where: SECRET } }, 'where.id.$where: unknown operator "$where"'],
      [{ id: { gt: 1 } }, 'where.id.gt: unknown operator "gt"'],
      [{ id: { constructor: 1 } }, 'where.id.constructor: unknown operator'],
      [{ id: own('__proto__', {}) }, 'where.id.__proto__: unknown operator'],
      [own('__proto__', { id: 1 }), 'where.__proto__: unknown field'],
      [{ constructor: 1 }, 'where.constructor: unknown field'],
      [{ hasOwnProperty: 1 }, 'where.hasOwnProperty: unknown field'],
      [{ $nor: [] }, 'where.$nor: unknown operator'],
      [{ $expr: SECRET }, 'where.$expr: unknown operator'],
      [{ $or: { id: 1 } }, 'where.$or: expected a list of conditions, got an object'],
      [{ $and: [1] }, 'where.$and[0]: expected an object of conditions'],
      [{ $not: [{ id: 1 }] }, 'where.$not: expected an object of conditions, got a list'],
      [{ visits: {} }, 'where.visits: expected an object with $some, $none, $every, got an empty one'],
      [{ visits: null }, 'where.visits: expected an object with $some'],
      [{ visits: { id: 1 } }, 'where.visits.id: unknown operator'],
      [{ visits: { $some: true } }, 'where.visits.$some: expected an object of conditions, got a boolean'],
      [{ visits: { $some: { email: SECRET } } }, 'where.visits.$some.email: unknown field'],
      [{ visits: { $none: { person: { visits: { $any: {} } } } } }, 'where.visits.$none.person.visits.$any: unknown operator'],
      [{ visits: { $some: undefined } }, 'where.visits.$some: expected an object of conditions'],
      [{ age: { $contains: '1' } }, 'where.age.$contains: is for text fields'],
      [{ photo: { $like: '%' } }, 'where.photo.$like: is for text fields'],
      [{ active: { $gt: true } }, 'where.active.$gt: fields of type boolean have no order'],
      [{ state: { $lt: 'live' } }, 'where.state.$lt: fields of type enum have no order'],
      [{ settings: { theme: 'dark' } }, 'where.settings.theme: unknown operator'],
      [{ settings: { $eq: {} } }, 'where.settings.$eq: this field can only be compared with null'],
      [{ scores: [1] }, 'where.scores: this field can only be compared with null'],
      [{ email: { $contains: 7 } }, 'where.email.$contains: expected a text, got a whole number'],
      [{ email: { $contains: undefined } }, 'where.email.$contains: is undefined'],
      [{ email: { $contains: `${SECRET}\0` } }, 'where.email.$contains: expected a text without NUL'],
      [{ email: { $like: `${SECRET}\ud800` } }, 'where.email.$like: expected a text without NUL and lone surrogates'],
      [{ email: { $regex: /s3cr3t/ } }, 'where.email.$regex: expected a text'],
    ])('%o is refused', async (filter, message) => {
      expect((await where(filter)).message).toContain(message)
    })

    it('is bounded in depth and length', async () => {
      const deep = (levels: number, leaf: object): object => (levels === 0 ? leaf : { $and: [deep(levels - 1, leaf)] })
      const negated = (levels: number): object => (levels === 0 ? { $eq: 1 } : { $not: negated(levels - 1) })
      expect((await where(deep(33, { id: 1 }))).message).toContain('expected at most 32 levels')
      expect((await where({ id: negated(33) })).message).toContain('expected at most 32 levels')
      expect((await where(deep(5_000, { id: 1 }))).message.length).toBeLessThan(2_000)
      expect((await where({ id: { $in: new Array(10_001).fill(1) } })).message).toContain('expected at most 10000 entries, got 10001')
      expect((await where({ $or: new Array(10_001).fill({ id: 1 }) })).message).toContain('expected at most 10000 entries')
      expect((await where({ ['x'.repeat(100_000)]: 1 })).message.length).toBeLessThan(2_000)
    })
  })

  it.each<[unknown, string]>([
    [{}, 'where: expected an object of conditions, got undefined'],
    [{ where: {} }, 'where: matches every row'],
    [{ where: { $and: [] } }, 'where: matches every row'],
    [{ where: { $or: [{}, { id: 1 }] } }, 'where: matches every row'],
    [{ where: { id: { $nin: [] } } }, 'where: matches every row'],
    [{ where: { $not: { $or: [] } } }, 'where: matches every row'],
    [{ where: { visits: { $every: {} } } }, 'where: matches every row'],
    [{ where: { $not: { visits: { $some: { $or: [] } } } } }, 'where: matches every row'],
    [{ where: null }, 'where: expected an object of conditions, got null'],
    [{ where: [] }, 'where: expected an object of conditions, got a list'],
    [{ where: { id: undefined } }, 'where.id: is undefined'],
    [{ where: undefined }, 'where: expected an object of conditions, got undefined'],
    [{ all: false }, 'all: expected true, or nothing'],
    [{ all: 'yes' }, 'all: expected true, or nothing'],
    [{ all: true, where: { id: 1 } }, 'all: contradicts where'],
  ])('%o is no filter to change or delete by', async (given, message) => {
    const input = given as object
    expect((await refusal(people.bulkDelete(input as never))).message).toContain(message)
    expect((await refusal(people.bulkUpdate({ ...input, set: { age: 1 } } as never))).message).toContain(message)
    if ('all' in input) return
    await refusal(people.delete(input as never))
    await refusal(people.update({ ...input, set: { age: 1 } } as never))
    await refusal(people.read(input as never))
  })

  it.each<[string, () => Promise<unknown>, string]>([
    ['an unknown entry', () => people.list({ wher: {} } as never), 'wher: unknown entry "wher"'],
    ['an entry of another node', () => people.read({ where: { id: 1 }, limit: 1 } as never), 'limit: unknown entry'],
    ['__proto__ as an entry', () => people.list(own('__proto__', {}) as never), '__proto__: unknown entry'],
    ['an unknown option', () => people.list({}, { selct: ['id'] } as never), 'options.selct: unknown option'],
    ['__proto__ as an option', () => people.list({}, own('__proto__', {}) as never), 'options.__proto__: unknown option'],
    ['options that are none', () => people.create(FIT, SECRET as never), 'options: expected an object, got text'],
    ['a signal that is none', () => people.list({}, { signal: {} as never }), 'options.signal: expected an AbortSignal'],
    ['no time', () => people.list({}, { timeoutMs: 0 }), 'options.timeoutMs: expected a whole number of milliseconds'],
    ['time as text', () => people.list({}, { timeoutMs: '5' as never }), 'options.timeoutMs: expected'],
    ['a negative limit', () => people.list({ limit: -1 }), 'limit: expected a whole number, 0 or more'],
    ['a limit of text', () => people.list({ limit: '5' as never }), 'limit: expected a whole number'],
    ['a fraction of a limit', () => people.list({ limit: 1.5 }), 'limit: expected a whole number'],
    ['a limit without end', () => people.list({ limit: Number.POSITIVE_INFINITY }), 'limit: expected a whole number'],
    ['a limit of bigint', () => people.list({ limit: 5n as never }), 'limit: expected a whole number'],
    ['a negative offset', () => people.list({ offset: -1 }), 'offset: expected a whole number'],
    ['null as an offset', () => people.list({ offset: null as never }), 'offset: expected a whole number'],
    ['a total that is no flag', () => people.list({ total: 'yes' as never }), 'total: expected true or false'],
    ['an order by json', () => people.list({ orderBy: { settings: 'asc' } }), 'orderBy.settings: fields of type json have no order'],
    ['an order by bytes', () => people.list({ orderBy: { photo: 'asc' } }), 'orderBy.photo: fields of type bytes have no order'],
    ['an order by a list', () => people.list({ orderBy: { scores: 'asc' } }), 'orderBy.scores: fields of type array have no order'],
    ['an order by a relation', () => people.list({ orderBy: { visits: 'asc' } as never }), 'orderBy.visits: unknown field'],
    [
      'an include of an unknown relation',
      () => people.list({ include: { visit: true } as never }),
      'include.visit: unknown relation "visit"',
    ],
    ['an include of a field', () => people.list({ include: { email: true } as never }), 'include.email: unknown relation "email"'],
    ['__proto__ as an include', () => people.list({ include: own('__proto__', true) as never }), 'include.__proto__: unknown relation'],
    [
      'an include that is none',
      () => people.list({ include: ['visits'] as never }),
      'include: expected an object of relations, got a list',
    ],
    [
      'an include of nothing',
      () => people.list({ include: { visits: undefined as never } }),
      'include.visits: expected true or an object of options',
    ],
    ['an include that is false', () => people.list({ include: { visits: false as never } }), 'include.visits: expected true or an object'],
    [
      'an unknown option of an include',
      () => people.list({ include: { visits: { take: 1 } as never } }),
      'include.visits.take: unknown option',
    ],
    ['a limit of the one', () => visits.list({ include: { person: { limit: 1 } as never } }), 'include.person.limit: unknown option'],
    [
      'a negative limit of an include',
      () => people.list({ include: { visits: { limit: -1 } } }),
      'include.visits.limit: expected a whole number',
    ],
    [
      'a filter of an include',
      () => people.list({ include: { visits: { where: { x: SECRET } as never } } }),
      'include.visits.where.x: unknown field',
    ],
    [
      'an order of an include',
      () => people.list({ include: { visits: { orderBy: { x: 'asc' } as never } } }),
      'include.visits.orderBy.x: unknown field',
    ],
    [
      'a select of an include',
      () => people.list({ include: { visits: { select: [] } } }),
      'include.visits.select: expected a list of at least one',
    ],
    [
      'an include in two places',
      () => people.list({ include: { visits: true } }, { include: { visits: true } }),
      'include: stands in the input and in the options',
    ],
    ['an include that includes itself', () => people.list({ include: CYCLE as never }), 'include: expected at most 32 levels'],
    [
      'an include that doubles with each level',
      () => people.list({ include: doubled(12) as never }),
      'include: expected at most 256 relations in all',
    ],
    [
      'an include where nothing is read',
      () => people.delete({ where: { id: 1 } }, { include: { visits: true } } as never),
      'options.include: unknown option',
    ],
    ['a cursor that is none', () => people.list({ after: SECRET }), 'after: expected a cursor that this list gave'],
    ['a cursor of another kind', () => people.list({ before: { id: 1 } as never }), 'before: expected a cursor'],
    ['a select of a relation', () => people.list({}, { select: ['visits' as never] }), 'select[0]: unknown field "visits"'],
    ['an empty update', () => people.update({ where: { id: 1 }, set: {} }), 'set: expected at least one field'],
    [
      'an update to nothing',
      () => people.update({ where: { id: 1 }, set: { age: undefined } as never }),
      'set: expected at least one field',
    ],
    [
      'two changes of one number',
      () => people.update({ where: { id: 1 }, set: { age: { $increment: 1, $decrement: 1 } as never } }),
      'set.age: expected a value, or one of',
    ],
    [
      'an unknown change',
      () => people.update({ where: { id: 1 }, set: { age: { $divide: 1 } as never } }),
      'set.age: expected a value, or one of',
    ],
    [
      'a change by nothing',
      () => people.update({ where: { id: 1 }, set: { age: { $increment: null } as never } }),
      'set.age.$increment: expected a number',
    ],
    ['a change of a text', () => people.update({ where: { id: 1 }, set: { email: { $increment: 'x' } } }), 'set.email: expected text'],
    [
      'a version of text',
      () => people.update({ where: { id: 1 }, set: { age: 1 }, version: '1' as never }),
      'version: expected a whole number',
    ],
    [
      'a version of a model without',
      () => db.nodes.visits.delete({ where: { id: 1 }, version: 1 }),
      'version: the model has no version field',
    ],
    ['an upsert by no key', () => people.upsert({ on: ['age'], values: FIT }), 'on: expected the fields of a unique key: [id] or [email]'],
    ['an upsert by nothing', () => people.upsert({ on: [], values: FIT }), 'on: expected the fields of a unique key'],
    ['an upsert by text', () => people.upsert({ on: 'email' as never, values: FIT }), 'on: expected the fields of a unique key'],
    [
      'an upsert that changes its key',
      () => people.upsert({ on: ['email'], values: FIT, update: { email: 'new' } }),
      'update.email: is part of the key',
    ],
    ['rows that are none', () => people.bulkCreate({ rows: SECRET as never }), 'rows: expected a list or an iterable of rows, got text'],
    ['no rows', () => people.bulkCreate({} as never), 'rows: expected a list or an iterable of rows, got undefined'],
    [
      'an unknown answer to a conflict',
      () => people.bulkCreate({ rows: [], onConflict: 'replace' as never }),
      "onConflict: expected 'skip'",
    ],
    ['two rows of one key', () => people.bulkUpsert({ on: ['email'], rows: [FIT, FIT] }), 'rows[1]: has the same email as rows[0]'],
  ])('%s is refused', async (_what, call, message) => {
    expect((await refusal(call())).message).toContain(message)
  })
})

function isOperators(value: unknown): boolean {
  return typeof value === 'object' && value !== null && '$eq' in value
}
