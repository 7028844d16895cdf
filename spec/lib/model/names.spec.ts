import { describe, expect, it } from 'vitest'
import { codeNameProblem, objectNameProblem, snakeCase, tableNameOf } from '../../../lib/model/names.js'
import { nearestName } from '../../../lib/nearest-name.js'

describe('snakeCase', () => {
  it.each([
    ['createdAt', 'created_at'],
    ['userID', 'user_id'],
    ['HTTPServer', 'http_server'],
    ['line2Text', 'line2_text'],
    ['größeÄndern', 'größe_ändern'],
    ['already_snake', 'already_snake'],
  ])('%s → %s', (name, column) => expect(snakeCase(name)).toBe(column))
})

describe('tableNameOf', () => {
  it.each([
    ['User', 'users'],
    ['OrderItem', 'order_items'],
    ['Country', 'countries'],
    ['Day', 'days'],
    ['Address', 'addresses'],
    ['Box', 'boxes'],
    ['Branch', 'branches'],
    ['Wish', 'wishes'],
  ])('%s → %s', (name, table) => expect(tableNameOf(name)).toBe(table))
})

describe('objectNameProblem', () => {
  it.each(['users', 'order', 'größe', 'with space', 'emoji_🐘', 'a'.repeat(63)])('takes %s', (name) => {
    expect(objectNameProblem(name)).toBeUndefined()
  })

  it.each([
    ['', 'empty'],
    ['a'.repeat(64), 'longer than 63 bytes'],
    ['ä'.repeat(32), 'longer than 63 bytes'],
    ['a"b', 'quotes'],
    ["a'b", 'quotes'],
    ['a`b', 'quotes'],
    ['a\0b', 'control characters'],
    ['a\ud800', 'control characters'],
    ['shop.users', 'schema'],
    ['a as b', '" as "'],
    [' a', 'space'],
    ['sqlite_x', 'reserved'],
    ['_lw_x', 'reserved'],
    [7, 'expected a name, got number'],
  ])('refuses %j: %s', (name, problem) => expect(objectNameProblem(name)).toContain(problem))
})

describe('codeNameProblem', () => {
  it.each(['email', '_hidden', 'größe', 'a$b'])('takes %s', (name) => expect(codeNameProblem(name)).toBeUndefined())

  it.each(['$or', '__proto__', 'constructor', 'toString', 'prototype', '', '2nd', 'a-b', 'a.b', Symbol('a')])('refuses %s', (name) => {
    expect(codeNameProblem(name)).toEqual(expect.any(String))
  })
})

describe('nearestName', () => {
  it('finds the name a typing mistake away', () => {
    expect(nearestName('nulable', ['unique', 'nullable', 'index'])).toBe('nullable')
    expect(nearestName('maxlength', ['minLength', 'maxLength'])).toBe('maxLength')
  })

  it('gives none where none is near', () => {
    expect(nearestName('colour', ['unique', 'nullable', 'index'])).toBeUndefined()
    expect(nearestName('x', [])).toBeUndefined()
  })
})
