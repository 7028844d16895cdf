import type { IntrospectionFinding } from '../../lib/dialect/introspection.js'
import { ModelError } from '../../lib/errors.js'
import { defineLooseModel, definitionOf } from '../../lib/model/define-model.js'
import { sameJson } from '../../lib/model/json-text.js'
import type { ModelClass } from '../../lib/model/model-definition.js'
import type { LooseModelOptions, RelationSpec } from '../../lib/model/model-options.js'
import { objectNameProblem } from '../../lib/model/names.js'
import { type ForeignKeySchema, type Schema, schemaOf, type TableSchema } from '../../lib/model/schema.js'
import { factName } from '../../lib/model/schema-change.js'
import { objectName } from '../../lib/model/schema-names.js'
import { className, fileName, free } from './code-names.js'
import type { KeptModel, ModelPlan, PlannedField } from './model-plan.js'
import { planFields } from './plan-fields.js'
import { KeyPlan, TakenNames } from './plan-keys.js'
import { keptEnd, planRelations, type RelationEnd } from './plan-relations.js'

/** The models of a schema, and their own schema: what the database would be if they had made it. */
export interface PlannedModels {
  readonly models: readonly ModelPlan[]
  readonly schema: Schema
  readonly findings: readonly IntrospectionFinding[]
}

/** Kinds that no key of a model is of. */
const NO_KEYS: readonly string[] = ['json', 'array', 'float', 'bytes']

/**
 * A model for each table that can have one, with relations both ways.
 *
 * @param kept   models that are there already, which stay as they are
 * @param files  of files that are there, without folder and ending
 */
export function planModels(schema: Schema, kept: readonly KeptModel[], files: readonly string[]): PlannedModels {
  const findings: IntrospectionFinding[] = []
  let left = schema.tables
  for (;;) {
    const round: IntrospectionFinding[] = []
    const models = planAll(left, kept, files, round)
    const made = modelsOf(models, kept)
    if (!('refused' in made)) return { models, schema: made.schema, findings: [...findings, ...round] }
    // what we did not foresee keeps one table out, and not all
    findings.push({ table: factName(made.refused), problem: `has no model: ${made.problem}` })
    left = left.filter((table) => table !== made.refused)
  }
}

function planAll(
  tables: readonly TableSchema[],
  kept: readonly KeptModel[],
  files: readonly string[],
  findings: IntrospectionFinding[],
): readonly ModelPlan[] {
  const findIn = (table: TableSchema) => (object: string | undefined, problem: string) => {
    findings.push({ table: factName(table), ...(object === undefined ? {} : { object }), problem })
  }
  const names = new Set(kept.map(({ name }) => name.toLowerCase()))
  const stems = new Set(files.map((file) => file.toLowerCase()))
  const tableNames = new Set<string>()
  const taken = new TakenNames()
  const planned: (RelationEnd & { readonly fields: readonly PlannedField[] })[] = []
  const ends: RelationEnd[] = []
  for (const table of tables) {
    const there = kept.find(({ model }) => isModelOf(table, model))
    if (there !== undefined) {
      ends.push(keptEnd(there, table))
      continue
    }
    const problem = tableProblem(table, tableNames)
    if (problem !== undefined) {
      findIn(table)(undefined, `has no model: ${problem}`)
      continue
    }
    tableNames.add(JSON.stringify([table.schema, table.name.toLowerCase()]))
    const name = className(table.name, names, table.schema)
    const properties = new Set<string>()
    const fields = planFields(table, properties, findIn(table))
    const propertyOf = new Map(fields.map(({ property, spec }) => [spec.column!, property]))
    const end = {
      name,
      file: free(fileName(name), stems),
      table,
      propertyOf,
      taken: properties,
      relations: [],
      kept: undefined,
      fields,
    }
    planned.push(end)
    ends.push(end)
  }
  planRelations(ends, taken, findIn)
  return planned.map(({ name, file, table, propertyOf, fields, relations }): ModelPlan => {
    const keys = new KeyPlan(table, propertyOf, taken, findIn(table))
    const isRelation = ({ columns }: ForeignKeySchema) =>
      relations.some(
        ({ spec }) =>
          spec.kind === 'belongsTo' &&
          sameJson(
            spec.foreignKey,
            columns.map((column) => propertyOf.get(column)),
          ),
      )
    const ofRelations = new Set(table.foreignKeys.filter(isRelation).map(({ columns }) => objectName(table.name, columns, 'idx')))
    const [uniques, indexes, checks] = [keys.uniques(), keys.indexes(ofRelations), keys.checks()]
    const { schema, comment, primaryKey } = table
    const options = {
      // a short name may be a minifier's, and so it is said
      ...(name.length <= 2 ? { name } : {}),
      table: table.name,
      ...(schema === undefined ? {} : { schema }),
      ...(primaryKey.name === objectName(table.name, [], 'pkey') ? {} : { primaryKeyName: primaryKey.name }),
      ...(uniques.length === 0 ? {} : { uniques }),
      ...(indexes.length === 0 ? {} : { indexes }),
      ...(checks.length === 0 ? {} : { checks }),
      ...(comment === undefined ? {} : { comment }),
    }
    return { table, name, file, propertyOf, fields, relations, options }
  })
}

