import { ModelError } from '../lib/errors.js'
import type { FieldSpec } from '../lib/model/field-spec.js'
import type { ModelClass } from '../lib/model/model-definition.js'
import type { RelationSpec } from '../lib/model/model-options.js'
import { collect } from './metadata.js'

/** What the decorated property is declared as, in either mode; `never` for a static or private one. */
export type Declared<O, A> =
  A extends ClassFieldDecoratorContext<infer _This, infer V>
    ? A extends { readonly private: false; readonly static: false }
      ? V
      : never
    : O extends ModelClass
      ? never
      : A extends keyof O
        ? O[A]
        : never

/** The class of the decorated property, in either mode. */
export type Owner<O, A> = A extends ClassFieldDecoratorContext<infer This, infer _V> ? This : O

declare const expected: unique symbol

/** Stands in a compiler's message where a property's type disagrees with its decorator: declare it as `E`. */
export interface DeclareAs<E> {
  readonly [expected]: E
}

/** Stands in a compiler's message where a name is no field of the model. */
export interface UnknownField<F> {
  readonly [expected]: F
}

/** Stands in a compiler's message where a name is no belongsTo of the model whose key takes null. */
export interface UnknownChoice<R> {
  readonly [expected]: R
}

/** The first two arguments of a decorator on a property, as the two modes give them. */
export type PropertyTarget = object | undefined
export type PropertyPlace = ClassFieldDecoratorContext | string

/** What a decorator says of its property, or the problem with where it stands. */
export type Said = { readonly field: FieldSpec } | { readonly relation: RelationSpec } | { readonly problem: string }

/** What a decorator may ask of the place where it stands. */
export interface Site {
  /** The class that the compiler wrote down as the property's type (`emitDecoratorMetadata`). */
  readonly designType: unknown
}

/** A decorator on a property that works in both modes and only collects. */
export function propertyDecorator(say: (site: Site) => Said): (target: unknown, place: unknown, descriptor?: unknown) => void {
  return (target, place, descriptor) => {
    if (typeof place === 'object' && place !== null) standard(place as ClassFieldDecoratorContext, say)
    else legacy(target as object, place as string | symbol, descriptor, say)
  }
}

/**
 * Refuses `@createdAt` without its brackets, which would decorate nothing and say nothing.
 *
 * @throws {ModelError} the arguments are those of a decorator, not options
 */
export function refuseBareUse(name: string, given: readonly unknown[]): void {
  const [first, second] = given
  const isStandard = typeof second === 'object' && second !== null && 'kind' in second && 'access' in second
  const isLegacy = typeof first === 'object' && first !== null && typeof second === 'string'
  if (!isStandard && !isLegacy) return
  const property = isStandard ? String((second as ClassFieldDecoratorContext).name) : String(second)
  throw new ModelError(UNNAMED, property, `write @${name}(), with brackets`)
}

/** Standard decorators of a property run before its class has a name. */
const UNNAMED = '(unnamed)'

function standard(context: ClassFieldDecoratorContext, say: (site: Site) => Said): void {
  const property = String(context.name)
  if (typeof context.metadata !== 'object') {
    throw new ModelError(
      UNNAMED,
      property,
      'the compiler gives decorators no metadata object; import latchwork before the class is evaluated',
    )
  }
  const problem = standardProblem(context)
  collect(context.metadata, { property, ...(problem === undefined ? say({ designType: undefined }) : { problem }) })
}

function standardProblem(context: ClassFieldDecoratorContext): string | undefined {
  if (context.kind !== 'field') return `decorates a ${context.kind}; it belongs on a property`
  return misplaced(context.name, context.static, context.private)
}

function legacy(target: object, name: string | symbol, descriptor: unknown, say: (site: Site) => Said): void {
  const isStatic = typeof target === 'function'
  const owner = isStatic ? target : target.constructor
  const problem = isMethod(descriptor) ? 'decorates a method or accessor; it belongs on a property' : misplaced(name, isStatic, false)
  const designType: unknown = Reflect.getMetadata('design:type', target, name)
  collect(owner, { property: String(name), ...(problem === undefined ? say({ designType }) : { problem }) })
}

function misplaced(name: string | symbol, isStatic: boolean, isPrivate: boolean): string | undefined {
  if (typeof name === 'symbol') return 'a field cannot be called by a symbol'
  if (isPrivate) return 'a field cannot be private'
  return isStatic ? 'a field cannot be static' : undefined
}

/** Compilers of the legacy mode pass a descriptor for methods and accessors; for properties none, or one with an initializer. */
function isMethod(descriptor: unknown): boolean {
  if (typeof descriptor !== 'object' || descriptor === null) return false
  return 'get' in descriptor || 'set' in descriptor || ('value' in descriptor && typeof descriptor.value === 'function')
}
