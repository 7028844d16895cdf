export { type CloseOptions, createDatabase, type Database, type DatabaseNodes, type DatabaseOptions, type Models } from './database.js'
export type { ConnectionConfig, ServerConnection, SqliteConnection, TlsOptions } from './dialect/connection-config.js'
export * from './errors.js'
