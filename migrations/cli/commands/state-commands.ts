import { type Command, Option } from 'commander'
import type { Engine } from '../../../lib/dialect/dialect.js'
import type { LockDocument, StatusDocument, VerifyDocument } from '../../documents.js'
import { soleEngine } from '../engines.js'
import { examples } from '../examples.js'
import { addConnectionFlags, type ConnectionFlags, offlineMigrator, withMigrator } from '../migrator-options.js'
import { perform, type Work } from '../perform.js'
import { openProject } from '../project.js'
import { lockText } from '../text/lock-text.js'
import { statusText, verifyText } from '../text/status-text.js'

/** `migrate status`. */
export function addStatus(migrate: Command): void {
  const work: Work<StatusDocument, ConnectionFlags & { readonly exitCode?: boolean }> = {
    print: statusText,
    run: (call) => withMigrator(call, (migrator) => migrator.status({ pendingFails: call.options.exitCode === true, signal: call.signal })),
  }
  addConnectionFlags(
    migrate
      .command('status')
      .description('what is applied, pending, failed, unknown or changed')
      .option('--exit-code', 'exit with 4 where any is pending'),
  )
    .addHelpText('after', examples('latchwork migrate status', 'latchwork migrate status --json | jq .pending'))
    .action(perform(work))
}

/** `migrate verify`. */
export function addVerify(migrate: Command): void {
  const work: Work<VerifyDocument, ConnectionFlags & { readonly offline?: boolean; readonly dialect?: Engine }> = {
    print: verifyText,
    run: async (call) => {
      const { options, signal } = call
      if (options.offline !== true) return withMigrator(call, (migrator) => migrator.verify({ signal }))
      const project = await openProject(options)
      const migrator = await offlineMigrator(project, await soleEngine(project, options), options)
      return migrator.verify({ offline: true, signal })
    },
  }
  addConnectionFlags(
    migrate
      .command('verify')
      .description('whether files and history fit together: checksums, order, missing files, heads, snapshots')
      .option('--offline', 'look at the files alone')
      .addOption(engineOption('the engine whose files are looked at, with --offline')),
  )
    .addHelpText('after', examples('latchwork migrate verify', 'latchwork migrate verify --offline'))
    .action(perform(work))
}

/** `migrate lock`. */
export function addLock(migrate: Command): void {
  const work: Work<LockDocument, ConnectionFlags> = {
    print: lockText,
    run: (call) => withMigrator(call, (migrator) => migrator.lock({ signal: call.signal })),
  }
  addConnectionFlags(migrate.command('lock').description('who has the lock that keeps two migrators apart'))
    .addHelpText('after', examples('latchwork migrate lock'))
    .action(perform(work))
}

/** `migrate unlock`. */
export function addUnlock(migrate: Command): void {
  const work: Work<LockDocument, ConnectionFlags & { readonly terminate?: boolean }> = {
    print: lockText,
    run: (call) => withMigrator(call, (migrator) => migrator.unlock({ terminate: call.options.terminate === true, signal: call.signal })),
  }
  addConnectionFlags(
    migrate
      .command('unlock')
      .description('free the lock; it frees itself when its holder ends')
      .option('--terminate', 'end the session that has it, and what it runs'),
  )
    .addHelpText('after', examples('latchwork migrate unlock --terminate'))
    .action(perform(work))
}

/** `--dialect` of a command that works on the files of one engine and may not know the database. */
export function engineOption(description: string): Option {
  return new Option('--dialect <engine>', description).choices(['postgres', 'mysql', 'sqlite'])
}
