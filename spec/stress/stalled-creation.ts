import BetterSqlite3 from 'better-sqlite3'
import type { SpecEngine } from '../support/engines.js'
import { startTcpProxy } from '../support/tcp-proxy.js'

/** A database to which no connection can be made for a while. */
export interface StalledDatabase {
  readonly url: string
  /** Connections that wait, or wait no longer. Unknown on SQLite. */
  connections(): number
  /** Lets them through, those that wait and those to come. */
  release(): void
  close(): Promise<void>
}

/**
 * Leads to the database of `url`, once it is released: to a server over a port that takes connections and passes nothing on,
 * to a file that another connection has for itself alone.
 */
export async function stallCreation(engine: SpecEngine, url: string): Promise<StalledDatabase> {
  if (engine.name === 'sqlite') return stallFile(url)
  const proxy = await startTcpProxy(url)
  proxy.set({ kind: 'delay', delayMs: 600_000 })
  return {
    url: proxy.url,
    connections: () => proxy.connections,
    release: () => proxy.set('pass'),
    close: () => proxy.close(),
  }
}

function stallFile(url: string): StalledDatabase {
  const database = new BetterSqlite3(url.slice('sqlite:'.length))
  database.exec('pragma locking_mode = exclusive; begin exclusive')
  const release = () => void database.close()
  return { url, connections: () => 0, release, close: async () => release() }
}
