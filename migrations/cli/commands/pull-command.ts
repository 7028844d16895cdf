import { relative, resolve } from 'node:path'
import { type Command, Option } from 'commander'
import type { PullDocument } from '../../documents.js'
import { examples } from '../examples.js'
import { addConnectionFlags, type ConnectionFlags, withMigrator } from '../migrator-options.js'
import { list } from '../option-values.js'
import { perform, type Work } from '../perform.js'
import { pick } from '../pick.js'
import type { Project } from '../project.js'
import { pullText } from '../text/pull-text.js'

interface PullFlags extends ConnectionFlags {
  readonly out?: string
  readonly tables?: readonly string[]
  readonly dryRun?: boolean
  readonly overwrite?: 'never' | 'merge'
}

/** `db pull`. */
export function addPull(db: Command): void {
  const work: Work<PullDocument, PullFlags> = {
    print: pullText,
    run: (call) =>
      withMigrator(call, (migrator, project) => {
        const { out = folderOf(project) } = call.options
        return migrator.pull({ ...pick(call.options, 'tables', 'dryRun', 'overwrite'), out, signal: call.signal })
      }),
  }
  addConnectionFlags(
    db
      .command('pull')
      .description('write a model for each table of the database, a file each, and say what no model can')
      .option('--out <folder>', "where to (default: the folder of the configuration's models, or src/models)")
      .addOption(new Option('--tables <names>', 'these alone, such as users, order_*, hr.* (repeatable)').argParser(list))
      .option('--dry-run', 'print the files, and write none')
      .addOption(
        new Option('--overwrite <how>', 'where files are there: write nothing, or add the models that are missing')
          .choices(['never', 'merge'])
          .default('never'),
      ),
  )
    .addHelpText(
      'after',
      examples('latchwork db pull', 'latchwork db pull --tables "users,hr.*" --dry-run', 'latchwork db pull --overwrite merge'),
    )
    .action(perform(work))
}

/** What stands before the first star of the first glob. */
function folderOf({ config, folder }: Project): string {
  const [glob] = config.models ?? []
  if (glob === undefined || glob.startsWith('!')) return relative(process.cwd(), resolve(folder, 'src/models'))
  const fixed = glob.split('/').slice(0, -1)
  const star = fixed.findIndex((part) => /[*?{[]/.test(part))
  return relative(process.cwd(), resolve(folder, ...fixed.slice(0, star === -1 ? fixed.length : star))) || '.'
}
