import { DummyDriver, Kysely } from 'kysely'
import { ApplicationLocks } from './dialect/application-locks.js'
import { type ConnectionConfig, connectionConfig } from './dialect/connection-config.js'
import { ConnectionSource } from './dialect/connection-source.js'
import { constraintCatalogue } from './dialect/constraint-catalogue.js'
import { createDialect } from './dialect/create-dialect.js'
import type { Dialect } from './dialect/dialect.js'
import { LaterLocks } from './dialect/later-locks.js'
import { LearnedConstraints } from './dialect/learned-constraints.js'
import type { HoldOptions, LockOptions } from './dialect/lock-options.js'
import { CONNECTION_CONFIG, type MigratableDatabase } from './dialect/migratable.js'
import { ConfigurationError } from './errors.js'
import { Later, laterSettled } from './later.js'
import type { HeldLock } from './lock/held-lock.js'
import type { Hold } from './lock/hold.js'
import { type Logger, logDebug, logEvents } from './logger.js'
import { definitionOf } from './model/define-model.js'
import { IdempotencyRecord } from './model/idempotency-record.js'
import type { ModelClass, ModelDefinition } from './model/model-definition.js'
import { checkRelations, withRelated } from './model/relations.js'
import { type Schema, schemaOf } from './model/schema.js'
import { isPlainObject, kindOf } from './model/value-kind.js'
import type { View } from './model/view.js'
import { requireKnownNames } from './nearest-name.js'
import { crudNodes } from './nodes/crud-nodes.js'
import { checkHooks, type ModelHooks } from './nodes/hooks.js'
import type { NodesOf } from './nodes/model-nodes.js'
import type { Node, NodeDescription } from './nodes/node.js'
import type { NodeHost, Unbound } from './nodes/node-host.js'
import { NodeRegistry } from './nodes/node-registry.js'
import { poolKey } from './pool/pool-key.js'
import { type PoolOptions, poolOptions } from './pool/pool-options.js'
import { poolRegistry } from './pool/pool-registry.js'
import type { PoolInfo } from './pool/pool-stats.js'
import { Actors } from './query/actors.js'
import { bindModels } from './query/bind-models.js'
import type { Compiler } from './query/bound-model.js'
import { debugValuesOf } from './query/debug-values.js'
import { foreignKeyLinks } from './query/foreign-key-link.js'
import { idempotencyTtlMs } from './query/idempotency-ttl.js'
import type { KyselyTables } from './query/kysely/kysely-tables.js'
import { modelKysely } from './query/kysely/model-kysely.js'
import { requireSlowQueryMs } from './query/query-observer.js'
import { QueryRunner } from './query/query-runner.js'
import { repeatedReads, type StrictOptions } from './query/repeated-reads.js'
import { SqlRunner } from './query/sql-statement.js'
import { type TenantId, Tenants } from './query/tenants.js'
import type { TransactionOptions } from './query/transaction-options.js'

/** Model classes by the names they have in code: `{ users: User }` gives `db.nodes.users`. */
export type Models = Readonly<Record<string, ModelClass>>

/** The nodes of every model, by its name in code. */
export type DatabaseNodes<M extends Models> = { readonly [K in keyof M]: NodesOf<InstanceType<M[K]>> }

/** What runs before and after writes, by the names of the models in code and by operation. */
export type Hooks<M extends Models> = {
  readonly [K in keyof M]?: InstanceType<M[K]> extends View<string> ? never : ModelHooks<InstanceType<M[K]>, DatabaseNodes<M>>
}

