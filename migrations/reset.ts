import { basename } from 'node:path'
import type { Engine } from '../lib/dialect/dialect.js'
import type { DatabaseTarget } from '../lib/dialect/recreation.js'
import { MigrationDecisionError } from './errors.js'
import type { ResetOptions } from './migrator-api.js'

/**
 * Refuses a reset unless the database is on this machine, or on a host that was named for it, the environment is not production, and the
 * database was called by its name.
 *
 * @throws {MigrationDecisionError} one of these is not so; nothing was dropped
 */
export function refuseReset(target: DatabaseTarget, engine: Engine, env: string, { hosts = [], yesDelete }: ResetOptions): void {
  const { name, host } = target
  const refusal = (why: string, next: readonly string[] = []) =>
    new MigrationDecisionError(`a reset drops "${name}" with all that is in it: ${why}; nothing was dropped`, next)
  if (/^prod(uction)?$/i.test(env)) throw refusal(`the environment is ${env}, in which none is done`)
  if (host !== undefined && !isLoopback(host) && !hosts.some((each) => each.toLowerCase() === host.toLowerCase()))
    throw refusal(`${host} is not this machine; name it in reset.hosts of the configuration where that is meant`)
  const said = engine === 'sqlite' ? basename(name) : name
  if (yesDelete === name || yesDelete === said) return
  const command = `latchwork db reset --yes-delete ${/^[\w.-]+$/.test(said) ? said : `'${said}'`}`
  throw refusal(yesDelete === undefined ? 'say its name' : `it is not called "${yesDelete}"`, [command])
}

/** Names and addresses of the machine itself; a path is a socket on it. */
function isLoopback(host: string): boolean {
  return host.startsWith('/') || /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/i.test(host)
}

/** The error for a database that others are connected to. */
export function inUse(name: string, sessions: readonly string[], engine: Engine): MigrationDecisionError {
  const others = `"${name}" is in use by ${sessions.join(', ')}; nothing was dropped`
  // a SQLite file's processes are not ours to end
  if (engine === 'sqlite') return new MigrationDecisionError(`${others}; end what has it open`)
  return new MigrationDecisionError(`${others}; end them, or say --terminate`, ['latchwork db reset --yes-delete … --terminate'])
}
