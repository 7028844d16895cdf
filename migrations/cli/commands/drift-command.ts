import { type Command, Option } from 'commander'
import type { DriftDocument } from '../../documents.js'
import { examples } from '../examples.js'
import { addConnectionFlags, type ConnectionFlags, withMigrator } from '../migrator-options.js'
import { list } from '../option-values.js'
import { perform, type Work } from '../perform.js'
import type { Project } from '../project.js'
import { driftText } from '../text/drift-text.js'

/** What a comparison with the database leaves out. */
export interface IgnoreFlag {
  readonly ignore?: readonly string[]
}

/** `migrate drift`. */
export function addDrift(migrate: Command): void {
  const work: Work<DriftDocument, ConnectionFlags & IgnoreFlag & { readonly strict?: boolean }> = {
    print: driftText,
    run: (call) =>
      withMigrator(call, (migrator, project) => {
        const { options, signal } = call
        return migrator.drift({ ignore: ignoredBy(project, options), strict: options.strict === true, signal })
      }),
  }
  addConnectionFlags(
    migrate
      .command('drift')
      .description('whether the database is as the migrations left it; exit with 5 where not')
      .addOption(ignoreOption())
      .option('--strict', 'a table that no migration makes is drift too'),
  )
    .addHelpText('after', examples('latchwork migrate drift', "latchwork migrate drift --ignore 'audit_*,users.legacy_*' --strict"))
    .action(perform(work))
}

export function ignoreOption(): Option {
  return new Option(
    '--ignore <glob>',
    'leave out such tables, or what is behind a dot: a column, key or constraint; beside drift.ignore of the configuration',
  ).argParser(list)
}

/** Of the configuration and of the flag. */
export function ignoredBy({ config }: Project, { ignore = [] }: IgnoreFlag): readonly string[] {
  return [...(config.drift?.ignore ?? []), ...ignore]
}
