import { type BoundField, type BoundModel, keysOfDeleted } from './bound-model.js'
import { ALWAYS, allOf, type Condition, type Deleted, holdsToOne, visibleOnly } from './condition.js'
import type { InputIssues, Path } from './input-issues.js'
import type { StatementShape } from './statement-cache.js'
import { parseWhere } from './where.js'

/** A call's `where` and what the model adds to every one: rows that are soft-deleted are not there. */
export function parseFilter(model: BoundModel, where: unknown, shape: StatementShape, issues: InputIssues, deleted?: Deleted): Condition {
  const stated = where === undefined ? ALWAYS : parseWhere(model, where, shape, issues)
  return allOf([stated, visibleOnly(model, shape, deleted)])
}

/** As {@link parseFilter}, for one row: the filter has to hold every field of a key to one value. */
export function parseKeyFilter(
  model: BoundModel,
  where: unknown,
  shape: StatementShape,
  issues: InputIssues,
  deleted?: Deleted,
): Condition {
  const condition = allOf([parseWhere(model, where, shape, issues), visibleOnly(model, shape, deleted)])
  const usable = deleted === undefined ? model : keysOfDeleted(model)
  if (findKey(usable, condition) === undefined) {
    const { tenant } = model.roles
    const keys = tenant !== undefined && holdsToOne(condition, tenant) ? usable.givenKeys : usable.keys
    issues.add(['where'], `expected the value of every field of a key: ${describeKeys(keys)}`)
  }
  return condition
}

/** As {@link parseFilter}, for many rows to be changed: an empty filter has to be meant. */
export function parseBulkFilter(model: BoundModel, input: Record<string, unknown>, shape: StatementShape, issues: InputIssues): Condition {
  if (input.all !== undefined && input.all !== true) issues.add(['all'], 'expected true, or nothing')
  if (input.all === true && input.where !== undefined) issues.add(['all'], 'contradicts where: give one of them')
  if (input.all === true) return visibleOnly(model, shape)
  const condition = parseWhere(model, input.where, shape, issues)
  if (isUnbounded(condition)) issues.add(['where'], 'matches every row; give a condition, or all: true if that is meant')
  return allOf([condition, visibleOnly(model, shape)])
}

/** The first key that the condition holds to one value. */
export function findKey({ keys }: Pick<BoundModel, 'keys'>, condition: Condition): readonly BoundField[] | undefined {
  return keys.find((key) => key.every((field) => holdsToOne(condition, field)))
}

/** A filter that holds for every row whatever its values: `{}`, `{ $and: [] }`, `{ id: { $nin: [] } }`, … */
function isUnbounded(condition: Condition): boolean {
  switch (condition.kind) {
    case 'and':
      return condition.parts.every(isUnbounded)
    case 'or':
      return condition.parts.some(isUnbounded)
    case 'not':
    case 'notTrue':
      return isEmpty(condition.part)
    default:
      return condition.kind === 'constant' && condition.value
  }
}

function isEmpty(condition: Condition): boolean {
  switch (condition.kind) {
    case 'and':
      return condition.parts.some(isEmpty)
    case 'or':
      return condition.parts.every(isEmpty)
    case 'not':
    case 'notTrue':
      return isUnbounded(condition.part)
    case 'exists':
      return isEmpty(condition.part)
    default:
      return condition.kind === 'constant' && !condition.value
  }
}

/** `id, or groupName + seat`: for messages. */
export function describeKeys(keys: BoundModel['keys']): string {
  return keys.map((key) => key.map((field) => field.name).join(' + ')).join(', or ')
}

/** Checks what a call, or an include at `path`, says of rows that are marked as deleted; undefined: they are not there. */
export function parseDeleted(
  model: BoundModel,
  options: { readonly deleted?: unknown } | undefined,
  issues: InputIssues,
  path: Path = ['options'],
): Deleted | undefined {
  const deleted = options?.deleted
  if (deleted === undefined || deleted === 'include' || deleted === 'only') {
    if (deleted !== undefined && model.roles.deletedAt === undefined) issues.add([...path, 'deleted'], 'the model has no deletedAt')
    return deleted
  }
  issues.add([...path, 'deleted'], "expected 'include' or 'only'")
  return undefined
}
