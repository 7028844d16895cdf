import { existsSync } from 'node:fs'
import { mkdir, open, readdir, readFile, readlink, realpath, rm, rmdir, stat } from 'node:fs/promises'
import { basename, dirname, isAbsolute, join, sep } from 'node:path'
import type Sqlite from 'better-sqlite3'
import { ConnectionError } from '../../errors.js'
import type { Driver } from './driver.js'
import { driverCode, withoutValues } from './errors.js'
import { isBusy } from './lock-wait.js'

/** Whose a lock is; the note that stands in its file. */
interface LockOwner {
  /** A random name that is never used twice. */
  readonly session: string
  readonly pid: number
}

/** Nothing is ever written, and so no journal is to lie beside the database: an empty one would get its first page else. */
const BEGIN = 'pragma journal_mode = memory; begin immediate'

/** A session that has begun writes its note within milliseconds. */
const NOTE_IS_DUE_MS = 60_000

/** How often others may remove the folder in which a session is to begin, before it cannot be them. */
const MOST_TRIES = 20

/**
 * The folder of a database's locks, beside its file and there only while somebody uses it:
 *
 * - `<session>.db`, a database that its session keeps a write transaction open on: the system ends that with the process, so
 *   that whoever gets the transaction knows the session for dead;
 * - `<session>.json`, its {@link LockOwner}, written once the transaction is open;
 * - `<hash>.lock`, one a lock that is held: a link to its owner's note, which the file system makes for one at a time.
 *
 * A lock's file is removed by nobody but who has the transaction of its owner: the owner itself, or one that found it dead. As no
 * session's name comes back, nothing that is looked up late can be taken for something new. A session's note goes first, so that no
 * lock can be made of it any more, then its locks, then its database: without a database there are no locks. What a killed process
 * leaves is found by the note, or by the age of the database.
 */
export class LockFolder {
  readonly path: string
  readonly #driver: Driver

  private constructor(path: string, driver: Driver) {
    this.path = path
    this.#driver = driver
  }

  /** By the path that the file really has, so that a link to it leads to the same locks. */
  static async beside(file: string, driver: Driver): Promise<LockFolder> {
    return new LockFolder(`${await realPathOf(file)}-latchwork-locks`, driver)
  }

  /**
   * Makes a session's database, and the folder where it is not there; gives the transaction that says that the session lives.
   *
   * @throws {ConnectionError} the folder cannot be made, or takes no database
   */
  async begin(session: string): Promise<Sqlite.Database> {
    for (let tries = 1; ; tries++) {
      await mkdir(this.path).catch(unless('EEXIST'))
      try {
        return this.#begin(this.databaseOf(session))
      } catch (error) {
        // the last to leave removes the folder, perhaps since we made it
        if (tries < MOST_TRIES) continue
        const code = driverCode(error) ?? 'no code'
        throw new ConnectionError(`cannot keep locks in "${this.path}" (${code})`, { cause: withoutValues(error) })
      }
    }
  }

