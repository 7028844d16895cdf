import { definitionOf } from './define-model.js'
import { isInputField } from './field-input.js'
import {
  assignmentSchema,
  conditionsSchema,
  directionSchema,
  fieldSchema,
  filterSchema,
  type JsonSchema,
  objectSchema,
  orNull,
  valueSchema,
} from './field-json-schema.js'
import { hasExtremes, hasSum, isDistinct } from './field-traits.js'
import { normaliseFieldValue, toJsonValue } from './field-type.js'
import type { FieldDefinition, ModelDefinition, RelationDefinition } from './model-definition.js'

const COUNT = { type: 'integer', minimum: 0 }
const TEXT = { type: 'string' }
const OPEN = { type: 'object' }

/** One JSON Schema of a model in the making, with the definitions that it refers to. */
export class SchemaDocument {
  readonly #definitions: Record<string, JsonSchema> = {}
  readonly #conditionTexts: string[] = []

  constructor(readonly model: ModelDefinition) {}

  finish(schema: JsonSchema): JsonSchema {
    const definitions = Object.keys(this.#definitions).length === 0 ? {} : { $defs: this.#definitions }
    return { $schema: 'https://json-schema.org/draft/2020-12/schema', ...schema, ...definitions }
  }

  /** A row as it is read. */
  row(): JsonSchema {
    return this.#define('row', () => {
      const relations = this.#relations((target, isMany) => (isMany ? listOf(this.#relatedRow(target)) : orNull(this.#relatedRow(target))))
      const polymorphics = this.#polymorphics((choices) => {
        const chosen = Object.entries(choices).map(([name, target]) =>
          objectSchema({ type: { const: name }, row: this.#relatedRow(target) }, ['type', 'row']),
        )
        return { anyOf: [...chosen, { type: 'null' }] }
      })
      const properties = { ...this.#properties(shown(this.model), fieldSchema), ...relations, ...polymorphics }
      const schema = objectSchema(properties, namesOf(shown(this.model)))
      return this.model.comment === undefined ? schema : { ...schema, description: this.model.comment }
    })
  }

