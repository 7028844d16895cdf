import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { SchemaLoss } from '../lib/model/revert-diff.js'
import { MigrationUsageError } from './errors.js'
import type { Replaced } from './migration.js'
import type { Operation } from './operation.js'

/** All that a `migration.json` says. */
export interface Description {
  readonly id: string
  readonly parents: readonly string[]
  readonly operations: readonly Operation[]
  readonly lossyDown: boolean | readonly SchemaLoss[]
  /** Only of one that `squash` wrote. */
  readonly replaces?: readonly Replaced[]
}

/**
 * Reads the `migration.json` of a migration that was read before, for those who want more of it than a run does.
 *
 * @param folder  of the one migration
 * @throws {MigrationUsageError} its operations are no list
 */
export async function readDescription(folder: string): Promise<Description> {
  const file = join(folder, 'migration.json')
  const { operations = [], lossyDown = false, ...rest } = JSON.parse(await readFile(file, 'utf8')) as Description
  if (!Array.isArray(operations)) throw new MigrationUsageError('operations has to be a list', { file })
  return { ...rest, operations, lossyDown }
}

/** The text of a `migration.json`. */
export function descriptionText(described: Description): string {
  return `${JSON.stringify(described, null, 2)}\n`
}
