import type { InputFindings } from './input-findings.js'
import type { FieldDefinition, ModelDefinition, PolymorphicChoice, PolymorphicDefinition, StaticCondition } from './model-definition.js'
import { isPlainObject } from './value-kind.js'

/** What the database holds every row to: the key of one choice is set and that of no other; where it is nullable, none at all will do. */
export function polymorphicCondition({ choices, nullable }: PolymorphicDefinition): StaticCondition {
  // tests for null alone: every engine has them, none reads a value for them, and their answer is never unknown
  const alone = (chosen: PolymorphicChoice | undefined) => ({
    $and: choices.flatMap(({ keyFields }, position) => (choices[position] === chosen ? keyFields.map(isSet) : [isUnset(keyFields)])),
  })
  return { $or: [...choices.map(alone), ...(nullable ? [alone(undefined)] : [])] }
}

function isSet(field: string): StaticCondition {
  return { [field]: { $null: false } }
}

function isUnset(fields: readonly string[]): StaticCondition {
  const parts = fields.map((field) => ({ [field]: null }))
  return parts.length === 1 ? parts[0]! : { $or: parts }
}

/** What is given to make each choice, for messages: `postId`, `area + code`. */
export function keysOfChoices({ choices }: PolymorphicDefinition): readonly string[] {
  return choices.map(({ keyFields }) => keyFields.join(' + '))
}

type Row = Readonly<Record<string, unknown>>

/** The fields that are filled in from another row. */
type Filled = ReadonlyMap<string, unknown>

/** Finds what a checked row says against the model's polymorphic relations, as far as its input tells. */
export type PolymorphicCheck = (row: Row, findings: InputFindings, filled?: Filled) => void

/** The check of a new row, of which all is known but what the database's own defaults are. */
export function newRowCheck(definition: ModelDefinition): PolymorphicCheck {
  const leftOut = ({ default: given }: FieldDefinition) => (given === undefined ? 'unset' : 'unknown')
  return compileCheck(definition, (row, field, filled) => {
    if (filled?.has(field.name) === true) return 'set'
    return Object.hasOwn(row, field.name) ? stateOf(row[field.name]) : leftOut(field)
  })
}

/** The check of an update: what it leaves alone may be anything. */
export function changeCheck(definition: ModelDefinition): PolymorphicCheck {
  return compileCheck(definition, (row, { name }) => (isPlainObject(row[name]) ? 'unknown' : stateOf(row[name])))
}

type KeyState = 'set' | 'unset' | 'unknown'

/** Undefined stands for what is left out, or was refused. */
function stateOf(value: unknown): KeyState {
  return value === undefined ? 'unknown' : value === null ? 'unset' : 'set'
}

type FieldState = (row: Row, field: FieldDefinition, filled: Filled | undefined) => KeyState

function compileCheck({ polymorphics, fieldByName, isView }: ModelDefinition, fieldState: FieldState): PolymorphicCheck {
  if (isView || polymorphics.length === 0) return () => undefined
  const compiled = polymorphics.map((polymorphic) => ({
    ...polymorphic,
    keys: keysOfChoices(polymorphic),
    fields: polymorphic.choices.map(({ keyFields }) => keyFields.map((each) => fieldByName.get(each)!)),
  }))
  return (row, findings, filled) => {
    for (const { name, nullable, keys, fields } of compiled) {
      const states = fields.map((each) => keyState(each.map((field) => fieldState(row, field, filled))))
      const given = keys.filter((_, position) => states[position] === 'set')
      const one = `one of ${keys.join(', ')}`
      if (given.length > 1) findings.add([name], `takes ${one}, and is given ${given.join(' and ')}`)
      else if (!nullable && states.every((state) => state === 'unset')) findings.add([name], `needs ${one}`)
    }
  }
}

function keyState(fields: readonly KeyState[]): KeyState {
  if (fields.includes('unset')) return 'unset'
  return fields.includes('unknown') ? 'unknown' : 'set'
}
