import 'reflect-metadata/lite'
import type { FieldSpec } from '../lib/model/field-spec.js'
import type { ModelClass } from '../lib/model/model-definition.js'
import type { RelationSpec } from '../lib/model/model-options.js'

// compilers give standard decorators a metadata object only where this symbol is there when the class is evaluated;
// Node 20 and 22 lack it, and esbuild falls back to this very symbol
if (Symbol.metadata === undefined) Object.defineProperty(Symbol, 'metadata', { value: Symbol.for('Symbol.metadata') })

/** What one decorator says of one property. `problem`: it cannot stand there; told once the model's name is known. */
export type Member = { readonly property: string } & (
  | { readonly field: FieldSpec }
  | { readonly relation: RelationSpec }
  | { readonly problem: string }
)

/** `Symbol.for`, so that a base class may come from another copy of the package. */
const MEMBERS = Symbol.for('latchwork.members.v1')

/**
 * Adds what a decorator says to its class.
 *
 * @param owner  the class itself (legacy decorators) or its metadata object (standard ones): each class has its own
 */
export function collect(owner: object, member: Member): void {
  Reflect.defineMetadata(MEMBERS, [...membersOf(owner), member], owner)
}

/**
 * What was collected for a class and its base classes, base first, one list a class.
 *
 * @param metadata  the metadata object that a standard class decorator was given: the class does not have it yet
 */
export function collected(target: ModelClass, metadata: object | undefined): readonly (readonly Member[])[] {
  const lists: (readonly Member[])[] = [metadata === undefined ? [] : membersOf(metadata)]
  for (let owner: unknown = target; typeof owner === 'function'; owner = Object.getPrototypeOf(owner)) {
    const own: unknown = Object.hasOwn(owner, Symbol.metadata) ? (owner as { [Symbol.metadata]?: unknown })[Symbol.metadata] : undefined
    lists.unshift(membersOf(owner), typeof own === 'object' && own !== null && own !== metadata ? membersOf(own) : [])
  }
  return lists.filter((list) => list.length > 0)
}

function membersOf(owner: object): readonly Member[] {
  return (Reflect.getOwnMetadata(MEMBERS, owner) as readonly Member[] | undefined) ?? []
}
