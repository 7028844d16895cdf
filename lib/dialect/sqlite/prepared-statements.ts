import type Sqlite from 'better-sqlite3'

/** A statement of one database connection, ready to run. */
export interface PreparedStatement {
  readonly statement: Sqlite.Statement<unknown[], unknown[]>
  readonly returnsRows: boolean
  readonly writes: boolean
  readonly inserts: boolean
  /** Whether it may begin or end a transaction. */
  readonly controls: boolean
  /** Whether the statement gives integers as bigints at present. */
  givesBigints: boolean
}

const GENERATION_SIZE = 256

const LEADING_SPACE = /^(?:\s|;|--[^\n]*(?:\n|$)|\/\*[\s\S]*?(?:\*\/|$))+/

// reads and their plans, writes of rows, and transaction control; all else (PRAGMA, ATTACH, DDL for temporary tables) may change the session
const KEEPS_SESSION =
  /^(?:(?:explain query plan )?(?:select|with|insert|update|delete)|values|replace|begin|commit|end|rollback|savepoint|release)\b/i

/**
 * The prepared statements of one database connection: the 256 to 512 used last.
 *
 * Two generations rather than a list by age: a hit is one look into a map and moves nothing.
 */
export class PreparedStatements {
  /** Whether a statement came by that may have changed the session's settings, temporary tables or attached databases. */
  hasAlteredSession = false

  readonly #database: Sqlite.Database
  #young = new Map<string, PreparedStatement>()
  #old = new Map<string, PreparedStatement>()

  constructor(database: Sqlite.Database) {
    this.#database = database
  }

  get(sql: string): PreparedStatement {
    return this.#young.get(sql) ?? this.#renew(sql)
  }

  /** A statement that is kept for nobody else: while its rows are stepped through, it can run no second time. */
  own(sql: string): PreparedStatement {
    return this.#prepare(sql)
  }

  #renew(sql: string): PreparedStatement {
    const prepared = this.#old.get(sql) ?? this.#prepare(sql)
    if (this.#young.size === GENERATION_SIZE) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#old.delete(sql)
    this.#young.set(sql, prepared)
    return prepared
  }

  #prepare(sql: string): PreparedStatement {
    const text = sql.replace(LEADING_SPACE, '')
    // before the driver sees it: some pragmas take effect while they are prepared
    this.hasAlteredSession ||= !KEEPS_SESSION.test(text)
    const statement = this.#database.prepare<unknown[], unknown[]>(sql)
    return {
      statement: statement.reader ? statement.raw() : statement,
      returnsRows: statement.reader,
      writes: !statement.readonly,
      controls: /^(?:begin|commit|end|rollback|savepoint|release)\b/i.test(text),
      inserts: /^(?:insert|replace|with)\b/i.test(text),
      givesBigints: false,
    }
  }
}
