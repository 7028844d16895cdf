import type { Command } from 'commander'
import type { ResetDocument } from '../../documents.js'
import { examples } from '../examples.js'
import { addRunFlags, type RunFlags, withMigrator } from '../migrator-options.js'
import { perform, type Work } from '../perform.js'
import { pick } from '../pick.js'
import type { Terminal } from '../terminal.js'
import { runText } from '../text/run-text.js'
import { seedText } from '../text/seed-text.js'

/** `db reset`. */
export function addReset(db: Command): void {
  type Flags = RunFlags & { readonly yesDelete?: string; readonly terminate?: boolean }
  const work: Work<ResetDocument, Flags> = {
    print: resetText,
    run: (call) =>
      withMigrator(call, (migrator, { config }) =>
        migrator.reset({
          ...pick(call.options, 'env', 'yesDelete', 'terminate'),
          ...pick(config.reset ?? {}, 'hosts'),
          signal: call.signal,
        }),
      ),
  }
  addRunFlags(
    db
      .command('reset')
      .description(
        'drop the database with all that is in it, make it anew, and run up and seed; on this machine alone, and not in production',
      )
      .option('--yes-delete <database>', "the database's name, of SQLite the file's: required")
      .option('--terminate', 'end the sessions of others in it'),
  )
    .addHelpText('after', examples('latchwork db reset --yes-delete shop_dev', 'latchwork db reset --yes-delete shop.db --env test'))
    .action(perform(work))
}

function resetText({ database, dropped, up, seed }: ResetDocument, terminal: Terminal): string {
  return [
    ...(dropped ? [`${terminal.onResult('yellow', 'dropped')}   ${database}`] : []),
    ...(up === null ? [] : [runText(up, terminal)]),
    ...(seed === null ? [] : [seedText(seed, terminal)]),
  ].join('\n')
}
