import { existsSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { type Command, Option } from 'commander'
import type { Engine } from '../../../lib/dialect/dialect.js'
import { type CommandDocument, done } from '../command-document.js'
import { examples } from '../examples.js'
import { type Call, perform, type Work } from '../perform.js'
import { CONFIG_FILES } from '../project.js'

/** Of `init`. */
interface InitDocument extends CommandDocument {
  /** What was not there before, from the working directory. */
  readonly created: readonly string[]
}

/** `init`. */
export function addInit(program: Command): void {
  const work: Work<InitDocument, { readonly dialect: Engine }> = {
    run: init,
    print: ({ created }) =>
      created.length === 0 ? 'there already: nothing was changed' : created.map((path) => `created ${path}`).join('\n'),
  }
  program
    .command('init')
    .description('write a configuration and make the folder of migrations, where they are not there')
    .addOption(new Option('--dialect <engine>', 'the engine').choices(['postgres', 'mysql', 'sqlite']).default('postgres'))
    .addHelpText('after', examples('latchwork init --dialect sqlite'))
    .action(perform(work))
}

async function init({ options }: Call<{ readonly dialect: Engine }>): Promise<InitDocument> {
  const created: string[] = []
  if (!CONFIG_FILES.some((name) => existsSync(name))) {
    const file = existsSync('tsconfig.json') ? 'latchwork.config.ts' : 'latchwork.config.mjs'
    await writeFile(file, configText(options.dialect, file.endsWith('.ts') ? 'src/models/*.ts' : 'src/models/*.js'))
    created.push(file)
  }
  if (!existsSync('migrations')) {
    await mkdir('migrations')
    created.push('migrations/')
  }
  return { ...done('init'), created, next: ['latchwork migrate dev "first tables"'] }
}

function configText(engine: Engine, models: string): string {
  return `import { defineConfig } from 'latchwork/migrations'

// where the database is comes from the environment: LATCHWORK_DATABASE_URL, or LATCHWORK_MIGRATE_URL where migrations have a user of their own
export default defineConfig({
  dialect: '${engine}',
  models: ['${models}'],
})
`
}
