import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { describe, expect, it } from 'vitest'
import { lockEvents, migrationEvents, nodeEvents, poolEvents, queryEvents } from '../../lib/events.js'

describe('the event channels', () => {
  it.each([
    ['latchwork:node', nodeEvents],
    ['latchwork:query', queryEvents],
    ['latchwork:pool', poolEvents],
    ['latchwork:lock', lockEvents],
    ['latchwork:migration', migrationEvents],
  ])('%s reaches those who subscribe by its name, and tells whether there are any', (name, events) => {
    const heard: unknown[] = []
    const listener = (event: unknown): void => void heard.push(event)
    expect(events.hasSubscribers).toBe(false)
    subscribe(name, listener)
    expect(events.hasSubscribers).toBe(true)
    const event = { anything: 1 }
    events.publish(event as never)
    unsubscribe(name, listener)
    expect(events.hasSubscribers).toBe(false)
    expect(heard).toEqual([event])
  })
})