/** Whether a model is of a table. */
export function isModelOf({ name, schema }: TableSchema, model: ModelClass): boolean {
  const definition = definitionOf(model)
  return definition.table === name && definition.schema === schema
}

function tableProblem({ name, schema, columns, primaryKey }: TableSchema, names: ReadonlySet<string>): string | undefined {
  const problem = objectNameProblem(name)
  if (problem !== undefined) return problem
  if (names.has(JSON.stringify([schema, name.toLowerCase()]))) return 'another table has its name in other capitals'
  if (primaryKey.columns.length === 0) return 'it has no primary key'
  const [key, type] = primaryKey.columns
    .map((column) => [column, columns.find((each) => each.name === column)?.type.kind] as const)
    .find(([column, kind]) => kind === undefined || NO_KEYS.includes(kind) || objectNameProblem(column) !== undefined) ?? [undefined]
  if (key === undefined) return undefined
  return type === undefined ? `its key has "${key}", which no field can be` : `its key has "${key}" of kind ${type}, of which no key is`
}

/** The models as they will be when their files are loaded; or which one is refused. */
function modelsOf(
  plans: readonly ModelPlan[],
  kept: readonly KeptModel[],
): { readonly schema: Schema } | { readonly refused: TableSchema; readonly problem: string } {
  const classes = new Map<string, ModelClass>([
    ...kept.map(({ name, model }) => [name, model] as const),
    ...plans.map(({ name }) => [name, class {}] as const),
  ])
  try {
    for (const plan of plans) {
      try {
        defineLooseModel(classes.get(plan.name)!, { name: plan.name, ...looseOptions(plan, classes) })
      } catch (error) {
        return refusal(error, plan)
      }
    }
    return { schema: schemaOf([...classes.values()].map(definitionOf)) }
  } catch (error) {
    const plan = error instanceof ModelError ? plans.find(({ name }) => name === error.model) : undefined
    if (plan === undefined) throw error
    return refusal(error, plan)
  }
}

function refusal(error: unknown, { table }: ModelPlan): { readonly refused: TableSchema; readonly problem: string } {
  if (!(error instanceof ModelError)) throw error
  return { refused: table, problem: error.message }
}

function looseOptions({ fields, relations, options }: ModelPlan, classes: ReadonlyMap<string, ModelClass>): LooseModelOptions {
  return {
    ...options,
    fields: Object.fromEntries(fields.map(({ property, spec }) => [property, spec])),
    relations: Object.fromEntries(
      relations.map(({ property, spec, target }) => [property, { ...spec, target: () => classes.get(target.name)! } as RelationSpec]),
    ),
  }
}
