import type Sqlite from 'better-sqlite3'
import { configure, type DatabaseSource, openingError, runInitSql } from './open-database.js'

/** An in-memory database. It moves to another connection when the session on the one it has may be altered. */
export class MemoryDatabase {
  readonly #source: DatabaseSource
  /** The init SQL that is for a session, by its place. What is for the database is run once: its image has it. */
  readonly #ofSession = new Map<number, string>()
  #connection: Sqlite.Database

  /** @throws {ConnectionError} init SQL failed */
  constructor(source: DatabaseSource) {
    this.#source = source
    this.#connection = this.#open(':memory:', (connection) => {
      for (const [index, sql] of source.initSql.entries()) {
        const before = connection.serialize()
        runInitSql(connection, index, sql)
        if (connection.serialize().equals(before)) this.#ofSession.set(index, sql)
      }
    })
  }

  get connection(): Sqlite.Database {
    return this.#connection
  }

  /**
   * Moves to a new connection, and closes the one before.
   *
   * @throws {ConnectionError} init SQL failed; the database is where it was
   */
  renew(): void {
    const before = this.#connection
    this.#connection = this.#open(before.serialize(), (connection) => {
      for (const [index, sql] of this.#ofSession) runInitSql(connection, index, sql)
    })
    before.close()
  }

  close(): void {
    this.#connection.close()
  }

  #open(from: Buffer | ':memory:', initialise: (connection: Sqlite.Database) => void): Sqlite.Database {
    const connection = new this.#source.driver(from, { timeout: 0 })
    try {
      configure(connection)
      initialise(connection)
      return connection
    } catch (error) {
      connection.close()
      throw openingError(':memory:', error)
    }
  }
}
