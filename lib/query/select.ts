import { isPlainObject, kindOf } from '../model/value-kind.js'
import { isAtMostOne } from './at-most-one.js'
import type { BoundField, BoundModel, BoundRelation } from './bound-model.js'
import { parseCount } from './call-input.js'
import { type Deleted, type RelatedCondition, related } from './condition.js'
import type { InputIssues, Path } from './input-issues.js'
import { inTotalOrder, type OrderItem, orderKey, parseOrder } from './order.js'
import { bareColumn, columnOfAlias, columnOfModel } from './reference.js'
import { parseDeleted } from './row-filter.js'
import { LOADED_ROWS, type ReadRelation, type RelationLoad, type RowWish, type Selection, selectAll, selectionOf } from './selection.js'
import { StatementShape } from './statement-cache.js'
import { parseWhere } from './where.js'

/** Deepest nesting of `include`. */
const MAX_DEPTH = 32
/** Most relations in one `include` with all that is nested in it: an object may stand in itself. */
const MAX_RELATIONS = 256
/** Most tables that are joined to a statement for what it includes; engines take some sixty in all. */
const MAX_JOINS = 32

/** What a call says of the rows that it gives back. */
interface SelectInput {
  readonly select?: unknown
  readonly include?: unknown
}

/** What a SELECT, unlike other statements, can do for its rows. */
interface SelectContext {
  /** Its shape: with it to-one relations by a key are joined. Without one, they are loaded by statements of their own. */
  readonly joining?: StatementShape | undefined
  /** Fields that are read whether they are shown or not. */
  readonly also?: readonly BoundField[] | undefined
}

/** Checks which fields and relations a call wants of its rows. */
export function parseSelect(
  model: BoundModel,
  given: SelectInput | undefined,
  issues: InputIssues,
  { joining, also = [] }: SelectContext = {},
): Selection {
  const isPlain = given === undefined || (given.select === undefined && given.include === undefined)
  if (isPlain && issues.shownOf(model) === model.fields) return selectAll(model)
  const parser = new SelectParser(issues, joining)
  const wish = { ...parser.parse(model, given ?? {}, [], 0), also }
  // what is read and not shown follows from the order, which the statement's shape tells
  return selectionOf(wish, parser.key, wish.joined.length === 0 ? bareColumn : columnOfModel(model))
}

/** As {@link parseSelect}, where `include` may stand in the input too: the nodes that read. */
export function parseReadSelect(
  model: BoundModel,
  { include }: Record<string, unknown>,
  options: SelectInput | undefined,
  issues: InputIssues,
  context: SelectContext,
): Selection {
  if (include !== undefined && options?.include !== undefined)
    issues.add(['include'], 'stands in the input and in the options: give it once')
  return parseSelect(model, include === undefined ? options : { select: options?.select, include }, issues, context)
}

/** A wish while it is parsed. */
interface OpenWish extends RowWish {
  readonly joined: RowWish['joined'][number][]
  readonly loaded: RelationLoad[]
}

/** Where something stands in an `include`, and what it adds to. */
interface IncludePlace {
  readonly path: Path
  readonly depth: number
  readonly wish: OpenWish
}

/** Parses what one statement reads. */
class SelectParser {
  /** Says what is read, for the statement's shape. */
  key = ''
  #joins = 0

  constructor(
    readonly issues: InputIssues,
    /** Of the statement; undefined: it can join nothing. */
    readonly shape: StatementShape | undefined,
    /** Of the whole call. */
    readonly size = { relations: 0, isRefused: false },
  ) {}

  parse(model: BoundModel, { select, include }: SelectInput, path: Path, depth: number): RowWish {
    const fields = this.#fields(model, select, [...path, 'select'])
    const wish: OpenWish = { fields, joined: [], loaded: [] }
    if (include === undefined) return wish
    const at = [...path, 'include']
    if (!isPlainObject(include)) this.issues.add(at, `expected an object of relations, got ${kindOf(include)}`)
    else if (depth >= MAX_DEPTH) this.#refuse(`expected at most ${MAX_DEPTH} levels`)
    else for (const name of Object.keys(include)) this.#named(model, name, include[name], { path: [...at, name], depth, wish })
    return wish
  }

