export type { ColumnType, Generated, GeneratedAlways } from 'kysely'
export { sql } from 'kysely'
export {
  type CloseOptions,
  createDatabase,
  type Database,
  type DatabaseNodes,
  type DatabaseOptions,
  type Hooks,
  type Models,
} from './database.js'
export type { ConnectionConfig, ServerConnection, SqliteConnection, TlsOptions } from './dialect/connection-config.js'
export type { Engine, IsolationLevel } from './dialect/dialect.js'
export type { HoldOptions, LockOptions } from './dialect/lock-options.js'
export * from './errors.js'
export type { LockEvent, LockKind, NodeEvent, PoolEvent, QueryEvent, SlowQueryEvent, TransactionEvent, WorkflowEvent } from './events.js'
export type { LatencyFigures } from './latency.js'
export type { HeldLock } from './lock/held-lock.js'
export type { Hold } from './lock/hold.js'
export type { LockFigures } from './lock/lock-counters.js'
export { cleanupUnusedLocks, lockMetrics } from './lock/lock-figures.js'
export type { LockMetrics } from './lock/lock-metrics.js'
export { currentLockScope, type LockScope, type LockScopeOptions, withLockScope } from './lock/lock-scope.js'
export type { Logger } from './logger.js'
export type { Aggregate, AggregateInput, AggregateRow, AggregateValues } from './model/aggregate-types.js'
export { AuditEntry, type AuditedChange, type AuditedValues } from './model/audit-entry.js'
export type { NewRow } from './model/create-types.js'
export { defineModel, definitionOf } from './model/define-model.js'
export type { FieldSpec } from './model/field-spec.js'
export { IdempotencyRecord } from './model/idempotency-record.js'
export type { DeletedOption, Include, IncludeMany, IncludeOne, IncludeOneOf, RowWith } from './model/include-types.js'
export type {
  AuditDefinition,
  FieldDefinition,
  ModelClass,
  ModelDefinition,
  PolymorphicChoice,
  PolymorphicDefinition,
  ReferentialAction,
  RelationDefinition,
} from './model/model-definition.js'
export type { ModelOptions } from './model/model-options.js'
export type {
  CreateInput,
  FieldName,
  GeneratedJson,
  Json,
  Many,
  ManyConditions,
  One,
  OneOf,
  OrderBy,
  RelationName,
  Row,
  Select,
  Selected,
  UpdateInput,
  Where,
} from './model/row-types.js'
export { uuid7 } from './model/uuid7.js'
export { View } from './model/view.js'
export { type DefinedCall, defineNode, type NodeContext, type NodeDefinition } from './nodes/define-node.js'
export type { AfterHook, BeforeHook, HookedCall, ModelHooks, OperationHooks } from './nodes/hooks.js'
export type {
  BulkCreateInput,
  BulkCreateResult,
  BulkOptions,
  BulkUpdateInput,
  BulkUpsertInput,
  BulkUpsertResult,
  BulkWhere,
  ClaimInput,
  CountResult,
  DeleteRowInput,
  ExplainOption,
  IdempotencyOption,
  KeyedViewNodes,
  KeyInput,
  KeyValues,
  ListInput,
  ListResult,
  ModelNodes,
  NodesOf,
  ReadInput,
  ReadManyInput,
  ReadOneOptions,
  ReadOptions,
  RowOptions,
  Rows,
  SelectOptions,
  StreamInput,
  UpdateRowInput,
  UpsertInput,
  UpsertOutcome,
  UpsertResult,
  ViewNodes,
} from './nodes/model-nodes.js'
export type { AnyCall, Effect, Node, NodeDescription } from './nodes/node.js'
export type { NodeHost, Unbound } from './nodes/node-host.js'
export { type SqlCall, type SqlFetch, type SqlNode, type SqlNodeDefinition, type SqlOutput, sqlNode } from './nodes/sql-node.js'
export type { EndReason } from './pool/end-reason.js'
export type { PoolStats } from './pool/pool.js'
export type { PoolerMode, PoolOptions } from './pool/pool-options.js'
export { poolStats } from './pool/pool-registry.js'
export type { PoolInfo, PoolLockInfo, ProcessPools } from './pool/pool-stats.js'
export type { ExplainedStatement, ExplainMode, Explanation } from './query/explain.js'
export type { KyselyTables } from './query/kysely/kysely-tables.js'
export type { CallOptions } from './query/query-plan.js'
export type { StrictOptions } from './query/repeated-reads.js'
export type { TenantId } from './query/tenants.js'
export type { Propagation, TransactionOptions } from './query/transaction-options.js'
