import { userInfo } from 'node:os'
import type { ServerConnection } from '../connection-config.js'

/** Where to connect and as whom, every default filled in. */
export interface Address extends Omit<ServerConnection, 'engine'> {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly applicationName: string
}

/** `config` with its defaults. */
export function addressOf(config: ServerConnection): Address {
  const { engine: _engine, ...given } = config
  return {
    ...given,
    host: config.host ?? '127.0.0.1',
    port: config.port ?? 3306,
    user: config.user ?? userInfo().username,
    applicationName: config.applicationName ?? 'latchwork',
  }
}

/** The target in a form to read, without a secret: `mysql:127.0.0.1:3306/shop`. */
export function describeAddress({ host, port, database }: Address): string {
  return `mysql:${host.startsWith('/') ? host : `${host}:${port}`}${database === undefined ? '' : `/${database}`}`
}
