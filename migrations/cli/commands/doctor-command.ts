import type { Command } from 'commander'
import type { DoctorCheck, DoctorDocument } from '../../documents.js'
import { examples } from '../examples.js'
import { addConnectionFlags, type ConnectionFlags, withMigrator } from '../migrator-options.js'
import { perform, type Work } from '../perform.js'
import type { Terminal } from '../terminal.js'

/** `doctor`. */
export function addDoctor(program: Command): void {
  const work: Work<DoctorDocument, ConnectionFlags & { readonly singleWriter?: boolean }> = {
    print: doctorText,
    run: (call) => withMigrator(call, (migrator) => migrator.doctor({ signal: call.signal })),
  }
  addConnectionFlags(
    program
      .command('doctor')
      .description('look at versions, connection, privileges, clock, settings and state, and say what to put right')
      .option('--single-writer', 'a Galera cluster of which only one node is written to'),
  )
    .addHelpText('after', examples('latchwork doctor', 'latchwork doctor --json | jq \'.checks[] | select(.status != "ok")\''))
    .action(perform(work))
}

const STYLES = { ok: 'green', warn: 'yellow', fail: 'red' } as const

/** A check a line, and under it what to do. */
function doctorText({ checks }: DoctorDocument, { onResult }: Terminal): string {
  const width = Math.max(...checks.map(({ name }) => name.length))
  const lineOf = ({ name, status, found, advice }: DoctorCheck) =>
    [
      `${onResult(STYLES[status], status.padEnd(4))}  ${name.padEnd(width)}  ${found}`,
      ...(advice === null ? [] : [`${' '.repeat(width + 8)}→ ${advice}`]),
    ].join('\n')
  return checks.map(lineOf).join('\n')
}
