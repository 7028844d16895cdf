import { belongsTo, field, hasMany, hasOne, id, type Many, manyToMany, model, type One } from 'latchwork'
import { NAMES, PRICES, SIZES } from './field-conditions.js'
import type { RelatedOf } from './where-logic.js'

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
  @belongsTo(() => Tree, 'treeId') tree!: One<Tree>
}

@model()
export class Bird {
  @id.integer() id!: number
  @field.text({ nullable: true }) name!: string | null
  @field.decimal({ precision: 4, scale: 1, nullable: true }) price!: string | null
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

interface NestRow {
  readonly id: number
  readonly treeId: number
  readonly size: number | null
}

interface BirdRow {
  readonly id: number
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

/** A forest by chance. */
export function randomForest(trees = 24, birds = 6): Forest {
  const pick = <T>(list: readonly T[]) => list[Math.floor(Math.random() * list.length)]!
  const ids = (count: number) => Array.from({ length: count }, (_, index) => index + 1)
  const often = (share: number) => Math.random() < share
  return {
    // a parent has a lower id, so that the rows can be made in their order
    trees: ids(trees).map((id) => ({
      id,
      size: pick(SIZES),
      name: pick(NAMES),
      price: pick(PRICES),
      parentId: id > 1 && often(0.7) ? pick(ids(id - 1)) : null,
    })),
    nests: ids(trees)
      .filter(() => often(0.4))
      .map((treeId, index) => ({ id: index + 1, treeId, size: pick(SIZES) })),
    birds: ids(birds).map((id) => ({ id, name: pick(NAMES), price: pick(PRICES) })),
    visits: ids(trees).flatMap((treeId) =>
      ids(birds)
        .filter(() => often(0.25))
        .map((birdId) => ({ treeId, birdId })),
    ),
  }
}

/** What the relations of the models lead to. */
export function relationsIn({ trees, nests, birds, visits }: Forest): RelatedOf {
  const ofTree: Readonly<Record<string, (tree: TreeRow) => readonly object[] | object | null>> = {
    parent: (tree) => trees.find(({ id }) => id === tree.parentId) ?? null,
    children: (tree) => trees.filter(({ parentId }) => parentId === tree.id),
    nest: (tree) => nests.find(({ treeId }) => treeId === tree.id) ?? null,
    birds: (tree) => birds.filter(({ id }) => visits.some((visit) => visit.treeId === tree.id && visit.birdId === id)),
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
  return (row, name) => {
    const relations = kinds.find(([rows]) => rows.has(row))?.[1] as Readonly<Record<string, (row: object) => object | null>> | undefined
    return relations !== undefined && Object.hasOwn(relations, name) ? relations[name]!(row) : undefined
  }
}
