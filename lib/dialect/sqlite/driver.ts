import type Sqlite from 'better-sqlite3'
import { ConfigurationError, DriverMissingError } from '../../errors.js'

export type Driver = typeof Sqlite

/**
 * The `better-sqlite3` package, loaded when the first database is opened and proven to work here.
 *
 * @throws {DriverMissingError} the package is not installed
 * @throws {ConfigurationError} it is installed, but its native part does not load in this Node.js
 */
export async function loadDriver(importDriver: () => Promise<{ default: Driver }> = () => import('better-sqlite3')): Promise<Driver> {
  try {
    const { default: driver } = await importDriver()
    // the native part is only loaded by the first database
    new driver(':memory:').close()
    return driver
  } catch (error) {
    if (isNotInstalled(error)) throw new DriverMissingError('better-sqlite3', { cause: error })
    throw new ConfigurationError(
      'better-sqlite3',
      `is installed, but does not load in Node.js ${process.version} on ${process.platform}-${process.arch}; run: npm rebuild better-sqlite3`,
      { cause: error },
    )
  }
}

// a package that better-sqlite3 itself needs is reported with the same code
function isNotInstalled(error: unknown): boolean {
  if (!(error instanceof Error) || !('code' in error)) return false
  return error.code === 'ERR_MODULE_NOT_FOUND' && /Cannot find package 'better-sqlite3'/.test(error.message)
}
