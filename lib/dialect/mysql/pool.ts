import { type Deadline, deadlineAfter, LATE, settledBy } from '../../deadline.js'
import type { PoolOpening } from '../../pool/borrow-request.js'
import { ConnectionPool } from '../../pool/connection-pool.js'
import type { Connector, Pool } from '../../pool/pool.js'
import type { PoolOptions } from '../../pool/pool-options.js'
import { warmed } from '../../pool/warmed.js'
import type { Connection } from '../dialect.js'
import type { Address } from './address.js'
import type { Client } from './client.js'
import { MysqlConnection } from './connection.js'
import { Dialler } from './dial.js'
import { loadDriver } from './driver.js'
import { NO_TRAITS, rememberServers, ServersMet, traitsOf } from './server.js'
import { askVersion, prepareSession, returnToDatabase } from './session.js'
import { StatementKiller } from './statement-killer.js'

/** Opens a pool on `address`, with its least number of connections, and at least one, in it. */
export async function openPool(
  address: Address,
  name: string,
  options: PoolOptions,
  { budget, callers = 1, signal }: PoolOpening,
): Promise<Pool<Connection>> {
  const connector = new MysqlConnector(new Dialler(await loadDriver(), address), options.initSql)
  const pool = new ConnectionPool<MysqlConnection>(name, connector, options, budget)
  rememberServers(pool, connector.servers)
  const deadline = deadlineAfter(options.acquireTimeoutMs)
  return warmed(pool, () => pool.warm(1, deadline, Math.max(callers, options.minConnections)), signal)
}

/** How the pool opens, checks, cleans and closes its sessions. */
class MysqlConnector implements Connector<MysqlConnection> {
  readonly servers = new ServersMet()
  readonly #dialler: Dialler
  readonly #killer: StatementKiller
  readonly #initSql: readonly string[]

  constructor(dialler: Dialler, initSql: readonly string[]) {
    this.#dialler = dialler
    this.#killer = new StatementKiller((deadline) => dialler.dial(deadline, async () => undefined))
    this.#initSql = initSql
  }

  async open(deadline: Deadline, signal?: AbortSignal): Promise<MysqlConnection> {
    let traits = NO_TRAITS
    const prepare = async (opened: Client) => {
      await prepareSession(opened, this.#initSql)
      const version = await askVersion(opened)
      this.servers.add(version)
      traits = traitsOf(version)
    }
    const client = await this.#dialler.dial(deadline, prepare, signal)
    return new MysqlConnection(client, this.#dialler.parameterTypes, this.#killer, traits)
  }

  async validate({ client }: MysqlConnection, timeoutMs: number): Promise<boolean> {
    try {
      if ((await settledBy(client.ping(), deadlineAfter(timeoutMs))) === LATE) client.destroy()
    } catch {
      // any failure is the answer: it does not work
      return false
    }
    return !client.isBroken
  }

  async reset({ client }: MysqlConnection): Promise<void> {
    await client.reset()
    await returnToDatabase(client, this.#dialler.database)
    await prepareSession(client, this.#initSql)
  }

  close(connection: MysqlConnection): Promise<void> {
    return connection.close()
  }
}
