import { describe, expect, it } from 'vitest'
import { ModelError } from '../../../lib/errors.js'
import { defineLooseModel } from '../../../lib/model/define-model.js'
import { columnCondition, conditionColumns } from '../../../lib/model/static-condition.js'

class Account {}
const definition = defineLooseModel(Account, {
  fields: {
    id: { kind: 'bigint', primary: true, as: 'number' },
    firstName: { kind: 'text', minLength: 2 },
    balance: { kind: 'decimal', precision: 6, scale: 2 },
    openedAt: { kind: 'timestamp' },
    token: { kind: 'bytes' },
    reference: { kind: 'uuid' },
    status: { kind: 'enum', values: ['open', 'closed'] },
    settings: { kind: 'json', nullable: true },
    tags: { kind: 'array', of: { kind: 'text' } },
    money: { kind: 'integer', column: '$money' },
  },
})

const canonical = (condition: unknown) => columnCondition(definition, condition)

describe('columnCondition', () => {
  it('turns fields into columns and shorthand into operators', () => {
    expect(canonical({ firstName: 'Ada', settings: null })).toEqual({ first_name: { $eq: 'Ada' }, settings: { $null: true } })
  })

  it('holds values in the JSON of the normal form', () => {
    const when = new Date('2024-02-29T00:00:00.000Z')
    expect(
      canonical({
        id: { $in: [1, 2] },
        balance: { $between: ['1', '2.5'] },
        openedAt: { $lt: when },
        token: new Uint8Array([1, 2]),
        reference: { $ne: '6F9619FF-8B86-D011-B42D-00C04FC964FF' },
      }),
    ).toEqual({
      id: { $in: ['1', '2'] },
      balance: { $between: ['1.00', '2.50'] },
      opened_at: { $lt: '2024-02-29T00:00:00.000Z' },
      token: { $eq: 'AQI=' },
      reference: { $ne: '6f9619ff-8b86-d011-b42d-00c04fc964ff' },
    })
  })

  it('is the same text for the same condition in another order', () => {
    const one = canonical({ firstName: { $gte: 'a', $lt: 'b' }, $or: [{ id: 1 }], balance: '1' })
    const other = canonical({ balance: { $eq: '1.00' }, firstName: { $lt: 'b', $gte: 'a' }, $or: [{ id: { $eq: 1 } }] })
    expect(JSON.stringify(one)).toBe(JSON.stringify(other))
  })

  it('says null in one way', () => {
    expect(canonical({ firstName: { $eq: null } })).toEqual({ first_name: { $null: true } })
    expect(canonical({ firstName: { $ne: null } })).toEqual({ first_name: { $null: false } })
    expect(canonical({ settings: { $null: false }, tags: { $null: false } })).toEqual({
      settings: { $null: false },
      tags: { $null: false },
    })
  })

  it('reaches into $and, $or and both kinds of $not', () => {
    expect(canonical({ $not: { firstName: 'x' }, $and: [{ $or: [{ id: 1 }, { status: { $not: { $eq: 'open' } } }] }] })).toEqual({
      $and: [{ $or: [{ id: { $eq: '1' } }, { status: { $not: { $eq: 'open' } } }] }],
      $not: { first_name: { $eq: 'x' } },
    })
  })

  it('compares with values that input may not have for their length', () => {
    expect(canonical({ firstName: { $ne: '' } })).toEqual({ first_name: { $ne: '' } })
  })

  const refused: Readonly<Record<string, readonly [condition: unknown, message: RegExp]>> = {
    'an unknown field': [{ nick: 'x' }, /names "nick", which is not a field/],
    'an operator that a database cannot hold': [{ firstName: { $contains: 'x' } }, /cannot hold \$contains/],
    'an operator named after what every object has': [{ firstName: { constructor: 1 } }, /cannot hold constructor/],
    'unknown logic': [{ $xor: [] }, /cannot hold \$xor/],
    'an empty condition': [{}, /condition is empty/],
    'an empty condition inside': [{ $or: [{}] }, /condition is empty/],
    'no operators': [{ firstName: {} }, /condition is empty/],
    'an empty list': [{ id: { $in: [] } }, /\$in takes a list of at least one/],
    'null in a list': [{ id: { $in: [1, null] } }, /null is asked for by null or \$null/],
    'three bounds': [{ id: { $between: [1, 2, 3] } }, /takes two values/],
    'null asked for twice': [{ firstName: { $eq: null, $null: false } }, /asks twice for null/],
    'a $null that is not a boolean': [{ firstName: { $null: 1 } }, /takes true or false/],
    undefined: [{ firstName: undefined }, /expected text, got undefined/],
    'a value of another type': [{ id: '1' }, /in a condition: expected a whole number/],
    'an order on an enum': [{ status: { $gt: 'open' } }, /needs an order/],
    'a comparison of JSON': [{ settings: { $eq: { a: 1 } } }, /can only ask for null/],
    'a comparison of lists': [{ tags: { $eq: ['a'] } }, /can only ask for null/],
    'a column that looks like an operator': [{ money: 1 }, /starts with \$/],
    'no object at all': ['id = 1', /must be an object/],
  }
  for (const [what, [condition, message]] of Object.entries(refused)) {
    it(`refuses ${what}`, () => {
      expect(() => canonical(condition)).toThrow(ModelError)
      expect(() => canonical(condition)).toThrow(message)
    })
  }

  it('never shows the value it refuses', () => {
    expect(messageOf(() => canonical({ id: 'hunter2' }))).not.toContain('hunter2')
  })
})

describe('conditionColumns', () => {
  it('gives each column once', () => {
    const condition = canonical({ firstName: 'x', $or: [{ id: 1 }, { $not: { firstName: 'y', balance: '1' } }] })
    expect(conditionColumns(condition)).toEqual(['id', 'balance', 'first_name'])
  })
})

function messageOf(work: () => unknown): string {
  try {
    work()
  } catch (error) {
    return (error as Error).message
  }
  return expect.fail('nothing was thrown')
}
