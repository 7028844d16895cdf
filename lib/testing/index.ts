export { type FreshDatabase, freshDatabase } from './fresh-database.js'
export { type ManualClock, manualClock } from './manual-clock.js'
export { sandbox } from './sandbox.js'
