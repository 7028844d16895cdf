import { existsSync } from 'node:fs'
import { realpath, rm } from 'node:fs/promises'
import { UnsupportedError } from '../../errors.js'
import type { Recreation } from '../recreation.js'
import { type Driver, loadDriver } from './driver.js'
import { isBusy } from './lock-wait.js'

/**
 * Removes the file, with its log and what belongs to that; whoever writes next makes it. Who has it open, and writes its log ahead as
 * latchwork does, keeps it from being removed: nobody can be ended from here. One that keeps no such log is seen only while it reads or writes.
 */
export async function recreateDatabase(file: string): Promise<Recreation> {
  if (file.startsWith(':memory:')) throw new UnsupportedError('a reset', 'an in-memory SQLite database', 'it is gone with its connection')
  if (!existsSync(file)) return { wasThere: false, sessions: [] }
  // a link stays, and leads to the new one
  const path = await realpath(file)
  if (isInUse(await loadDriver(), path)) return { wasThere: true, sessions: ['another connection'] }
  for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(`${path}${suffix}`, { force: true })
  return { wasThere: true, sessions: [] }
}

/** The log can be given up by the only one who has the database open. */
function isInUse(driver: Driver, file: string): boolean {
  const database = new driver(file, { timeout: 0 })
  try {
    const mode = database.pragma('journal_mode', { simple: true })
    database.pragma('journal_mode = delete')
    database.exec('begin exclusive; rollback')
    if (mode === 'wal') database.pragma('journal_mode = wal')
    return false
  } catch (error) {
    if (isBusy(error)) return true
    throw error
  } finally {
    database.close()
  }
}
