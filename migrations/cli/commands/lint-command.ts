import { type Command, InvalidArgumentError, Option } from 'commander'
import type { Engine } from '../../../lib/dialect/dialect.js'
import { rowCount } from '../../config.js'
import type { LintDocument } from '../../lint/lint-document.js'
import { lintMigrations } from '../../lint-migrations.js'
import { chosenEngines } from '../engines.js'
import { examples } from '../examples.js'
import { addConnectionFlags, type ConnectionFlags, withMigrator } from '../migrator-options.js'
import { type Call, perform, type Work } from '../perform.js'
import { openProject } from '../project.js'
import { type LintFormat, lintText } from '../text/lint-text.js'
import { enginesOption } from './generate-command.js'

type LintFlags = ConnectionFlags & {
  readonly ids?: readonly string[]
  readonly since?: string
  readonly format?: LintFormat
  readonly rows?: Readonly<Record<string, number>>
  readonly dialect?: readonly Engine[]
  readonly applied?: boolean
}

/** `migrate lint`. */
export function addLint(migrate: Command): void {
  let format: LintFormat = 'text'
  const work: Work<LintDocument, LintFlags> = {
    print: (document, terminal) => lintText(document, format, terminal),
    run: async (call) => {
      format = call.options.format ?? 'text'
      return lint(call)
    },
  }
  addConnectionFlags(
    migrate
      .command('lint')
      .description('look for what loses data, blocks others for long or fails half-way; needs no database')
      .argument('[ids...]', 'the migrations to look at (default: all)')
      .option('--since <git-ref>', 'those alone that are new or changed since this branch has left that one')
      .addOption(new Option('--format <format>', 'how the findings are printed').choices(['text', 'json', 'sarif', 'github']))
      .addOption(new Option('--rows <table=count>', 'how many rows a table has, such as users=50M (repeatable)').argParser(rows))
      .option('--applied', 'look into the database too: which files were changed after they were applied there')
      .addOption(enginesOption()),
  )
    .addHelpText(
      'after',
      examples(
        'latchwork migrate lint',
        'latchwork migrate lint --since origin/main --format github',
        'latchwork migrate lint 20261123T031500Z_add_email --rows users=50M',
        'latchwork migrate lint --format sarif > lint.sarif',
      ),
    )
    .action(perform(work))
}

async function lint(call: Call<LintFlags>): Promise<LintDocument> {
  const { options, args } = call
  const project = await openProject(options)
  const { rules, rows: known } = project.config.lint ?? {}
  const ids = args[0] as unknown as readonly string[] | undefined
  const problems =
    options.applied === true ? (await withMigrator(call, (migrator) => migrator.verify({ signal: call.signal }))).problems : []
  return lintMigrations({
    folder: project.migrations,
    engines: await chosenEngines(project, options),
    ...(ids === undefined || ids.length === 0 ? {} : { ids }),
    ...(options.since === undefined ? {} : { since: options.since }),
    rules: rules ?? {},
    rows: { ...Object.fromEntries(Object.entries(known ?? {}).map(([table, count]) => [table, rowCount(count)!])), ...options.rows },
    problems,
  })
}

function rows(text: string, before: Readonly<Record<string, number>> = {}): Readonly<Record<string, number>> {
  const pairs = text.split(',').map((pair) => {
    const at = pair.lastIndexOf('=')
    const count = rowCount(pair.slice(at + 1))
    if (at < 1 || count === undefined) throw new InvalidArgumentError('Expected a table and a number, such as users=50M.')
    return [pair.slice(0, at), count] as const
  })
  return { ...before, ...Object.fromEntries(pairs) }
}
