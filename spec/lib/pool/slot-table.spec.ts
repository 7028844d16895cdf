import { describe, expect, it } from 'vitest'
import { SlotTable } from '../../../lib/pool/slot-table.js'
import { FakeMember } from './fake-connector.js'

describe('SlotTable', () => {
  it('keeps nothing of who had a connection', () => {
    const slots = new SlotTable<FakeMember>()
    const slot = slots.add(new FakeMember(1), 0, 1_000)
    slots.lend(slot, { label: 'a', borrower: new Error('asked for here') }, 0)
    expect(slot.borrower).toBeDefined()
    slots.keepIdle(slot, 1, 1_000)
    expect(slot.borrower).toBeUndefined()
  })

  it('takes for a leak what was lent too long, less the time in which the process stood still', () => {
    const slots = new SlotTable<FakeMember>()
    const slot = slots.add(new FakeMember(1), 0, 10_000)
    slots.lend(slot, { label: 'a', borrower: undefined }, 0)
    slots.skipTime(1_500)
    expect(slots.takeLeaked(2_000, 1_000)).toEqual([])
    expect(slots.takeLeaked(2_500, 1_000)).toEqual([slot])
    expect(slots.takeLeaked(9_000, 1_000)).toEqual([])
    slots.lend(slot, { label: 'b', borrower: undefined }, 9_000)
    expect(slots.takeLeaked(10_000, 1_000)).toEqual([slot])
  })
})
