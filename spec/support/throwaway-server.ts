import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { chown, mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { runSql } from './plain-sql.js'

/** A program and its arguments. */
export type Command = readonly [program: string, ...parameters: string[]]

/** How to make and run one engine's server inside a folder. */
export interface ServerProgram {
  readonly engine: 'postgres' | 'mysql'
  /** Puts what the commands need into the folder, before they run. */
  readonly prepare?: (folder: string) => Promise<void>
  initialise(folder: string): Command
  run(folder: string, port: number): Command
  url(port: number): string
  /** Ends sessions and stops in good order. */
  readonly stopSignal: NodeJS.Signals
  /** Stops at once, with all processes of its own. */
  readonly killSignal: NodeJS.Signals
}

/** A server of this process's own: it may be stopped, frozen or killed without harm to others. */
export interface ThrowawayServer {
  readonly url: string
  readonly port: number
  /** Of the running server; changes with a restart. */
  readonly pid: number
  /** Starts it again, on the same port and data. */
  start(): Promise<void>
  /** Stops it, or kills it with `SIGKILL`; the data stay. */
  stop(signal?: NodeJS.Signals): Promise<void>
  /** Stops it and removes its folder. */
  remove(): Promise<void>
}

const START_TIMEOUT_MS = 60_000
const STOP_TIMEOUT_MS = 15_000

/** Makes a server in a temporary folder, on a free port of 127.0.0.1, and starts it: as an unprivileged user when this process is root. */
export async function startThrowawayServer(program: ServerProgram): Promise<ThrowawayServer> {
  const folder = await mkdtemp(join(tmpdir(), `latchwork-${program.engine}-`))
  try {
    await program.prepare?.(folder)
    await giveToServerUser(folder)
    await initialise(program, folder)
    const server = serverIn(folder, program, await freePort())
    await server.start()
    return server
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

function serverIn(folder: string, program: ServerProgram, port: number): ThrowawayServer {
  const url = program.url(port)
  let child: ChildProcess | undefined
  // an interrupted run ends without a teardown
  const goWithThisProcess = () => {
    child?.kill(program.killSignal)
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  }
  process.once('exit', goWithThisProcess)

  async function start(): Promise<void> {
    child = spawnLogged(program.run(folder, port), folder)
    await answering(url, child, folder)
  }

  async function stop(signal = program.stopSignal): Promise<void> {
    if (child !== undefined) await ended(child, signal)
    child = undefined
  }

  async function remove(): Promise<void> {
    await stop()
    await rm(folder, { recursive: true, force: true })
    process.off('exit', goWithThisProcess)
  }

  return {
    url,
    port,
    get pid() {
      if (child?.pid === undefined) throw new Error(`the ${program.engine} server is stopped`)
      return child.pid
    },
    start,
    stop,
    remove,
  }
}

async function initialise(program: ServerProgram, folder: string): Promise<void> {
  const child = spawnLogged(program.initialise(folder), folder)
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`${child.spawnfile} ended with ${code}: ${await logTail(folder)}`)
}

function spawnLogged([program, ...parameters]: Command, folder: string): ChildProcess {
  const log = openSync(join(folder, 'server.log'), 'a')
  const options: SpawnOptions = { cwd: folder, stdio: ['ignore', log, log], env: { ...process.env, HOME: folder }, ...serverUser() }
  const child = spawn(program, parameters, options)
  closeSync(log)
  return child
}

async function answering(url: string, child: ChildProcess, folder: string): Promise<void> {
  const startedAtMs = performance.now()
  for (;;) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`the server ended while it started: ${await logTail(folder)}`)
    try {
      await runSql(url, 'select 1')
      return
    } catch (error) {
      if (performance.now() - startedAtMs > START_TIMEOUT_MS) {
        throw new Error(`the server did not answer within ${START_TIMEOUT_MS} ms: ${await logTail(folder)}`, { cause: error })
      }
      await sleep(100)
    }
  }
}

async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill(signal)
  // a frozen server takes no other signal before this one
  child.kill('SIGCONT')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await exit
  clearTimeout(timer)
}

async function logTail(folder: string): Promise<string> {
  return (await readFile(join(folder, 'server.log'), 'utf8')).trim().split('\n').slice(-5).join(' / ')
}

/** A port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer()
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('no port')
  return address.port
}

async function giveToServerUser(folder: string): Promise<void> {
  const { uid, gid } = serverUser()
  await mkdir(join(folder, 'run'))
  if (uid === undefined || gid === undefined) return
  for (const path of [folder, join(folder, 'run')]) await chown(path, uid, gid)
}

/** Who runs the servers: whoever runs this process, but never root, which PostgreSQL refuses. */
export function serverUser(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {}
  const users = readFileSync('/etc/passwd', 'utf8').split('\n')
  for (const name of ['postgres', 'mysql', 'nobody']) {
    const [, , uid, gid] = users.find((line) => line.startsWith(`${name}:`))?.split(':') ?? []
    if (uid !== undefined && gid !== undefined) return { uid: Number(uid), gid: Number(gid) }
  }
  throw new Error('running as root, and there is no user postgres, mysql or nobody to run a server as')
}
