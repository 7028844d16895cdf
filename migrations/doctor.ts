import { createRequire } from 'node:module'
import { type Examination, fail, ok, versionCheck, warn } from '../lib/dialect/examination.js'
import type { MigrationDialect } from '../lib/dialect/migration-dialect.js'
import type { MigrationSession } from '../lib/dialect/migration-parts.js'
import { ConfigurationError, DriverMissingError, LatchworkError, PoolerModeError, UnsupportedError } from '../lib/errors.js'
import type { DoctorCheck } from './documents.js'
import { MigrationUsageError } from './errors.js'
import type { CheckedOptions } from './migrator-options.js'
import { isDone, isHalfDone } from './plan.js'
import { RunContext } from './run-context.js'
import { describeHolder, END_HOLDER, END_PROCESS } from './run-lock.js'
import { toolVersion } from './tool-version.js'

/** Of Node.js; the same as `engines` of the package says. */
const SMALLEST_NODE = '20.19.0'

/** Where the examination connects. */
export interface Examined {
  readonly dialect: MigrationDialect
  readonly options: CheckedOptions
  readonly signal: AbortSignal | undefined
  /** Opens a connection that changes nothing. */
  open(): Promise<MigrationSession>
  /** Told the database's name, where it was reached. */
  reached(database: string): void
}

/** Looks at all that migrations need, and goes as far as it comes. Changes nothing. */
export async function examineAll(examined: Examined): Promise<readonly DoctorCheck[]> {
  const { dialect, options, signal } = examined
  const here = [versionCheck('node', 'Node.js', process.versions.node, SMALLEST_NODE), ok('latchwork', toolVersion()), driverCheck(dialect)]
  const sinceMs = performance.now()
  let session: MigrationSession
  try {
    session = await examined.open()
  } catch (error) {
    return [...here, refusalCheck(error)]
  }
  try {
    examined.reached(session.database)
    const connected = ok('connection', `to "${session.database}" in ${Math.round(performance.now() - sinceMs)} ms`)
    const context = new RunContext(dialect, options, signal, session)
    return [
      ...here,
      connected,
      poolerCheck(options),
      ...(await dialect.migrations.examine(session.connection)),
      ...(await stateChecks(context)),
    ]
  } finally {
    await session.close()
  }
}

function driverCheck({ migrations: { driver } }: MigrationDialect): Examination {
  const version = installedVersion(driver.name)
  if (version !== undefined) return versionCheck('driver', driver.name, version, driver.smallest)
  return warn('driver', `${driver.name}: its version is not known`, `npm install ${driver.name}@latest, where it does not connect`)
}

function installedVersion(name: string): string | undefined {
  try {
    return (createRequire(import.meta.url)(`${name}/package.json`) as { readonly version: string }).version
  } catch {
    // missing, which the connection says, or bundled
    return undefined
  }
}

/** Why there is no connection. What is not ours to explain is thrown. */
function refusalCheck(error: unknown): Examination {
  if (!(error instanceof LatchworkError)) throw error
  const { message } = error
  if (error instanceof DriverMissingError) return fail('driver', message, 'install it')
  if (error instanceof PoolerModeError)
    return fail(
      'pooler',
      message,
      'give a direct URL by LATCHWORK_MIGRATE_URL, or say --allow-session-pooler where each client has its own session',
    )
  if (error instanceof UnsupportedError) return fail('cluster', message, 'say --single-writer where no other node is written to')
  if (error instanceof ConfigurationError) return fail('configuration', message, 'put it right in the URL or the configuration')
  return fail('connection', message, 'check host, port, database, user and password of the URL, and that the server runs')
}

function poolerCheck({ allowSessionPooler }: CheckedOptions): Examination {
  return ok('pooler', allowSessionPooler ? 'said to be one that gives each client a session: not checked' : 'none: a direct connection')
}

async function stateChecks(context: RunContext): Promise<readonly Examination[]> {
  const holder = await context.session.holder()
  return [
    await historyCheck(context),
    holder === undefined
      ? ok('lock', 'free')
      : warn(
          'lock',
          `held by ${describeHolder(holder)}`,
          context.dialect.migrations.endsHolders ? `wait for it, or end it: ${END_HOLDER}` : END_PROCESS,
        ),
  ]
}

async function historyCheck({ history, options }: RunContext): Promise<Examination> {
  try {
    const rows = await history.read()
    const halfDone = rows.find(isHalfDone)
    if (halfDone !== undefined)
      return fail('state', `${halfDone.id} is partly applied (${halfDone.state})`, `latchwork migrate resume ${halfDone.id}`)
    const done = rows.filter(isDone).length
    return ok(
      'state',
      rows.length === 0 ? `no table "${options.table}", or no row in it: nothing was applied` : `${done} migrations are applied`,
    )
  } catch (error) {
    if (!(error instanceof MigrationUsageError)) throw error
    return fail('state', error.message, 'npm install latchwork@latest')
  }
}
