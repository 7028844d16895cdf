import { SingleBar } from 'cli-progress'
import type { LockHolder } from '../documents.js'
import type { MigrationProgress } from '../migrator-options.js'
import type { Terminal } from './terminal.js'

/** Shows on stderr what a migrator tells while it works: a line for each event that matters, and on a terminal a bar of the steps. */
export class ProgressDisplay {
  readonly #terminal: Terminal
  #bar: SingleBar | undefined

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  readonly onProgress = (progress: MigrationProgress): void => {
    if (progress.type === 'started') this.#start(progress)
    else if (progress.type === 'finished') this.stop()
    else if (progress.type === 'step') this.#bar?.update(progress.step - 1, { note: progress.sqlPreview ?? '' })
    else if (progress.type === 'batch') this.#bar?.update({ note: `${progress.table}: ${progress.done} rows` })
    else this.#say(this.#lineOf(progress))
  }

  /** Takes the bar away, if there is one. */
  stop(): void {
    this.#bar?.stop()
    this.#bar = undefined
  }

  #start({ id, direction, number, count, stepsTotal }: Of<'started'>): void {
    this.#terminal.log(`${direction === 'up' ? 'applying' : 'reverting'} ${id} (${number} of ${count})`)
    if (!this.#terminal.canMove) return
    // the signals are ours: the bar would end the process before the state is written
    const options = {
      stream: process.stderr,
      gracefulExit: false,
      clearOnComplete: true,
      format: '  {bar} {value} of {total} steps {note}',
    }
    this.#bar = new SingleBar(options)
    this.#bar.start(stepsTotal, 0, { note: '' })
  }

  #lineOf(progress: Of<'waiting' | 'locked' | 'retry' | 'log' | 'warning'>): string | undefined {
    switch (progress.type) {
      case 'waiting':
        return `waiting for the lock${holderText(progress.holder)}`
      case 'locked':
        // who got it at once need not know
        return progress.waitedMs < 1_000 ? undefined : `got the lock after ${Math.round(progress.waitedMs / 1_000)} s`
      case 'retry':
        return `  step ${progress.step} got no lock in time; try ${progress.attempt + 1} in ${progress.delayMs} ms`
      case 'log':
        return `  ${progress.message}`
      case 'warning':
        return `${this.#terminal.onLog('yellow', 'warning')}: ${progress.message}`
    }
  }

  /** A line above the bar, which it overwrites and which is drawn again with the next step. */
  #say(text: string | undefined): void {
    if (text === undefined) return
    if (this.#bar !== undefined) process.stderr.write('\r\u001B[2K')
    this.#terminal.log(text)
  }
}

type Of<T extends MigrationProgress['type']> = Extract<MigrationProgress, { type: T }>

/** Who has the lock, as far as the engine tells. */
export function holderText(holder: LockHolder | undefined): string {
  if (holder === undefined) return ''
  const { id, application, user, host, since, activity } = holder
  const parts = [
    application,
    user === null ? null : `of ${user}`,
    host === null ? null : `on ${host}`,
    since === null ? null : `since ${since}`,
    activity,
  ]
  const known = parts.filter((part) => part !== null)
  return `: held by ${id}${known.length === 0 ? '' : ` (${known.join(', ')})`}`
}
