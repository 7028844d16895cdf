import { kindOf } from '../model/value-kind.js'
import type { BoundField, BoundModel, BoundRelation } from './bound-model.js'
import { givesRelated, isObject } from './gives-related.js'
import type { InputIssues, Path } from './input-issues.js'

/** Deepest nesting of rows. */
const MAX_DEPTH = 32
/** Most rows of one call, those between two models included. */
const MAX_ROWS = 100_000

/** A checked row that is to be made. What it takes from other new rows is not among its values yet. */
export interface NewRow {
  readonly model: BoundModel
  readonly values: Record<string, unknown>
  readonly keys: readonly TakenKey[]
  /** The rows from which it takes keys have lower ranks. */
  readonly rank: number
}

/** A key that a row takes from another new one: its own fields, each with that of the other. */
export interface TakenKey {
  readonly from: NewRow
  readonly fields: readonly (readonly [own: BoundField, other: BoundField])[]
}

/** The row of a create's input and all that are nested in it; undefined, and issues: not all is well with it. */
export function parseNewRows(
  model: BoundModel,
  input: unknown,
  issues: InputIssues,
): { readonly root: NewRow; readonly rows: readonly NewRow[] } {
  const parser = new NewRowParser(issues)
  const root = parser.parse({ model, input, path: [], above: [], keys: [] })
  return { root, rows: parser.rows }
}

/** A row as it stands in the input. */
interface GivenRow {
  readonly model: BoundModel
  readonly input: unknown
  readonly path: Path
  /** The objects that it stands in. */
  readonly above: readonly unknown[]
  /** What it takes from the row around it. */
  readonly keys: readonly TakenKey[]
}

class NewRowParser {
  readonly rows: NewRow[] = []
  #isRefused = false

  constructor(readonly issues: InputIssues) {}

