import { expect, it } from 'vitest'
import { className, fileName, propertyName } from '../../../migrations/pull/code-names.js'
import { codeText } from '../../../migrations/pull/code-text.js'

it.each([
  ['order_items', 'OrderItem'],
  ['categories', 'Category'],
  ['boxes', 'Box'],
  ['status', 'Status'],
  ['USERS', 'User'],
  ['userAccounts', 'UserAccount'],
  ['2fa-codes', 'Table2faCode'],
  ['dates', 'DateRow'],
  ['objects', 'ObjectRow'],
  ['---', 'Table'],
])('calls the class of %s %s', (table, name) => {
  expect(className(table, new Set())).toBe(name)
})

it.each([
  ['created_at', 'createdAt'],
  ['ID', 'id'],
  ['constructor', 'constructorField'],
  ['__proto__', 'proto'],
  ['toString', 'toStringField'],
  ['static', 'staticField'],
  ['2nd', 'field2nd'],
  ['größe (cm)', 'größeCm'],
  ['$', 'field'],
])('calls the property of %s %s', (column, name) => {
  expect(propertyName(column, new Set())).toBe(name)
})

it('gives each name once, whatever its capitals, and says the schema of a second table first', () => {
  const taken = new Set<string>()
  expect([className('users', taken), className('user', taken), className('users', taken, 'hr')]).toEqual(['User', 'User2', 'HrUser'])
  const properties = new Set<string>()
  expect([propertyName('a_b', properties), propertyName('aB', properties), propertyName('AB', properties)]).toEqual(['aB', 'aB2', 'ab3'])
  expect(fileName('HrOrderItem')).toBe('hr-order-item')
})

it('writes values as code that gives them', () => {
  const value = {
    text: `it's "a\\b"\n\u2028`,
    big: -5n,
    at: new Date('2024-02-29T12:30:00.120Z'),
    bytes: new Uint8Array([1, 255]),
    'odd key': [null, true, 1e308],
    nothing: undefined,
    ['__proto__']: 1,
  }
  const back = new Function(`return ${codeText(value)}`)()
  expect(back).toEqual({ ...value, nothing: undefined })
  expect(Object.keys(back)).toContain('__proto__')
})
