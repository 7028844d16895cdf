import { describe, expect, it } from 'vitest'
import { constraintCatalogue } from '../../../lib/dialect/constraint-catalogue.js'
import { defineLooseModel, definitionOf } from '../../../lib/model/define-model.js'
import { schemaOf } from '../../../lib/model/schema.js'

class Country {}
defineLooseModel(Country, { fields: { code: { kind: 'text', maxLength: 2, primary: true } } })

class User {}
defineLooseModel(User, {
  name: 'Person',
  table: 'users',
  fields: {
    id: { kind: 'integer', primary: true, increment: true },
    emailAddress: { kind: 'text', maxLength: 100, unique: true },
    nick: { kind: 'text', maxLength: 100, column: 'nick_name' },
    countryCode: { kind: 'text', maxLength: 2, check: { $ne: '' } },
    mood: { kind: 'enum', values: ['glad'], native: true },
  },
  relations: { country: { kind: 'belongsTo', target: () => Country, foreignKey: 'countryCode' } },
  uniques: [
    { on: ['nick'], where: { mood: 'glad' } },
    { on: ['nick'], name: 'whole' },
    { on: ['nick', 'countryCode'], name: 'both' },
  ],
  checks: [{ name: 'odd', sql: 'id % 2 = 1' }],
})

class Elsewhere {}
defineLooseModel(Elsewhere, {
  table: 'users',
  schema: 'elsewhere',
  fields: { key: { kind: 'integer', primary: true } },
})

const models = [definitionOf(User), definitionOf(Country)]
const catalogue = constraintCatalogue(models, schemaOf(models))

describe('constraintCatalogue.byName', () => {
  const names: Readonly<Record<string, readonly string[]>> = {
    users_pkey: ['id'],
    users_email_address_key: ['emailAddress'],
    users_nick_name_key: ['nick'],
    both: ['nick', 'countryCode'],
    users_country_code_fkey: ['countryCode'],
    users_country_code_idx: ['countryCode'],
    users_country_code_check: ['countryCode'],
    users_mood: ['mood'],
    odd: [],
  }
  for (const [constraint, fields] of Object.entries(names)) {
    it(`gives the model and properties of ${constraint}, with or without the table`, () => {
      expect(catalogue.byName(constraint, 'users')).toEqual({ model: 'Person', fields, constraint })
      expect(catalogue.byName(constraint)).toEqual({ model: 'Person', fields, constraint })
    })
  }

  it('takes PRIMARY for the key of the table, and of no table without one', () => {
    expect(catalogue.byName('PRIMARY', 'countries')).toEqual({ model: 'Country', fields: ['code'], constraint: 'countries_pkey' })
    expect(catalogue.byName('PRIMARY')).toBeUndefined()
  })

  it('knows no other names', () => {
    expect(catalogue.byName('users_pkey', 'countries')).toBeUndefined()
    expect(catalogue.byName('constructor')).toBeUndefined()
  })

  it('finds nothing rather than the wrong one of two tables with one name', () => {
    const both = [definitionOf(User), definitionOf(Country), definitionOf(Elsewhere)]
    const ambiguous = constraintCatalogue(both, schemaOf(both))
    expect(ambiguous.byName('users_pkey', 'users')).toBeUndefined()
    expect(ambiguous.byColumns('users', ['id'])).toBeUndefined()
    expect(ambiguous.byName('both', 'users')).toMatchObject({ model: 'Person' })
  })

  it('tells tables of one name apart by their schema; one that no model names is the connection’s own', () => {
    const both = [definitionOf(User), definitionOf(Elsewhere)]
    const told = constraintCatalogue(both, schemaOf([...both, definitionOf(Country)]))
    expect(told.byName('users_pkey', 'users', 'elsewhere')).toMatchObject({ model: 'Elsewhere', fields: ['key'] })
    expect(told.byName('users_pkey', 'users', 'public')).toMatchObject({ model: 'Person', fields: ['id'] })
    expect(told.byColumns('users', ['key'], 'elsewhere')).toMatchObject({ model: 'Elsewhere' })
    expect(told.byColumns('users', ['id'], 'public')).toMatchObject({ model: 'Person' })
    expect(told.byName('both', 'users', 'elsewhere')).toBeUndefined()
  })
})

describe('constraintCatalogue.byColumns', () => {
  it('gives the key over the columns, the whole one before a partial one', () => {
    expect(catalogue.byColumns('users', ['email_address'])).toMatchObject({ constraint: 'users_email_address_key' })
    expect(catalogue.byColumns('users', ['nick_name'])).toEqual({ model: 'Person', fields: ['nick'], constraint: 'whole' })
    expect(catalogue.byColumns('users', ['nick_name', 'country_code'])).toMatchObject({ constraint: 'both' })
  })

  it('gives the properties of columns that are no key, and a column that is no property by its own name', () => {
    expect(catalogue.byColumns('users', ['country_code', 'unknown'])).toEqual({
      model: 'Person',
      fields: ['countryCode', 'unknown'],
      constraint: undefined,
    })
  })

  it('knows no other tables', () => {
    expect(catalogue.byColumns('posts', ['id'])).toBeUndefined()
  })
})
