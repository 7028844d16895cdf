import type { SeedDocument } from '../../documents.js'
import type { Terminal } from '../terminal.js'

/** Which seeds were run, a line each. */
export function seedText({ env, seeds, skipped, failed, ok }: SeedDocument, { onResult }: Terminal): string {
  const lines = [
    ...seeds.map(({ id, ms }) => `${onResult('green', 'seeded')}   ${id}  ${ms} ms`),
    ...skipped.map((id) => `done     ${id}  for ${env}; --again runs it once more`),
    ...(failed === null ? [] : [`${onResult('red', 'failed')}   ${failed.id}`]),
  ]
  return lines.length === 0 && ok ? 'there are no seeds' : lines.join('\n')
}
