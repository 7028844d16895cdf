import type { BigintMode } from '../lib/model/column-type.js'
import type { BigintForm, FieldOptions, FieldSpec } from '../lib/model/field-spec.js'
import { uuid7 } from '../lib/model/uuid7.js'
import { type FieldDecorator, fieldDecorator } from './field-decorator.js'
import { type BigintValue, type FieldKinds, fieldKinds } from './field-kinds.js'
import { refuseBareUse } from './property-decorator.js'

/** What a generated key takes. */
export type IdOptions = Pick<FieldOptions<never>, 'column' | 'comment' | 'renamedFrom'>

/** A key holds no null and needs no index of its own. */
interface KeyLimit {
  readonly nullable?: false
  readonly unique?: never
  readonly index?: never
  readonly redacted?: never
}

/** See {@link id}. */
export interface Id extends Omit<FieldKinds<KeyLimit>, 'json' | 'array' | 'float' | 'bytes'> {
  /** The database's own 32-bit counter: a `Generated<number>`. */
  (kind?: 'integer', options?: IdOptions): FieldDecorator<number, false, 'layer'>
  /** The database's own 64-bit counter: a `Generated<bigint>`, or what `as` says. */
  <M extends BigintMode = 'bigint'>(kind: 'bigint', options?: IdOptions & BigintForm<M>): FieldDecorator<BigintValue<M>, false, 'layer'>
  /** A UUID of version 7, made here, so that later keys sort later: a `Generated<string>`. */
  (kind: 'uuid7', options?: IdOptions): FieldDecorator<string, false, 'default'>
}

/**
 * The primary key: `@id()` counted by the database, `@id('bigint')`, `@id('uuid7')` made here; or a natural key,
 * such as `@id.text({ maxLength: 2 })`. Several make a composite key, in order of declaration.
 */
export const id: Id = Object.assign(generatedId, fieldKinds({ primary: true }))

function generatedId(kind: 'integer' | 'bigint' | 'uuid7' = 'integer', options: IdOptions = {}): ReturnType<typeof fieldDecorator> {
  refuseBareUse('id', [kind, options])
  const own = kind === 'uuid7' ? { kind: 'uuid', default: uuid7 } : { kind, increment: true }
  return fieldDecorator({ ...options, primary: true, ...own } as FieldSpec)
}
