import { Argument, type Command, Option } from 'commander'
import type { RunDocument } from '../../documents.js'
import { examples } from '../examples.js'
import { addRunFlags, type RunFlags, withMigrator } from '../migrator-options.js'
import { count } from '../option-values.js'
import { perform, type Work } from '../perform.js'
import { pick } from '../pick.js'
import { runText } from '../text/run-text.js'

const print = runText

/** `migrate up`. */
export function addUp(migrate: Command): void {
  type Flags = RunFlags & { readonly to?: string; readonly steps?: number; readonly dryRun?: boolean }
  const work: Work<RunDocument, Flags> = {
    print,
    run: (call) => withMigrator(call, (migrator) => migrator.up({ ...pick(call.options, 'to', 'steps', 'dryRun'), signal: call.signal })),
  }
  addRunFlags(
    migrate
      .command('up')
      .description('apply what is pending, in order')
      .option('--to <id>', 'apply up to this migration, and what it needs')
      .addOption(new Option('--steps <n>', 'apply at most so many').argParser(count))
      .option('--dry-run', 'print the SQL that would run, and run none')
      .option('--create-database', 'make the database where the server has none of its name'),
  )
    .addHelpText('after', examples('latchwork migrate up', 'latchwork migrate up --steps 1', 'latchwork migrate up --dry-run > up.sql'))
    .action(perform(work))
}

/** `migrate down`. */
export function addDown(migrate: Command): void {
  type Flags = RunFlags & { readonly to?: string; readonly steps?: number; readonly allowLossy?: boolean; readonly dryRun?: boolean }
  const work: Work<RunDocument, Flags> = {
    print,
    run: (call) =>
      withMigrator(call, (migrator) =>
        migrator.down({ ...pick(call.options, 'to', 'steps', 'allowLossy', 'dryRun'), signal: call.signal }),
      ),
  }
  addRunFlags(
    migrate
      .command('down')
      .description('revert the last ones, by their down files')
      .option('--to <id>', 'revert until this migration is the last; itself stays')
      .addOption(new Option('--steps <n>', 'revert so many').argParser(count).conflicts('to'))
      .option('--allow-lossy', 'go on where reverting cannot bring data back')
      .option('--dry-run', 'print the SQL that would run, and run none'),
  )
    .addHelpText('after', examples('latchwork migrate down --steps 1', 'latchwork migrate down --to 20261123T031500Z_add_email --dry-run'))
    .action(perform(work))
}

/** `migrate redo`. */
export function addRedo(migrate: Command): void {
  const work: Work<RunDocument, RunFlags & { readonly allowLossy?: boolean }> = {
    print,
    run: (call) => withMigrator(call, (migrator) => migrator.redo({ ...pick(call.options, 'allowLossy'), signal: call.signal })),
  }
  addRunFlags(
    migrate
      .command('redo')
      .description('revert the last one and apply it again')
      .option('--allow-lossy', 'go on where reverting cannot bring data back'),
  )
    .addHelpText('after', examples('latchwork migrate redo'))
    .action(perform(work))
}

/** `migrate resume`. */
export function addResume(migrate: Command): void {
  type Flags = RunFlags & { readonly fromStep?: number; readonly rollback?: boolean }
  const work: Work<RunDocument, Flags> = {
    print,
    run: (call) =>
      withMigrator(call, (migrator) =>
        migrator.resume(call.args[0]!, { ...pick(call.options, 'fromStep', 'rollback'), signal: call.signal }),
      ),
  }
  addRunFlags(
    migrate
      .command('resume')
      .description('go on with a migration that is partly applied')
      .argument('<id>', 'the migration')
      .addOption(new Option('--from-step <k>', 'go on with this step (default: the first that is not done)').argParser(count))
      .addOption(new Option('--rollback', 'undo the steps that are done instead').conflicts('fromStep')),
  )
    .addHelpText('after', examples('latchwork migrate resume 20261123T031500Z_add_email'))
    .action(perform(work))
}

/** `migrate mark`. */
export function addMark(migrate: Command): void {
  const work: Work<RunDocument, RunFlags & { readonly reason: string }> = {
    print: ({ ok }) => (ok ? 'the state is written, and the reason in the log' : ''),
    run: (call) =>
      withMigrator(call, (migrator) => {
        const state = call.args[1] as 'applied' | 'pending' | 'reverted'
        return migrator.mark(call.args[0]!, state, { reason: call.options.reason, signal: call.signal })
      }),
  }
  addRunFlags(
    migrate
      .command('mark')
      .description('say what state a migration is in, where its state is wrong; runs nothing of it')
      .argument('<id>', 'the migration')
      .addArgument(new Argument('<state>', 'the true state').choices(['applied', 'pending', 'reverted']))
      .requiredOption('--reason <text>', 'why, for the log'),
  )
    .addHelpText('after', examples('latchwork migrate mark 20261123T031500Z_add_email applied --reason "ran by hand on the replica"'))
    .action(perform(work))
}
