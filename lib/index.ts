export type { ColumnType, Generated, GeneratedAlways } from 'kysely'
export { sql } from 'kysely'
export { type CloseOptions, createDatabase, type Database, type DatabaseNodes, type DatabaseOptions, type Models } from './database.js'
export type { ConnectionConfig, ServerConnection, SqliteConnection, TlsOptions } from './dialect/connection-config.js'
export type { Engine, IsolationLevel } from './dialect/dialect.js'
export * from './errors.js'
export type { Logger } from './logger.js'
export { defineModel, definitionOf } from './model/define-model.js'
export type { FieldSpec } from './model/field-spec.js'
export type { FieldDefinition, ModelClass, ModelDefinition, ReferentialAction, RelationDefinition } from './model/model-definition.js'
export type { ModelOptions } from './model/model-options.js'
export type {
  CreateInput,
  FieldName,
  GeneratedJson,
  Json,
  Many,
  One,
  OrderBy,
  RelationName,
  Row,
  Select,
  Selected,
  UpdateInput,
  Where,
} from './model/row-types.js'
export { uuid7 } from './model/uuid7.js'
export type {
  BulkCreateInput,
  BulkCreateResult,
  BulkOptions,
  BulkUpdateInput,
  BulkUpsertInput,
  BulkUpsertResult,
  BulkWhere,
  CountResult,
  DeleteRowInput,
  KeyInput,
  ListInput,
  ListResult,
  ModelNodes,
  RowOptions,
  Rows,
  UpdateRowInput,
  UpsertInput,
  UpsertOutcome,
  UpsertResult,
} from './nodes/model-nodes.js'
export type { AnyCall, Effect, Node, NodeDescription } from './nodes/node.js'
export type { PoolOptions } from './pool/pool-options.js'
export type { KyselyTables } from './query/kysely/kysely-tables.js'
export type { CallOptions } from './query/query-plan.js'
export type { TransactionOptions } from './query/transaction-options.js'
