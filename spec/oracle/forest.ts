import fc from 'fast-check'
import { belongsTo, deletedAt, field, type Generated, hasMany, hasOne, id, type Many, manyToMany, model, type One } from 'latchwork'
import { NAMES, PRICES, SIZES } from './field-conditions.js'
import type { Deleted, RelatedOf } from './where-logic.js'

/** Related in every way there is, to itself and to others. */
@model()
export class Tree {
  @id.integer() id!: number
  @field.integer({ nullable: true }) size!: number | null
  @field.text({ nullable: true }) name!: string | null
  @field.decimal({ precision: 4, scale: 1, nullable: true }) price!: string | null
  @field.integer({ nullable: true }) parentId!: number | null
  @belongsTo(() => Tree, 'parentId') parent!: One<Tree> | null
  @hasMany(() => Tree, 'parentId') children!: Many<Tree>
  @hasOne(() => Nest, 'treeId') nest!: One<Nest> | null
  @manyToMany(() => Bird, { through: () => Visit, foreignKey: 'treeId', otherKey: 'birdId' }) birds!: Many<Bird>
}

@model()
export class Nest {
  @id.integer() id!: number
  @field.integer({ unique: true }) treeId!: number
  @field.integer({ nullable: true }) size!: number | null
  @deletedAt() deletedAt!: Generated<Date | null>
  @belongsTo(() => Tree, 'treeId') tree!: One<Tree>
}

@model()
export class Bird {
  @id.integer() id!: number
  @field.text({ nullable: true }) name!: string | null
  @field.decimal({ precision: 4, scale: 1, nullable: true }) price!: string | null
  @deletedAt() deletedAt!: Generated<Date | null>
  @manyToMany(() => Tree, { through: () => Visit, foreignKey: 'birdId', otherKey: 'treeId' }) trees!: Many<Tree>
}

@model()
export class Visit {
  @id.integer() treeId!: number
  @id.integer() birdId!: number
  @belongsTo(() => Tree, 'treeId') tree!: One<Tree>
  @belongsTo(() => Bird, 'birdId') bird!: One<Bird>
}

export const models = { trees: Tree, nests: Nest, birds: Bird, visits: Visit } as const

export interface TreeRow {
  readonly id: number
  readonly size: number | null
  readonly name: string | null
  readonly price: string | null
  readonly parentId: number | null
}

interface MarkedRow {
  readonly id: number
  readonly deletedAt: Date | null
}

interface NestRow extends MarkedRow {
  readonly treeId: number
  readonly size: number | null
}

interface BirdRow extends MarkedRow {
  readonly name: string | null
  readonly price: string | null
}

/** The rows of all tables. */
export interface Forest {
  readonly trees: readonly TreeRow[]
  readonly nests: readonly NestRow[]
  readonly birds: readonly BirdRow[]
  readonly visits: readonly { readonly treeId: number; readonly birdId: number }[]
}

/** When the rows were deleted that are marked so. */
const GONE = new Date('2026-01-31T12:00:00.123Z')

const TREES = 24
const BIRDS = 6

const often = (share: number) => fc.double({ min: 0, max: 1, noNaN: true }).map((chance) => chance < share)
const each = <T>(count: number, of: (id: number) => fc.Arbitrary<T>) =>
  fc.tuple(...Array.from({ length: count }, (_, index) => of(index + 1))) as fc.Arbitrary<T[]>

const [sizes, names, prices] = [fc.constantFrom(...SIZES), fc.constantFrom(...NAMES), fc.constantFrom(...PRICES)]

/** Some are marked as deleted. */
const marks = often(0.3).map((has) => (has ? GONE : null))

/** A parent has a lower id, so that the rows can be made in their order. */
const parentIds = (id: number) =>
  id === 1 ? fc.constant(null) : often(0.7).chain((has) => (has ? fc.integer({ min: 1, max: id - 1 }) : fc.constant(null)))

/** Rows of all tables, by chance. */
export const forests: fc.Arbitrary<Forest> = fc.record({
  trees: each(TREES, (id) => fc.record({ id: fc.constant(id), size: sizes, name: names, price: prices, parentId: parentIds(id) })),
  nests: each(TREES, (treeId) =>
    often(0.4).chain((has) => (has ? fc.record({ treeId: fc.constant(treeId), size: sizes, deletedAt: marks }) : fc.constant(undefined))),
  ).map((nests) => nests.filter((nest) => nest !== undefined).map((nest, index) => ({ id: index + 1, ...nest }))),
  birds: each(BIRDS, (id) => fc.record({ id: fc.constant(id), name: names, price: prices, deletedAt: marks })),
  visits: each(TREES, (treeId) =>
    each(BIRDS, () => often(0.25)).map((visited) => visited.flatMap((has, index) => (has ? [{ treeId, birdId: index + 1 }] : []))),
  ).map((visits) => visits.flat()),
})

/** What the relations of the models lead to. */
export function relationsIn({ trees, nests, birds, visits }: Forest): RelatedOf {
  const ofTree: Readonly<Record<string, (tree: TreeRow, deleted?: Deleted) => readonly object[] | object | null>> = {
    parent: (tree) => trees.find(({ id }) => id === tree.parentId) ?? null,
    children: (tree) => trees.filter(({ parentId }) => parentId === tree.id),
    nest: (tree, deleted) => visible(nests, deleted).find(({ treeId }) => treeId === tree.id) ?? null,
    birds: (tree, deleted) =>
      visible(birds, deleted).filter(({ id }) => visits.some((visit) => visit.treeId === tree.id && visit.birdId === id)),
  }
  const ofNest = { tree: (nest: NestRow) => trees.find(({ id }) => id === nest.treeId)! }
  const ofBird = {
    trees: (bird: BirdRow) => trees.filter(({ id }) => visits.some((visit) => visit.birdId === bird.id && visit.treeId === id)),
  }
  const kinds = [
    [new Set<object>(trees), ofTree],
    [new Set<object>(nests), ofNest],
    [new Set<object>(birds), ofBird],
  ] as const
  return (row, name, deleted) => {
    const relations = kinds.find(([rows]) => rows.has(row))?.[1] as Readonly<Record<string, RelatedTo>> | undefined
    return relations !== undefined && Object.hasOwn(relations, name) ? relations[name]!(row, deleted) : undefined
  }
}

type RelatedTo = (row: object, deleted?: Deleted) => object | null

function visible<R extends MarkedRow>(rows: readonly R[], deleted: Deleted | undefined): readonly R[] {
  return deleted === 'include' ? rows : rows.filter(({ deletedAt }) => (deletedAt !== null) === (deleted === 'only'))
}
