import type { Unit, UnitGraph } from './workflow-definition.js'
import type { WorkflowRun } from './workflow-run.js'

/** How long a run that has to stop waits for steps that are under way: what heeds a signal has ended by then. */
const GRACE_MS = 50

/**
 * Runs the units of a graph, each as soon as what it needs has ended, at most `maxParallel` side by side. After a failure none is begun,
 * and those under way are waited for: what they do is done when the failure is told.
 *
 * @throws the first failure
 * @throws why the run has to stop: then it waits no longer than {@link GRACE_MS}
 */
export function runUnits(run: WorkflowRun, graph: UnitGraph, runUnit: (unit: Unit) => Promise<void>): Promise<void> {
  return new Promise((resolve, reject) => {
    const { units, dependents } = graph
    const missing = [...graph.needCounts]
    const ready = graph.order.filter((position) => missing[position] === 0)
    let next = 0
    let running = 0
    let failure: { readonly error: unknown } | undefined
    let grace: NodeJS.Timeout | undefined

    const settle = () => {
      endListening()
      clearTimeout(grace)
      if (failure === undefined) resolve()
      else reject(failure.error)
    }
    const goOn = () => {
      while (failure === undefined && next < ready.length && running < run.maxParallel) begin(ready[next++]!)
      if (running === 0) settle()
    }
    const begin = (position: number) => {
      running++
      runUnit(units[position]!).then(
        () => {
          running--
          for (const dependent of dependents[position]!) if (--missing[dependent]! === 0) ready.push(dependent)
          goOn()
        },
        (error: unknown) => {
          running--
          failure ??= { error }
          goOn()
        },
      )
    }
    const stop = (reason: Error) => {
      failure ??= { error: reason }
      if (running === 0) settle()
      else grace = setTimeout(settle, GRACE_MS)
    }
    const endListening = run.onStop(stop)
    if (run.stopReason !== undefined) failure = { error: run.stopReason }
    goOn()
  })
}
