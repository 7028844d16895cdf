import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, it } from 'vitest'
import { mariadbBinaries } from '../support/mariadb-program.js'
import { runSql } from '../support/plain-sql.js'
import { embeddedPostgres, postgresBinaries } from '../support/postgres-program.js'
import { type ServerProgram, startThrowawayServer, type ThrowawayServer } from '../support/throwaway-server.js'
import type { DatabaseSource } from './shop.js'

const ENGINES = ['postgres', 'mysql'] as const

/** A server that belongs to one spec file: it may be stopped, frozen and killed. */
export interface OwnServer extends DatabaseSource {
  /** Of the server itself, with all rights. */
  readonly url: string
  start(): Promise<void>
  stop(signal?: NodeJS.Signals): Promise<void>
  /** Stops all its processes in their tracks, until {@link thaw}. */
  freeze(): Promise<void>
  thaw(): void
}

const SERVER_VARIABLE = { postgres: 'POSTGRES_URL', mysql: 'MYSQL_URL' } as const

/** How the servers of a spec are run. */
interface OwnServerOptions {
  readonly engines?: readonly (typeof ENGINES)[number][]
  /** Given to the server's program when it is started. */
  readonly parameters?: readonly string[]
}

/**
 * Runs `body` once on PostgreSQL and on MariaDB, each a server of its own that takes at most 30 connections.
 *
 * That takes the engine's binaries. Without them the specs fail where `REQUIRE_ENGINES` names the engine, unless a URL says that
 * somebody else runs it; elsewhere they are skipped, with the reason.
 */
export function forEachOwnServer(body: (server: OwnServer) => void, { engines = ENGINES, parameters = [] }: OwnServerOptions = {}): void {
  for (const name of engines) {
    const program = name === 'postgres' ? (postgresBinaries() ?? embeddedPostgres()) : mariadbBinaries()
    if (program !== undefined) describe(`on a server of ${name}`, () => body(ownServer(name, program, parameters)))
    else if (isRequired(name)) describe(`on a server of ${name}`, () => it('has the binaries it needs', () => expectBinaries(name)))
    else describe.skip(`on ${name} (its binaries are not on this machine)`, () => body(ownServer(name, undefined, parameters)))
  }
}

function isRequired(name: (typeof ENGINES)[number]): boolean {
  const isRunByOthers = Boolean(process.env[SERVER_VARIABLE[name]])
  return !isRunByOthers && (process.env.REQUIRE_ENGINES ?? '').split(',').includes(name)
}

function expectBinaries(name: string): never {
  throw new Error(`${name} is required, and its binaries are not on this machine`)
}

function ownServer(name: 'postgres' | 'mysql', program: ServerProgram | undefined, parameters: readonly string[]): OwnServer {
  let server: ThrowawayServer
  let frozen: number[] = []
  beforeAll(async () => {
    server = await startThrowawayServer(withParameters(program!, parameters))
  })
  const thaw = () => {
    for (const pid of frozen.splice(0)) process.kill(pid, 'SIGCONT')
  }
  afterAll(() => {
    thaw()
    return server?.remove()
  })
  return {
    name,
    admin: runSql,
    get url() {
      return server.url
    },
    async freshDatabase() {
      const database = `shop_${randomBytes(4).toString('hex')}`
      await runSql(server.url, `create database ${database}`)
      const url = new URL(server.url)
      url.pathname = `/${database}`
      // it goes with its server, in whatever state a spec has left that
      return { url: url.href, drop: async () => undefined }
    },
    start: () => server.start(),
    stop: (signal) => server.stop(signal),
    async freeze() {
      frozen = [server.pid, ...(await childrenOf(server.pid))]
      for (const pid of frozen) process.kill(pid, 'SIGSTOP')
      await sleep(20)
    },
    thaw,
  }
}

function withParameters(program: ServerProgram, parameters: readonly string[]): ServerProgram {
  const limit = program.engine === 'postgres' ? ['-c', 'max_connections=30'] : ['--max-connections=30']
  return { ...program, run: (folder, port) => [...program.run(folder, port), ...limit, ...parameters] }
}

async function childrenOf(pid: number): Promise<number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-o', 'pid=,ppid='])
  const processes = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number))
  return processes.filter(([, parent]) => parent === pid).map(([child]) => child!)
}
