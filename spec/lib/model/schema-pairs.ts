import fc from 'fast-check'
import type { ColumnType } from '../../../lib/model/column-type.js'
import type { ColumnSchema, ForeignKeySchema, Schema, TableSchema } from '../../../lib/model/schema.js'
import { objectName } from '../../../lib/model/schema-names.js'

const TYPES: readonly ColumnType[] = [
  { kind: 'varchar', length: 10 },
  { kind: 'varchar', length: 20 },
  { kind: 'integer' },
  { kind: 'bigint' },
  { kind: 'enum', name: 'mood', values: ['glad', 'sad'], native: true },
  { kind: 'enum', name: 'spirit', values: ['a', 'b', 'c'], native: true },
]
const COLUMNS = ['a', 'b', 'c', 'd'] as const
const TABLES = ['users', 'posts', 'tags', 'notes'] as const

const column = fc.record({
  name: fc.constantFrom(...COLUMNS),
  type: fc.constantFrom(...TYPES),
  nullable: fc.boolean(),
  hasComment: fc.boolean(),
})

const table = fc.record({
  name: fc.constantFrom(...TABLES),
  columns: fc.uniqueArray(column, { selector: ({ name }) => name, minLength: 1, maxLength: 4 }),
  keyType: fc.constantFrom<ColumnType>({ kind: 'integer' }, { kind: 'bigint' }),
  wideKey: fc.boolean(),
  namesKey: fc.boolean(),
  unique: fc.option(fc.nat(3)),
  index: fc.option(fc.nat(3)),
  partial: fc.boolean(),
  check: fc.option(fc.nat(3)),
  refersTo: fc.array(fc.constantFrom(...TABLES), { maxLength: 2 }),
})

type Given = typeof table extends fc.Arbitrary<infer T> ? T : never

/** Schemas of a few tables that models could have, so that two of them have much in common. */
export const anySchema: fc.Arbitrary<Schema> = fc
  .uniqueArray(table, { selector: ({ name }) => name, maxLength: 4 })
  .map((given) => ({ version: 1, tables: given.map((each) => tableOf(each, given)) }))

function tableOf(given: Given, all: readonly Given[]): TableSchema {
  const { name, wideKey, namesKey, unique, index, partial, check } = given
  const columns = given.columns.map(({ name: own, type, nullable, hasComment }) => {
    const commented: ColumnSchema = { name: own, type, nullable, ...(hasComment ? { comment: `the ${own}` } : {}) }
    return commented
  })
  const references = given.refersTo
    .filter((target, at, list) => list.indexOf(target) === at)
    .flatMap((target) => all.find((other) => other.name === target) ?? [])
  const at = (position: number) => columns[position % columns.length]!.name
  const where = { [at(0)]: { $null: false } }
  const key = wideKey && !columns[0]!.nullable ? ['id', columns[0]!.name] : ['id']
  const foreignKeys = references.map((target): ForeignKeySchema => {
    const own = [`${target.name}_ref`]
    return {
      name: objectName(name, own, 'fkey'),
      columns: own,
      target: { table: target.name, columns: ['ref'] },
      onDelete: 'noAction',
      onUpdate: 'noAction',
    }
  })
  return {
    name,
    columns: [
      { name: 'id', type: given.keyType, nullable: false },
      { name: 'ref', type: given.keyType, nullable: false },
      ...columns,
      ...references.map((target) => ({ name: `${target.name}_ref`, type: target.keyType, nullable: true })),
    ],
    primaryKey: { name: namesKey ? `pk_${name}` : objectName(name, [], 'pkey'), columns: key },
    uniques: [
      { name: objectName(name, ['ref'], 'key'), columns: ['ref'] },
      ...(unique === null ? [] : [{ name: objectName(name, [at(unique)], 'key'), columns: [at(unique)], ...(partial ? { where } : {}) }]),
    ],
    indexes: [
      ...(index === null
        ? []
        : [{ name: objectName(name, [at(index), 'id'], 'idx'), columns: [at(index), 'id'], ...(partial ? { where } : {}) }]),
      ...foreignKeys.map((each) => ({ name: objectName(name, each.columns, 'idx'), columns: each.columns })),
    ],
    foreignKeys,
    checks:
      check === null
        ? []
        : [{ name: objectName(name, [at(check)], 'check'), columns: [at(check)], condition: { [at(check)]: { $null: false } } }],
  }
}
