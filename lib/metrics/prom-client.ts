import type { OpenMetricsContentType, Registry } from 'prom-client'
import { ConfigurationError } from '../errors.js'

/** What is used of the package `prom-client`. */
export type PromClient = Pick<typeof import('prom-client'), 'Counter' | 'Gauge' | 'Registry'>

/** A registry of prom-client, of either text format. */
export type MetricsRegistry = Registry | Registry<OpenMetricsContentType>

/**
 * Loads the package `prom-client`, the first time somebody needs it.
 *
 * @param importPackage how it is found
 * @throws {ConfigurationError} it is not installed
 */
export async function loadPromClient(importPackage: () => Promise<PromClient> = () => import('prom-client')): Promise<PromClient> {
  try {
    return await importPackage()
  } catch (error) {
    const { code, message } = error as { readonly code?: string; readonly message?: string }
    const isMissing = code === 'ERR_MODULE_NOT_FOUND' && message?.includes('prom-client') === true
    if (!isMissing) throw error
    throw new ConfigurationError('prom-client', 'the package is not installed; run: npm install prom-client', { cause: error })
  }
}
