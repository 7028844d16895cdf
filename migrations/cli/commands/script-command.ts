import { writeFile } from 'node:fs/promises'
import type { Command } from 'commander'
import type { Engine } from '../../../lib/dialect/dialect.js'
import type { ScriptDocument } from '../../documents.js'
import { soleEngine } from '../engines.js'
import { examples } from '../examples.js'
import { offlineMigrator } from '../migrator-options.js'
import { perform, type Work } from '../perform.js'
import { pick } from '../pick.js'
import { openProject } from '../project.js'
import { engineOption } from './state-commands.js'

/** `migrate script`. */
export function addScript(migrate: Command): void {
  type Flags = { readonly from?: string; readonly to?: string; readonly out?: string; readonly dialect?: Engine }
  let isWritten = false
  const work: Work<ScriptDocument, Flags> = {
    print: ({ ids, sql }) => (isWritten ? `${ids.length} migrations written` : sql.trimEnd()),
    run: async ({ options }) => {
      const project = await openProject(options)
      const migrator = await offlineMigrator(project, await soleEngine(project, options), options)
      const document = await migrator.script(pick(options, 'from', 'to'))
      if (options.out !== undefined) await writeFile(options.out, document.sql)
      isWritten = options.out !== undefined
      return document
    },
  }
  migrate
    .command('script')
    .description('print the SQL that up would run, state rows included; connects to nothing')
    .option('--from <id>', 'begin after this migration (default: at the first)')
    .option('--to <id>', 'end with this one (default: the last)')
    .option('--out <file>', 'write it to a file')
    .addOption(engineOption('the engine (default: that of the URL, or of the configuration)'))
    .addHelpText(
      'after',
      examples(
        'latchwork migrate script --dialect postgres --out release.sql',
        'latchwork migrate script --from 20261123T031500Z_add_email',
      ),
    )
    .action(perform(work))
}
