/** One statement of a schema change. */
export interface DdlStatement {
  readonly sql: string
  /**
   * It has a transaction of its own where the engine's DDL has one: what comes after needs it committed, or it takes long and would keep
   * others waiting on the locks that came before.
   */
  readonly ownTransaction?: true
  /**
   * A table that is made anew: `sql` is two statements, `CREATE TABLE "__latchwork_new_<table>"` and the `INSERT … SELECT` that fills it.
   * Whoever runs it puts the new table in the place of the old one, with its indexes, triggers and views.
   */
  readonly rebuild?: string
}

/** The SQL of statements that need nothing but to be run, one after the other. */
export function plainSql(statements: readonly DdlStatement[]): readonly string[] {
  return statements.map(({ sql, rebuild }) => {
    if (rebuild !== undefined) throw new TypeError(`the rebuild of "${rebuild}" is more than a statement`)
    return sql
  })
}

/** Statements that need nothing said of them. */
export function statements(...sql: readonly string[]): readonly DdlStatement[] {
  return sql.map((each) => ({ sql: each }))
}
