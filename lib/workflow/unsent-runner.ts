import { ForwardingRunner } from '../query/forwarding-runner.js'
import type { PlanRunner, QueryPlan } from '../query/query-plan.js'

/** Thrown in place of a result, since nothing is sent. */
class Unsent extends Error {}

/** Notes the first statement that it is to run, and runs none. */
class UnsentRunner extends ForwardingRunner {
  first: string | undefined

  override run<T>(plan: QueryPlan<T>): never {
    this.first ??= plan.statement.sql
    throw new Unsent('nothing is sent')
  }

  // what depends on the server is left at what all servers can do
  override meetServer(): undefined {
    return undefined
  }

  override transaction<T>(_label: string, fn: () => Promise<T>): Promise<T> {
    return fn()
  }

  override together<T>(_label: string, fn: () => Promise<T>): Promise<T> {
    return fn()
  }

  override attempt<T>(_label: string, fn: () => Promise<T>): Promise<T> {
    return fn()
  }
}

/**
 * The text of the first statement that a call would send, found by running it on nothing. Undefined where it refuses its input, or has to
 * wait for something before it sends any.
 */
export function firstStatement(inner: PlanRunner, call: (runner: PlanRunner) => unknown): string | undefined {
  const runner = new UnsentRunner(inner)
  try {
    const running = call(runner)
    // its own failure is no matter
    if (running instanceof Promise) running.catch(() => undefined)
  } catch {}
  return runner.first
}
