import { createHash } from 'node:crypto'
import { type Compilable, type Expression, ExpressionWrapper, ValueNode } from 'kysely'
import type { FieldDefinition } from '../model/model-definition.js'

class Slot {
  constructor(
    readonly index: number,
    readonly isRedacted: boolean,
  ) {}
}

/**
 * The shape of a call beside its values: `key` is the same for every call that compiles to the same SQL,
 * `values` hold what differs, in the driver's form.
 */
export class StatementShape {
  key: string
  readonly values: unknown[] = []

  constructor(operation: string) {
    this.key = operation
  }

  /** Adds a value and gives its index, for {@link slot}. */
  add(value: unknown): number {
    return this.values.push(value) - 1
  }

  /** Another statement with the same values, so that what was built with their slots fits it too. */
  followedBy(suffix: string): StatementShape {
    const shape = new StatementShape(`${this.key} ${suffix}`)
    for (const value of this.values) shape.values.push(value)
    return shape
  }
}

/** What stands for the value at `index` in a statement that is being built; with `of`, a value of that field. */
export function slot(index: number, of?: { readonly definition: FieldDefinition }): Expression<unknown> {
  return new ExpressionWrapper(ValueNode.create(new Slot(index, of?.definition.redacted === true)))
}

/** SQL compiled once, and where its bound values come from. */
interface CompiledStatement {
  readonly sql: string
  /** The same for the same SQL: what the statement is called where a connection keeps it prepared. */
  readonly name: string
  /** See {@link Statement.redacted}. */
  readonly redacted: ReadonlySet<number> | undefined
  /** A call's values in the order in which the SQL takes them. */
  bind(values: readonly unknown[]): readonly unknown[]
}

/** Most shapes in one generation: more than an application writes, a bound for one that builds filters freely. */
const GENERATION_SIZE = 500

/** One compiled statement a shape. Two generations: a shape that was not asked for during a whole one is forgotten. */
export class StatementCache {
  #young = new Map<string, CompiledStatement>()
  #old = new Map<string, CompiledStatement>()

  /** The statement of `shape`, made by `build` the first time. */
  get(shape: StatementShape, build: () => Compilable): CompiledStatement {
    return this.#young.get(shape.key) ?? this.#add(shape.key, this.#old.get(shape.key) ?? compile(build(), shape.values.length))
  }

  #add(key: string, statement: CompiledStatement): CompiledStatement {
    if (this.#young.size >= GENERATION_SIZE) {
      this.#old = this.#young
      this.#young = new Map()
    }
    this.#young.set(key, statement)
    return statement
  }
}

function compile(query: Compilable, valueCount: number): CompiledStatement {
  const { sql, parameters } = query.compile()
  const name = `lw_${createHash('sha256').update(sql).digest('base64url').slice(0, 22)}`
  const isInOrder =
    parameters.length === valueCount && parameters.every((parameter, position) => parameter instanceof Slot && parameter.index === position)
  const redacted = redactedIn(parameters)
  // a shape adds its values in the order of the SQL wherever it can, so that binding is nothing at all
  if (isInOrder) return { sql, name, redacted, bind: (values) => values }
  return {
    sql,
    name,
    redacted,
    bind: (values) => parameters.map((parameter) => (parameter instanceof Slot ? values[parameter.index] : parameter)),
  }
}

function redactedIn(parameters: readonly unknown[]): ReadonlySet<number> | undefined {
  const positions = parameters.flatMap((parameter, position) => (parameter instanceof Slot && parameter.isRedacted ? [position] : []))
  return positions.length === 0 ? undefined : new Set(positions)
}
