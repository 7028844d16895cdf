import { connectionConfig } from '../../lib/dialect/connection-config.js'
import type { Engine } from '../../lib/dialect/dialect.js'
import { ConfigurationError } from '../../lib/errors.js'
import { enginesOf } from '../config.js'
import type { GlobalOptions } from './global-options.js'
import { type Project, urlOf } from './project.js'

/**
 * The engines to write SQL for: `--dialect`, else those of the configuration, else the URL's.
 *
 * @throws {ConfigurationError} nothing says it
 */
export async function chosenEngines(
  project: Project,
  options: GlobalOptions & { readonly dialect?: readonly Engine[] | Engine },
): Promise<readonly Engine[]> {
  const named = enginesOf(options.dialect === undefined ? project.config : { dialect: options.dialect })
  if (named.length > 0) return named
  const url = await urlOf(project, options)
  if (url !== undefined) return [connectionConfig({ url }).engine]
  throw new ConfigurationError('dialect', 'say for which engine: by --dialect, dialect in latchwork.config.ts, or a URL')
}

/** {@link chosenEngines}, for a command that works for one: the URL goes before the configuration. */
export async function soleEngine(project: Project, options: GlobalOptions & { readonly dialect?: Engine }): Promise<Engine> {
  if (options.dialect !== undefined) return options.dialect
  const url = await urlOf(project, options)
  if (url !== undefined) return connectionConfig({ url }).engine
  const [engine, another] = await chosenEngines(project, options)
  if (another === undefined) return engine!
  throw new ConfigurationError('dialect', 'the configuration names several engines; say which by --dialect')
}