  create(): JsonSchema {
    return this.#define('create', () => {
      const fields = this.model.fields.filter(isInputField)
      return objectSchema(this.#properties(fields, inputSchema(withDefault)), requiredOf(this.model, namesOf(fields)))
    })
  }

  newRows(): JsonSchema {
    return listOf(this.create())
  }

  /** A row to create, with rows of its relations. */
  newRow(): JsonSchema {
    return this.#define('newRow', () => {
      const related = madeWith(this.model).map((relation) => [relation.name, this.#relatedNewRow(relation)])
      const owners = madeWith(this.model).filter(
        ({ kind, foreignKey }) => kind === 'belongsTo' && requiredOf(this.model, foreignKey).length > 0,
      )
      const keys = owners.map(({ name, foreignKey }) => ({
        oneOf: [{ required: requiredOf(this.model, foreignKey) }, { required: [name] }],
      }))
      const row = this.#newFields(this.model, Object.fromEntries(related), [])
      return keys.length === 0 ? row : { ...row, allOf: keys }
    })
  }

  /** Rows made with the one that has the relation; what they may have with them in turn is left open. */
  #relatedNewRow({ name, kind, target, foreignKey }: RelationDefinition): JsonSchema {
    const model = definitionOf(target())
    const row = this.#define(`${name}NewRow`, () => {
      const open = Object.fromEntries(madeWith(model).map((relation) => [relation.name, {}]))
      return this.#newFields(model, open, kind === 'hasOne' || kind === 'hasMany' ? foreignKey : [])
    })
    return kind === 'hasMany' || kind === 'manyToMany' ? listOf(row) : row
  }

  /** The fields of a new row but for those that it takes from the row around it. */
  #newFields(model: ModelDefinition, relations: Readonly<Record<string, JsonSchema>>, taken: readonly string[]): JsonSchema {
    const fields = model.fields.filter((field) => isInputField(field) && !taken.includes(field.name))
    const keys = model.relations.flatMap(({ kind, foreignKey }) => (kind === 'belongsTo' ? foreignKey : []))
    const required = requiredOf(
      model,
      namesOf(fields).filter((name) => !keys.includes(name)),
    )
    return objectSchema({ ...this.#properties(fields, inputSchema(withDefault)), ...relations }, required)
  }

  set(): JsonSchema {
    return this.#define('set', () => {
      const fields = this.model.fields.filter(isInputField)
      return { ...objectSchema(this.#properties(fields, inputSchema(assignmentSchema))), minProperties: 1 }
    })
  }

  /** As {@link newRows}, where what is there already is compared with them. */
  comparedRows(): JsonSchema {
    if (!hasRedacted(this.model)) return this.newRows()
    const fields = shown(this.model).filter(isInputField)
    const required = requiredOf(this.model, namesOf(fields))
    return listOf(this.#define('comparedRow', () => objectSchema(this.#properties(fields, withDefault), required)))
  }

  /** As {@link set}, where what is there already is compared with it. */
  comparedSet(): JsonSchema {
    if (!hasRedacted(this.model)) return this.set()
    const fields = shown(this.model).filter(isInputField)
    return this.#define('comparedSet', () => ({ ...objectSchema(this.#properties(fields, assignmentSchema)), minProperties: 1 }))
  }

  filter(): JsonSchema {
    return this.#define('where', (self) => {
      const relations = this.#relations((target, isMany) => {
        const where = this.#relatedFilter(target)
        return isMany ? { ...objectSchema({ $some: where, $every: where, $none: where }), minProperties: 1 } : orNull(where)
      })
      return objectSchema({ ...this.#conditionsOf(this.model, self), ...relations })
    })
  }

  /** The relations to read with a row. */
  include(): JsonSchema {
    return this.#define('include', () => {
      const options = (target: ModelDefinition, isMany: boolean) =>
        objectSchema({
          where: this.#relatedFilter(target),
          select: { ...listOf({ enum: namesOf(shown(target)) }), minItems: 1 },
          include: OPEN,
          ...(isMany ? { orderBy: {}, limit: COUNT } : {}),
        })
      const read = (target: ModelDefinition, isMany: boolean) => ({ anyOf: [{ const: true }, options(target, isMany)] })
      const polymorphics = this.#polymorphics((choices) => {
        const each = Object.fromEntries(Object.entries(choices).map(([name, target]) => [name, read(target, false)]))
        return { anyOf: [{ const: true }, { ...objectSchema(each), minProperties: 1 }] }
      })
      return objectSchema({ ...this.#relations(read), ...polymorphics })
    })
  }

  /** A filter that names one row: beside it, a key's fields have to be there. */
  keyFilter(): JsonSchema {
    return { ...this.filter(), anyOf: this.#keys().map((key) => ({ required: key })) }
  }

  /** As {@link keyFilter}, for a row that is marked as deleted. */
  deletedKeyFilter(): JsonSchema {
    return { ...this.filter(), anyOf: this.#keys(true).map((key) => ({ required: key })) }
  }

  bulkFilter(): Readonly<Record<string, JsonSchema>> {
    return { where: { ...this.filter(), minProperties: 1 }, all: { const: true } }
  }

  orderBy(): JsonSchema {
    const fields = this.#define('orderBy', () =>
      objectSchema(
        this.#properties(
          shown(this.model).filter((field) => directionSchema(field) !== undefined),
          (field) => directionSchema(field)!,
        ),
      ),
    )
    return { anyOf: [fields, { type: 'array', items: fields }] }
  }

  /** What holds a place in a list; a view without a key has none. */
  cursors(...names: readonly string[]): Readonly<Record<string, JsonSchema>> {
    return this.#keys().length === 0 ? {} : Object.fromEntries(names.map((name) => [name, TEXT]))
  }

  version(): Readonly<Record<string, JsonSchema>> {
    return this.model.roles.version === undefined ? {} : { version: { type: 'integer' } }
  }

  /** The value of every field of one key. */
  key(): JsonSchema {
    const keys = this.#keys().map((names) => {
      const fields = names.map((name) => this.model.fieldByName.get(name)!)
      return objectSchema(this.#properties(fields, valueSchema), names)
    })
    return keys.length === 1 ? keys[0]! : { anyOf: keys }
  }

  aggregate(): JsonSchema {
    type Fits = (field: FieldDefinition) => boolean
    const names = (fits: Fits = () => true) => ({ enum: namesOf(shown(this.model).filter(fits)) })
    const ofField = (name: string, fits?: Fits) => objectSchema({ [name]: names(fits) }, [name])
    const values = [
      { const: '$count' },
      ofField('$count'),
      ofField('$countDistinct', isDistinct),
      ...['$min', '$max'].map((name) => ofField(name, hasExtremes)),
      ...['$sum', '$avg'].map((name) => ofField(name, hasSum)),
    ]
    return objectSchema(
      {
        values: { type: 'object', additionalProperties: { anyOf: values }, minProperties: 1, maxProperties: 100 },
        where: this.filter(),
        groupBy: { type: 'array', items: names(), minItems: 1 },
        having: OPEN,
        orderBy: {},
        limit: COUNT,
        offset: COUNT,
      },
      ['values'],
    )
  }

  /** The fields of a key whose values can be given. */
  conflictKey(): JsonSchema {
    const given = this.#keys().filter((key) => key.every((name) => isInputField(this.model.fieldByName.get(name)!)))
    const lists = given.map((key) => ({
      type: 'array',
      items: { enum: key },
      minItems: key.length,
      maxItems: key.length,
      uniqueItems: true,
    }))
    return lists.length === 0 ? { not: {} } : { anyOf: lists }
  }

  /** A schema for each relation. */
  #relations(schemaOf: (target: ModelDefinition, isMany: boolean) => JsonSchema): Record<string, JsonSchema> {
    return Object.fromEntries(
      this.model.relations.map(({ name, kind, target }) => {
        return [name, schemaOf(definitionOf(target()), kind === 'hasMany' || kind === 'manyToMany')]
      }),
    )
  }

  /** A schema for each polymorphic relation, of the models that it chooses among. */
  #polymorphics(schemaOf: (choices: Readonly<Record<string, ModelDefinition>>) => JsonSchema): Record<string, JsonSchema> {
    const { polymorphics, relations } = this.model
    return Object.fromEntries(
      polymorphics.map(({ name, choices }) => {
        const targets = choices.map(({ relation }) => {
          const { target } = relations.find((each) => each.name === relation)!
          return [relation, definitionOf(target())] as const
        })
        return [name, schemaOf(Object.fromEntries(targets))]
      }),
    )
  }

  /** The fields of a related row; what was included with it is left open. */
  #relatedRow(target: ModelDefinition): JsonSchema {
    return this.#define(`${target.name}Row`, () => ({
      type: 'object',
      properties: this.#properties(shown(target), fieldSchema),
    }))
  }

  /** A filter over the fields of a related model; conditions on its own relations are left open. */
  #relatedFilter(target: ModelDefinition): JsonSchema {
    return this.#define(`${target.name}Where`, (self) => {
      const relations = Object.fromEntries(target.relations.map(({ name }) => [name, {}]))
      return objectSchema({ ...this.#conditionsOf(target, self), ...relations })
    })
  }

  /** The conditions on the fields of a model, and their logic. */
  #conditionsOf(model: ModelDefinition, self: JsonSchema): Record<string, JsonSchema> {
    const fields = this.#properties(shown(model), (field) => filterSchema(field, this.#conditions(field)))
    return { ...fields, $and: listOf(self), $or: listOf(self), $not: self }
  }

  #keys(ofDeleted = false): readonly (readonly string[])[] {
    const uniques = this.model.uniques.filter(({ where, countsDeleted }) => where === undefined && (countsDeleted || !ofDeleted))
    const isShown = (name: string) => !this.model.fieldByName.get(name)!.redacted
    return [this.model.primaryKey, ...uniques.map(({ fields }) => fields)].filter((key) => key.length > 0 && key.every(isShown))
  }

  #properties(fields: readonly FieldDefinition[], schemaOf: (field: FieldDefinition) => JsonSchema): Record<string, JsonSchema> {
    return Object.fromEntries(fields.map((field) => [field.name, schemaOf(field)]))
  }

  /** The operators on a field; fields that have the same share one definition. */
  #conditions(field: FieldDefinition): JsonSchema {
    const text = JSON.stringify(conditionsSchema(field, {}))
    const position = this.#conditionTexts.indexOf(text)
    const number = position === -1 ? this.#conditionTexts.push(text) : position + 1
    return this.#define(`${field.type.kind}Conditions${number}`, (self) => conditionsSchema(field, self))
  }

  #define(name: string, make: (self: JsonSchema) => JsonSchema): JsonSchema {
    const self = { $ref: `#/$defs/${name}` }
    if (this.#definitions[name] === undefined) {
      // before it is made: it may refer to itself
      this.#definitions[name] = self
      this.#definitions[name] = make(self)
    }
    return self
  }
}

