import { ConfigurationError } from '../errors.js'
import type { Connection, Step } from './workflow-definition.js'

/** The input of the run stands beside the results of the steps. */
export const INPUT = 'input'

/**
 * What a step's functions see: the input, and the results that the step was built to wait for. What else they read would be there in one run
 * and not in another.
 */
export function contextOf(step: Step, values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return new Proxy(values, {
    get(target, name) {
      if (typeof name !== 'string' || name === INPUT || step.results.has(name)) return target[name as string]
      throw new ConfigurationError(
        `step ${step.id}`,
        `reads the result of "${name}", which it was not seen to need; take it from the parameter as in ({ ${name} }) => …, or say after: ['${name}']`,
      )
    },
  })
}

/** Which results a function reads: learnt by calling it once with values that stand for anything. What it throws over them is no matter. */
export function namesReadBy(fn: (context: never, ...more: never[]) => unknown): ReadonlySet<string> {
  const names = new Set<string>()
  const context = new Proxy(
    {},
    {
      get(_, name) {
        if (typeof name === 'string') names.add(name)
        return anything()
      },
    },
  )
  try {
    const made = fn(context as never, anything() as never, 0 as never)
    // an async function has its own error to tell, later and to nobody
    if (made instanceof Promise) made.catch(() => undefined)
  } catch {}
  return names
}

const anythings = new WeakSet<object>()

/** Whether a value is one that stands for any. */
export function isAnything(value: unknown): boolean {
  return typeof value === 'function' && anythings.has(value)
}

/** What a step's functions see when nothing is run: values that stand for any. */
export function plannedContext(): unknown {
  return anything()
}

/** Stands for any value: every property, call and item of it is another. */
function anything(): unknown {
  const any = new Proxy(() => undefined, {
    get(_, name) {
      if (name === Symbol.toPrimitive) return () => 0
      if (name === Symbol.iterator) return () => [][Symbol.iterator]()
      if (name === Symbol.asyncIterator || name === 'then') return undefined
      return anything()
    },
    apply: () => anything(),
    construct: () => anything() as object,
    has: () => true,
  })
  anythings.add(any)
  return any
}

/** The input of a step that is described by data: its values, with those of other steps put in. */
export function inputFrom(
  inputs: Readonly<Record<string, unknown>>,
  connections: readonly Connection[],
  values: Readonly<Record<string, unknown>>,
): unknown {
  if (connections.length === 0) return inputs
  let input: unknown = inputs
  for (const { from, output, to } of connections) input = withValueAt(input, to === '' ? [] : to.split('.'), valueAt(values[from], output))
  return input
}

function valueAt(value: unknown, path: string): unknown {
  let at = value
  for (const name of path === '' ? [] : path.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, name)) return undefined
    at = (at as Record<string, unknown>)[name]
  }
  return at
}

/** A copy as far as the path goes. */
function withValueAt(target: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value
  const inner = typeof target === 'object' && target !== null ? (target as Record<string, unknown>) : {}
  const next = withValueAt(Object.hasOwn(inner, name) ? inner[name] : undefined, rest, value)
  return { ...inner, ...Object.fromEntries([[name, next]]) }
}
