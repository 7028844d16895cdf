import { type Command, CommanderError } from 'commander'
import { DOCUMENT_SCHEMA } from '../documents.js'
import { toolVersion } from '../tool-version.js'
import type { CommandDocument } from './command-document.js'
import { typedName } from './perform.js'
import { createProgram } from './program.js'
import { outliveReaders } from './streams.js'

/** Runs one command of this process, and ends the process with its exit code when all that it printed is written. */
export async function runCommandLine(words: readonly string[]): Promise<never> {
  outliveReaders()
  const program = createProgram(toolVersion())
  await program.parseAsync(words, { from: 'user' }).catch((error: unknown) => endEarly(error, program, words))
  await Promise.all([process.stdout, process.stderr].map(written))
  // not later either, whatever a model file or the configuration has opened
  process.exit()
}

/** Help was asked for, or the words make no command; which it was, and what is wrong, is said already. */
function endEarly(error: unknown, program: Command, words: readonly string[]): void {
  if (!(error instanceof CommanderError)) throw error
  process.exitCode = error.exitCode === 0 ? 0 : 2
  if (error.exitCode === 0 || !words.includes('--json')) return
  const asked = commandOf(program, words)
  // help for a word that is missing has no words of its own
  const message = error.code === 'commander.help' ? 'which command?' : error.message.replace(/^error: /, '')
  const document: CommandDocument = {
    schema: DOCUMENT_SCHEMA,
    command: asked.name(),
    ok: false,
    exitCode: 2,
    error: { code: 'USAGE', message },
    next: [asked === program ? 'latchwork --help' : `latchwork ${typedName(asked)} --help`],
    warnings: [],
  }
  process.stdout.write(`${JSON.stringify(document)}\n`)
}

/** The innermost command that words name, as far as they can be followed; an error of the parser does not say it. */
function commandOf(program: Command, words: readonly string[]): Command {
  let found = program
  let isValue = false
  for (const word of words) {
    const isName = !isValue && !word.startsWith('-')
    isValue = !isValue && [...program.options, ...found.options].some(({ long, required }) => long === word && required)
    if (!isName) continue
    const inner = found.commands.find((each) => each.name() === word)
    if (inner === undefined) return found
    found = inner
  }
  return found
}

function written(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write('', () => resolve()))
}