/** The fields that outsiders are shown, and may ask for. */
function shown({ fields }: ModelDefinition): readonly FieldDefinition[] {
  return fields.filter(({ redacted }) => !redacted)
}

function hasRedacted({ fields }: ModelDefinition): boolean {
  return fields.some(({ redacted }) => redacted)
}

/** What a field is set to: of one that is redacted nothing but its type is told. */
function inputSchema(schemaOf: (field: FieldDefinition) => JsonSchema): (field: FieldDefinition) => JsonSchema {
  return (field) => (field.redacted ? { ...fieldSchema(field), writeOnly: true } : schemaOf(field))
}

function withDefault(field: FieldDefinition): JsonSchema {
  const schema = fieldSchema(field)
  if (field.default?.kind !== 'value') return schema
  return { ...schema, default: toJsonValue(field.type, normaliseFieldValue(field, field.default.value)) }
}

function namesOf(fields: readonly FieldDefinition[]): readonly string[] {
  return fields.map((field) => field.name)
}

/** The relations whose rows can be made with one of the model: those of a view cannot. */
function madeWith({ relations }: ModelDefinition): readonly RelationDefinition[] {
  const isOfView = (model: RelationDefinition['through']) => model !== undefined && definitionOf(model()).isView
  return relations.filter(({ target, through }) => !isOfView(target) && !isOfView(through))
}

/** Of these fields, those that a new row must have a value for. */
function requiredOf({ fieldByName }: ModelDefinition, names: readonly string[]): readonly string[] {
  return names.filter((name) => {
    const field = fieldByName.get(name)!
    return field.role === undefined && field.default === undefined && !field.nullable
  })
}

/** A list of what `items` says. */
export function listOf(items: JsonSchema): JsonSchema {
  return { type: 'array', items }
}
