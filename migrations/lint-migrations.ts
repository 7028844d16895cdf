import type { LintOptions } from './lint/lint.js'
import type { LintDocument } from './lint/lint-document.js'

/**
 * Looks for what is dangerous in a folder of migrations: what loses data, locks a table for long, breaks running processes or fails
 * half-way. Reads files alone, and gives what `latchwork migrate lint --json` prints.
 *
 * @throws {MigrationUsageError} a file makes no sense, a `nolint` gives no reason, or there is no such id
 * @throws {ConfigurationError} an option is wrong, or git knows no such commit
 */
export async function lintMigrations(options: LintOptions): Promise<LintDocument> {
  // here: whoever migrates at boot has no use for the rules
  const { lint } = await import('./lint/lint.js')
  return lint(options)
}
