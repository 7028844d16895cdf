/** An error as the server sent it, in the driver's form. */
export interface ServerError extends Error {
  readonly errno: number
  readonly sqlState: string
  /** The same as the message; may hold values. */
  readonly sqlMessage: string
  /** The statement, with its placeholders. */
  readonly sql?: string
  /** Of a lock wait that ran out, set by our client: the server rolled back the whole transaction, not the statement alone. */
  readonly endsTransaction?: boolean
}

/** What the text of an error names. */
interface ErrorNames {
  /** The database that the table stands in; empty: the connection's own. */
  readonly schema?: string | undefined
  readonly table?: string | undefined
  readonly constraint?: string | undefined
  readonly column?: string | undefined
}

type NameReader = (message: string) => ErrorNames

/** Where each message has its names. Source: the servers' English messages (MySQL 8.0 error reference, MariaDB 10.11 `errmsg-utf8.txt`). */
const READERS: ReadonlyMap<number, NameReader> = new Map([
  // Duplicate entry '%s' for key '%s'
  ...readers([1062, 1586], (message) => keyNames(lastQuoted(message, "for key '"))),
  // … a foreign key constraint fails (`db`.`table`, CONSTRAINT `name` FOREIGN KEY …)
  ...readers([1451, 1452], (message) => ({
    ...tableAt(identifiersAfter(message, 'constraint fails (')),
    constraint: identifiersAfter(message, 'CONSTRAINT ')[0],
  })),
  // CONSTRAINT `name` failed for `db`.`table`; the name is `table.column` for a check written in a column
  ...readers([4025], (message) => {
    const place = tableAt(identifiersAfter(message, ' failed for '))
    const { table } = place
    const name = identifiersAfter(message, 'CONSTRAINT ')[0]
    return table !== undefined && name?.startsWith(`${table}.`)
      ? { ...place, column: name.slice(table.length + 1) }
      : { ...place, constraint: name }
  }),
  // Check constraint '%s' is violated.
  ...readers([3819], (message) => ({ constraint: firstQuoted(message, "constraint '") })),
  // Column '%s' cannot be null
  ...readers([1048], (message) => ({ column: firstQuoted(message, "Column '") })),
  // Field '%s' doesn't have a default value
  ...readers([1364], (message) => ({ column: firstQuoted(message, "Field '") })),
  // … for column '%s' at row 1, on MariaDB also … for column `db`.`table`.`column` at row 1; a value may come before
  ...readers([1264, 1265, 1292, 1366, 1406], columnNames),
])

function readers(errnos: readonly number[], read: NameReader): [number, NameReader][] {
  return errnos.map((errno) => [errno, read])
}

/** The constraint, table and column that an error speaks of: from its message, the table, or its database, else from the statement. */
export function namesIn({ errno, message, sql }: ServerError): ErrorNames {
  const names = READERS.get(errno)?.(message) ?? {}
  if (names.schema !== undefined || sql === undefined) return names
  const written = writtenTable(sql)
  return names.table === undefined || names.table === written.table ? { ...names, ...written } : names
}

/** The table at the end of a path such as `db`.`table`. */
function tableAt(path: readonly string[]): Pick<ErrorNames, 'schema' | 'table'> {
  return path.length === 0 ? {} : { schema: path.at(-2) ?? '', table: path.at(-1) }
}

// MySQL puts the table before the key's name since 8.0.19
function keyNames(name: string | undefined): ErrorNames {
  const dot = name?.indexOf('.') ?? -1
  return name === undefined || dot === -1 ? { constraint: name } : { table: name.slice(0, dot), constraint: name.slice(dot + 1) }
}

function columnNames(message: string): ErrorNames {
  const marker = 'for column '
  const at = message.lastIndexOf(marker)
  if (at === -1) return {}
  const rest = message.slice(at + marker.length)
  if (rest.startsWith('`')) {
    const path = identifiersAfter(rest, '')
    return { ...tableAt(path.slice(0, -1)), column: path.at(-1) }
  }
  return { column: firstQuoted(rest, "'") }
}

function firstQuoted(message: string, marker: string): string | undefined {
  const at = message.indexOf(marker)
  if (at === -1) return undefined
  const start = at + marker.length
  const end = message.indexOf("'", start)
  return end === -1 ? undefined : message.slice(start, end)
}

// from the end of the message, since a value that comes before may hold anything, the marker too
function lastQuoted(message: string, marker: string): string | undefined {
  const at = message.lastIndexOf(marker)
  if (at === -1 || !message.endsWith("'")) return undefined
  return message.slice(at + marker.length, -1)
}

// `a`.`b`.`c` behind the marker; a backtick within a name is written twice
const IDENTIFIER = /\.?`((?:[^`]|``)*)`/y

function identifiersAfter(message: string, marker: string): string[] {
  const at = message.indexOf(marker)
  const names: string[] = []
  if (at === -1) return names
  IDENTIFIER.lastIndex = at + marker.length
  for (let match = IDENTIFIER.exec(message); match !== null; match = IDENTIFIER.exec(message)) names.push(match[1]!.replaceAll('``', '`'))
  return names
}

const WRITES = /^\s*(?:insert|replace|update)\s+(?:ignore\s+)?(?:into\s+)?(?=`)/i

function writtenTable(sql: string): Pick<ErrorNames, 'schema' | 'table'> {
  const start = WRITES.exec(sql)?.[0]
  return start === undefined ? {} : tableAt(identifiersAfter(sql, start))
}
