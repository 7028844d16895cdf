import { describe, expect, it } from 'vitest'
import { ConfigurationError } from '../../../lib/errors.js'
import { ConnectionBudget } from '../../../lib/pool/connection-budget.js'

describe('ConnectionBudget', () => {
  it('has room for what the open pools may have, and two more for each', () => {
    const budget = new ConnectionBudget()
    const remove = [budget.addPool(10), budget.addPool(1)]
    expect(budget.limit).toBe(15)
    remove[0]!()
    expect(budget.limit).toBe(3)
  })

  it('takes the room of a pool away once, however often it is told', () => {
    const budget = new ConnectionBudget()
    budget.addPool(10)
    const remove = budget.addPool(1)
    remove()
    remove()
    expect(budget.limit).toBe(12)
  })

  it('refuses beyond its limit, until room is given back', () => {
    const budget = new ConnectionBudget()
    budget.addPool(1)
    expect([budget.tryTake(), budget.tryTake(), budget.tryTake(), budget.tryTake()]).toEqual([true, true, true, false])
    budget.give()
    expect(budget.tryTake()).toBe(true)
    expect(budget.taken).toBe(3)
  })

  it('holds to a number given, the lowest of several, until it is lifted', () => {
    const budget = new ConnectionBudget()
    budget.addPool(10)
    const [liftHigh, liftLow] = [budget.limitTo(50), budget.limitTo(2)]
    expect(budget.limit).toBe(2)
    liftLow()
    expect(budget.limit).toBe(50)
    liftHigh()
    expect(budget.limit).toBe(12)
  })

  it.each([0, -1, 1.5, Number.NaN, Infinity])('refuses %s as a limit', (connections) => {
    expect(() => new ConnectionBudget().limitTo(connections)).toThrow(ConfigurationError)
  })
})
