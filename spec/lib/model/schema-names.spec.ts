import { describe, expect, it } from 'vitest'
import { fitName, objectName } from '../../../lib/model/schema-names.js'

describe('objectName', () => {
  it('says the table, the columns and what the object is', () => {
    expect(objectName('users', [], 'pkey')).toBe('users_pkey')
    expect(objectName('users', ['country', 'created_at'], 'idx')).toBe('users_country_created_at_idx')
  })

  it('numbers the second and later objects on the same columns', () => {
    expect(objectName('users', ['age'], 'check', 2)).toBe('users_age_check2')
  })

  it('keeps a name of 60 bytes as it is', () => {
    const table = 't'.repeat(54)
    expect(objectName(table, ['c'], 'key')).toBe(`${table}_c_key`)
  })

  it('cuts a longer name to 60 bytes, and keeps its ending', () => {
    const name = objectName('t'.repeat(60), ['column'], 'fkey')
    expect(name).toMatch(/^t{50}_[0-9a-f]{4}_fkey$/)
    expect(name).toHaveLength(60)
  })

  it('tells names apart that are cut to the same letters', () => {
    const table = 't'.repeat(60)
    expect(objectName(table, ['a'], 'key')).not.toBe(objectName(table, ['b'], 'key'))
  })

  it('counts bytes, and cuts no character in two', () => {
    const name = objectName('größe😀'.repeat(10), ['x'], 'idx')
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(60)
    expect(name).toMatch(/^(größe😀)+[größe😀]*_[0-9a-f]{4}_idx$/u)
  })

  it('gives the same name every time', () => {
    expect(objectName('t'.repeat(70), ['a'], 'idx')).toBe(objectName('t'.repeat(70), ['a'], 'idx'))
  })
})

describe('fitName', () => {
  it('takes another limit', () => {
    expect(fitName('_lw_short', '', 64)).toBe('_lw_short')
    expect(fitName(`_lw_${'n'.repeat(63)}`, '', 64)).toMatch(/^_lw_n{55}_[0-9a-f]{4}$/)
  })
})
