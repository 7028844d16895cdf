import type pg from 'pg'
import { ConfigurationError, DriverMissingError } from '../../errors.js'

/** What is used of the package `pg`. */
export type PgDriver = Pick<typeof pg, 'Client' | 'types'>

/** How the driver writes a value that is bound by hand. Its types leave it out. */
export function wireForm(driver: PgDriver, value: unknown): string | Buffer | null {
  const { utils } = driver as unknown as { readonly utils: { prepareValue(value: unknown): string | Buffer | null } }
  return utils.prepareValue(value)
}

/**
 * Loads the package `pg`.
 *
 * @throws {DriverMissingError} it is not installed
 * @throws {ConfigurationError} the environment has it give its native client in place of its own
 */
export async function loadDriver(): Promise<PgDriver> {
  // that one has no protocol to speak of, and nobody could catch that it is not installed
  if (process.env.NODE_PG_FORCE_NATIVE) throw new ConfigurationError('pg', 'its native client cannot be used; unset NODE_PG_FORCE_NATIVE')
  try {
    return (await import('pg')).default
  } catch (error) {
    // its own dependencies are missing only where it is itself half installed
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') throw new DriverMissingError('pg', { cause: error })
    throw error
  }
}
