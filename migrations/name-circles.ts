import { ModelError } from '../lib/errors.js'
import type { ModelDefinition } from '../lib/model/model-definition.js'
import { factName } from '../lib/model/schema-change.js'

/** What has a name now, and had another one. */
interface Renamed {
  readonly model: string
  readonly name: string
  readonly formerName: string
}

/**
 * Refuses names that each are the former name of another: nothing would tell whether they have been exchanged already.
 *
 * @throws {ModelError} fields of a model, or models, are `renamedFrom` each other
 */
export function refuseNameCircles(definitions: readonly ModelDefinition[]): void {
  const tables = definitions.flatMap(({ name: model, table: name, schema, renamedFrom }): Renamed[] => {
    const named = (each: string) => factName({ ...(schema === undefined ? {} : { schema }), name: each })
    return renamedFrom === undefined ? [] : [{ model, name: named(name), formerName: named(renamedFrom) }]
  })
  refuseCircle(tables, ({ name, formerName }) => `--rename-table ${formerName}:${name}`)
  for (const { name: model, table, fields } of definitions) {
    const columns = fields.flatMap(({ column: name, renamedFrom }): Renamed[] => {
      return renamedFrom === undefined ? [] : [{ model, name, formerName: renamedFrom }]
    })
    refuseCircle(columns, ({ name, formerName }) => `--rename ${table}.${formerName}:${name}`)
  }
}

function refuseCircle(all: readonly Renamed[], flagOf: (renamed: Renamed) => string): void {
  const circle = all.map((each) => pathFrom(each, all)).find((path) => path.length > 1 && path.at(-1)!.formerName === path[0]!.name)
  if (circle === undefined) return
  throw new ModelError(
    circle[0]!.model,
    undefined,
    `renamedFrom: ${circle.map(({ name }) => name).join(', ')} change names in a circle, and nothing would tell when they have: ` +
      `leave it out, and once say latchwork migrate generate <name> ${circle.map(flagOf).join(' ')}`,
  )
}

/** From one to what has its former name, until nothing has or one comes again. */
function pathFrom(start: Renamed, all: readonly Renamed[]): readonly Renamed[] {
  const path: Renamed[] = []
  for (let at: Renamed | undefined = start; at !== undefined && !path.includes(at); ) {
    path.push(at)
    const { formerName }: Renamed = at
    at = all.find(({ name }) => name === formerName)
  }
  return path
}