  parse({ model, input, path, above, keys: outer }: GivenRow): NewRow {
    const inside = [...above, input]
    const isRefused = !this.#isWithinBounds(input, path, above)
    const { fields, relations } = isRefused ? REFUSED : split(model, input)
    const keys = [...outer]
    const filled = new Map<string, string>()
    for (const { fields: own } of outer) for (const [{ name }] of own) filled.set(name, 'the row around it')
    for (const [relation, given] of relations) {
      if (relation.definition.kind !== 'belongsTo' || !this.#isMade(relation, path)) continue
      const at = [...path, relation.name]
      const taken = relation.sourceFields.find(({ name }) => filled.has(name))
      if (taken !== undefined) {
        this.issues.add(at, `${taken.name} is filled in from ${filled.get(taken.name)}: leave it out`)
        continue
      }
      const from = this.parse({ model: relation.target, input: given, path: at, above: inside, keys: [] })
      keys.push(this.#key(from, relation.sourceFields, relation.targetFields, at))
      for (const { name, definition } of relation.sourceFields) if (definition.role === undefined) filled.set(name, `"${relation.name}"`)
    }
    const validated = model.validateCreate(fields, filled)
    if (!isRefused) this.issues.take(validated, path)
    const row = this.#push({ model, values: validated.value, keys })
    for (const [relation, given] of relations) {
      if (relation.definition.kind !== 'belongsTo' && this.#isMade(relation, path))
        this.#related(relation, row, given, [...path, relation.name], inside)
    }
    return row
  }

  /** The rows of a relation that take their key from `row`, or are tied to it by rows between the two. */
  #related(relation: BoundRelation, row: NewRow, given: unknown, path: Path, above: readonly unknown[]): void {
    const { target, through, sourceFields, targetFields } = relation
    if (relation.isMany && !Array.isArray(given)) {
      this.issues.add(path, `expected a list of rows of ${target.definition.name}, got ${kindOf(given)}`)
      return
    }
    const own = this.#key(row, targetFields, sourceFields, path)
    const parse = (input: unknown, at: Path) =>
      this.parse({ model: target, input, path: at, above, keys: through === undefined ? [own] : [] })
    if (!relation.isMany) parse(given, path)
    else {
      // not forEach: a hole in the list has to be met too
      for (const [position, input] of (given as unknown[]).entries()) {
        const child = parse(input, [...path, position])
        if (through !== undefined) this.#tie(relation, row, child, path)
        if (this.#isRefused || this.issues.isFull) return
      }
    }
  }

  /** The row between the two of a many-to-many relation. */
  #tie({ through, sourceFields, targetFields }: BoundRelation, row: NewRow, child: NewRow, path: Path): void {
    const { model, near, far } = through!
    const keys = [this.#key(row, near, sourceFields, path), this.#key(child, far, targetFields, path)]
    const filled = new Map([...near, ...far].map(({ name }) => [name, 'the rows that it is between'] as const))
    const { issues, value } = model.validateCreate({}, filled)
    const [lacking] = issues
    if (lacking === undefined) this.#push({ model, values: value, keys })
    else {
      const { name } = model.definition
      this.issues.add(path, `a row of ${name} needs ${lacking.path.join('.')} too: make rows of ${name} themselves`)
      this.#isRefused = true
    }
  }

  #key(from: NewRow, own: readonly BoundField[], other: readonly BoundField[], path: Path): TakenKey {
    const lacking = other.find((field) => isNull(field, from))
    if (lacking !== undefined) this.issues.add(path, `${from.model.definition.name}.${lacking.name} is null, and is what the key refers to`)
    const fields = own.map((field, index) => [field, other[index]!] as const)
    const strange = fields.find(([field, given]) => field.definition.role === 'tenant' && given.definition.role !== 'tenant')
    if (strange !== undefined)
      this.issues.add(path, `${strange[0].name} is the tenant, which is said by db.withTenant: make the two rows by themselves`)
    // what the layer keeps, such as a tenant, it writes into each row
    return { from, fields: fields.filter(([{ definition }]) => definition.role === undefined) }
  }

  #push(row: Omit<NewRow, 'rank'>): NewRow {
    const ranked = { ...row, rank: Math.max(-1, ...row.keys.map(({ from }) => from.rank)) + 1 }
    this.rows.push(ranked)
    if (this.rows.length > MAX_ROWS) this.#refuse([], `expected at most ${MAX_ROWS} rows in all`)
    return ranked
  }

  #isMade({ name, target, through }: BoundRelation, path: Path): boolean {
    const view = [target, through?.model].find((model) => model?.definition.isView)
    if (view !== undefined) this.issues.add([...path, name], `${view.definition.name} is a view, whose rows are not made`)
    return view === undefined
  }

  #isWithinBounds(input: unknown, path: Path, above: readonly unknown[]): boolean {
    if (isObject(input) && above.includes(input)) this.issues.add(path, 'stands in itself')
    else if (above.length >= MAX_DEPTH) this.#refuse(path, `expected at most ${MAX_DEPTH} levels of rows`)
    else return !this.#isRefused
    return false
  }

  /** Says so once, and looks no further. */
  #refuse(path: Path, message: string): void {
    if (!this.#isRefused) this.issues.add(path, message)
    this.#isRefused = true
  }
}

interface SplitInput {
  /** What is left to the model's own check. */
  readonly fields: unknown
  readonly relations: readonly (readonly [relation: BoundRelation, given: unknown])[]
}

/** In place of an input that is not looked at. */
const REFUSED: SplitInput = { fields: {}, relations: [] }

function split(model: BoundModel, input: unknown): SplitInput {
  if (!givesRelated(model, input)) return { fields: input, relations: [] }
  const fields: [string, unknown][] = []
  const relations: (readonly [BoundRelation, unknown])[] = []
  for (const [name, value] of Object.entries(input as object)) {
    const relation = model.relations.get(name)
    if (relation === undefined) fields.push([name, value])
    else if (value !== undefined) relations.push([relation, value])
  }
  return { fields: Object.fromEntries(fields), relations }
}

/** Whether a new row will have no value in a field, as far as its input tells. */
function isNull({ name, definition }: BoundField, { values, keys }: NewRow): boolean {
  if (values[name] !== undefined) return values[name] === null
  const isTaken = keys.some(({ fields }) => fields.some(([own]) => own.name === name))
  return !isTaken && definition.nullable && definition.default === undefined && definition.role === undefined
}
