import type { ExitCode } from '../exit-code.js'
import type { CommandDocument } from './command-document.js'
import type { Terminal } from './terminal.js'

const EXIT_CODES: Readonly<Partial<Record<NodeJS.Signals, ExitCode>>> = { SIGINT: 130, SIGTERM: 143 }

/** Turns signals of the system into an abort of what runs, as long as it is not disposed of. */
export interface Signals extends Disposable {
  readonly signal: AbortSignal
  /** A document with the exit code of the signal that ended the command, if one did. */
  marked<D extends CommandDocument>(document: D): D
}

/** From now on Ctrl-C and SIGTERM abort what runs; a second one ends the process at once, which the state in the database survives too. */
export function listenForSignals(terminal: Terminal): Signals {
  const controller = new AbortController()
  let exitCode: ExitCode | undefined
  const listener = (name: NodeJS.Signals) => {
    if (exitCode !== undefined) process.exit(exitCode)
    exitCode = EXIT_CODES[name]!
    terminal.log('stopping as soon as the state is written; once more: at once')
    controller.abort()
  }
  for (const name of Object.keys(EXIT_CODES)) process.on(name, listener)
  return {
    signal: controller.signal,
    marked: (document) => (document.exitCode === 130 && exitCode !== undefined ? { ...document, exitCode } : document),
    [Symbol.dispose]: () => {
      for (const name of Object.keys(EXIT_CODES)) process.off(name, listener)
    },
  }
}