export interface DatabaseOptions<M extends Models> {
  /** Where the database is: `postgres://…`, `mysql://…`, `mariadb://…`, `sqlite:…`. This or `connection`. */
  readonly url?: string
  /** The same in parts, for passwords that expire and for TLS. */
  readonly connection?: ConnectionConfig
  readonly models: M
  /** See {@link PoolOptions} for each option's unit, bounds and default. */
  readonly pool?: Partial<PoolOptions>
  /**
   * Gets statements, connections and locks as `debug`; failures, time-outs, fallbacks, leaks and slow statements as `warn`.
   * Default: none; with `NODE_DEBUG=latchwork` in the environment, standard error gets the same.
   */
  readonly logger?: Logger
  /**
   * Milliseconds after which a statement is slow: told of on the channel `latchwork:slow-query`, to the logger as `warn`, and
   * counted by `latchwork/metrics`. Default: none is slow. 1 to 86,400,000.
   */
  readonly slowQueryMs?: number
  /**
   * Most connections of the whole process, dedicated ones and those for locks included; while several database objects
   * give one, the lowest holds. From 1. Default: what its open pools may have together, and two more for each.
   */
  readonly connectionBudget?: number
  /** The current instant, for the timestamps that the layer keeps. Default: the system's clock. */
  readonly now?: () => Date
  /**
   * Signs the cursors of lists, so that nobody makes one up: at least 16 characters, the same in every process. Default: a text that
   * is no secret, which finds cursors of another list or order, and changed ones.
   */
  readonly cursorSecret?: string
  /** What runs before and after the writes of nodes, in their transaction. Default: nothing. */
  readonly hooks?: Hooks<NoInfer<M>>
  /** Milliseconds for which an `idempotencyKey` stands for its first call. Default 86,400,000, a day. 1 to 315,360,000,000. */
  readonly idempotencyTtlMs?: number
  /**
   * Refuse with `NPlusOneError` a read that runs again and again in one transaction, or else in one lock scope; see {@link StrictOptions}.
   * Default false.
   */
  readonly strict?: boolean | StrictOptions
  /**
   * For debugging: the `cause` of an error of a statement has what the driver said of it, the SQL and its bound values. Values of redacted
   * fields among `parameters` are left out; what a driver quotes is not. Default false; a warning of the process where it is on in production.
   */
  readonly debugValues?: boolean
  /**
   * Whether reads of single rows by key go together where many come at once, as one statement. Default true. False: each goes alone, whatever
   * `batch` of its call says.
   */
  readonly batchReads?: boolean
}

export interface CloseOptions {
  /** Most milliseconds to wait for calls that still run before their connections are destroyed. Default 5,000. */
  readonly timeoutMs?: number
}

const OPTIONS: readonly string[] = [
  'url',
  'connection',
  'models',
  'pool',
  'logger',
  'slowQueryMs',
  'connectionBudget',
  'now',
  'cursorSecret',
  'hooks',
  'idempotencyTtlMs',
  'strict',
  'debugValues',
  'batchReads',
]
const CLOSE_TIMEOUT_MS = 5_000
const TABLES = new Later('createTables', () => import('./query/create-tables.js'))

/**
 * A database with the nodes of its models. Connects on first use.
 *
 * ```ts
 * await using db = createDatabase({ url: 'sqlite:shop.db', models: { users: User } })
 * const ada = await db.nodes.users.create({ email: 'ada@example.com' })
 * ```
 *
 * @throws {ConfigurationError} an option is missing, unknown or out of bounds
 * @throws {ModelError} a class has no definition, or the models contradict each other
 */
export function createDatabase<const M extends Models>(options: DatabaseOptions<M>): Database<M> {
  return new Database(checkOptions(options))
}

/** The transactions of a database, for what of the package stands beside it. */
export let transactionsOf: <M extends Models>(db: Database<M>) => QueryRunner['transactions']

/** What {@link createDatabase} gives. */
export class Database<M extends Models> implements AsyncDisposable, MigratableDatabase {
  /** The nodes of every model, by its name in code. */
  readonly nodes: DatabaseNodes<M>
  readonly #config: ConnectionConfig
  readonly #dialect: Dialect
  readonly #schema: Schema
  readonly #source: ConnectionSource
  readonly #runner: QueryRunner
  readonly #registry: NodeRegistry
  readonly #host: NodeHost
  readonly #kysely: Kysely<KyselyTables<M>>
  readonly #endLogging: (() => void) | undefined
  readonly #endLimit: (() => void) | undefined
  readonly #locks: ApplicationLocks
  readonly #tenants = new Tenants()
  readonly #actors = new Actors()

  static {
    transactionsOf = (db) => db.#runner.transactions
  }

