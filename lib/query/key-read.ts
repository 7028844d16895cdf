import type { ColumnKind } from '../model/column-type.js'
import { isPlainObject } from '../model/value-kind.js'
import { type BoundField, type BoundModel, reboundValue } from './bound-model.js'
import { allOf, type Condition } from './condition.js'
import { inList } from './in-list.js'
import { keyText } from './key-text.js'
import { planOf, type QueryPlan, type SharableRead } from './query-plan.js'
import type { Selection } from './selection.js'
import { StatementShape } from './statement-cache.js'
import { whereExpression } from './where-expression.js'

/**
 * Kinds of keys of which a row tells whose it is: the text of the key that it holds is that of the key asked for. Other kinds match by
 * rules that only the database knows: `'A'` is `'a'` in some collations, and `1.5` is `1.50`.
 */
const SHARABLE_KINDS: ReadonlySet<ColumnKind> = new Set(['integer', 'bigint', 'uuid'])

/** What a read of one row comes to, once it is checked. */
interface RowRead {
  readonly shape: StatementShape
  readonly condition: Condition
  readonly selection: Selection
}

/** The read as one that can go together with others; undefined: it has to go alone. `where` is what the caller said. */
export function sharableRead(model: BoundModel, where: unknown, read: RowRead): SharableRead | undefined {
  const { shape, condition, selection } = read
  // with more in it the rest would hardly be the same for two calls
  if (!isPlainObject(where) || Object.keys(where).length !== 1 || selection.root.joined.length > 0) return undefined
  const parts = condition.kind === 'and' ? condition.parts : [condition]
  const [key] = parts
  if (key?.kind !== 'compare' || key.operator !== '=' || key.value !== 0) return undefined
  if (!SHARABLE_KINDS.has(key.field.definition.type.kind)) return undefined
  // what is compared beside the key, the tenant, is told apart by its text
  if (shape.values.length > 1 && shape.values.some((value) => typeof value === 'object')) return undefined
  return new KeyRead(model, key.field, parts.slice(1), read)
}

class KeyRead implements SharableRead {
  constructor(
    readonly model: BoundModel,
    readonly field: BoundField,
    /** What holds beside the key; its values follow that of the key in the shape. */
    readonly others: readonly Condition[],
    readonly read: RowRead,
  ) {}

  get group(): string {
    const { key, values } = this.read.shape
    if (values.length === 1) return key
    return values.reduce((text: string, value, index) => (index === 0 ? text : `${text}\0${typeof value} ${value}`), key)
  }

  get key(): unknown {
    return this.read.shape.values[0]
  }

  get keyText(): string {
    return keyText([this.field], [this.key])
  }

  together(keys: readonly unknown[]): QueryPlan<ReadonlyMap<string, readonly unknown[]>> {
    const { model, field, read, others } = this
    const { references, exactIntegers } = read.selection
    const shape = new StatementShape(`${read.shape.key} of `)
    // the other conditions know their values by their places
    for (const value of read.shape.values) shape.add(value)
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
      read: (result) => {
        const found = new Map<string, readonly unknown[]>()
        for (const values of result.rows) found.set(keyText([field], [reboundValue(field, values[references.length])]), values)
        return found
      },
    })
  }
}
