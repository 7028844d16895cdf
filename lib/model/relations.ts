import { ModelError } from '../errors.js'
import { definitionOf } from './define-model.js'
import type { ModelDefinition, RelationDefinition } from './model-definition.js'

/**
 * Checks every relation of the models against the models it names: done once a database, when all classes are there.
 *
 * @throws {ModelError} a relation names a class that is no model, or a field that its model does not have
 */
export function checkRelations(definitions: readonly ModelDefinition[]): void {
  for (const definition of definitions) for (const relation of definition.relations) checkRelation(definition, relation)
}

/** These models, and those that their relations lead to, however far. */
export function withRelated(definitions: readonly ModelDefinition[]): readonly ModelDefinition[] {
  const all = new Set(definitions)
  // a set gives what is added to it while it is walked
  for (const { relations } of all) {
    for (const { target, through } of relations) {
      all.add(definitionOf(target()))
      if (through !== undefined) all.add(definitionOf(through()))
    }
  }
  return [...all]
}

function checkRelation(definition: ModelDefinition, relation: RelationDefinition): void {
  for (const [owner, fields] of fieldsOf(definition, relation)) {
    const missing = fields.find((field) => !owner.fieldByName.has(field))
    if (missing !== undefined) throw new ModelError(definition.name, relation.name, `${owner.name} has no field "${missing}"`)
  }
}

/** The fields that a relation names, with the models that should have them. */
function fieldsOf(definition: ModelDefinition, relation: RelationDefinition): readonly (readonly [ModelDefinition, readonly string[]])[] {
  const target = definitionOf(relation.target())
  const { kind, foreignKey, otherKey, references } = relation
  if (kind === 'belongsTo') return [[target, references]]
  if (kind === 'manyToMany') return [[definitionOf(relation.through!()), [...foreignKey, ...otherKey]]]
  return [
    [target, foreignKey],
    [definition, references],
  ]
}
