import type { Command } from 'commander'
import type { Engine } from '../../../lib/dialect/dialect.js'
import { type SquashDocument, squashMigrations } from '../../squash.js'
import { chosenEngines } from '../engines.js'
import { examples } from '../examples.js'
import { perform, type Work } from '../perform.js'
import { openProject } from '../project.js'
import { enginesOption } from './generate-command.js'

/** `migrate squash`. */
export function addSquash(migrate: Command): void {
  type Flags = { readonly from: string; readonly to: string; readonly keepData?: boolean; readonly dialect?: readonly Engine[] }
  const work: Work<SquashDocument, Flags> = {
    print: ({ ids, replaced, kept }) =>
      [`wrote ${ids.join(', ')}, in the place of ${replaced.join(', ')}`, ...(kept.length === 0 ? [] : [`kept ${kept.join(', ')}`])].join(
        '\n',
      ),
    run: async ({ options, args }) => {
      const project = await openProject(options)
      return squashMigrations({
        folder: project.migrations,
        engines: await chosenEngines(project, options),
        from: options.from,
        to: options.to,
        keepData: options.keepData === true,
        ...(args[0] === undefined ? {} : { name: args[0] }),
      })
    },
  }
  migrate
    .command('squash')
    .description('replace migrations by one; where all of them are applied it counts as applied')
    .argument('[name]', 'the end of its id (default: squashed)')
    .requiredOption('--from <id>', 'the first of them')
    .requiredOption('--to <id>', 'the last of them')
    .option('--keep-data', 'leave data modules where they are, and squash what is around them')
    .addOption(enginesOption())
    .addHelpText('after', examples('latchwork migrate squash --from 20261123T031500Z_add_email --to 20270301T090000Z_orders'))
    .action(perform(work))
}
