import fc from 'fast-check'
import { FIELD_CONDITIONS } from './field-conditions.js'

/** A list's input, of trees. */
export interface TreeQuery {
  readonly where?: object
  readonly orderBy?: readonly Readonly<Record<string, unknown>>[]
  readonly include?: object
}

/** How a list is taken: whole, from an offset, or from page to page by cursor, forward and back. */
export type Pages =
  | { readonly kind: 'whole' }
  | { readonly kind: 'offset'; readonly limit: number; readonly offset: number }
  | { readonly kind: 'walk'; readonly limit: number }

const nothingRequired = { requiredKeys: [] as [] }

/** Filters over all three models, with conditions on each other. */
const filters = fc.letrec<{ tree: object; nest: object; bird: object }>((tie) => {
  const logic = (self: fc.Arbitrary<object>) => ({
    $and: fc.array(self, { maxLength: 2 }),
    $or: fc.array(self, { maxLength: 2 }),
    $not: self,
  })
  const oneOf = (where: fc.Arbitrary<object>) => fc.option(where, { nil: null })
  const someOf = (where: fc.Arbitrary<object>) =>
    fc.constantFrom('$some', '$every', '$none').chain((quantifier) => where.map((each) => ({ [quantifier]: each })))
  const { size, name, price } = FIELD_CONDITIONS
  const sparse = (fields: Record<string, fc.Arbitrary<unknown>>) =>
    fc.subarray(Object.keys(fields), { maxLength: Math.min(2, Object.keys(fields).length) }).chain((names) => {
      return fc.record(Object.fromEntries(names.map((each) => [each, fields[each]!]))) as fc.Arbitrary<object>
    })
  const deeper = (fields: Record<string, fc.Arbitrary<unknown>>, more: Record<string, fc.Arbitrary<unknown>>) =>
    fc.oneof({ maxDepth: 3, depthIdentifier: 'filter' }, sparse(fields), sparse({ ...fields, ...more }))
  return {
    tree: deeper(
      { size, name, price },
      {
        ...logic(tie('tree')),
        parent: oneOf(tie('tree')),
        children: someOf(tie('tree')),
        nest: oneOf(tie('nest')),
        birds: someOf(tie('bird')),
      },
    ),
    nest: deeper({ size }, { ...logic(tie('nest')), tree: oneOf(tie('tree')) }),
    bird: deeper({ name, price }, { ...logic(tie('bird')), trees: someOf(tie('tree')) }),
  }
})

const direction = fc.oneof(
  fc.constantFrom('asc', 'desc'),
  fc.record({ direction: fc.constantFrom('asc', 'desc'), nulls: fc.constantFrom('first', 'last') }),
)

/** Orders of up to three fields. */
function orders(fields: readonly string[]): fc.Arbitrary<readonly Readonly<Record<string, unknown>>[]> {
  return fc.shuffledSubarray([...fields], { maxLength: Math.min(3, fields.length) }).chain((names) => {
    return fc.tuple(...names.map((name) => direction.map((each) => ({ [name]: each }))))
  })
}

const TREE_FIELDS = ['id', 'size', 'name', 'price', 'parentId']
const BIRD_FIELDS = ['id', 'name', 'price']
/** Of relations with rows that are marked as deleted: whether these are there. */
const MARKED = { deleted: fc.constantFrom('include', 'only') }

/** Includes to three levels. Lists of related rows are always in a whole order, so that there is one right answer. */
const includes = fc.letrec<{ tree: object; nest: object; bird: object }>((tie) => {
  const one = (where: fc.Arbitrary<object>, fields: string[], include: fc.Arbitrary<object>, more = {}) =>
    fc.oneof(
      fc.constant(true),
      fc.record({ where, select: fc.subarray(fields, { minLength: 1 }), include, ...more }, nothingRequired) as fc.Arbitrary<unknown>,
    )
  const many = (where: fc.Arbitrary<object>, fields: string[], include: fc.Arbitrary<object>, more = {}) =>
    fc.record(
      {
        orderBy: orders(fields.filter((name) => name !== 'id')).map((items) => [...items, { id: 'asc' }]),
        where,
        select: fc.subarray(fields, { minLength: 1 }),
        limit: fc.integer({ min: 0, max: 3 }),
        include,
        ...more,
      },
      { requiredKeys: ['orderBy'] },
    )
  const level = (relations: Record<string, fc.Arbitrary<unknown>>) =>
    fc.oneof({ maxDepth: 3, depthIdentifier: 'include' }, fc.constant({}), fc.record(relations, nothingRequired) as fc.Arbitrary<object>)
  return {
    tree: level({
      parent: one(filters.tree, TREE_FIELDS, tie('tree')),
      children: many(filters.tree, TREE_FIELDS, tie('tree')),
      nest: one(filters.nest, ['id', 'treeId', 'size'], tie('nest'), MARKED),
      birds: many(filters.bird, BIRD_FIELDS, tie('bird'), MARKED),
    }),
    nest: level({ tree: one(filters.tree, TREE_FIELDS, tie('tree')) }),
    bird: level({ trees: many(filters.tree, TREE_FIELDS, tie('tree')) }),
  }
})

export const treeQueries: fc.Arbitrary<TreeQuery> = fc.record(
  { where: filters.tree, orderBy: orders(TREE_FIELDS), include: includes.tree },
  nothingRequired,
)

export const pagings: fc.Arbitrary<Pages> = fc.oneof(
  fc.constant({ kind: 'whole' } as const),
  fc.record({ kind: fc.constant('offset' as const), limit: fc.integer({ min: 0, max: 9 }), offset: fc.integer({ min: 0, max: 9 }) }),
  fc.record({ kind: fc.constant('walk' as const), limit: fc.integer({ min: 1, max: 9 }) }),
)
