import { ExpressionWrapper, type OperationNode } from 'kysely'
import type { Dialect } from '../../dialect/dialect.js'
import { UnsupportedError, ValidationError } from '../../errors.js'
import type { BoundField, BoundModel } from '../bound-model.js'

/** The field that something stands for or against, where there is one and it is known. */
export type MaybeField = BoundField | null | undefined

/** Puts values of fields into the form in which the engine stores, compares and sorts them. */
export class FieldValues {
  readonly #dialect: Dialect
  readonly #modelOf: ReadonlyMap<BoundField, string>

  constructor(dialect: Dialect, models: Iterable<BoundModel>) {
    this.#dialect = dialect
    this.#modelOf = new Map([...models].flatMap(({ definition, fields }) => fields.map((field) => [field, definition.name] as const)))
  }

  /**
   * A value that stands against a field, in the driver's form.
   *
   * @throws {ValidationError} it is not of the field's type
   */
  encode(value: unknown, field: MaybeField): unknown {
    if (value === null || value === undefined || !field) return value
    const problem = field.checkComparison(value)
    if (problem === undefined) return field.encode(value)
    throw new ValidationError(this.#modelOf.get(field)!, 'kysely', [{ path: [field.name], message: problem }])
  }

  /** What is compared and sorted where the engine's own order is not that of the field's type. */
  ordered(node: OperationNode, field: MaybeField): OperationNode {
    if (!field) return node
    const value = new ExpressionWrapper(node)
    const ordered = this.#dialect.expressions.ordered(value, field.definition.type)
    return ordered === value ? node : ordered.toOperationNode()
  }

  /**
   * For functions that pick a value by the engine's own order.
   *
   * @throws {UnsupportedError} which is not that of decimals here
   */
  requireOwnOrder(func: string, node: OperationNode, field: MaybeField): void {
    if (field?.definition.type.kind !== 'decimal' || this.ordered(node, field) === node) return
    throw new UnsupportedError(`${func}() of a decimal`, this.#dialect.engine, 'order by it and take the first row')
  }
}

/** Whether values of both are read the same way. */
export function isSameType({ definition: one }: BoundField, { definition: other }: BoundField): boolean {
  return one.custom === other.custom && one.bigintMode === other.bigintMode && JSON.stringify(one.type) === JSON.stringify(other.type)
}
