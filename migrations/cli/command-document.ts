import type { Engine } from '../../lib/dialect/dialect.js'
import { LatchworkError } from '../../lib/errors.js'
import { DOCUMENT_SCHEMA } from '../documents.js'
import { exitCodeOf, MigrationError } from '../errors.js'
import type { ExitCode } from '../exit-code.js'
import { documentOf } from '../report.js'
import { withoutPasswords } from './terminal.js'

/** What every command gives: with `--json`, all that is on stdout. */
export interface CommandDocument {
  readonly schema: typeof DOCUMENT_SCHEMA
  readonly command: string
  readonly ok: boolean
  readonly exitCode: ExitCode
  readonly error: { readonly code: string; readonly message: string } | null
  /** What to run next, most likely first. */
  readonly next: readonly string[]
  readonly warnings: readonly string[]
}

/** The common part of a document of a command that went well. */
export function done<C extends string>(command: C, said: { next?: readonly string[]; warnings?: readonly string[] } = {}) {
  return { schema: DOCUMENT_SCHEMA, command, ok: true, exitCode: 0, error: null, next: [], warnings: [], ...said } as const
}

/**
 * What a command gives that ended with an error: what its migrator says of it, or as much as is known without one.
 *
 * @param command   as it is typed, such as `migrate up`
 * @param redacted  takes secrets out of a message that is not ours
 */
export function failureDocument(
  command: string,
  error: unknown,
  redacted: (text: string) => string,
): CommandDocument & { readonly dialect: Engine | null } {
  const document = documentOf(error) ?? unplaced(command.split(' ').at(-1)!, error)
  // what we say names no password; a short one would be found in the middle of a word
  const said = error instanceof LatchworkError && document.error !== null ? document.error : undefined
  return {
    ...document,
    error:
      said === undefined
        ? { code: 'UNEXPECTED', message: redacted(error instanceof Error ? error.message : String(error)) }
        : { ...said, message: withoutPasswords(said.message) },
    next: document.next.length === 0 && document.exitCode === 2 ? [`latchwork ${command} --help`] : document.next,
  }
}

/** Of what was thrown before there was a migrator, or without one. */
function unplaced(command: string, error: unknown): CommandDocument & { readonly dialect: Engine | null } {
  return {
    schema: DOCUMENT_SCHEMA,
    command,
    dialect: null,
    ok: false,
    exitCode: exitCodeOf(error),
    error: error instanceof LatchworkError ? { code: error.code, message: error.message } : null,
    next: error instanceof MigrationError ? error.next : [],
    warnings: [],
  }
}
