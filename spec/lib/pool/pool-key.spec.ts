import { inspect } from 'node:util'
import { describe, expect, it } from 'vitest'
import { deadlineAfter } from '../../../lib/deadline.js'
import { ConnectionError } from '../../../lib/errors.js'
import { ConnectionPool } from '../../../lib/pool/connection-pool.js'
import { poolKey } from '../../../lib/pool/pool-key.js'
import { PoolKeyring } from '../../../lib/pool/pool-keyring.js'
import { poolOptions } from '../../../lib/pool/pool-options.js'
import { poolRegistry } from '../../../lib/pool/pool-registry.js'
import { FakeConnector, request } from './fake-connector.js'

const TARGET = 'postgres:127.0.0.1:5432/shop'

function keyOf(identity: unknown): string {
  return poolKey(TARGET, identity).key
}

describe('poolKey', () => {
  it('is the same for equal configurations, whatever the order of their properties', () => {
    expect(keyOf({ host: 'h', tls: { ca: 'x', cert: 'y' }, initSql: ['a', 'b'] })).toBe(
      keyOf({ initSql: ['a', 'b'], tls: { cert: 'y', ca: 'x' }, host: 'h' }),
    )
  })

  it('takes a property that is undefined as one that was not given', () => {
    expect(keyOf({ host: 'h', tls: undefined })).toBe(keyOf({ host: 'h' }))
  })

  const ask = () => 'secret'
  it.each([
    ['a password', { password: 'a' }, { password: 'b' }],
    ['search_path', { initSql: ['set search_path to a'] }, { initSql: ['set search_path to b'] }],
    ['the order of a list', { initSql: ['a', 'b'] }, { initSql: ['b', 'a'] }],
    ['where a list is cut', { initSql: ['a', 'b'] }, { initSql: ['a,b'] }],
    ['a type', { port: 5432 }, { port: '5432' }],
    ['a number and a bigint', { port: 1 }, { port: 1n }],
    ['null and nothing', { tls: null }, {}],
    ['true and its name', { tls: true }, { tls: 'true' }],
    ['where a property belongs', { a: { b: 1 }, c: 2 }, { a: { b: 1, c: 2 } }],
    ['a quote in a name', { 'a":1,"b': 2 }, { a: 1, b: 2 }],
    ['bytes', { ca: Buffer.from('a') }, { ca: Buffer.from('b') }],
    ['bytes and text', { ca: Buffer.from('a') }, { ca: 'bytes 61' }],
    ['two functions of the same text', { password: () => 'secret' }, { password: () => 'secret' }],
    ['two instances of a class', { key: new FakeConnector() }, { key: new FakeConnector() }],
    ['a date', { since: new Date(1) }, { since: new Date(2) }],
  ])('differs by %s', (_, one, other) => {
    expect(keyOf(one)).not.toBe(keyOf(other))
  })

  it('takes functions by identity, and bytes by content', () => {
    expect(keyOf({ password: ask })).toBe(keyOf({ password: ask }))
    expect(keyOf({ ca: Buffer.from('abc') })).toBe(keyOf({ ca: new Uint8Array([0, 97, 98, 99]).subarray(1) }))
  })

  it('names the pools of 300 tenants on one target apart, in each of ten rounds', () => {
    for (let round = 0; round < 10; round++) {
      const names = Array.from({ length: 300 }, (_, tenant) => poolKey(TARGET, { round, tenant }).name)
      expect(new Set(names).size).toBe(300)
    }
  })

  it('names the pool by its target and eight hex digits', () => {
    expect(poolKey(TARGET, {}).name).toMatch(/^postgres:127\.0\.0\.1:5432\/shop#[0-9a-f]{8}$/)
  })

  it('hashes with a key of its own: the same password gives another name elsewhere', () => {
    expect(new PoolKeyring().keyOf(TARGET, { password: 'a' }).key).not.toBe(new PoolKeyring().keyOf(TARGET, { password: 'a' }).key)
  })

  it('shows no secret, and no hash key, in a key, a pool, a lease, the registry or an error', async () => {
    const secret = 'hunter2-secret'
    const identity = { user: 'u', password: secret, tls: { key: Buffer.from(secret) } }
    const { key, name } = poolKey(TARGET, identity)
    const options = poolOptions({ acquireTimeoutMs: 50 })
    const connector = Object.assign(new FakeConnector(), { identity })
    const refusing = Object.assign(new FakeConnector(), { identity, whileOpening: () => Promise.reject(new ConnectionError(TARGET)) })
    const open = async () => new ConnectionPool(name, connector, options)
    const lease = await poolRegistry().borrow({ key, name, options, deadline: deadlineAfter(50), label: 'spec', open })
    const refused = await Promise.resolve(new ConnectionPool(name, refusing, options).acquire(request())).catch((error: unknown) => error)
    for (const surface of [key, name, lease, lease.pool, poolRegistry(), refused]) {
      const text = inspect(surface, { depth: Infinity, showHidden: true }) + JSON.stringify(surface)
      expect(text).not.toContain(secret)
      expect(text).not.toContain(Buffer.from(secret).toString('hex'))
      expect(text).not.toContain('68 75 6e 74')
    }
    expect(inspect(poolRegistry().keyring, { depth: Infinity, showHidden: true })).not.toMatch(/Buffer|WeakMap/)
    await lease.release({ closeIfLast: true })
  })
})
