import { type Command, InvalidArgumentError, Option } from 'commander'
import { examples } from '../examples.js'
import { type GenerateDocument, type GenerateFlags, generate } from '../generate.js'
import { list, repeated } from '../option-values.js'
import { perform, type Work } from '../perform.js'
import { generateText } from '../text/generate-text.js'

/** `migrate generate`. */
export function addGenerate(migrate: Command): void {
  const work: Work<GenerateDocument, GenerateFlags> = { print: generateText, run: generate }
  addGenerateFlags(migrate.command('generate').description('write a migration from the last one to the models; needs no database'))
    .argument('[name]', 'what it does, such as "add email"')
    .addOption(new Option('--empty', 'write one without changes, for SQL by hand').conflicts(['data', 'check']))
    .addOption(new Option('--data', 'write one without changes, with a data.ts').conflicts('check'))
    .addOption(new Option('--split', 'write the drops as a second migration, for a later release').conflicts(['empty', 'data', 'check']))
    .option('--check', 'write nothing; exit with 4 where there is something to write')
    .addHelpText(
      'after',
      examples(
        'latchwork migrate generate "add email"',
        'latchwork migrate generate handles --rename users.nick:handle',
        'latchwork migrate generate cleanup --drop users.legacy --default users.age=0',
        'latchwork migrate generate cleanup --drop users.legacy --split',
        'latchwork migrate generate --check',
      ),
    )
    .action(perform(work))
}

/** What decides, and for which engines. */
export function addGenerateFlags(command: Command): Command {
  return command
    .addOption(new Option('--rename <table.column:name>', 'a column was renamed (repeatable)').argParser(repeated))
    .addOption(new Option('--rename-table <table:name>', 'a table was renamed (repeatable)').argParser(repeated))
    .addOption(new Option('--drop <table[.column]>', 'a table or column may go, with all that is in it (repeatable)').argParser(repeated))
    .addOption(new Option('--default <table.column=value>', 'what rows get that are there (repeatable)').argParser(repeated))
    .addOption(enginesOption())
    .addHelpText('after', `\nA name that holds : = or , is written in double quotes: --rename 'users."a:b":handle'`)
}

/** `--dialect` of a command that writes files. */
export function enginesOption(): Option {
  const description = 'of postgres, mysql, sqlite, with commas (default: the configuration, or that of the URL)'
  return new Option('--dialect <engines>', description).argParser(engines)
}

function engines(text: string, before?: readonly string[]): readonly string[] {
  const names = list(text, before)
  if (names.every((name) => ['postgres', 'mysql', 'sqlite'].includes(name)) && new Set(names).size === names.length) return names
  throw new InvalidArgumentError('Expected postgres, mysql or sqlite, each once, with commas.')
}
