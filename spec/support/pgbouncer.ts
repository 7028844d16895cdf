import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, rmSync } from 'node:fs'
import { chown, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { inject } from 'vitest'
import { installedPgbouncer, MAY_UNPACK_PGBOUNCER, type PgbouncerProgram, unpackPgbouncer } from './pgbouncer-program.js'
import { runSql } from './plain-sql.js'
import { freePort, serverUser } from './throwaway-server.js'

export interface PgbouncerOptions {
  readonly mode: 'session' | 'transaction'
  /** Most connections to the server, for one user and database. */
  readonly poolSize: number
}

/** A PgBouncer of this process's own. */
export interface Pgbouncer {
  /** The URL of a database, through it. */
  urlOf(url: string): string
  /** Ends it and removes its folder. */
  stop(): Promise<void>
}

const START_TIMEOUT_MS = 10_000

/** Why specs that need PgBouncer are skipped; undefined where it is there, or must be: then {@link startPgbouncer} throws. */
export function whyNoPgbouncer(): string | undefined {
  const program = installedPgbouncer()
  if (typeof program !== 'string' || MAY_UNPACK_PGBOUNCER) return undefined
  return (process.env.REQUIRE_ENGINES ?? '').split(',').includes('postgres') ? undefined : program
}

/**
 * Starts PgBouncer on a free port of 127.0.0.1, before the server that the specs run on: as an unprivileged user when this
 * process is root.
 */
export async function startPgbouncer(options: PgbouncerOptions): Promise<Pgbouncer> {
  const folder = await mkdtemp(join(tmpdir(), 'latchwork-pgbouncer-'))
  let child: ChildProcess | undefined
  // an interrupted run ends without a teardown
  const goWithThisProcess = () => {
    child?.kill('SIGKILL')
    rmSync(folder, { recursive: true, force: true })
  }
  process.once('exit', goWithThisProcess)
  async function stop(): Promise<void> {
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const exit = once(child, 'exit')
      // what the gentler signals wait for differs by version; it keeps nothing that could be lost
      child.kill('SIGKILL')
      await exit
    }
    await rm(folder, { recursive: true, force: true })
    process.off('exit', goWithThisProcess)
  }
  try {
    const program = await foundProgram(folder)
    const port = await freePort()
    await configure(folder, port, options)
    child = spawnLogged(program, folder)
    const urlOf = (url: string) => Object.assign(new URL(url), { hostname: '127.0.0.1', port: String(port) }).href
    await answering(urlOf(serverUrl()), child, folder)
    return { urlOf, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function foundProgram(folder: string): Promise<PgbouncerProgram> {
  const program = installedPgbouncer()
  if (typeof program !== 'string') return program
  if (!MAY_UNPACK_PGBOUNCER) throw new Error(`PgBouncer is required: ${program}`)
  return unpackPgbouncer(folder)
}

function serverUrl(): string {
  const engine = inject('engines').postgres
  if ('missing' in engine) throw new Error(`PgBouncer has no server to stand before: ${engine.missing}`)
  return engine.url
}

async function configure(folder: string, port: number, { mode, poolSize }: PgbouncerOptions): Promise<void> {
  const { hostname, port: serverPort, username, password } = new URL(serverUrl())
  const login = `user=${decodeURIComponent(username)}${password === '' ? '' : ` password=${decodeURIComponent(password)}`}`
  const lines = [
    '[databases]',
    `* = host=${hostname} port=${serverPort || 5432} ${login}`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    // takes everybody, as the user of the line above
    'auth_type = any',
    `pool_mode = ${mode}`,
    `default_pool_size = ${poolSize}`,
    'max_client_conn = 1000',
    // a database is dropped right after its spec
    'server_idle_timeout = 1',
  ]
  await writeFile(join(folder, 'pgbouncer.ini'), `${lines.join('\n')}\n`)
  const { uid, gid } = serverUser()
  if (uid === undefined || gid === undefined) return
  for (const path of [folder, join(folder, 'pgbouncer.ini')]) await chown(path, uid, gid)
}

function spawnLogged({ path, libraries }: PgbouncerProgram, folder: string): ChildProcess {
  const log = openSync(join(folder, 'pgbouncer.log'), 'a')
  const env = libraries === undefined ? process.env : { ...process.env, LD_LIBRARY_PATH: libraries }
  const child = spawn(path, [join(folder, 'pgbouncer.ini')], { cwd: folder, stdio: ['ignore', log, log], env, ...serverUser() })
  closeSync(log)
  return child
}

async function answering(url: string, child: ChildProcess, folder: string): Promise<void> {
  const startedAtMs = performance.now()
  for (;;) {
    try {
      await runSql(url, 'select 1')
      return
    } catch (error) {
      const isOver = child.exitCode !== null || child.signalCode !== null || performance.now() - startedAtMs > START_TIMEOUT_MS
      if (isOver) throw new Error(`PgBouncer did not start: ${await logTail(folder)}`, { cause: error })
      await sleep(50)
    }
  }
}

async function logTail(folder: string): Promise<string> {
  return (await readFile(join(folder, 'pgbouncer.log'), 'utf8')).trim().split('\n').slice(-5).join(' / ')
}
