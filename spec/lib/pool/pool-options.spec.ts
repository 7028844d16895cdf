import { describe, expect, it } from 'vitest'
import { ConfigurationError } from '../../../lib/errors.js'
import { POOL_DEFAULTS, type PoolOptions, poolOptions } from '../../../lib/pool/pool-options.js'

/** The lowest and the highest that may be given, and what has to stand beside the highest. */
const BOUNDS: readonly (readonly [name: keyof PoolOptions, lowest: number, highest: number, beside: Partial<PoolOptions>])[] = [
  ['minConnections', 0, 10_000, { maxConnections: 10_000 }],
  ['maxConnections', 1, 10_000, {}],
  ['acquireTimeoutMs', 1, 600_000, {}],
  ['lockTimeoutMs', 1, 600_000, { acquireTimeoutMs: 600_000 }],
  ['maxQueue', 0, 1_000_000, {}],
  ['idleTimeoutMs', 10, 86_400_000, {}],
  ['maxLifetimeMs', 100, 86_400_000, {}],
  ['validateAfterIdleMs', 0, 86_400_000, {}],
  ['leakAfterMs', 0, 86_400_000, {}],
]

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

  it.each(BOUNDS)('takes %s from %i to %i, and nothing beyond', (name, lowest, highest, beside) => {
    for (const value of [lowest, highest]) expect(poolOptions({ ...beside, [name]: value })[name]).toBe(value)
    for (const value of [lowest - 1, highest + 1, highest - 0.5]) {
      const attempt = () => poolOptions({ ...beside, [name]: value })
      expect(attempt).toThrow(ConfigurationError)
      expect(attempt).toThrow(`pool.${name}: expected a whole number from ${lowest} to ${highest}, got ${value}`)
    }
  })

  it('has bounds for each option that is a number', () => {
    const numbers = Object.entries(poolOptions()).flatMap(([name, value]) => (typeof value === 'number' ? [name] : []))
    expect(BOUNDS.map(([name]) => name).sort()).toEqual(numbers.sort())
  })

  it.each([
    ['maxConnection', 'maxConnections'],
    ['idleTimeoutMS', 'idleTimeoutMs'],
    ['acquireTimeout', 'acquireTimeoutMs'],
    ['initSQL', 'initSql'],
    ['shared', 'share'],
    ['poolre', 'pooler'],
  ])('refuses %s, and asks whether %s was meant', (given, meant) => {
    const attempt = () => poolOptions({ [given]: 5 })
    expect(attempt).toThrow(ConfigurationError)
    expect(attempt).toThrow(`pool.${given}: unknown option; did you mean ${meant}? known are minConnections, maxConnections`)
  })

  it('suggests nothing where no name is near', () => {
    expect(() => poolOptions({ poolSize: 5 } as Partial<PoolOptions>)).toThrow('pool.poolSize: unknown option; known are')
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