  #begin(file: string): Sqlite.Database {
    const life = new this.#driver(file, { timeout: 0 })
    try {
      life.exec(BEGIN)
      return life
    } catch (error) {
      life.close()
      throw error
    }
  }

  /** Writes a session's note so that it outlasts a power failure: a lock whose owner nobody can read would never be free. */
  async writeNote(owner: LockOwner): Promise<string> {
    const path = this.#noteOf(owner.session)
    const note = await open(path, 'wx')
    try {
      await note.writeFile(JSON.stringify(owner))
      await note.sync()
    } finally {
      await note.close()
    }
    return path
  }

  databaseOf(session: string): string {
    return join(this.path, `${session}.db`)
  }

  lockOf(hash: string): string {
    return join(this.path, `${hash}.lock`)
  }

  /**
   * Whose a lock is; undefined when it is free.
   *
   * @throws {ConnectionError} its file holds something else
   */
  async ownerOf(lock: string): Promise<LockOwner | undefined> {
    const note = await noteIn(lock)
    if (note === undefined) return undefined
    const owner = parsed(note)
    if (owner === undefined) throw new ConnectionError(`"${lock}" is not the file of a lock; remove it while no process uses the database`)
    return owner
  }

  /** Whether a session has ended, well or not; then nothing is left of it. */
  async isOver(session: string): Promise<boolean> {
    const life = this.#openIfThere(this.databaseOf(session))
    if (life !== undefined) {
      try {
        if (!takes(life)) return false
        await this.clearLocks(session)
      } finally {
        life.close()
      }
    }
    await this.clearFiles(session)
    return true
  }

  /** Clears what sessions left that were killed. */
  async clearDead(): Promise<void> {
    const names = await this.#names()
    const left = new Set(names.filter((name) => name.endsWith('.json')).map((name) => basename(name, '.json')))
    for (const name of names.filter((each) => each.endsWith('.db'))) {
      if (await isOld(join(this.path, name))) left.add(basename(name, '.db'))
    }
    for (const session of left) await this.isOver(session)
  }

  /** Frees a session's locks. For who has its transaction. The note goes first: it cannot be linked to another lock then. */
  async clearLocks(session: string): Promise<void> {
    await rm(this.#noteOf(session), { force: true })
    for (const name of await this.#names()) {
      if (!name.endsWith('.lock')) continue
      const lock = join(this.path, name)
      const note = await noteIn(lock)
      if (note !== undefined && parsed(note)?.session === session) await rm(lock, { force: true })
    }
  }

  /** Removes the files of a session that has no locks and no transaction any more, and the folder with the last of them. */
  async clearFiles(session: string): Promise<void> {
    await rm(this.databaseOf(session), { force: true })
    await rm(this.#noteOf(session), { force: true })
    // others are in it, mostly; one that is left behind empty does no harm
    await rmdir(this.path).catch(() => undefined)
  }

  async #names(): Promise<string[]> {
    return (await readdir(this.path).catch(unless('ENOENT'))) ?? []
  }

  #noteOf(session: string): string {
    return join(this.path, `${session}.json`)
  }

  /** Nothing but SQLite may ever open a session's database: a process loses its locks on a file with the first that it closes. */
  #openIfThere(file: string): Sqlite.Database | undefined {
    try {
      return new this.#driver(file, { timeout: 0, fileMustExist: true })
    } catch (error) {
      if (existsSync(file)) throw error
      return undefined
    }
  }
}

/** Whether the one write transaction of a database was to be had. */
function takes(database: Sqlite.Database): boolean {
  try {
    database.exec(BEGIN)
    return true
  } catch (error) {
    if (isBusy(error)) return false
    throw error
  }
}

function noteIn(lock: string): Promise<string | undefined> {
  return readFile(lock, 'utf8').catch(unless('ENOENT'))
}

function parsed(note: string): LockOwner | undefined {
  try {
    const owner = JSON.parse(note) as Partial<LockOwner> | null
    return typeof owner?.session === 'string' ? (owner as LockOwner) : undefined
  } catch {
    return undefined
  }
}

async function isOld(file: string): Promise<boolean> {
  const made = await stat(file).catch(unless('ENOENT'))
  return made !== undefined && Date.now() - made.mtimeMs > NOTE_IS_DUE_MS
}

/** Of a file that is yet to be made, the path that it will have: links are followed to where it is not yet. */
async function realPathOf(file: string): Promise<string> {
  const path = await realpath(file).catch(unless('ENOENT'))
  if (path !== undefined) return path
  const folder = await realpath(dirname(file))
  const target = await readlink(file).catch(unless('ENOENT', 'EINVAL'))
  if (target === undefined) return join(folder, basename(file))
  // as it is: what `..` leads to is the file system's to say, which follows links first
  return realPathOf(isAbsolute(target) ? target : `${folder}${sep}${target}`)
}

/** Lets the system's errors of these names pass. */
function unless(...codes: readonly string[]): (error: unknown) => undefined {
  return (error) => {
    if (!codes.includes(codeOf(error))) throw error
    return undefined
  }
}

/** The system's name for an error, such as `ENOENT`; empty where it is not the system's. */
export function codeOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  return typeof code === 'string' ? code : ''
}
