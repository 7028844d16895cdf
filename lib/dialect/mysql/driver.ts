import { ConfigurationError, DriverMissingError } from '../../errors.js'

/** The `mysql2` package. */
export type Driver = typeof import('mysql2')

/**
 * Loads `mysql2`, the first time somebody needs it.
 *
 * @param importDriver  how the package is found
 * @throws {DriverMissingError} it is not installed
 * @throws {ConfigurationError} it is installed and cannot be used: it does not load, or is older than 3.24
 */
export async function loadDriver(importDriver: () => Promise<unknown> = () => import('mysql2')): Promise<Driver> {
  const driver = defaultExport(await importDriver().catch(refuse))
  if (driver.TypedParameter === undefined) {
    throw new ConfigurationError(
      'mysql2',
      'version 3.24 or newer is needed to bind 64-bit integers exactly; run: npm install mysql2@latest',
    )
  }
  return driver
}

// the names that the package defines by getters are on its default export only
function defaultExport(loaded: unknown): Driver {
  return (loaded as { readonly default: Driver }).default
}

function refuse(cause: unknown): never {
  const { code, message } = cause as { readonly code?: string; readonly message?: string }
  const isMissing = (code === 'ERR_MODULE_NOT_FOUND' || code === 'MODULE_NOT_FOUND') && message?.includes('mysql2') === true
  if (isMissing) throw new DriverMissingError('mysql2', { cause })
  throw new ConfigurationError('mysql2', 'the package is installed but does not load', { cause })
}
