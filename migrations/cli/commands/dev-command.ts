import type { Command } from 'commander'
import type { RunDocument } from '../../documents.js'
import { MigrationError } from '../../errors.js'
import { type CommandDocument, done, failureDocument } from '../command-document.js'
import { examples } from '../examples.js'
import { type GenerateDocument, type GenerateFlags, generate } from '../generate.js'
import { addRunFlags, type RunFlags, withMigrator } from '../migrator-options.js'
import { type Call, perform, type Work } from '../perform.js'
import { generateText } from '../text/generate-text.js'
import { runText } from '../text/run-text.js'
import { addGenerateFlags } from './generate-command.js'

/** Of `dev`. */
interface DevDocument extends CommandDocument {
  readonly generated: GenerateDocument
  /** Null: it did not come to it. */
  readonly up: RunDocument | null
}

/** `migrate dev`. */
export function addDev(migrate: Command): void {
  const work: Work<DevDocument, GenerateFlags & RunFlags> = {
    run: dev,
    print: ({ generated, up }, terminal) => [generateText(generated, terminal), ...(up === null ? [] : [runText(up, terminal)])].join('\n'),
  }
  addRunFlags(addGenerateFlags(migrate.command('dev').description('generate and up, for daily work')))
    .argument('<name>', 'what the migration does, such as "add email"')
    .option('--create-database', 'make the database where the server has none of its name')
    .addHelpText('after', examples('latchwork migrate dev "add email"'))
    .action(perform(work))
}

async function dev(call: Call<GenerateFlags & RunFlags>): Promise<DevDocument> {
  const generated = await generate(call)
  const { ok, exitCode, error, next } = generated
  if (!ok) return { ...done('dev'), ok, exitCode, error, next, generated, up: null }
  try {
    const up = await withMigrator(call, (migrator) => migrator.up({ signal: call.signal }))
    return { ...done('dev'), warnings: up.warnings, generated, up }
  } catch (error) {
    const failure = failureDocument('migrate dev', error, (text) => call.terminal.redacted(text))
    const up = error instanceof MigrationError ? ((error.document as RunDocument | undefined) ?? null) : null
    return { ...failure, command: 'dev', generated, up }
  }
}