  #fields(model: BoundModel, select: unknown, path: Path): readonly BoundField[] {
    const fields = select === undefined ? this.issues.shownOf(model) : parseFields(model, select, this.issues, path)
    this.key += fields === model.fields ? '*' : `*${fields.map((field) => field.name).join()}`
    return fields
  }

  #named({ relations, polymorphics }: BoundModel, name: string, given: unknown, place: IncludePlace): void {
    const relation = relations.get(name)
    const choices = polymorphics.get(name)
    if (relation !== undefined) this.#relation({ relation, polymorphic: undefined }, given, place)
    else if (choices !== undefined) this.#choices(name, choices, given, place)
    else this.issues.addUnknown(place.path, name, 'relation')
  }

  /** Each relation that is asked for is read as it would be by itself: a row has the one that it chose. */
  #choices(polymorphic: string, choices: readonly BoundRelation[], given: unknown, place: IncludePlace): void {
    const names = choices.map(({ name }) => name)
    const wanted = given === true ? Object.fromEntries(names.map((name) => [name, true])) : given
    if (!isPlainObject(wanted) || Object.keys(wanted).length === 0) {
      const got = isPlainObject(wanted) ? 'an empty one' : kindOf(wanted)
      this.issues.add(place.path, `expected true or an object of ${names.join(', ')}, got ${got}`)
      return
    }
    this.key += `{${polymorphic}`
    for (const name of Object.keys(wanted)) {
      const path = [...place.path, name]
      const relation = choices.find((choice) => choice.name === name)
      if (relation === undefined) this.issues.addUnknown(path, name, 'relation')
      else this.#relation({ relation, polymorphic }, wanted[name], { ...place, path })
    }
    this.key += '}'
  }

  #relation(read: ReadRelation, given: unknown, { path, depth, wish }: IncludePlace): void {
    const { relation } = read
    if (!this.issues.allowsRelation(relation, path)) return
    if (++this.size.relations > MAX_RELATIONS) this.#refuse(`expected at most ${MAX_RELATIONS} relations in all`)
    if (this.size.isRefused) return
    const options = parseRelationOptions(relation, given, this.issues, path)
    if (options === undefined) return
    const { deleted } = options
    this.key += `{${relation.name}`
    if (this.shape === undefined || this.#joins === MAX_JOINS || !isAtMostOne(relation, deleted)) {
      const load = this.#load(read, options, path, depth)
      this.key += load.shape.key
      wish.loaded.push(load)
    } else {
      this.#joins++
      // the statement's own key tells the shape of this condition
      const before = this.shape.key.length
      const condition = parseRelatedWhere(relation, options, this.shape, this.issues, path)
      this.key += this.shape.key.slice(before)
      wish.joined.push({ ...read, condition, wish: this.parse(relation.target, options, path, depth + 1) })
    }
    this.key += '}'
  }

  /** Says so once, and looks no further. */
  #refuse(message: string): void {
    if (!this.size.isRefused) this.issues.add(['include'], message)
    this.size.isRefused = true
  }

  #load(read: ReadRelation, options: RelationOptions, path: Path, depth: number): RelationLoad {
    const { issues } = this
    const { relation } = read
    const { source, target, name } = relation
    const shape = new StatementShape(`include ${source.definition.name}.${name} `)
    const parser = new SelectParser(issues, shape, this.size)
    const wish = parser.parse(target, options, path, depth + 1)
    const condition = parseRelatedWhere(relation, options, shape, issues, path)
    const isFirst = !relation.isMany && !isAtMostOne(relation, options.deleted)
    const limit = isFirst ? 1 : parseCount(options.limit, [...path, 'limit'], issues)
    const order = isFirst ? livingFirst(target, options.deleted) : parseOrder(target, options.orderBy, issues, [...path, 'orderBy'])
    const items = limit === undefined ? order : inTotalOrder(target, order)
    shape.key += `${parser.key}|${orderKey(items)}|${limit === undefined ? '' : 'l'}`
    return {
      ...read,
      selection: selectionOf(wish, parser.key, columnOfAlias(LOADED_ROWS)),
      condition,
      order: items,
      limit: limit === undefined ? undefined : shape.add(limit),
      shape,
    }
  }
}

/** Of several rows of a to-one relation, one that is not marked as deleted comes before those that are, of these the last. */
function livingFirst({ roles: { deletedAt } }: BoundModel, deleted: Deleted | undefined): readonly OrderItem[] {
  return deleted === 'include' && deletedAt !== undefined ? [{ field: deletedAt, direction: 'desc', nulls: 'first' }] : []
}

function parseRelatedWhere(
  relation: BoundRelation,
  { where, deleted }: RelationOptions,
  shape: StatementShape,
  issues: InputIssues,
  path: Path,
): RelatedCondition {
  return related(relation, parseWhere(relation.target, where ?? {}, shape, issues, [...path, 'where']), shape, deleted)
}

/** What is said of an included relation, checked as far as `deleted`. */
interface RelationOptions extends SelectInput {
  readonly where?: unknown
  readonly deleted?: Deleted | undefined
  readonly orderBy?: unknown
  readonly limit?: unknown
}

const ONE_OPTIONS: readonly string[] = ['where', 'select', 'include', 'deleted']
const MANY_OPTIONS: readonly string[] = [...ONE_OPTIONS, 'orderBy', 'limit']

/** What is said of an included relation; undefined: something that cannot be understood. */
function parseRelationOptions(relation: BoundRelation, given: unknown, issues: InputIssues, path: Path): RelationOptions | undefined {
  if (given === true) return {}
  if (!isPlainObject(given)) {
    issues.add(path, `expected true or an object of options, got ${kindOf(given)}`)
    return undefined
  }
  const known = relation.isMany ? MANY_OPTIONS : ONE_OPTIONS
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) issues.addUnknown([...path, name], name, 'option')
    else if (given[name] === undefined) issues.add([...path, name], 'is undefined; leave the entry out')
  }
  const { where, select, include, orderBy, limit } = given
  const deleted = parseDeleted(relation.target, given, issues, path)
  if (deleted !== undefined && issues.isForOutsider) issues.add([...path, 'deleted'], 'is not for calls from outside')
  return { where, select, include, orderBy, limit, deleted }
}

/** The fields named by a list. */
export function parseFields(model: BoundModel, select: unknown, issues: InputIssues, path: Path): readonly BoundField[] {
  if (!Array.isArray(select) || select.length === 0) {
    issues.add(path, `expected a list of at least one field, got ${Array.isArray(select) ? 'an empty one' : kindOf(select)}`)
    return model.fields
  }
  const fields = select.flatMap((name: unknown, position) => {
    const field = typeof name === 'string' ? model.fieldByName.get(name) : undefined
    if (field !== undefined) return issues.allows(field, [...path, position]) ? [field] : []
    if (typeof name === 'string') issues.addUnknown([...path, position], name, 'field')
    else issues.add([...path, position], `expected the name of a field, got ${kindOf(name)}`)
    return []
  })
  return [...new Set(fields)]
}
