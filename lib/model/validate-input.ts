import type { ValidationIssue } from '../errors.js'
import { nearestName } from '../nearest-name.js'
import { defaultMaker, type FieldReader, isInputField, refusalOf, updateReader, valueReader } from './field-input.js'
import { InputFindings } from './input-findings.js'
import type { FieldDefinition, ModelDefinition, RelationDefinition } from './model-definition.js'
import { changeCheck, keysOfChoices, newRowCheck } from './polymorphic-keys.js'
import { kindOf } from './value-kind.js'

interface Validated {
  /** What is wrong; empty: nothing. At most 1,000. */
  readonly issues: readonly ValidationIssue[]
  /** The first name given that the model does not have. */
  readonly unknownField: string | undefined
}

/** A row's input after validation. */
interface ValidatedRow extends Validated {
  /**
   * A new object with the values to store, in a form that the field's type allows, not yet in its canonical one.
   * A number change of an update stays `{ $increment: … }`. Means nothing where there are issues.
   */
  readonly value: Record<string, unknown>
}

/** The input of a list of rows after validation. */
interface ValidatedRows extends Validated {
  readonly values: readonly Record<string, unknown>[]
}

/** Fields that are not for the caller to give, since the layer takes them from another row of the call; and from which, in words. */
export type FilledFields = ReadonlyMap<string, string>

export type RowValidator = (input: unknown, filled?: FilledFields) => ValidatedRow

/** `firstIndex` is the position of the first row in the caller's list, which may come in parts. */
export type ListValidator = (rows: readonly unknown[], firstIndex?: number) => ValidatedRows

/**
 * The check of what `create` and `update` are given, made once a model.
 *
 * A field set to `undefined` counts as left out. A create fills in defaults, except those of the database. Fields with a
 * role (`createdAt`, `version`, …) are refused as input and left to the caller to fill in.
 *
 * @throws {ModelError} by the check: a field's schema is asynchronous, or its default function gives what the field does not take
 */
export function compileValidator(definition: ModelDefinition, operation: 'create' | 'update'): RowValidator {
  const readRow = rowReader(definition, operation)
  return (input, filled) => {
    const findings = new InputFindings()
    const value = readRow(input, findings, filled)
    return { value, issues: findings.issues, unknownField: findings.unknownField }
  }
}

/** As {@link compileValidator}, for the rows of a bulk operation; paths begin with `rows` and the position. */
export function compileListValidator(definition: ModelDefinition, operation: 'create' | 'update'): ListValidator {
  const readRow = rowReader(definition, operation)
  return (rows, firstIndex = 0) => {
    const findings = new InputFindings()
    const values: Record<string, unknown>[] = []
    for (let index = 0; index < rows.length && !findings.isFull; index++) {
      findings.rowIndex = firstIndex + index
      values.push(readRow(rows[index], findings))
    }
    return { values, issues: findings.issues, unknownField: findings.unknownField }
  }
}

type Row = Record<string, unknown>
type RowReader = (input: unknown, findings: InputFindings, filled?: FilledFields) => Row
type RowEnd = (row: Row, givenCount: number, findings: InputFindings, filled: FilledFields | undefined) => void

function rowReader(definition: ModelDefinition, operation: 'create' | 'update'): RowReader {
  const readers = new Map(definition.fields.map((field) => [field.name, readerOf(definition.name, field, operation)]))
  const endRow = operation === 'create' ? createEnd(definition) : updateEnd(definition)
  return (input, findings, filled) => {
    const row: Row = {}
    if (typeof input !== 'object' || input === null || Array.isArray(input)) {
      findings.add([], `expected an object with fields of ${definition.name}, got ${kindOf(input)}`)
      return row
    }
    let givenCount = 0
    for (const name of Object.keys(input)) {
      if (findings.isFull) return row
      const read = readers.get(name)
      const value = (input as Row)[name]
      if (read !== undefined && value === undefined) continue
      givenCount++
      const filler = filled?.get(name)
      if (read === undefined) refuseName(definition, name, findings)
      else if (filler !== undefined) findings.add([name], `is filled in from ${filler}: leave it out`)
      else row[name] = read(value, findings)
    }
    endRow(row, givenCount, findings, filled)
    return row
  }
}

function readerOf(model: string, field: FieldDefinition, operation: 'create' | 'update'): FieldReader {
  const refusal = refusalOf(field)
  if (refusal !== undefined) return (_, findings) => findings.add([field.name], refusal)
  return operation === 'create' ? valueReader(model, field) : updateReader(model, field)
}

function refuseName(definition: ModelDefinition, name: string, findings: InputFindings): void {
  const relation = definition.relations.find((each) => each.name === name)
  const polymorphic = definition.polymorphics.find((each) => each.name === name)
  if (relation !== undefined) findings.add([name], `is a relation, and cannot be given; ${insteadOf(relation)}`)
  else if (polymorphic !== undefined)
    findings.add([name], `is a relation, and cannot be given; set ${keysOfChoices(polymorphic).join(' or ')}`)
  else findings.addUnknown(name, suggestion(definition, name, findings))
}

function insteadOf({ kind, foreignKey }: RelationDefinition): string {
  return kind === 'belongsTo' ? `set ${foreignKey.join(', ')}` : 'write the rows of its model'
}

/** Longest name, and most names, that a near one is looked for: what an outsider's input may cost. */
const MAX_GUESSED_LENGTH = 64
const MAX_GUESSES = 5

function suggestion(definition: ModelDefinition, name: string, findings: InputFindings): string {
  if (name.length > MAX_GUESSED_LENGTH || findings.issues.length >= MAX_GUESSES) return ''
  const names = definition.fields.filter(isInputField).map((field) => field.name)
  const near = nearestName(name, names)
  return near === undefined ? '' : `; did you mean "${near}"?`
}

/** Fills in what was left out, or says that it must not be. */
function createEnd(definition: ModelDefinition): RowEnd {
  const { name: model, fields } = definition
  const leavable = fields.filter((field) => field.role === undefined).map((field) => ({ field, make: defaultMaker(model, field) }))
  const incomplete = leavable.filter(({ field, make }) => make !== undefined || (field.default === undefined && !field.nullable))
  const checkPolymorphics = newRowCheck(definition)
  return (row, _, findings, filled) => {
    for (const { field, make } of incomplete) {
      if (Object.hasOwn(row, field.name) || filled?.has(field.name) === true) continue
      if (make === undefined) findings.add([field.name], 'is required')
      else row[field.name] = make()
    }
    checkPolymorphics(row, findings, filled)
  }
}

function updateEnd(definition: ModelDefinition): RowEnd {
  const checkPolymorphics = changeCheck(definition)
  return (row, givenCount, findings) => {
    if (givenCount === 0) findings.add([], `expected at least one field of ${definition.name} to set, got none`)
    checkPolymorphics(row, findings)
  }
}
