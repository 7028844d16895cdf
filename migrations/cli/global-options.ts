import { type Command, Option } from 'commander'

/** Options of every command. */
export interface GlobalOptions {
  readonly config?: string
  readonly url?: string
  readonly schema?: string
  readonly env?: string
  readonly json?: boolean
  readonly quiet?: boolean
  readonly color: boolean
  readonly cwd?: string
}

/** Says them to the outermost command; they may stand before and behind the name of one inside it. */
export function addGlobalOptions(program: Command): Command {
  return program
    .option('--config <file>', 'configuration (default: latchwork.config.ts, .mts, .mjs, .js or .json, if there is one)')
    .option('--url <url>', 'the database (default: LATCHWORK_MIGRATE_URL, LATCHWORK_DATABASE_URL, the configuration)')
    .option('--schema <name>', "the database's schema in which migrations run")
    .option('--env <name>', 'the environment, for seeds and reset (default: NODE_ENV, or development)')
    .option('--json', 'print the result as one JSON document')
    .option('--quiet', 'print nothing on stderr but what goes wrong')
    .addOption(new Option('--no-color', 'print no colours; so does NO_COLOR'))
    .option('--cwd <folder>', 'work in this folder')
}
