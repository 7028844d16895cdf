import type { ColumnKind } from '../model/column-type.js'
import { isPlainObject } from '../model/value-kind.js'
import { type BoundField, type BoundModel, reboundValue } from './bound-model.js'
import { allOf, type Condition } from './condition.js'
import { inList } from './in-list.js'
import { keyText } from './key-text.js'
import { planOf, type QueryPlan, type SharableRead, type SharedReads } from './query-plan.js'
import { type PlainRow, readRow, type Selection } from './selection.js'
import { StatementShape } from './statement-cache.js'
import { whereExpression } from './where-expression.js'

/**
 * Kinds of keys of which a row tells whose it is: the text of the key that it holds is that of the key asked for. Other kinds match by
 * rules that only the database knows: `'A'` is `'a'` in some collations, and `1.5` is `1.50`.
 */
const SHARABLE_KINDS: ReadonlySet<ColumnKind> = new Set(['integer', 'bigint', 'uuid'])

/** What a read of one row comes to, once it is checked. */
interface RowRead {
  readonly operation: string
  readonly shape: StatementShape
  readonly condition: Condition
  readonly selection: Selection
}

/** The read as one that can go together with others; undefined: it has to go alone. `where` is what the caller said. */
export function sharableRead(model: BoundModel, where: unknown, read: RowRead): SharableRead<PlainRow | null> | undefined {
  const { shape, condition, selection } = read
  // with more in it the rest would hardly be the same for two calls
  if (!isPlainObject(where) || Object.keys(where).length !== 1 || selection.root.joined.length > 0) return undefined
  const key = condition.kind === 'and' ? condition.parts[0] : condition
  if (key?.kind !== 'compare' || key.operator !== '=' || key.value !== 0) return undefined
  if (!SHARABLE_KINDS.has(key.field.definition.type.kind)) return undefined
  // what is compared beside the key, the tenant, is told apart by its text
  if (shape.values.length > 1 && shape.values.some((value) => typeof value === 'object')) return undefined
  const others = condition.kind === 'and' ? condition.parts.slice(1) : []
  return { reads: new KeyReads(model, key.field, others, read), key: shape.values[0] }
}

class KeyReads implements SharedReads<PlainRow | null> {
  readonly values: readonly unknown[]
  readonly selection: Selection
  readonly #label: string
  /** Of the statement that reads one row. */
  readonly #shapeKey: string
  #name: string | undefined

  constructor(
    readonly model: BoundModel,
    readonly field: BoundField,
    /** What holds beside the key; its values follow that of the key in the shape. */
    readonly others: readonly Condition[],
    { operation, shape, selection }: RowRead,
  ) {
    this.#label = model.labelOf(operation)
    this.#shapeKey = `${shape.key}${selection.key}`
    this.values = shape.values
    this.selection = selection
  }

  get name(): string {
    this.#name ??= this.values
      .slice(1)
      .reduce((text: string, value) => `${text}\0${typeof value} ${value}`, `${this.#label} ${this.#shapeKey}`)
    return this.#name
  }

  textOf(key: unknown): string {
    return keyText([this.field], [key])
  }

  answerOf(values: readonly unknown[] | undefined): PlainRow | null {
    return values === undefined ? null : readRow(this.selection, values)
  }

  together(keys: readonly unknown[]): QueryPlan<ReadonlyMap<string, readonly unknown[]>> {
    const { model, field, others } = this
    const { references, exactIntegers } = this.selection
    const shape = new StatementShape(`${this.#shapeKey} of `)
    // the other conditions know their values by their places
    for (const value of this.values) shape.add(value)
    const condition = allOf([inList(model, field, keys, shape), ...others])
    return planOf(model, {
      operation: 'read',
      access: 'read',
      shape,
      exactIntegers: exactIntegers || field.exactIntegers,
      build: () => {
        const rows = model.compiler.selectFrom(model.table).select(references)
        return rows.select(field.reference as never).where(whereExpression(model, condition))
      },
      read: ({ rows }) => new Map(rows.map((values) => [this.textOf(reboundValue(field, values[references.length])), values])),
    })
  }
}
