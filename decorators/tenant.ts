import type { BigintMode } from '../lib/model/column-type.js'
import type { BigintForm, FieldSpec } from '../lib/model/field-spec.js'
import { type FieldDecorator, fieldDecorator } from './field-decorator.js'
import type { BigintValue } from './field-kinds.js'
import { refuseBareUse } from './property-decorator.js'
import type { RoleOptions } from './role.js'

/** See {@link tenant}. */
export interface Tenant {
  /** A `Generated<number>` of 32 bits. */
  (kind?: 'integer', options?: RoleOptions): FieldDecorator<number, false, 'layer'>
  /** A `Generated<bigint>`, or what `as` says. */
  <M extends BigintMode = 'bigint'>(kind: 'bigint', options?: RoleOptions & BigintForm<M>): FieldDecorator<BigintValue<M>, false, 'layer'>
  /** A `Generated<string>`. */
  (kind: 'uuid', options?: RoleOptions): FieldDecorator<string, false, 'layer'>
  /** A `Generated<string>` of at most so many characters. */
  (kind: 'text', options: RoleOptions & { readonly maxLength: number }): FieldDecorator<string, false, 'layer'>
}

/**
 * Whose a row is: `@tenant() orgId!: Generated<number>`. Written by the layer and asked for in every statement of the model's nodes, by the
 * tenant of `db.withTenant` around the call; without one the call is refused. Has an index of its own.
 */
export const tenant: Tenant = (kind: 'integer' | 'bigint' | 'uuid' | 'text' = 'integer', options: object = {}) => {
  refuseBareUse('tenant', [kind, options])
  return fieldDecorator({ ...options, kind, role: 'tenant' } as FieldSpec)
}
