import { describe, expect, it } from 'vitest'
import { Frame, type Resource, type Wait } from '../../../lib/lock/frame.js'
import { beginWait, circleOf } from '../../../lib/lock/wait-graph.js'

/** A resource that counts how often it is looked at. */
class Watched implements Resource {
  readonly description = 'a thing'
  looks = 0
  readonly #holders: readonly Frame[] | undefined

  constructor(holders?: readonly Frame[]) {
    this.#holders = holders
  }

  holders(): readonly Frame[] | undefined {
    this.looks++
    return this.#holders
  }
}

const COUNT = 1_000

describe('circleOf', () => {
  const holding = () => new Frame(undefined, 1, { kind: 'resource', resource: new Watched(), label: 'work' })
  const waits = (frame: Frame, resource: Resource): Wait => {
    const wait = { frame, resource, label: undefined, cancel: () => undefined }
    beginWait(wait)
    return wait
  }
  /** A thing whose holder has many calls below it that wait for another. */
  const heldByMany = (inner: Resource) => {
    const holder = holding()
    for (let call = 0; call < COUNT; call++) waits(holder, inner)
    return new Watched([holder])
  }

  it('looks at nothing for a chain that holds nothing: nobody can wait for it', () => {
    const wanted = heldByMany(new Watched())
    expect(circleOf(waits(new Frame(new Frame(undefined, 1, undefined), 1, undefined), wanted))).toBeUndefined()
    expect(wanted.looks).toBe(0)
  })

  it('looks once at each wait of which somebody may go on, and not beyond', () => {
    for (const inner of [new Watched(), new Watched([holding()])]) {
      expect(circleOf(waits(holding(), heldByMany(inner)))).toBeUndefined()
      expect(inner.looks).toBe(COUNT)
    }
  })

  it('finds a circle among any number of waits', () => {
    const own = holding()
    const inner = new Watched()
    const holder = holding()
    for (let call = 0; call < COUNT; call++) waits(holder, inner)
    waits(holder, new Watched([own]))
    expect(circleOf(waits(own, new Watched([holder])))).toHaveLength(2)
  })
})
