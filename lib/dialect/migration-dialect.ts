import type { Connection, DdlWriter, Dialect } from './dialect.js'
import type { Introspection, IntrospectOptions } from './introspection.js'
import type { MigrationParts } from './migration-parts.js'

/** A dialect with what migrations need of an engine beside: an application that runs none does not load it. */
export interface MigrationDialect extends Dialect {
  readonly ddl: DdlWriter
  /** What differs where migrations run. */
  readonly migrations: MigrationParts
  /**
   * What is in the database: its tables as a schema, by a handful of questions whatever their number. Tables of latchwork's own are left
   * out. Throws what the driver throws.
   */
  introspect(connection: Pick<Connection, 'run'>, options?: IntrospectOptions): Promise<Introspection>
}
