import {
  ConnectionError,
  PoolClosedError,
  PoolExhaustedError,
  PoolQueueFullError,
  PoolSelfDeadlockError,
  type WaitChain,
} from '../errors.js'
import { describeCircle } from '../lock/wait-graph.js'

export function poolClosed(pool: string): PoolClosedError {
  return new PoolClosedError(`pool "${pool}" is closed`)
}

export function queueFull(pool: string, maxQueue: number): PoolQueueFullError {
  return new PoolQueueFullError(`pool "${pool}": ${maxQueue} callers wait already; raise pool.maxQueue or send less`)
}

export function budgetExhausted(pool: string): PoolExhaustedError {
  return new PoolExhaustedError(`pool "${pool}": the process has no room for one more connection; raise connectionBudget`)
}

export function selfDeadlock(pool: string, connections: number, chains: readonly WaitChain[]): PoolSelfDeadlockError {
  return new PoolSelfDeadlockError(
    `pool "${pool}": every connection (${connections}) is held by a call that waits, this one among them, and none would come free: ` +
      `${describeCircle(chains)}; make the inner call before or after the transaction, or in it, through the same database object`,
    chains,
  )
}

/** Why a pool without a connection got none in time. */
export function unanswered(pool: string, dialling: number): ConnectionError {
  return new ConnectionError(`pool "${pool}": ${dialling} connections are being made and none was answered in time`)
}
