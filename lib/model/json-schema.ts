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
import { frozenCopy } from './frozen-copy.js'
import type { FieldDefinition, ModelDefinition } from './model-definition.js'

/** The operations that every model has a node for. */
export type ModelOperation = keyof typeof OPERATIONS

/** What a node takes and gives, as JSON Schema of draft 2020-12. Deeply frozen. */
export interface NodeSchemas {
  readonly input: JsonSchema
  readonly output: JsonSchema
}

const known = new WeakMap<ModelDefinition, Partial<Record<ModelOperation, NodeSchemas>>>()

/**
 * The schemas of a model's operation, each whole in itself: what HTTP, MCP and OpenAPI publish. Made when first asked for.
 *
 * They speak of values as JSON, see `toJsonValue`, and of redacted fields only as input, as a call with `redact` does. A few things that the layer refuses JSON Schema cannot say. Of related models they tell
 * the fields, and leave open what lies behind them: a schema does not hold all models that relations lead to.
 */
export function jsonSchemaOf(definition: ModelDefinition, operation: ModelOperation): NodeSchemas {
  const made = known.get(definition) ?? {}
  known.set(definition, made)
  made[operation] ??= schemasOf(definition, operation)
  return made[operation]
}

function schemasOf(definition: ModelDefinition, operation: ModelOperation): NodeSchemas {
  const input = new SchemaDocument(definition)
  const output = new SchemaDocument(definition)
  return frozenCopy({
    input: input.finish(OPERATIONS[operation].input(input)),
    output: output.finish(OPERATIONS[operation].output(output)),
  })
}

interface OperationSchemas {
  input(document: SchemaDocument): JsonSchema
  output(document: SchemaDocument): JsonSchema
}

const COUNT = { type: 'integer', minimum: 0 }
const FLAG = { type: 'boolean' }
const TEXT = { type: 'string' }
const OPEN = { type: 'object' }
const COUNTED = objectSchema({ count: COUNT }, ['count'])

const OPERATIONS = {
  create: { input: (of) => of.create(), output: (of) => of.row() },
  read: {
    input: (of) => objectSchema({ where: of.keyFilter(), include: of.include() }, ['where']),
    output: (of) => ({ anyOf: [of.row(), { type: 'null' }] }),
  },
  readOrThrow: { input: (of) => objectSchema({ where: of.keyFilter(), include: of.include() }, ['where']), output: (of) => of.row() },
  update: {
    input: (of) => objectSchema({ where: of.keyFilter(), set: of.set(), ...of.version() }, ['where', 'set']),
    output: (of) => of.row(),
  },
  delete: { input: (of) => objectSchema({ where: of.keyFilter(), ...of.version() }, ['where']), output: (of) => of.row() },
  restore: { input: (of) => objectSchema({ where: of.keyFilter() }, ['where']), output: (of) => of.row() },
  readMany: {
    input: (of) => objectSchema({ keys: { ...listOf(of.key()), maxItems: 100_000 }, include: of.include() }, ['keys']),
    output: (of) => listOf({ anyOf: [of.row(), { type: 'null' }] }),
  },
  list: {
    input: (of) =>
      objectSchema({
        where: of.filter(),
        orderBy: of.orderBy(),
        limit: COUNT,
        offset: COUNT,
        ...of.cursors('after', 'before'),
        total: FLAG,
        include: of.include(),
      }),
    output: (of) => objectSchema({ rows: listOf(of.row()), ...of.cursors('nextCursor', 'previousCursor'), total: COUNT }, ['rows']),
  },
  stream: {
    input: (of) => objectSchema({ where: of.filter(), orderBy: of.orderBy(), limit: COUNT, include: of.include() }),
    output: (of) => of.row(),
  },
  exists: { input: (of) => objectSchema({ where: of.filter() }), output: () => FLAG },
  aggregate: { input: (of) => of.aggregate(), output: () => listOf(OPEN) },
  count: { input: (of) => objectSchema({ where: of.filter() }), output: () => COUNT },
  upsert: {
    input: (of) => objectSchema({ on: of.conflictKey(), values: of.create(), update: of.comparedSet() }, ['on', 'values']),
    output: (of) => objectSchema({ row: of.row(), outcome: { enum: ['created', 'updated', 'unchanged'] } }, ['row', 'outcome']),
  },
  bulkCreate: {
    input: (of) => objectSchema({ rows: of.newRows(), onConflict: { const: 'skip' }, returning: FLAG }, ['rows']),
    output: (of) => objectSchema({ count: COUNT, rows: { type: 'array', items: of.row() } }, ['count']),
  },
  bulkUpdate: {
    input: (of) => ({ ...objectSchema({ ...of.bulkFilter(), set: of.set() }, ['set']), oneOf: ONE_FILTER }),
    output: () => COUNTED,
  },
  bulkDelete: { input: (of) => ({ ...objectSchema(of.bulkFilter()), oneOf: ONE_FILTER }), output: () => COUNTED },
  bulkUpsert: {
    input: (of) => objectSchema({ on: of.conflictKey(), rows: of.comparedRows() }, ['on', 'rows']),
    output: () => objectSchema({ created: COUNT, updated: COUNT, unchanged: COUNT }, ['created', 'updated', 'unchanged']),
  },
  claim: {
    input: (of) => ({
      ...objectSchema({ ...of.bulkFilter(), set: of.set(), orderBy: of.orderBy(), limit: COUNT }, ['set']),
      oneOf: ONE_FILTER,
    }),
    output: (of) => listOf(of.row()),
  },
} as const satisfies Record<string, OperationSchemas>

function listOf(items: JsonSchema): JsonSchema {
  return { type: 'array', items }
}

const ONE_FILTER = [{ required: ['where'] }, { required: ['all'] }]

/** One schema in the making, with the definitions that it refers to. */
class SchemaDocument {
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
      const properties = { ...this.#properties(shown(this.model), fieldSchema), ...relations }
      const schema = objectSchema(properties, namesOf(shown(this.model)))
      return this.model.comment === undefined ? schema : { ...schema, description: this.model.comment }
    })
  }

  create(): JsonSchema {
    return this.#define('create', () => {
      const fields = this.model.fields.filter(isInputField)
      const required = fields.filter((field) => field.default === undefined && !field.nullable)
      return objectSchema(this.#properties(fields, inputSchema(withDefault)), namesOf(required))
    })
  }

  newRows(): JsonSchema {
    return listOf(this.create())
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
    const required = fields.filter((field) => field.default === undefined && !field.nullable)
    return listOf(this.#define('comparedRow', () => objectSchema(this.#properties(fields, withDefault), namesOf(required))))
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
      return objectSchema(this.#relations((target, isMany) => ({ anyOf: [{ const: true }, options(target, isMany)] })))
    })
  }

  /** A filter that names one row: beside it, a key's fields have to be there. */
  keyFilter(): JsonSchema {
    return { ...this.filter(), anyOf: this.#keys().map((key) => ({ required: key })) }
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

  #keys(): readonly (readonly string[])[] {
    const uniques = this.model.uniques.filter((unique) => unique.where === undefined).map((unique) => unique.fields)
    const isShown = (name: string) => !this.model.fieldByName.get(name)!.redacted
    return [this.model.primaryKey, ...uniques].filter((key) => key.length > 0 && key.every(isShown))
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
