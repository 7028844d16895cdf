import { channel } from 'node:diagnostics_channel'

/**
 * A `node:diagnostics_channel` whose payload has a type. Ask `hasSubscribers` before a payload is made:
 * what nobody listens to then costs one property read.
 */
export interface EventChannel<Event> {
  readonly hasSubscribers: boolean
  publish(event: Event): void
  /** Listeners run at once, in the context of the call that publishes; what they throw becomes an uncaught exception. */
  subscribe(listener: (event: Event) => void): void
  unsubscribe(listener: (event: Event) => void): void
}

/** A node has run, well or not. */
export interface NodeEvent {
  /** Such as `UserCreateNode`. */
  readonly node: string
  readonly model: string | undefined
  readonly operation: string
  readonly effect: 'read' | 'write' | 'external'
  readonly durationMs: number
  readonly error: Error | undefined
}

/** A statement has run, well or not. Bound values are never part of it. */
export interface QueryEvent {
  readonly pool: string
  /** The node or call that sent it. */
  readonly label: string
  /** Text with placeholders. */
  readonly sql: string
  /** MySQL, MariaDB: of a statement that reads the row which an update has changed 0, for it is part of the update's. */
  readonly durationMs: number
  /** Rows given back by a read, rows touched by a write. */
  readonly rowCount: number
  readonly inTransaction: boolean
  readonly error: Error | undefined
}

/** A statement took longer than the database's `slowQueryMs`. */
export interface SlowQueryEvent extends QueryEvent {
  readonly slowQueryMs: number
}

/** Something of note in a transaction. */
export type TransactionEvent = { readonly pool: string; readonly label: string } & (
  | {
      /** It is run again: the database could not serialise it with others, or found a deadlock. */
      readonly type: 'retried'
      /** How often it has been run. */
      readonly attempts: number
      /** Until it is run again. */
      readonly delayMs: number
      /** Of the error that the last attempt ended with. */
      readonly code: string
    }
  | {
      /** Its connection had nothing to do for more than 200 ms before `label`; told once a transaction. */
      readonly type: 'idle'
      readonly idleMs: number
      /** Where the transaction was begun; none in production. */
      readonly stack: string | undefined
    }
)

/** A pool, or a connection of it, changed hands or state. */
export type PoolEvent = { readonly pool: string } & (
  | { readonly type: 'opened' | 'closed' }
  | { readonly type: 'connected'; readonly durationMs: number }
  | { readonly type: 'connectFailed'; readonly durationMs: number; readonly error: unknown }
  | { readonly type: 'disconnected'; readonly reason: string; readonly ageMs: number }
  | { readonly type: 'acquired'; readonly label: string; readonly waitedMs: number }
  | { readonly type: 'released'; readonly label: string; readonly heldMs: number }
  | { readonly type: 'timedOut'; readonly label: string; readonly waitedMs: number }
  /** The queue was full. */
  | { readonly type: 'refused'; readonly label: string; readonly waiting: number }
  /** The wait would have closed a circle. */
  | { readonly type: 'deadlock'; readonly label: string }
  | { readonly type: 'fallback'; readonly label: string; readonly waitedMs: number }
  /** Lent for longer than `leakAfterMs`; told once each time it is lent. */
  | { readonly type: 'leaked'; readonly label: string; readonly heldMs: number; readonly stack: string | undefined }
)

/** `pool`: opens and closes a pool; `application`: taken by `db.lock` and `db.hold`. */
export type LockKind = 'pool' | 'application'

/** A lock of this process changed hands, or a waiter gave up. `key` is what it is called: no hash and no secret. */
export type LockEvent = {
  readonly kind: LockKind
  readonly key: string
  readonly label: string | undefined
  readonly isReentry: boolean
} & (
  | { readonly type: 'acquired'; readonly waitedMs: number }
  | { readonly type: 'released'; readonly heldMs: number }
  | { readonly type: 'timedOut' | 'aborted'; readonly waitedMs: number }
  /** The wait would have closed a circle. */
  | { readonly type: 'deadlock'; readonly waitedMs: number }
  /** `leaked`: freed by the end of its scope; `overheld`: held for longer than its `maxHoldMs`, and held on. */
  | { readonly type: 'leaked' | 'overheld'; readonly heldMs: number; readonly stack: string | undefined }
)

/** A migration, or one step of it, ended. */
export type MigrationEvent = { readonly migration: string; readonly direction: 'up' | 'down'; readonly durationMs: number } & (
  | { readonly type: 'step'; readonly step: number; readonly stepCount: number }
  | { readonly type: 'applied' }
  | { readonly type: 'failed'; readonly step: number; readonly error: Error }
)

/** A run of a workflow, or a step of it, began or ended. */
export type WorkflowEvent = { readonly workflow: string; readonly runId: string } & (
  | { readonly type: 'started' }
  | { readonly type: 'ended'; readonly durationMs: number; readonly error: unknown }
  | { readonly type: 'stepStarted'; readonly step: string; readonly node: string }
  | {
      readonly type: 'stepEnded'
      readonly step: string
      readonly node: string
      readonly status: 'done' | 'skipped' | 'failed'
      readonly durationMs: number
      readonly attempts: number
      readonly error: unknown
    }
  | { readonly type: 'stepRetried'; readonly step: string; readonly attempts: number; readonly delayMs: number; readonly error: unknown }
  /** An item of a step that runs once an item is done. */
  | { readonly type: 'itemDone'; readonly step: string; readonly itemsDone: number }
  | { readonly type: 'compensated'; readonly step: string; readonly error: unknown }
)

/** Channel `latchwork:node`. */
export const nodeEvents: EventChannel<NodeEvent> = eventChannel('latchwork:node')
/** Channel `latchwork:query`. */
export const queryEvents: EventChannel<QueryEvent> = eventChannel('latchwork:query')
/** Channel `latchwork:slow-query`. */
export const slowQueryEvents: EventChannel<SlowQueryEvent> = eventChannel('latchwork:slow-query')
/** Channel `latchwork:transaction`. */
export const transactionEvents: EventChannel<TransactionEvent> = eventChannel('latchwork:transaction')
/** Channel `latchwork:pool`. */
export const poolEvents: EventChannel<PoolEvent> = eventChannel('latchwork:pool')
/** Channel `latchwork:lock`. */
export const lockEvents: EventChannel<LockEvent> = eventChannel('latchwork:lock')
/** Channel `latchwork:workflow`. */
export const workflowEvents: EventChannel<WorkflowEvent> = eventChannel('latchwork:workflow')
/** Channel `latchwork:migration`. */
export const migrationEvents: EventChannel<MigrationEvent> = eventChannel('latchwork:migration')

function eventChannel<Event>(name: string): EventChannel<Event> {
  // the one place that says what a channel carries: Node's own type says unknown
  return channel(name) as EventChannel<Event>
}
