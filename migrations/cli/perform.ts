import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { ConfigurationError, LatchworkError } from '../../lib/errors.js'
import { type CommandDocument, failureDocument } from './command-document.js'
import type { GlobalOptions } from './global-options.js'
import { listenForSignals } from './signals.js'
import { keepResultApart } from './streams.js'
import { Terminal } from './terminal.js'

/** What a command works with. */
export interface Call<O = unknown> {
  /** In the order of the command's arguments; undefined: it was not given. */
  readonly args: readonly (string | undefined)[]
  readonly options: GlobalOptions & O
  readonly terminal: Terminal
  /** Aborted by Ctrl-C and SIGTERM. */
  readonly signal: AbortSignal
}

/** A command's work, and how its document reads; empty: there is nothing to say. */
export interface Work<D extends CommandDocument, O> {
  run(call: Call<O>): Promise<D>
  print(document: D, terminal: Terminal): string
}

/** The action of a command: does its work, prints its document, and sets the process's exit code. */
export function perform<D extends CommandDocument, O>(work: Work<D, O>): (...given: unknown[]) => Promise<void> {
  return async (...given) => {
    keepResultApart()
    const command = given.at(-1) as Command
    const options = command.optsWithGlobals<GlobalOptions & O>()
    const terminal = new Terminal({ json: options.json === true, quiet: options.quiet === true, color: options.color })
    using signals = listenForSignals(terminal)
    const show = (document: D) => {
      const text = terminal.json ? JSON.stringify(document) : work.print(document, terminal)
      if (text !== '') terminal.result(text)
      process.exitCode = document.exitCode
    }
    try {
      enter(options.cwd)
      const document = signals.marked(await work.run({ args: command.processedArgs, options, terminal, signal: signals.signal }))
      show(document)
      if (document.error !== null) sayError(undefined, document, terminal)
    } catch (error) {
      const document = signals.marked(failureDocument(typedName(command), error, (text) => terminal.redacted(text)))
      // what was done before the error, or was found, is a result too
      if (terminal.json || hasResult(document)) show(document as unknown as D)
      process.exitCode = document.exitCode
      sayError(error, document, terminal)
    }
  }
}

/** `migrate up`, as people type it. */
export function typedName(command: Command): string {
  const { parent } = command
  return parent?.parent == null ? command.name() : `${typedName(parent)} ${command.name()}`
}

/** Whether a document of a failure has more than its reason. */
function hasResult(document: CommandDocument): boolean {
  return 'applied' in document || 'baselined' in document
}

function enter(folder: string | undefined): void {
  if (folder === undefined) return
  if (!existsSync(folder)) throw new ConfigurationError('--cwd', `there is no folder ${folder}`)
  process.chdir(folder)
}

/** What happened, and the next command; of a mistake of ours also where. */
function sayError(error: unknown, { error: said, exitCode, next }: CommandDocument, terminal: Terminal): void {
  terminal.problem(`${terminal.onLog('red', said!.code)}: ${said!.message}`)
  // some messages end with it
  for (const command of next.filter((each) => !said!.message.includes(each))) terminal.problem(`  next: ${terminal.onLog('bold', command)}`)
  const trace =
    exitCode === 1 && error instanceof Error && !(error instanceof LatchworkError)
      ? error.stack?.split('\n').slice(1).join('\n')
      : undefined
  if (trace !== undefined) terminal.problem(terminal.redacted(trace))
}
