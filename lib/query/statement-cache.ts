import { createHash } from 'node:crypto'
import { type Compilable, type Expression, ExpressionWrapper, ValueNode } from 'kysely'
import type { FieldDefinition } from '../model/model-definition.js'
import { Generations } from './generations.js'

class Slot {
  constructor(
    readonly index: number,
    readonly isRedacted: boolean,
  ) {}
}

/** What is known of a field that values are compared with. */
interface ComparedField {
  readonly checkComparison: (value: unknown) => string | undefined
  readonly encode: (value: unknown) => unknown
}

/** A value of a shape that the call said itself. */
interface ComparedValue {
  readonly index: number
  readonly field: ComparedField
  /** As the call said it. */
  readonly value: unknown
}

/**
 * The shape of a call beside its values: `key` is the same for every call that compiles to the same SQL,
 * `values` hold what differs, in the driver's form.
 */
export class StatementShape {
  key: string
  readonly values: unknown[] = []
  /** Where values come from that a filter compares with, in the order of the filter. */
  readonly compared: ComparedValue[] = []

  constructor(operation: string) {
    this.key = operation
  }

  /** Adds a value and gives its index, for {@link slot}. */
  add(value: unknown): number {
    return this.values.push(value) - 1
  }

  /** As {@link add}, for a checked value that a filter compares a field with. */
  addCompared(field: ComparedField, value: unknown): number {
    const index = this.add(field.encode(value))
    this.compared.push({ index, field, value })
    return index
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

/** One compiled statement a shape. */
export class StatementCache {
  readonly #statements = new Generations<CompiledStatement>()

  /** The statement of `shape`, made by `build` the first time. */
  get({ key, values }: StatementShape, build: () => Compilable): CompiledStatement {
    const known = this.#statements.get(key)
    if (known !== undefined) return known
    const statement = compile(build(), values.length)
    this.#statements.set(key, statement)
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
