import type pg from 'pg'
import { DriverMissingError } from '../../errors.js'

/** What is used of the package `pg`. */
export type PgDriver = Pick<typeof pg, 'Client' | 'types'>

/**
 * Loads the package `pg`.
 *
 * @throws {DriverMissingError} it is not installed
 */
export async function loadDriver(): Promise<PgDriver> {
  try {
    return (await import('pg')).default
  } catch (error) {
    // its own dependencies are missing only where it is itself half installed
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') throw new DriverMissingError('pg', { cause: error })
    throw error
  }
}
