import type { Adapter } from '../compare/adapter.js'
import type { Place } from '../support/place.js'
import { openLatchwork } from './latchwork.js'

/** Nodes of a database in which each read by key goes alone. */
export function open(place: Place): Adapter {
  return openLatchwork(place, { batchReads: false })
}
