/** SQLite's messages that name things of the schema or of the statement's form, and never a value. */
const NAMES_ONLY: readonly RegExp[] = [
  /^no such (?:table|column|index|view|trigger|function|savepoint|collation sequence|module|window|database): \S+$/,
  /^near "[A-Za-z_(),.;*=<>+-]+": syntax error$/,
  /^incomplete input$/,
  /^ambiguous column name: \S+$/,
  /^table \S+ has no column named \S+$/,
  /^table \S+ has \d+ columns but \d+ values were supplied$/,
  /^\d+ values for \d+ columns$/,
  /^(?:table|index|view|trigger) \S+ already exists$/,
  /^there is already (?:a table|an index) named \S+$/,
  /^foreign key mismatch - "\S+" referencing "\S+"$/,
  /^ON CONFLICT clause does not match any PRIMARY KEY or UNIQUE constraint$/,
  /^wrong number of arguments to function [\w()]+$/,
  /^misuse of (?:aggregate|window function):? [\w()]+$/,
  /^cannot (?:start a transaction within a transaction|(?:commit|rollback) - no transaction is active)$/,
  /^cannot modify \S+ because it is a view$/,
  /^LIKE or GLOB pattern too complex$/,
  /^too many (?:SQL variables|terms in .*|columns .*|attached databases.*)$/,
  /^integer overflow$/,
]

/** The message, if it is of a kind that cannot hold a value; else undefined. */
export function withoutLiterals(message: string): string | undefined {
  return NAMES_ONLY.some((pattern) => pattern.test(message)) ? message : undefined
}
