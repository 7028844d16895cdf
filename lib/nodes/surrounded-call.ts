import { Later } from '../later.js'
import { isPlainObject } from '../model/value-kind.js'
import type { BoundModel } from '../query/bound-model.js'
import type { Idempotency } from '../query/idempotency.js'
import type { PlanRunner } from '../query/query-plan.js'
import type { RepeatedReads } from '../query/repeated-reads.js'
import { withWholeRows } from '../query/whole-rows.js'
import { withPart } from '../query/with-part.js'
import { type AnyHooks, type HookedRun, runHooked } from './hooks.js'
import type { AnyCall } from './node.js'

const EXPLAIN = new Later('explain', () => import('../query/explain.js'))
const IDEMPOTENCY = new Later('idempotency', () => import('../query/idempotency.js'))

/** What stands around the calls on a model. */
export interface Surroundings extends Pick<HookedRun, 'nodes'> {
  /** The checked hooks of the model, by operation. */
  readonly hooks: object | undefined
  readonly idempotency: Idempotency
  /** Finds reads that run again and again; undefined: nobody looks. */
  readonly reads: RepeatedReads | undefined
}

/** An operation on a model, on the runner that it is given. */
export type Run = (runner: PlanRunner, input: unknown, options: unknown) => unknown

/** A read, counted where that is asked for; with `explain`, the plans of its statements. */
export function readCall(model: BoundModel, runner: PlanRunner, operation: string, { reads }: Surroundings, run: Run): AnyCall {
  const plain = (input: unknown, options?: unknown) => {
    const on = reads === undefined || isFurtherPage(input) ? runner : reads.counting(runner)
    return run(on, input, options) as ReturnType<AnyCall>
  }
  return (input, options) => {
    if (!gives(options, 'explain')) return plain(input, options)
    return explained(model, runner, operation, ({ explainRead }) =>
      explainRead(model, runner, { operation, input, options }, (explaining, rest) => run(explaining, input, rest)),
    )
  }
}

/** A read that gives its rows piece by piece; with `explain`, the plans of the statements that give the first of them. */
export function streamedCall(model: BoundModel, runner: PlanRunner, operation: string, run: Run): AnyCall {
  const start = (on: PlanRunner, input: unknown, options: unknown) => run(on, input, options) as AsyncGenerator<unknown, void, undefined>
  return (input, options) => {
    if (!gives(options, 'explain')) return start(runner, input, options)
    const first = async (explaining: PlanRunner, rest: unknown) => {
      const rows = start(explaining, input, rest)
      await rows.next()
      await rows.return()
    }
    return explained(model, runner, operation, ({ explainRead }) => explainRead(model, runner, { operation, input, options }, first))
  }
}

function explained(
  model: BoundModel,
  runner: PlanRunner,
  operation: string,
  explain: (part: typeof import('../query/explain.js')) => Promise<unknown>,
): Promise<unknown> {
  return withPart(EXPLAIN, runner, model.labelOf(operation), explain) as Promise<unknown>
}

/** A write with what is done around it; with `explain`, the plans of all their statements, and nothing is kept. */
export function writeCall(model: BoundModel, runner: PlanRunner, operation: string, around: Surroundings, run: Run): AnyCall {
  const plain = surroundedWrite(model, runner, operation, around, run)
  return (input, options) => {
    if (!gives(options, 'explain')) return plain(input, options)
    const write = (explaining: PlanRunner, rest: unknown) => surroundedWrite(model, explaining, operation, around, run)(input, rest)
    return explained(model, runner, operation, ({ explainWrite }) => explainWrite(model, runner, { operation, input, options }, write))
  }
}

/** From the outside in: an idempotency key, hooks, and the audit; the two last see whole rows. */
function surroundedWrite(model: BoundModel, runner: PlanRunner, operation: string, around: Surroundings, run: Run): AnyCall {
  const hooked = hookedCall(model, runner, operation, around, (input, options) => run(runner, input, options) as ReturnType<AnyCall>)
  if (operation !== 'create' && operation !== 'bulkCreate') return hooked
  return (input, options) => {
    if (!gives(options, 'idempotencyKey')) return hooked(input, options)
    const first = async (rest: unknown) => hooked(input, rest)
    return withPart(IDEMPOTENCY, runner, model.labelOf(operation), ({ runOnce }) =>
      runOnce(model, runner, around.idempotency, { operation, input, options }, first),
    ) as Promise<unknown>
  }
}

function hookedCall(model: BoundModel, runner: PlanRunner, operation: string, { hooks, nodes }: Surroundings, plain: AnyCall): AnyCall {
  const own = (hooks as Readonly<Record<string, AnyHooks>> | undefined)?.[operation]
  if (own === undefined && model.audit === undefined) return plain
  const run = async (input: unknown, options: unknown) => plain(input, options)
  const surrounded =
    own === undefined
      ? run
      : (input: unknown, options: unknown) => runHooked(model, runner, { operation, hooks: own, nodes, run }, input, options)
  return (input, options) => withWholeRows(model, operation, options, (rest) => surrounded(input, rest))
}

/** Pages are read one after the other on purpose. */
function isFurtherPage(input: unknown): boolean {
  return isPlainObject(input) && [input.after, input.before, input.offset].some((place) => place !== undefined)
}

function gives(options: unknown, name: string): options is Record<string, unknown> {
  return isPlainObject(options) && options[name] !== undefined
}
