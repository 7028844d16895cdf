import { type JsonSchema, objectSchema } from './field-json-schema.js'
import { frozenCopy } from './frozen-copy.js'
import type { ModelDefinition } from './model-definition.js'
import { listOf, SchemaDocument } from './schema-document.js'

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
const OPEN = { type: 'object' }
const COUNTED = objectSchema({ count: COUNT }, ['count'])

const OPERATIONS = {
  create: { input: (of) => of.newRow(), output: (of) => of.row() },
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
  restore: { input: (of) => objectSchema({ where: of.deletedKeyFilter() }, ['where']), output: (of) => of.row() },
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

const ONE_FILTER = [{ required: ['where'] }, { required: ['all'] }]