  /** Use {@link createDatabase}. */
  constructor(options: DatabaseOptions<M>) {
    const definitions = definitionsOf(options.models)
    const list = Object.values(definitions)
    checkRelations(withRelated(list))
    this.#config = connectionConfig(options)
    this.#dialect = createDialect(this.#config)
    this.#schema = schemaOf(list)
    const pool = poolOptions(options.pool)
    this.#source = new ConnectionSource(this.#dialect, pool)
    this.#locks = applicationLocks(this.#dialect, pool)
    const catalogue = new LearnedConstraints(constraintCatalogue(list, this.#schema), this.#schema)
    const { slowQueryMs, batchReads = true } = options
    const debugValues = debugValuesOf(options.debugValues)
    this.#runner = new QueryRunner(this.#dialect, this.#source, catalogue, { slowQueryMs, debugValues, batchReads })
    const compiler = compilerOf(this.#dialect)
    const bound = bindModels(list, {
      dialect: this.#dialect,
      compiler,
      foreignKeys: foreignKeyLinks(this.#schema, catalogue),
      now: options.now ?? (() => new Date()),
      cursorKey: options.cursorSecret ?? this.#dialect.target,
      tenants: this.#tenants,
      actors: this.#actors,
    })
    const records = bound.get(definitionOf(IdempotencyRecord))
    const idempotency = { records, ttlMs: idempotencyTtlMs(options.idempotencyTtlMs) }
    const reads = repeatedReads(options.strict)
    const models = Object.entries(definitions).map(([key, definition]) => [key, bound.get(definition)!] as const)
    const nodes = models.map(
      ([key, model]) =>
        [key, crudNodes(model, this.#runner, { hooks: options.hooks?.[key], nodes: () => this.nodes, idempotency, reads })] as const,
    )
    this.#kysely = modelKysely(new Map(models), this.#dialect, this.#runner)
    this.nodes = Object.freeze(Object.fromEntries(nodes)) as unknown as DatabaseNodes<M>
    this.#registry = new NodeRegistry(nodes.flatMap(([, each]) => Object.values(each)))
    this.#host = hostOf(this, new SqlRunner(bound.values(), this.#dialect, compiler, this.#runner))
    // last: a database that could not be made listens to nothing
    logDebug()
    this.#endLimit = options.connectionBudget === undefined ? undefined : poolRegistry().budget.limitTo(options.connectionBudget)
    this.#endLogging = options.logger && logEvents(options.logger, this.#source.name)
  }

  /**
   * Kysely, typed by the models: tables are named by model key, columns by property, and values are what the fields declare.
   * Queries join the transaction around them. What the nodes do for a row they write (function defaults, versions) is not done.
   *
   * ```ts
   * await db.kysely.selectFrom('users').select(['id', 'createdAt']).where('email', 'like', '%@example.com').execute()
   * ```
   */
  get kysely(): Kysely<KyselyTables<M>> {
    return this.#kysely
  }

  /**
   * The node of a name, such as `UserCreateNode`.
   *
   * @throws {ConfigurationError} there is none; the message suggests the nearest name
   */
  node(name: string): Node {
    return this.#registry.get(name)
  }

  /**
   * Makes a node of this database known by its name, to {@link node} and to what goes by names: of {@link defineNode}, of {@link sqlNode},
   * or a workflow. Gives it, ready to be called.
   *
   * ```ts
   * const emails = db.register(sqlNode({ name: 'Emails', sql: 'select email from users where country = :country' }))
   * await emails({ country: 'FR' })
   * ```
   *
   * @throws {ConfigurationError} there is a node of this name already, or the statement of a {@link sqlNode} is none that a node can run
   */
  register<N extends NodeDescription>(node: Unbound<N> | N): N {
    const bound = (isUnbound(node) ? node.bindTo(this.#host) : node) as N
    this.#registry.add(bound as unknown as Node)
    return bound
  }

  /** Whether the call is in a transaction of this database. */
  get isInTransaction(): boolean {
    return this.#runner.isInTransaction
  }

  /**
   * Runs `fn` in a transaction: every node call below it, however deep, joins by the async context. Committed when `fn`
   * returns, rolled back when it throws. Inside another transaction: a savepoint of it.
   *
   * @throws {UnawaitedQueryError} a call in `fn` was still running when it returned; rolled back
   * @throws {TransactionAbortedError} a failed statement was caught in `fn` and the engine kept nothing; rolled back
   * @throws {CommitUnknownError} the connection was lost during COMMIT
   * @throws {AfterCommitError} it is committed, and work given to {@link afterCommit} failed
   */
  transaction<T>(fn: () => Promise<T>, options?: TransactionOptions): Promise<T> {
    return this.#runner.transactions.run(fn, options)
  }

  /**
   * Runs `fn` once the outermost transaction around the call is committed, in the order in which such work was given; never where it, or the
   * savepoint that the call is in, is rolled back. `fn` runs outside of the transaction, in the async context of this call, its tenant and
   * actor among it, and `db.transaction` settles after it. Without a transaction it runs at once.
   *
   * ```ts
   * await db.transaction(async () => {
   *   const order = await orders.create({ total })
   *   await db.afterCommit(() => mail.send(order))
   * })
   * ```
   */
  afterCommit(fn: () => unknown): Promise<void> {
    return this.#runner.transactions.afterCommit(fn)
  }

  /** Runs `fn` outside of the transaction around the call: what it writes stays, whatever becomes of that. */
  detached<T>(fn: () => Promise<T>): Promise<T> {
    return this.#runner.transactions.detached(fn)
  }

  /**
   * Runs `fn` for a tenant: in every node call below it, however deep, models with a tenant have the rows of this one and no others. New rows
   * are its own. `db.kysely` knows nothing of it.
   *
   * ```ts
   * await db.withTenant(request.orgId, () => db.nodes.invoices.list())
   * ```
   *
   * @throws {ConfigurationError} not a text, number or bigint
   */
  async withTenant<T>(tenant: TenantId, fn: () => Promise<T>): Promise<T> {
    return this.#tenants.with(tenant, fn)
  }

  /**
   * Runs `fn` by an actor, a text of 1 to 200 characters: in the audit of every change below it, however deep, it says who did it.
   *
   * @throws {ConfigurationError} no such text
   */
  async withActor<T>(actor: string, fn: () => Promise<T>): Promise<T> {
    return this.#actors.with(actor, fn)
  }

  /** Runs `fn` for all tenants: node calls below it see the rows of every one, and can make no new ones. */
  acrossTenants<T>(fn: () => Promise<T>): Promise<T> {
    return this.#tenants.across(fn)
  }

  /**
   * Creates the tables of all models, for tests and quick starts.
   *
   * @throws {ConfigurationError} one of the tables is there already, or the state of migrations is; nothing was created
   */
  createTables(): Promise<void> {
    return TABLES.load().then(({ createTables }) => createTables(this.#dialect, this.#runner, this.#schema))
  }

  /**
   * Runs `fn` while the lock `key` is held: nobody else on this database runs under it, in this process or, with
   * `{ across: 'database' }`, in any. First come, first served within the process. Inside `fn` the lock is there for every call below,
   * one at a time.
   *
   * ```ts
   * await db.lock('invoice:42', async () => charge(42), { timeoutMs: 2_000 })
   * ```
   *
   * @throws {LockTimeoutError} it was not free within `timeoutMs` (the pool's `acquireTimeoutMs`, unless said)
   * @throws {LockQueueFullError} `maxQueue` callers of this process wait for it already
   * @throws {DeadlockError} those who have it wait for what this call has; both chains are in the message
   * @throws {LockLostError} its session on the database ended while `fn` ran
   */
  lock<T>(key: string, fn: (lock: HeldLock) => T | PromiseLike<T>, options?: LockOptions): Promise<T> {
    return this.#locks.lock(key, fn, options)
  }

  /**
   * Holds the lock `key` in this process until it is released; at the latest until the lock scope around the call ends, which
   * then reports it as a leak.
   *
   * ```ts
   * await withLockScope(async () => {
   *   using invoice = await db.hold('invoice:42')
   * })
   * ```
   *
   * @throws {ConfigurationError} there is no lock scope around the call
   * @throws {LockTimeoutError} it was not free within `timeoutMs` (the pool's `acquireTimeoutMs`, unless said)
   * @throws {LockQueueFullError} `maxQueue` callers of this process wait for it already
   */
  hold(key: string, options?: HoldOptions): Promise<Hold> {
    return this.#locks.hold(key, options)
  }

  /** @internal */
  get [CONNECTION_CONFIG](): ConnectionConfig {
    return this.#config
  }

  /** The pool of this database as it is now, with its lock; undefined before the first call and after the last. */
  poolInfo(): PoolInfo | undefined {
    return this.#source.info()
  }

  /** Settles when the database answers; rejects with what keeps it from it. */
  async ping(): Promise<void> {
    await this.#runner.run({ label: 'ping', access: 'read', statement: { sql: 'select 1', parameters: [] }, read: () => undefined })
  }

  /** Refuses new calls, waits for those that run, and gives the pool back. Always settles. */
  async close({ timeoutMs = CLOSE_TIMEOUT_MS }: CloseOptions = {}): Promise<void> {
    // calls that wait for their part of the package came before; where there are none, who calls from now on comes too late
    const loading = laterSettled()
    if (loading !== undefined) await loading
    this.#runner.sendGathered()
    await Promise.all([this.#source.close(timeoutMs), this.#locks.close()])
    this.#endLimit?.()
    this.#endLogging?.()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

function checkOptions<M extends Models>(options: DatabaseOptions<M>): DatabaseOptions<M> {
  if (!isPlainObject(options)) throw new ConfigurationError('options', `expected an object, got ${kindOf(options)}`)
  requireKnownNames('', options, OPTIONS)
  if (!isPlainObject(options.models)) throw new ConfigurationError('models', `expected an object of classes, got ${kindOf(options.models)}`)
  if (options.logger !== undefined && !isLogger(options.logger))
    throw new ConfigurationError('logger', 'expected an object with debug and warn')
  requireSlowQueryMs(options.slowQueryMs)
  if (options.now !== undefined && typeof options.now !== 'function')
    throw new ConfigurationError('now', 'expected a function that gives a Date')
  if (options.cursorSecret !== undefined && !isSecret(options.cursorSecret))
    throw new ConfigurationError('cursorSecret', 'expected a text of at least 16 characters')
  idempotencyTtlMs(options.idempotencyTtlMs)
  repeatedReads(options.strict)
  if (options.batchReads !== undefined && typeof options.batchReads !== 'boolean')
    throw new ConfigurationError('batchReads', `expected true or false, got ${kindOf(options.batchReads)}`)
  checkHooks(options.hooks, options.models)
  return options
}

function isUnbound<N extends NodeDescription>(node: Unbound<N> | N): node is Unbound<N> {
  return 'bindTo' in node && typeof node.bindTo === 'function'
}

function hostOf<M extends Models>(db: Database<M>, statements: SqlRunner): NodeHost {
  return {
    get isInTransaction() {
      return db.isInTransaction
    },
    transaction: (fn, options) => db.transaction(fn, options),
    node: (name) => db.node(name),
    statements,
  }
}

function isSecret(value: unknown): boolean {
  return typeof value === 'string' && value.length >= 16
}

function isLogger(value: unknown): value is Logger {
  const { debug, warn } = (value ?? {}) as Partial<Logger>
  return typeof debug === 'function' && typeof warn === 'function'
}

function definitionsOf(models: Models): Readonly<Record<string, ModelDefinition>> {
  return Object.fromEntries(Object.entries(models).map(([key, target]) => [key, definitionOf(target)]))
}

function applicationLocks(dialect: Dialect, pool: PoolOptions): ApplicationLocks {
  // whatever their pool options, all on one database see the same locks
  const { key } = poolKey(dialect.target, { engine: dialect.engine, identity: dialect.identity })
  return new ApplicationLocks(dialect.target, key, new LaterLocks(dialect, pool), pool.acquireTimeoutMs)
}

/** A Kysely that compiles statements and never runs them. */
function compilerOf(dialect: Dialect): Compiler {
  return new Kysely({
    dialect: {
      createDriver: () => new DummyDriver(),
      createQueryCompiler: () => dialect.createQueryCompiler(),
      createAdapter: () => dialect.createAdapter(),
      createIntrospector: (db) => dialect.createIntrospector(db),
    },
  })
}
