import type { Compilable } from 'kysely'
import type { Deadline } from '../deadline.js'
import type { Statement, StatementResult } from '../dialect/dialect.js'
import { ValidationError } from '../errors.js'
import { Later } from '../later.js'
import type { MaybePromise } from '../maybe-promise.js'
import type { BoundModel } from './bound-model.js'
import type { ForeignKeyProbe, Writing } from './foreign-key-probe.js'
import type { StatementShape } from './statement-cache.js'

/** One statement that is decided and not yet run, and how its result is read. */
export interface QueryPlan<T> {
  /** The node it is run for: names the call in errors and metrics. */
  readonly label: string
  readonly access: 'read' | 'write'
  readonly statement: Statement
  /** The statement is a user's own and may change the session, which is reset before anybody else gets it. */
  readonly taints?: boolean
  /** Looks at the result while the connection is still the call's. */
  readonly inspect?: (result: StatementResult) => MaybePromise<void>
  readonly read: (result: StatementResult) => T
  /** For engines that do not name the foreign key that refused a statement: what to ask to learn it. */
  readonly foreignKeyProbes?: (() => Promise<Iterable<ForeignKeyProbe>>) | undefined
  /** How it can go together with others; undefined: it goes alone. */
  readonly sharable?: SharableRead<T> | undefined
}

/** A read of the one row that a key names, as one of many that go in one statement. */
export interface SharableRead<T = unknown> {
  readonly reads: SharedReads<T>
  /** In the driver's form. */
  readonly key: unknown
}

/** Reads that differ in nothing but the key. */
export interface SharedReads<T = unknown> {
  /** The same for all of them, and for no others. */
  readonly name: string
  /** The same for the same key. */
  textOf(key: unknown): string
  /** The statement that reads the rows of these keys; gives each row by the text of its key. */
  together(keys: readonly unknown[]): QueryPlan<ReadonlyMap<string, readonly unknown[]>>
  /** What one of them gives; `values` are those of its row, undefined where there is none. */
  answerOf(values: readonly unknown[] | undefined): T
}

/** What a caller may say about one call beside its input. */
export interface CallOptions {
  /** Gives up when aborted: the statement is cancelled on the server (PostgreSQL, MySQL, MariaDB). */
  readonly signal?: AbortSignal | undefined
  /** Most milliseconds for the whole call, waiting included. Default: no limit; waiting for a connection has its own. */
  readonly timeoutMs?: number | undefined
}

/** What a call's options come to: when to give up, waiting included. */
export interface CallLimits {
  /** The moment of the call plus its `timeoutMs`. */
  readonly deadline: Deadline
  readonly signal: AbortSignal | undefined
}

/** Runs plans: on the transaction that the call is in, or on a connection of the pool. `label` is the node that it is for. */
export interface PlanRunner {
  /** Whether the call is in a transaction. */
  readonly isInTransaction: boolean
  /** What the call is part of: the outermost transaction, else the lock scope; the same object for all calls in it. */
  readonly scope: object | undefined
  run<T>(plan: QueryPlan<T>, limits?: CallLimits): T | Promise<T>
  /** What a plan reads of its rows, batch by batch, over a cursor that has a connection until its end. */
  batches<T>(plan: QueryPlan<T>, limits?: CallLimits): AsyncGenerator<T, void, undefined>
  /** Settles when it is known what the server can do, for which the pool is opened if need be; undefined: it is known. In a transaction it is. */
  meetServer(label: string, limits?: CallLimits): Promise<void> | undefined
  /** Runs `fn` in a transaction; in one already, in a savepoint of it. Every `run` below `fn` joins. */
  transaction<T>(label: string, fn: () => Promise<T>, limits?: CallLimits): Promise<T>
  /** Runs `fn` as one piece of the transaction that the call is in, or of one of its own; without a savepoint. */
  together<T>(label: string, fn: () => Promise<T>, limits?: CallLimits): Promise<T>
  /** Runs `fn` so that its failure costs nothing else: in a savepoint of the transaction that the call is in, if it is in one. */
  attempt<T>(label: string, fn: () => T | Promise<T>, limits?: CallLimits): T | Promise<T>
}

/** What one model's operation needs to become a plan. */
interface PlanParts<T> {
  readonly operation: string
  readonly access: 'read' | 'write'
  readonly shape: StatementShape
  /** Builds the statement, with slots for the shape's values; called once a shape. */
  readonly build: () => Compilable
  readonly read: (result: StatementResult) => T
  readonly exactIntegers?: boolean
  /** What is written, for a foreign key that refuses it. */
  readonly writing?: Writing
  readonly sharable?: SharableRead<T> | undefined
}

const PROBES = new Later('foreign key probes', () => import('./foreign-key-probe.js'))

/**
 * The plan of a call on `model`: its shape's statement with the call's values.
 *
 * @throws {ValidationError} the call's conditions bind more values than the engine takes in one statement
 */
export function planOf<T>(model: BoundModel, parts: PlanParts<T>): QueryPlan<T> {
  const { operation, access, shape, build, read, exactIntegers, writing, sharable } = parts
  const { sql, name, redacted, bind } = model.statements.get(shape, build)
  const statement = { sql, name, parameters: bindable(bind(shape.values), model, operation), exactIntegers, redacted }
  const label = model.labelOf(operation)
  if (writing === undefined || model.dialect.capabilities.namesForeignKeys) return { label, access, statement, read, sharable }
  return { label, access, statement, read, foreignKeyProbes: async () => (await PROBES.load()).foreignKeyProbes(model, writing) }
}

// here and not while conditions are parsed: a statement may take a value at several places
function bindable(values: readonly unknown[], { definition, dialect }: BoundModel, operation: string): readonly unknown[] {
  const { maxParameters } = dialect.capabilities
  if (values.length <= maxParameters) return values
  const message = `expected conditions of at most ${maxParameters} bound values in all, got ${values.length}; ask for fewer at a time`
  throw new ValidationError(definition.name, operation, [{ path: ['where'], message }])
}
