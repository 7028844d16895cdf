/** A database from outside of it. */
export interface DatabaseTarget {
  /** Of SQLite the file, absolute. */
  readonly name: string
  /** As the connection says it; a path is a socket. Undefined: it is no server's. */
  readonly host: string | undefined
}

/** How a database was dropped and made anew; or that it was not. */
export interface Recreation {
  readonly wasThere: boolean
  /** Who else is connected to it, in words: where there is one, nothing was dropped. */
  readonly sessions: readonly string[]
}

/** `session 42 (psql, ada, 127.0.0.1)` */
export function sessionText(id: unknown, ...about: readonly unknown[]): string {
  const known = about.filter((part) => part !== null && part !== undefined && part !== '')
  return `session ${String(id)}${known.length === 0 ? '' : ` (${known.join(', ')})`}`
}
