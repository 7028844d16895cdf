import type { Command } from 'commander'
import type { BaselineDocument } from '../../documents.js'
import { examples } from '../examples.js'
import { addRunFlags, type RunFlags, withMigrator } from '../migrator-options.js'
import { perform, type Work } from '../perform.js'
import { pick } from '../pick.js'
import { baselineText } from '../text/drift-text.js'
import { type IgnoreFlag, ignoredBy, ignoreOption } from './drift-command.js'

/** `migrate baseline`. */
export function addBaseline(migrate: Command): void {
  const work: Work<BaselineDocument, RunFlags & IgnoreFlag & { readonly forceMismatch?: string }> = {
    print: baselineText,
    run: (call) =>
      withMigrator(call, (migrator, project) => {
        const { args, options, signal } = call
        return migrator.baseline(args[0]!, { ...pick(options, 'forceMismatch'), ignore: ignoredBy(project, options), signal })
      }),
  }
  addRunFlags(
    migrate
      .command('baseline')
      .description('adopt a database that has everything up to a migration: compare, then write down that it is there; runs nothing of it')
      .argument('<id>', 'the last migration that the database has')
      .addOption(ignoreOption())
      .option('--force-mismatch <reason>', 'go on where the database differs; why, for the log'),
  )
    .addHelpText('after', examples('latchwork migrate baseline 20261123T031500Z_first_tables'))
    .action(perform(work))
}
