import type { FieldOptions, FieldSpec } from '../lib/model/field-spec.js'
import { type FieldDecorator, fieldDecorator } from './field-decorator.js'
import { refuseBareUse } from './property-decorator.js'

/** What a field takes that the layer keeps. */
export type RoleOptions = Pick<FieldOptions<never>, 'column' | 'comment' | 'renamedFrom' | 'index'>

/** The instant the row was created: a `Generated<Date>`. */
export function createdAt(...given: [options?: RoleOptions]): FieldDecorator<Date, false, 'layer'> {
  return roleDecorator('createdAt', { kind: 'timestamp', role: 'createdAt' }, given)
}

/** The instant the row was last changed: a `Generated<Date>`. */
export function updatedAt(...given: [options?: RoleOptions]): FieldDecorator<Date, false, 'layer'> {
  return roleDecorator('updatedAt', { kind: 'timestamp', role: 'updatedAt' }, given)
}

/** A number that each change raises, from 1; an update that names another is refused: a `Generated<number>`. */
export function version(...given: [options?: RoleOptions]): FieldDecorator<number, false, 'layer'> {
  return roleDecorator('version', { kind: 'integer', role: 'version' }, given)
}

/** When the row was deleted: it stays in the table and out of sight. A `Generated<Date | null>`. */
export function deletedAt(...given: [options?: RoleOptions]): FieldDecorator<Date, true, 'layer'> {
  return roleDecorator('deletedAt', { kind: 'timestamp', role: 'deletedAt', nullable: true }, given)
}

function roleDecorator(name: string, own: FieldSpec, given: readonly [options?: RoleOptions]): ReturnType<typeof fieldDecorator> {
  refuseBareUse(name, given)
  return fieldDecorator({ ...given[0], ...own } as FieldSpec)
}
