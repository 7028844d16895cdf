import type { FieldOptions, FieldSpec } from '../lib/model/field-spec.js'
import type { Refusal } from './field-decorator.js'
import { type FieldKinds, fieldKinds } from './field-kinds.js'
import {
  type Declared,
  type PropertyPlace,
  type PropertyTarget,
  propertyDecorator,
  refuseBareUse,
  type Said,
} from './property-decorator.js'

/** What a compiler can write down of a property's type. */
export type Inferable = string | boolean | Date | bigint | Uint8Array

/** Options of a field whose kind is taken from the compiler; null it does not write down. */
export type InferredOptions = FieldOptions<never, never, Inferable | (() => Inferable)>

declare const advice: unique symbol

/** Stands in a compiler's message where `@field()` cannot know the kind. */
export interface SayTheKind<Advice extends string> {
  readonly [advice]: Advice
}

/** A decorator for a property whose declared type says the kind of its field. */
export type InferredDecorator = <O extends PropertyTarget, A extends PropertyPlace>(
  target: O,
  property: A &
    (A extends string
      ? Refusal<Declared<O, A>, Inferable, false, 'caller', false>
      : SayTheKind<'standard decorators know no types: write @field.text(), @field.boolean(), …'>),
) => void

/** See {@link field}. */
export interface Field extends FieldKinds {
  (options?: InferredOptions): InferredDecorator
}

/**
 * A column: `@field.text()`, `@field.integer()`, and so on; the property must be declared as the type it stores.
 *
 * Bare `@field()` takes the kind from the compiler, which needs legacy decorators with `emitDecoratorMetadata` and a
 * non-null `string`, `boolean`, `Date`, `bigint` or `Uint8Array`; for all else the model is refused.
 */
export const field: Field = Object.assign(inferredField, fieldKinds())

function inferredField(...given: [options?: InferredOptions]): InferredDecorator {
  refuseBareUse('field', given)
  return propertyDecorator(({ designType }) => inferred(designType, given[0]))
}

const KINDS = new Map<unknown, FieldSpec['kind']>([
  [String, 'text'],
  [Boolean, 'boolean'],
  [Date, 'timestamp'],
  [BigInt, 'bigint'],
  [Uint8Array, 'bytes'],
])

function inferred(designType: unknown, options: InferredOptions | undefined): Said {
  const kind = KINDS.get(designType)
  if (kind !== undefined) return { field: { ...options, kind } as FieldSpec }
  if (designType === Number) return { problem: 'the compiler says only "number"; write @field.integer() or @field.float()' }
  const what = designType === undefined ? 'the compiler says nothing of its type' : 'the compiler says too little of its type'
  return { problem: `${what}; name the kind, such as @field.text(), with nullable: true for "| null"` }
}
