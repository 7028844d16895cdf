import { createHash, randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { link, rm } from 'node:fs/promises'
import type Sqlite from 'better-sqlite3'
import { ConnectionError, ConnectionLostError, LatchworkError, UnsupportedError } from '../../errors.js'
import type { LockSession } from '../dialect.js'
import type { Driver } from './driver.js'
import { driverCode } from './errors.js'
import { codeOf, LockFolder } from './lock-folder.js'

/** How often a lock may be freed and taken by others while we look who has it. */
const MOST_TRIES = 100

/**
 * Opens a session for locks that are files beside the database: see {@link LockFolder}. One transaction stands for all locks
 * of the session, so that each further one costs a link and no handle; none of them touches the database itself.
 *
 * @throws {UnsupportedError} an in-memory database: no other process sees it
 * @throws {ConnectionError} the folder of the database takes no files, or no links
 */
export async function openLockSession(driver: Driver, file: string): Promise<LockSession> {
  if (file.startsWith(':memory:')) throw new UnsupportedError('a lock for all processes', 'an in-memory SQLite database', 'use a file')
  return withReasons(file, async () => {
    const folder = await LockFolder.beside(file, driver)
    const session = randomUUID()
    const life = await folder.begin(session)
    try {
      const note = await folder.writeNote({ session, pid: process.pid })
      await folder.clearDead()
      return new SqliteLockSession(folder, session, life, note)
    } catch (error) {
      life.close()
      throw error
    }
  })
}

class SqliteLockSession implements LockSession {
  readonly #folder: LockFolder
  readonly #session: string
  readonly #life: Sqlite.Database
  readonly #note: string

  constructor(folder: LockFolder, session: string, life: Sqlite.Database, note: string) {
    this.#folder = folder
    this.#session = session
    this.#life = life
    this.#note = note
  }

  tryLock(name: string): Promise<boolean> {
    return withReasons(this.#folder.path, async () => {
      const lock = this.#lockOf(name)
      for (let tries = 0; tries < MOST_TRIES; tries++) {
        if (await this.#takes(lock)) return true
        const owner = await this.#folder.ownerOf(lock)
        if (owner?.session === this.#session) return true
        if (owner !== undefined && !(await this.#folder.isOver(owner.session))) return false
      }
      throw new ConnectionError(`"${lock}" is of a session whose files were removed; remove it while no process uses the database`)
    })
  }

  unlock(name: string): Promise<void> {
    return withReasons(this.#folder.path, async () => {
      const lock = this.#lockOf(name)
      if ((await this.#folder.ownerOf(lock))?.session !== this.#session) throw this.#removed()
      await rm(lock)
    })
  }

  holderOf(name: string): Promise<string | undefined> {
    return withReasons(this.#folder.path, async () => {
      const owner = await this.#folder.ownerOf(this.#lockOf(name))
      return owner && `process ${owner.pid}`
    })
  }

  async ping(): Promise<void> {
    if (!existsSync(this.#life.name) || !existsSync(this.#note)) throw this.#removed()
  }

  /** Nobody ends it but who removes its files, and the system tells nobody of that: see {@link ping}. */
  onLost(): void {}

  async close(): Promise<void> {
    try {
      await this.#folder.clearLocks(this.#session)
      this.#life.close()
      await this.#folder.clearFiles(this.#session)
    } catch {
      // free with the transaction at the latest: whoever comes next clears what is left
      this.#life.close()
    }
  }

  /** Links the note to the lock's name, which the system does only where there is no such name. */
  async #takes(lock: string): Promise<boolean> {
    try {
      await link(this.#note, lock)
      return true
    } catch (error) {
      if (codeOf(error) === 'EEXIST') return false
      if (codeOf(error) === 'ENOENT') throw this.#removed()
      throw error
    }
  }

  #lockOf(name: string): string {
    // as JSON every text differs: halves of surrogate pairs would all become the same letter
    const hash = createHash('sha256').update(JSON.stringify(name)).digest('hex')
    return this.#folder.lockOf(hash.slice(0, 48))
  }

  #removed(): ConnectionLostError {
    return new ConnectionLostError(`somebody removed files of the folder "${this.#folder.path}"`)
  }
}

/** Gives what the file system refuses as an error of ours. */
async function withReasons<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    const code = codeOf(error)
    if (error instanceof LatchworkError || driverCode(error) !== undefined || code === '') throw error
    throw new ConnectionError(`cannot keep locks beside "${path}" (${code}): the folder must take files, and hard links to them`, {
      cause: error,
    })
  }
}
