import { type Command, Option } from 'commander'
import type { SeedDocument } from '../../documents.js'
import { examples } from '../examples.js'
import { addRunFlags, type RunFlags, withMigrator } from '../migrator-options.js'
import { list } from '../option-values.js'
import { perform, type Work } from '../perform.js'
import { pick } from '../pick.js'
import { seedText } from '../text/seed-text.js'

/** `db seed`. */
export function addSeed(db: Command): void {
  type Flags = RunFlags & { readonly again?: boolean; readonly only?: readonly string[] }
  const work: Work<SeedDocument, Flags> = {
    print: seedText,
    run: (call) => withMigrator(call, (migrator) => migrator.seed({ ...pick(call.options, 'env', 'again', 'only'), signal: call.signal })),
  }
  addRunFlags(
    db
      .command('seed')
      .description('run the files of the folder seeds, in the order of their names, each once an environment')
      .option('--again', 'run those too that were run for this environment')
      .addOption(new Option('--only <seeds>', 'run these alone: names without endings, with commas (repeatable)').argParser(list)),
  )
    .addHelpText('after', examples('latchwork db seed', 'latchwork db seed --env test', 'latchwork db seed --only 01_users --again'))
    .action(perform(work))
}
