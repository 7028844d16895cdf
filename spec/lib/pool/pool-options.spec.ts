import { describe, expect, it } from 'vitest'
import { ConfigurationError } from '../../../lib/errors.js'
import { POOL_DEFAULTS, type PoolOptions, poolOptions } from '../../../lib/pool/pool-options.js'

describe('poolOptions', () => {
  it('fills in the defaults, and half of acquireTimeoutMs for the lock', () => {
    expect(poolOptions()).toEqual({ ...POOL_DEFAULTS, lockTimeoutMs: 2_500 })
    expect(poolOptions({ acquireTimeoutMs: 1 }).lockTimeoutMs).toBe(1)
  })

  it('takes undefined as not given', () => {
    expect(poolOptions({ maxConnections: undefined } as unknown as Partial<PoolOptions>).maxConnections).toBe(10)
  })

  it('cannot be changed afterwards, nor through the list it was given', () => {
    const initSql = ['set a = 1']
    const options = poolOptions({ initSql })
    initSql.push('set b = 2')
    expect(options.initSql).toEqual(['set a = 1'])
    expect(Object.isFrozen(options) && Object.isFrozen(options.initSql)).toBe(true)
  })

  it.each([
    [{ maxConnections: 0 }, 'pool.maxConnections: expected a whole number from 1 to 10000, got 0'],
    [{ maxConnections: '5' }, 'pool.maxConnections: expected a whole number from 1 to 10000, got string'],
    [{ acquireTimeoutMs: 1.5 }, 'pool.acquireTimeoutMs'],
    [{ idleTimeoutMs: Number.NaN }, 'pool.idleTimeoutMs'],
    [{ minConnections: 5, maxConnections: 3 }, 'pool.minConnections: 5 is more than maxConnections, 3'],
    [{ lockTimeoutMs: 6_000 }, 'pool.lockTimeoutMs: 6000 is more than acquireTimeoutMs, 5000'],
    [{ share: 'yes' }, 'pool.share: expected true or false, got string'],
    [{ initSql: 'set a = 1' }, 'pool.initSql: expected a list of SQL statements'],
    [{ initSql: [' '] }, 'pool.initSql'],
    [{ max: 3 }, 'pool.max: unknown option; known are minConnections'],
    [{ constructor: 3 }, 'pool.constructor: unknown option'],
    [null, 'pool: expected an object, got null'],
    ['max=3', 'pool: expected an object, got string'],
  ])('refuses %j, and says what is wrong', (given, message) => {
    const attempt = () => poolOptions(given as unknown as Partial<PoolOptions>)
    expect(attempt).toThrow(ConfigurationError)
    expect(attempt).toThrow(message)
  })
})
