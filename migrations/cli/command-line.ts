import { CommanderError } from 'commander'
import { DOCUMENT_SCHEMA } from '../documents.js'
import { toolVersion } from '../tool-version.js'
import type { CommandDocument } from './command-document.js'
import { createProgram } from './program.js'
import { outliveReaders } from './streams.js'

/** Runs one command of this process, and ends the process with its exit code when all that it printed is written. */
export async function runCommandLine(words: readonly string[]): Promise<never> {
  outliveReaders()
  await createProgram(toolVersion())
    .parseAsync(words, { from: 'user' })
    .catch((error: unknown) => endEarly(error, words.includes('--json')))
  await Promise.all([process.stdout, process.stderr].map(written))
  // not later either, whatever a model file or the configuration has opened
  process.exit()
}

/** Help was asked for, or the words make no command; which it was, and what is wrong, is said already. */
function endEarly(error: unknown, asJson: boolean): void {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode === 0 ? 0 : 2
  if (error.exitCode === 0 || !asJson) return
  // help for a word that is missing has no words of its own
  const message = error.code === 'commander.help' ? 'which command?' : error.message.replace(/^error: /, '')
  const document: CommandDocument = {
    schema: DOCUMENT_SCHEMA,
    command: 'latchwork',
    ok: false,
    exitCode: 2,
    error: { code: 'USAGE', message },
    next: ['latchwork --help'],
    warnings: [],
  }
  process.stdout.write(`${JSON.stringify(document)}\n`)
}

function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()))
}
