import { Command } from 'commander'
import { addBaseline } from './commands/baseline-command.js'
import { addDev } from './commands/dev-command.js'
import { addDoctor } from './commands/doctor-command.js'
import { addDrift } from './commands/drift-command.js'
import { addGenerate } from './commands/generate-command.js'
import { addInit } from './commands/init-command.js'
import { addLint } from './commands/lint-command.js'
import { addMerge } from './commands/merge-command.js'
import { addPull } from './commands/pull-command.js'
import { addReset } from './commands/reset-command.js'
import { addDown, addMark, addRedo, addResume, addUp } from './commands/run-commands.js'
import { addScript } from './commands/script-command.js'
import { addSeed } from './commands/seed-command.js'
import { addSquash } from './commands/squash-command.js'
import { addLock, addStatus, addUnlock, addVerify } from './commands/state-commands.js'
import { addCompletions } from './completions.js'
import { examples } from './examples.js'
import { addGlobalOptions } from './global-options.js'

const IN_MIGRATE = [
  addDev,
  addGenerate,
  addUp,
  addDown,
  addRedo,
  addStatus,
  addVerify,
  addDrift,
  addBaseline,
  addResume,
  addMark,
  addLock,
  addUnlock,
  addScript,
  addMerge,
  addSquash,
  addLint,
]

const IN_DB = [addPull, addSeed, addReset]

/** The command line as data: every command, its arguments and options. */
export function createProgram(version: string): Command {
  const program = addGlobalOptions(new Command('latchwork'))
    .description('Migrations of a latchwork project: models in, reviewed SQL on disk, applied once.')
    .version(version)
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError()
    .addHelpText(
      'after',
      examples('latchwork init', 'latchwork migrate dev "add email"', 'latchwork migrate up --json', 'source <(latchwork complete bash)'),
    )
  addInit(program)
  const migrate = program.command('migrate').description('write, apply and look after migrations')
  for (const add of IN_MIGRATE) add(migrate)
  addDoctor(program)
  const db = program.command('db').description('what is in the database: models from it, rows into it, all of it anew')
  for (const add of IN_DB) add(db)
  addCompletions(program)
  return program
}
