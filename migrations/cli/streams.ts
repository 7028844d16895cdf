import { Console } from 'node:console'

/** Whoever stops to read what is printed, such as `head`, ends nothing that runs. */
export function outliveReaders(): void {
  // only the end of a command writes there: the rest is wanted by nobody
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? process.exitCode : 1))
  // what cannot be said is not said: a migration is not broken off for it
  process.stderr.on('error', () => undefined)
}

/** What a configuration, a model or a data module prints is no part of the result: from now on it goes to stderr. */
export function keepResultApart(): void {
  globalThis.console = new Console(process.stderr, process.stderr)
}
