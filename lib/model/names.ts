/** `createdAt` → `created_at`, `HTTPServer` → `http_server`, `userID` → `user_id`: how a column is called unless said. */
export function snakeCase(name: string): string {
  return name
    .replace(/(\p{Lu}+)(\p{Lu}\p{Ll})/gu, '$1_$2')
    .replace(/([\p{Ll}\p{N}])(\p{Lu})/gu, '$1_$2')
    .toLowerCase()
}

/**
 * `OrderItem` → `order_items`: how a table is called unless said.
 *
 * The plural is made by three rules and knows no exceptions: a consonant and `y` become `ies`; `s`, `x`, `z`, `ch`
 * and `sh` take `es`; all else takes `s`. Say `table` for a `Person` or a `Series`.
 */
export function tableNameOf(className: string): string {
  return plural(snakeCase(className))
}

function plural(word: string): string {
  if (/[^aeiou_]y$/.test(word)) return `${word.slice(0, -1)}ies`
  return /(s|x|z|ch|sh)$/.test(word) ? `${word}es` : `${word}s`
}

/** PostgreSQL cuts longer names without a word (NAMEDATALEN − 1). */
const MAX_NAME_BYTES = 63

/** What keeps `name` from being a table, column, schema or constraint on every engine; undefined: nothing. */
export function databaseNameProblem(name: unknown): string | undefined {
  if (typeof name !== 'string') return `expected a name, got ${typeof name}`
  if (name === '') return 'a name cannot be empty'
  if (Buffer.byteLength(name) > MAX_NAME_BYTES) return `"${name}" is longer than ${MAX_NAME_BYTES} bytes`
  if (/["'`\\\p{Cc}\p{Cs}]/u.test(name)) return 'a name cannot hold quotes, backslashes or control characters'
  // the query compiler reads "a.b" as schema and table, "a as b" as table and alias
  if (name.includes('.')) return `"${name}" holds a dot; say the schema with the model's "schema" option`
  if (/ as /i.test(name) || name.trim() !== name) return `"${name}" cannot begin or end with a space or hold " as "`
  return undefined
}

/** Beginnings that the engines and the layer keep for tables and columns of their own. */
const RESERVED = /^(sqlite_|_latchwork_|__latchwork_|_lw_)/i

/** {@link databaseNameProblem}, for tables and columns. */
export function objectNameProblem(name: unknown): string | undefined {
  const problem = databaseNameProblem(name)
  if (problem !== undefined) return problem
  const reserved = RESERVED.exec(name as string)
  return reserved === null ? undefined : `names that begin with "${reserved[0]}" are reserved`
}

/** What keeps `name` from being a field, relation or model in code; undefined: nothing. */
export function codeNameProblem(name: unknown): string | undefined {
  if (typeof name !== 'string') return `expected a name, got ${typeof name}`
  if (name.startsWith('$')) return 'names that begin with "$" are operators'
  if (!/^[\p{ID_Start}_][\p{ID_Continue}$]*$/u.test(name)) return `"${name}" is not a name in JavaScript`
  if (name in Object.prototype || name === 'prototype') return `"${name}" belongs to every JavaScript object`
  return undefined
}
