import { existsSync } from 'node:fs'
import { mkdir, open, readdir, readFile, realpath, rm, rmdir } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type Sqlite from 'better-sqlite3'
import { ConnectionError } from '../../errors.js'
import type { Driver } from './driver.js'
import { isBusy } from './lock-wait.js'

/** Whose a lock is; the note that stands in its file. */
export interface LockOwner {
  /** A random name that is never used twice. */
  readonly session: string
  readonly pid: number
}

/**
 * The folder of a database's locks, beside its file and there only while somebody uses it:
 *
 * - `<session>.db`, a database that its session keeps a write transaction open on: the system ends that with the process, so
 *   that whoever gets the transaction knows the session for dead;
 * - `<session>.json`, its {@link LockOwner};
 * - `<hash>.lock`, one a lock that is held: a link to its owner's note, which the file system makes for one at a time.
 *
 * A lock's file is removed by nobody but who has the transaction of its owner: the owner itself, or one that found it dead. As no
 * session's name comes back, nothing that is looked up late can be taken for something new; the files of a session are
 * removed after its locks, so that one without a database has none.
 */
export class LockFolder {
  readonly path: string
  readonly #driver: Driver

  private constructor(path: string, driver: Driver) {
    this.path = path
    this.#driver = driver
  }

  /** @throws {ConnectionError} the folder that is to hold the database's file is not there */
  static async beside(file: string, driver: Driver): Promise<LockFolder> {
    return new LockFolder(`${await realPathOf(file)}-latchwork-locks`, driver)
  }

  fileOf(name: string): string {
    return join(this.path, name)
  }

  /**
   * Makes a session's database, and the folder where it is not there; gives the transaction that says that the session lives.
   * Undefined: somebody who clears up came between.
   */
  async begin(session: string): Promise<Sqlite.Database | undefined> {
    await this.#make()
    const file = this.fileOf(`${session}.db`)
    const life = this.#open(file, false)
    if (life === undefined) return undefined
    if (takes(life) && existsSync(file)) return life
    life.close()
    return undefined
  }

  /** Writes a session's note so that it outlasts a power failure: a lock whose owner nobody can read would never be free. */
  async writeNote(owner: LockOwner): Promise<string> {
    const path = this.fileOf(`${owner.session}.json`)
    const note = await open(path, 'wx')
    try {
      await note.writeFile(JSON.stringify(owner))
      await note.sync()
    } finally {
      await note.close()
    }
    return path
  }

  /**
   * Whose a lock is; undefined when it is free.
   *
   * @throws {ConnectionError} its file holds something else
   */
  async ownerOf(lock: string): Promise<LockOwner | undefined> {
    const note = await readFile(lock, 'utf8').catch(unlessGone)
    if (note === undefined) return undefined
    const owner = parsed(note)
    if (owner === undefined) throw new ConnectionError(`"${lock}" is not the file of a lock; remove it while no process uses the database`)
    return owner
  }

  /** Whether a session has ended, well or not; then nothing is left of it. */
  async isOver(session: string): Promise<boolean> {
    const file = this.fileOf(`${session}.db`)
    const life = this.#open(file, true)
    if (life === undefined) return true
    try {
      if (!takes(life)) return false
      await this.clear(session)
    } finally {
      life.close()
    }
    await rm(file, { force: true })
    return true
  }

  /** Removes a session's locks and its note. For who has its transaction. */
  async clear(session: string): Promise<void> {
    for (const name of await this.#files('.lock')) {
      const lock = this.fileOf(name)
      if ((await this.ownerOf(lock))?.session === session) await rm(lock, { force: true })
    }
    await rm(this.fileOf(`${session}.json`), { force: true })
  }

  /** Clears what sessions left that were killed. */
  async clearDead(): Promise<void> {
    for (const name of await this.#files('.db')) await this.isOver(basename(name, '.db'))
  }

  /** Removes a session's database, and the folder when it was the last. */
  async end(session: string): Promise<void> {
    await rm(this.fileOf(`${session}.db`), { force: true })
    await rmdir(this.path).catch((error: unknown) => {
      // others are in it, or went at the same time
      if (!['ENOTEMPTY', 'EEXIST', 'ENOENT'].includes(codeOf(error))) throw error
    })
  }

  async #make(): Promise<void> {
    await mkdir(this.path).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error
    })
  }

  async #files(ending: string): Promise<string[]> {
    const names = await readdir(this.path).catch(unlessGone)
    return (names ?? []).filter((name) => name.endsWith(ending))
  }

  /** Undefined when the file, or the folder for it, is not there. Nothing but SQLite may open it: closing it would end its locks. */
  #open(file: string, mustExist: boolean): Sqlite.Database | undefined {
    try {
      return new this.#driver(file, { timeout: 0, fileMustExist: mustExist })
    } catch (error) {
      if (existsSync(mustExist ? file : this.path)) throw error
      return undefined
    }
  }
}

/** Whether the one write transaction of a database was to be had. */
function takes(database: Sqlite.Database): boolean {
  try {
    database.exec('begin immediate')
    return true
  } catch (error) {
    if (isBusy(error)) return false
    throw error
  }
}

function parsed(note: string): LockOwner | undefined {
  try {
    const owner = JSON.parse(note) as LockOwner
    return typeof owner?.session === 'string' ? owner : undefined
  } catch {
    return undefined
  }
}

/** Of a file that is yet to be made, the path that it will have. */
async function realPathOf(file: string): Promise<string> {
  const there = await realpath(file).catch(unlessGone)
  return there ?? join(await realpath(dirname(file)), basename(file))
}

function unlessGone(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error
}

/** The system's name for an error, such as `ENOENT`. */
export function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException | undefined)?.code ?? ''
}
