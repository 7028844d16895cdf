import type { MaybePromise } from '../maybe-promise.js'
import { isPlainObject, kindOf } from '../model/value-kind.js'
import { type BoundField, type BoundModel, keysOfDeleted, reboundValue } from './bound-model.js'
import { parseInput, parseOptions } from './call-input.js'
import { allOf, type Deleted, visibleOnly } from './condition.js'
import { chunksOfKeys, inKeys } from './in-list.js'
import { loadIncluded } from './include-load.js'
import { InputIssues } from './input-issues.js'
import { keyText } from './key-text.js'
import type { CallLimits, PlanRunner } from './query-plan.js'
import { rowsPlan } from './read.js'
import { describeKeys, parseDeleted } from './row-filter.js'
import { parseReadSelect } from './select.js'
import { type PlainRow, positionIn, readRow, type Selection } from './selection.js'
import { StatementShape } from './statement-cache.js'

/** Most keys of one call. */
const MAX_KEYS = 100_000

/** The values of a key's fields, in their order. */
type Key = readonly unknown[]

/** The rows that have these keys, in the order of the keys; null where there is none. One key may stand there twice. */
export async function readRowsByKey(
  model: BoundModel,
  runner: PlanRunner,
  input: unknown,
  options?: unknown,
): Promise<readonly (PlainRow | null)[]> {
  const issues = new InputIssues(model.definition.name, 'readMany')
  const given = parseInput(input, ['keys', 'include'], issues)
  const call = parseOptions(options, issues, ['select', 'include', 'deleted'])
  const deleted = parseDeleted(model, call, issues)
  const { givenKeys } = deleted === undefined ? model : keysOfDeleted(model)
  const { fields, keys } = parseKeys(givenKeys, given.keys, issues)
  // nothing is joined: the same selection serves a statement for many keys and one for a single key
  const selection = parseReadSelect(model, given, call, issues, { also: fields })
  issues.throwIfAny()
  const reading: KeyReading = { model, runner, fields, selection, deleted, limits: call }
  const { found, isAnyUnclaimed } = await readFound(reading, keys)
  const rows: (PlainRow | null)[] = []
  for (const key of keys) {
    const values = found.get(keyText(fields, encodedKey(fields, key)))
    if (values !== undefined) rows.push(readRow(selection, values))
    // what the database takes for equal may be written in several ways, such as `1.5` and `1.50`: that is left to it
    else rows.push(isAnyUnclaimed ? await readAlone(reading, key) : null)
  }
  const label = model.labelOf('readMany')
  await loadIncluded(
    runner,
    { label, selection, limits: call },
    rows.filter((row) => row !== null),
  )
  return rows
}

function parseKeys(
  known: BoundModel['givenKeys'],
  given: unknown,
  issues: InputIssues,
): { readonly fields: readonly BoundField[]; readonly keys: readonly Key[] } {
  const nothing = { fields: known[0]!, keys: [] }
  if (!Array.isArray(given) || given.length > MAX_KEYS) {
    issues.add(['keys'], `expected a list of at most ${MAX_KEYS} keys, got ${Array.isArray(given) ? given.length : kindOf(given)}`)
    return nothing
  }
  const fields = given.length === 0 ? undefined : keyFieldsOf(known, given[0])
  if (fields === undefined) {
    if (given.length > 0) issues.add(['keys', 0], `expected an object with the value of every field of a key: ${describeKeys(known)}`)
    return nothing
  }
  for (const field of fields) issues.allows(field, ['keys', 0, field.name])
  return { fields, keys: Array.from(given as unknown[], (key, position) => parseKey(fields, key, position, issues)) }
}

function keyFieldsOf(known: BoundModel['givenKeys'], key: unknown): readonly BoundField[] | undefined {
  if (!isPlainObject(key)) return undefined
  const names = Object.keys(key)
  return known.find((fields) => fields.length === names.length && fields.every(({ name }) => names.includes(name)))
}

/** All keys of a call have the fields of the first. */
function parseKey(fields: readonly BoundField[], key: unknown, position: number, issues: InputIssues): Key {
  if (!isPlainObject(key) || Object.keys(key).length !== fields.length) {
    issues.add(['keys', position], `expected an object with ${fields.map(({ name }) => name).join(', ')}`)
    return []
  }
  return fields.map((field) => {
    const value = key[field.name]
    const problem = value === undefined || value === null ? 'expected a value' : field.checkComparison(value)
    if (problem !== undefined) issues.add(['keys', position, field.name], problem)
    return value
  })
}

interface KeyReading {
  readonly model: BoundModel
  readonly runner: PlanRunner
  readonly fields: readonly BoundField[]
  readonly selection: Selection
  readonly deleted: Deleted | undefined
  readonly limits: CallLimits | undefined
}

interface FoundRows {
  /** The driver's rows, by the text of their key as it is stored. */
  readonly found: ReadonlyMap<string, Key>
  /** Whether a row came back whose key is none of those asked for, letter by letter. */
  readonly isAnyUnclaimed: boolean
}

async function readFound(reading: KeyReading, keys: readonly Key[]): Promise<FoundRows> {
  const { fields, selection } = reading
  const positions = fields.map((field) => positionIn(selection.root, field))
  const asked = new Map(keys.map((key) => encodedKey(fields, key)).map((key) => [keyText(fields, key), key]))
  const found = new Map<string, Key>()
  for (const chunk of chunksOfKeys(reading.model, fields, [...asked.values()])) {
    for (const values of await rowsOfKeys(reading, chunk)) {
      const stored = fields.map((field, index) => reboundValue(field, values[positions[index]!]))
      found.set(keyText(fields, stored), values)
    }
  }
  return { found, isAnyUnclaimed: [...found.keys()].some((text) => !asked.has(text)) }
}

async function readAlone(reading: KeyReading, key: Key): Promise<PlainRow | null> {
  const [values] = await rowsOfKeys(reading, [encodedKey(reading.fields, key)])
  return values === undefined ? null : readRow(reading.selection, values)
}

/** The driver's rows that have these encoded keys. */
function rowsOfKeys({ model, runner, fields, selection, deleted, limits }: KeyReading, keys: readonly Key[]): MaybePromise<readonly Key[]> {
  const shape = new StatementShape(`readMany ${fields.map(({ name }) => name).join()}`)
  const condition = allOf([inKeys(model, fields, keys, shape), visibleOnly(model, shape, deleted)])
  return runner.run(rowsPlan(model, 'readMany', condition, selection, shape), limits)
}

function encodedKey(fields: readonly BoundField[], key: Key): Key {
  return fields.map((field, index) => field.encode(key[index]))
}
