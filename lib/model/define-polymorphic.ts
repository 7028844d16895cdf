import { ModelError } from '../errors.js'
import { checkRelationName, type RelationOwner } from './define-relation.js'
import { givenOptions, suggestion } from './known-options.js'
import type { PolymorphicChoice, PolymorphicDefinition, RelationDefinition } from './model-definition.js'

const OPTIONS = ['kind', 'of', 'nullable']

/** A relation as the model's options have it. */
type Entry = readonly [name: string, spec: unknown]

/** Whether a relation's plain data is that of a choice among others. */
export function isPolymorphic([, spec]: Entry): boolean {
  return typeof spec === 'object' && spec !== null && (spec as { kind?: unknown }).kind === 'polymorphic'
}

/**
 * The checked choices among a model's relations.
 *
 * @throws {ModelError} one names what is no belongsTo, or keys that cannot be held to one of them
 */
export function definePolymorphics(
  owner: RelationOwner,
  relations: readonly RelationDefinition[],
  given: readonly Entry[],
): readonly PolymorphicDefinition[] {
  const polymorphics = given.map(([name, spec]) => definePolymorphic(owner, relations, name, spec))
  const ownerOf = new Map<string, string>()
  for (const { name, choices } of polymorphics) {
    for (const { relation } of choices) {
      const other = ownerOf.get(relation)
      if (other !== undefined) throw new ModelError(owner.model, name, `"${relation}" is a choice of "${other}" already`)
      ownerOf.set(relation, name)
    }
  }
  return Object.freeze(polymorphics)
}

function definePolymorphic(
  owner: RelationOwner,
  relations: readonly RelationDefinition[],
  name: string,
  spec: unknown,
): PolymorphicDefinition {
  const { model, fields } = owner
  checkRelationName(model, fields, name)
  const { of, nullable } = givenOptions(model, name, spec, OPTIONS)
  if (nullable !== undefined && typeof nullable !== 'boolean')
    throw new ModelError(model, name, `nullable: expected a boolean, got ${typeof nullable}`)
  const choices = namesOf(model, name, of).map((each) => choiceOf(owner, relations, name, each, nullable === true))
  refuseTiedKeys(model, name, choices)
  return Object.freeze({ name, choices: Object.freeze(choices), nullable: nullable === true })
}

function namesOf(model: string, name: string, of: unknown): readonly string[] {
  if (!Array.isArray(of) || of.length < 2 || !of.every((each) => typeof each === 'string'))
    throw new ModelError(model, name, 'of: expected a list of at least two relations')
  const twice = of.find((each, position) => of.indexOf(each) !== position)
  if (twice !== undefined) throw new ModelError(model, name, `of: names "${twice}" twice`)
  return of
}

function choiceOf(
  { model, fields }: RelationOwner,
  relations: readonly RelationDefinition[],
  name: string,
  chosen: string,
  nullable: boolean,
): PolymorphicChoice {
  const relation = relations.find((each) => each.name === chosen)
  if (relation === undefined) {
    const known = relations.filter(({ kind }) => kind === 'belongsTo').map((each) => each.name)
    throw new ModelError(model, name, `of: "${chosen}" is no relation of ${model}${suggestion(chosen, known)}`)
  }
  if (relation.kind !== 'belongsTo') throw new ModelError(model, name, `of: "${chosen}" is a ${relation.kind}, and has to be a belongsTo`)
  const keyFields = relation.foreignKey.filter((field) => fields.get(field)!.nullable)
  if (keyFields.length === 0)
    throw new ModelError(model, name, `of: every row has a "${chosen}": make ${relation.foreignKey.join(' or ')} nullable`)
  const hasDefaults = keyFields.every((field) => ['value', 'sql'].includes(fields.get(field)!.default?.kind ?? ''))
  const clears = [relation.onDelete, relation.onUpdate].find((action) => action === 'setNull' || (action === 'setDefault' && !hasDefaults))
  if (!nullable && clears !== undefined)
    throw new ModelError(model, name, `${clears} of "${chosen}" would leave a row with none: say another action, or nullable: true`)
  return Object.freeze({ relation: chosen, keyFields: Object.freeze(keyFields) })
}

/** Of two relations, one may not be chosen whenever the other is. */
function refuseTiedKeys(model: string, name: string, choices: readonly PolymorphicChoice[]): void {
  for (const { relation, keyFields } of choices) {
    const wider = choices.find((other) => other.relation !== relation && keyFields.every((field) => other.keyFields.includes(field)))
    if (wider !== undefined)
      throw new ModelError(model, name, `"${wider.relation}" is never set without "${relation}": give them fields of their own`)
  }
}
