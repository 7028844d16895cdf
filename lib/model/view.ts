import type { ModelClass } from './model-definition.js'

/** `Symbol.for`, so that a view may extend the class of another copy of the package. */
const VIEW = Symbol.for('latchwork.view.v1')

declare const viewKey: unique symbol

/**
 * The base class of a model that is read and never written: a view of the database, which its own SQL makes.
 *
 * Its nodes are those that read. `K` are the fields of its key, those with `@id`: only with one there are `read`, `readOrThrow`, `readMany`,
 * `stream` and cursors.
 *
 * ```ts
 * @model({ table: 'sales_by_day' })
 * class DailySales extends View<'day'> {
 *   @id.date() day!: string
 *   @field.decimal({ precision: 12, scale: 2 }) total!: string
 * }
 * ```
 */
export abstract class View<K extends string = never> {
  static readonly [VIEW] = true
  declare readonly [viewKey]: K
}

/** Whether a class is that of a view. */
export function isView(target: ModelClass): boolean {
  return (target as { readonly [VIEW]?: unknown })[VIEW] === true
}
