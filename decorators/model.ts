import { ModelError } from '../lib/errors.js'
import { defineLooseModel } from '../lib/model/define-model.js'
import type { FieldSpec } from '../lib/model/field-spec.js'
import type { ModelClass } from '../lib/model/model-definition.js'
import type { RelationSpec, TableOptions } from '../lib/model/model-options.js'
import type { FieldName } from '../lib/model/row-types.js'
import { collected, type Member } from './metadata.js'
import type { UnknownField } from './property-decorator.js'

/** A decorator for a class that has the fields `F`. */
export type ModelDecorator<F extends string> = <C extends ModelClass>(
  target: C & ([F] extends [FieldName<InstanceType<C>>] ? unknown : UnknownField<Exclude<F, FieldName<InstanceType<C>>>>),
  context?: ClassDecoratorContext<C>,
) => void

/**
 * Makes a class a model: checks and freezes what the decorators on its properties, and on those of its base classes, said.
 *
 * @throws {ModelError} when the class is evaluated, if the model contradicts itself
 */
export function model<const F extends string = never>(options: TableOptions<F> = {}): ModelDecorator<F> {
  if (typeof options === 'function') throw new ModelError((options as ModelClass).name, undefined, 'write @model(), with brackets')
  return (target: ModelClass, context?: { readonly metadata: object | undefined }) => {
    const members = membersOf(target, context?.metadata)
    defineLooseModel(target, { ...options, ...members })
  }
}

function membersOf(target: ModelClass, metadata: object | undefined) {
  // without a prototype, so that a property called __proto__ is refused by name rather than lost
  const fields: Record<string, FieldSpec> = Object.create(null)
  const relations: Record<string, RelationSpec> = Object.create(null)
  for (const list of collected(target, metadata)) {
    for (const member of inOneClass(target, list)) {
      const { property } = member
      // a base's field keeps its place when a subclass says it anew; a relation may take a field's place, and the other way round
      if ('field' in member) {
        delete relations[property]
        fields[property] = member.field
      } else {
        delete fields[property]
        relations[property] = member.relation
      }
    }
  }
  return { fields, relations }
}

function inOneClass(target: ModelClass, members: readonly Member[]): readonly Exclude<Member, { readonly problem: string }>[] {
  const seen = new Set<string>()
  return members.map((member) => {
    if ('problem' in member) throw new ModelError(target.name, member.property, member.problem)
    if (seen.has(member.property))
      throw new ModelError(target.name, member.property, 'has two decorators that each make a field or relation')
    seen.add(member.property)
    return member
  })
}
