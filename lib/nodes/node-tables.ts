/** Which tables a node reads and writes, as far as that is known without running it; by their names in the database. */
export interface NodeTables {
  readonly reads: readonly string[]
  readonly writes: readonly string[]
}

interface KnownNode {
  readonly tables: NodeTables
  /** The first statement that an input makes it send; undefined where that depends on more than the input, or the input is refused. */
  readonly statementFor: ((input: unknown) => string | undefined) | undefined
}

const known = new WeakMap<object, KnownNode>()

/** Undefined of a node that is a function of the application's. */
export function tablesOf(node: object): NodeTables | undefined {
  return known.get(node)?.tables
}

/** The text of the first statement that a node would send for an input; nothing is sent. */
export function statementFor(node: object, input: unknown): string | undefined {
  return known.get(node)?.statementFor?.(input)
}

export function rememberTables(node: object, tables: NodeTables, statementFor?: (input: unknown) => string | undefined): void {
  known.set(node, { tables, statementFor })
}
