import type { ConnectionConfig } from '../lib/dialect/connection-config.js'
import type { Engine } from '../lib/dialect/dialect.js'

/** A connection that is never made, for what depends on the engine alone. */
export const NOWHERE: Readonly<Record<Engine, ConnectionConfig>> = {
  postgres: { engine: 'postgres', database: 'nowhere' },
  mysql: { engine: 'mysql', database: 'nowhere' },
  sqlite: { engine: 'sqlite', file: ':memory:' },
}
