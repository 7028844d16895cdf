import { constants } from 'node:fs'
import { access } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Connection } from '../dialect.js'
import { type Examination, fail, ok, versionCheck, warn } from '../examination.js'

/** The smallest version that is supported. */
const SMALLEST = '3.37.0'

/** What migrations cannot do without. Source: SQLite, "Compile-time Options". */
const MISSING_PARTS = ['OMIT_FOREIGN_KEY', 'OMIT_ALTERTABLE', 'OMIT_TRIGGER', 'OMIT_VIEW', 'OMIT_JSON']

/** Whether the file, its folder and the library are fit for migrations. */
export async function examine(connection: Pick<Connection, 'run'>, file: string): Promise<readonly Examination[]> {
  const ask = async (sql: string) => (await connection.run({ sql, parameters: [] })).rows
  const [[version] = []] = await ask('select sqlite_version()')
  const options = (await ask('pragma compile_options')).map(([option]) => String(option))
  const missing = options.filter((option) => MISSING_PARTS.includes(option))
  const [[mode] = []] = await ask('pragma journal_mode')
  const [[foreignKeys] = []] = await ask('pragma foreign_keys')
  return [
    versionCheck('server version', 'SQLite', String(version), SMALLEST),
    ok('clock', 'the same as here'),
    await accessCheck(file),
    journalCheck(String(mode)),
    Number(foreignKeys) === 1
      ? ok('foreign_keys', 'on')
      : fail('foreign_keys', 'off, and cannot be turned on', 'use a SQLite that is built with foreign keys'),
    missing.length === 0
      ? ok('compile options', `${options.length}, and none leaves out what is needed`)
      : fail('compile options', missing.join(', '), 'use a better-sqlite3 whose SQLite has these parts'),
  ]
}

function journalCheck(mode: string): Examination {
  if (mode === 'wal') return ok('journal_mode', mode)
  if (mode === 'memory') return ok('journal_mode', 'none yet: the file is not there')
  const advice = 'pragma journal_mode = wal, which latchwork says itself when an application opens the file'
  return warn('journal_mode', `${mode}: readers are kept out while a migration writes`, advice)
}

/** The lock and the journal are files beside the database. */
async function accessCheck(file: string): Promise<Examination> {
  const mayWrite = (path: string) =>
    access(path, constants.R_OK | constants.W_OK).then(
      () => undefined,
      (error: NodeJS.ErrnoException) => error.code,
    )
  const [ofFile, ofFolder] = await Promise.all([mayWrite(file), mayWrite(dirname(file))])
  if (ofFile === 'ENOENT' && ofFolder === undefined) return ok('privileges', 'the file is not there yet, and can be made')
  if (ofFolder !== undefined)
    return fail(
      'privileges',
      `the folder ${dirname(file)} cannot be written (${ofFolder})`,
      'let the user write it: the journal and the lock are beside the file',
    )
  if (ofFile !== undefined) return fail('privileges', `the file cannot be written (${ofFile})`, 'let the user write it')
  return ok('privileges', 'file and folder can be written')
}
