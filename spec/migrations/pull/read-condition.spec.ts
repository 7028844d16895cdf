import { describe, expect, it } from 'vitest'
import type { ColumnSchema } from '../../../lib/model/schema.js'
import { readCondition } from '../../../migrations/pull/read-condition.js'

const COLUMNS: readonly ColumnSchema[] = [
  { name: 'status', type: { kind: 'text' }, nullable: false },
  { name: 'age', type: { kind: 'integer' }, nullable: true },
  { name: 'active', type: { kind: 'boolean' }, nullable: false },
  { name: 'big', type: { kind: 'bigint' }, nullable: false },
  { name: 'price', type: { kind: 'decimal', precision: 6, scale: 2 }, nullable: false },
  { name: 'made_at', type: { kind: 'timestamp', precision: 3 }, nullable: false },
]

describe('readCondition', () => {
  it.each([
    ["((status)::text = ANY ((ARRAY['a'::character varying, 'it''s'::character varying])::text[]))", { status: { $in: ['a', "it's"] } }],
    ["`status` in (_utf8mb4'a',convert(X'6f2770656e5c' using utf8mb4))", { status: { $in: ['a', "o'pen\\"] } }],
    ['"age" is null', { age: { $null: true } }],
    ["(age IS NOT NULL) AND (age > '-5'::integer)", { $and: [{ age: { $null: false } }, { age: { $gt: -5 } }] }],
    ['not (age between 1 and 5) or active = 1', { $or: [{ $not: { age: { $between: [1, 5] } } }, { active: { $eq: true } }] }],
    [
      "status <> 'a' and (big < 5 or big >= 9007199254740993)",
      { $and: [{ status: { $ne: 'a' } }, { $or: [{ big: { $lt: '5' } }, { big: { $gte: '9007199254740993' } }] }] },
    ],
    ['price <= (9.5)::numeric(6,2)', { price: { $lte: '9.50' } }],
    ["made_at >= '2024-01-01 00:00:00+00'::timestamp(3) with time zone", { made_at: { $gte: '2024-01-01T00:00:00Z' } }],
    ["status <> ALL (ARRAY['a'::text])", { status: { $nin: ['a'] } }],
    ["status = E'a\\\\b'", { status: { $eq: 'a\\b' } }],
  ])('reads %s', (sql, condition) => {
    expect(readCondition(sql, COLUMNS)).toEqual(condition)
  })

  it.each([
    'length(status) > 3',
    'age > big',
    'other = 1',
    'age = 1 and',
    "age = 'x'",
    'age + 1 > 2',
    '(age = 1',
    'age = 1 xor active',
    '',
  ])('leaves %j alone', (sql) => {
    expect(readCondition(sql, COLUMNS)).toBeUndefined()
  })
})
