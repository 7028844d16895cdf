import { SingleBar } from 'cli-progress'
import type { WorkflowEvent } from 'latchwork'

/** Shows on stderr how far the steps of a run are: items as a bar, or as lines where it is not a terminal. */
export function showProgress(pages: number): (event: WorkflowEvent) => void {
  const bar = process.stderr.isTTY ? new SingleBar({ format: '  {step} {bar} {value} of {total}', clearOnComplete: true }) : undefined
  return (event) => {
    if (event.type === 'itemDone') {
      if (event.itemsDone === 1) bar?.start(pages, 0, { step: event.step.padEnd(8) })
      bar?.update(event.itemsDone)
    }
    if (event.type !== 'stepEnded') return
    bar?.stop()
    if (bar === undefined) console.error(`  ${event.step}: ${event.status}`)
  }
}
