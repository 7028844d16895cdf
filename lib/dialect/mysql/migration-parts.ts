import { sqlTokens } from '../../sql-text.js'
import { leadingWords, type MigrationParts, type StepError } from '../migration-parts.js'
import type { Address } from './address.js'
import { errnoOf, toDataError } from './errors.js'
import { examine } from './examine.js'
import { openMigrationSession, saysNoDatabase } from './migration-session.js'
import { recreateDatabase } from './recreate-database.js'
import { sqlTraits } from './sql-traits.js'

/** All else, DDL before all, commits what is open before and after itself. Source: MySQL 8.0 manual, 13.3.3 "Implicit Commit". */
const IN_TRANSACTION = /^(?:insert|update|delete|replace|select|with|values|do|load data|set(?! autocommit| password| default))\b/

export function migrationParts(address: Address): MigrationParts {
  return {
    isTransactional: (statement) => IN_TRANSACTION.test(leadingWords(statement, 3)),
    limitLockWait,
    // what a statement began it undoes itself
    leftoverOf: () => undefined,
    inScript,
    describe,
    isAtomic: (statement) => !dropsSeveral(statement) && !IN_PARTS.test(leadingWords(statement, 4)),
    isDoneAlready: (error, statement) => saysDone(statement, errnoOf(error) ?? 0),
    endsHolders: true,
    driver: { name: 'mysql2', smallest: '3.24.0' },
    examine: (connection) => examine(connection),
    open: (opening) => openMigrationSession(address, opening),
    saysNoDatabase,
    target: (schema) => ({ name: schema ?? address.database ?? '', host: address.host }),
    recreate: (opening, terminate) => recreateDatabase(address, opening, terminate),
  }
}

/** What is several statements in one, or of which MariaDB does one after the other. */
const IN_PARTS = /^(?:call|begin not atomic|execute|create or replace (?:temporary )?table|drop (?:database|schema))\b/

/** Whole seconds; by default it is a day for the one and 50 s for the other. */
function limitLockWait(ms: number): readonly string[] {
  const seconds = Math.ceil(ms / 1_000)
  return [`set session lock_wait_timeout = ${seconds}, session innodb_lock_wait_timeout = ${seconds}`]
}

const DELIMITERS = ['$$', '//', '@@', '%%']

/** The program `mysql` ends a statement at the next semicolon, be it in the body of a trigger, until it is told of another end. */
function inScript(statement: string): string {
  if (!sqlTokens(statement, sqlTraits).some(({ kind }) => kind === 'semicolon')) return `${statement};`
  const end = DELIMITERS.find((each) => !statement.includes(each)) ?? 'latchwork_end'
  return `delimiter ${end}\n${statement}\n${end}\ndelimiter ;`
}

/** MariaDB drops those that are there, and then says that one is not. */
function dropsSeveral(statement: string): boolean {
  return /^(?:drop (?:temporary )?table|drop view|rename table)\b/.test(leadingWords(statement, 3)) && statement.includes(',')
}

const IS_THERE = [1007, 1022, 1050, 1060, 1061, 1068, 1304, 1359, 1517, 1537, 1826, 3822]
const IS_GONE = [1008, 1051, 1091, 1305, 1360, 1539, 3821, 3940, 4092]
/** Said of a column and of a table that have another name now. */
const WAS_RENAMED = [1054, 1146]

/** The errors that say so, by the words of the statement. */
function saysDone(statement: string, errno: number): boolean {
  const [verb = ''] = leadingWords(statement, 1).split(' ')
  if (verb === 'create') return IS_THERE.includes(errno)
  if (verb === 'drop') return IS_GONE.includes(errno)
  if (verb !== 'alter' && verb !== 'rename') return false
  const isRename = verb === 'rename' || /\b(?:rename|change)\b/i.test(statement)
  return IS_THERE.includes(errno) || IS_GONE.includes(errno) || (isRename && WAS_RENAMED.includes(errno))
}

/** Errors of DDL whose message holds names and nothing else. Source: MySQL 8.0 Error Reference; MariaDB 10.11, `errmsg-utf8.txt`. */
const NAMES_ONLY: ReadonlySet<number> = new Set([
  1005, 1007, 1008, 1025, 1046, 1049, 1050, 1051, 1054, 1059, 1060, 1061, 1067, 1068, 1069, 1070, 1071, 1072, 1073, 1074, 1075, 1089, 1090,
  1091, 1101, 1103, 1113, 1118, 1142, 1146, 1166, 1170, 1171, 1176, 1213, 1215, 1217, 1239, 1280, 1304, 1305, 1347, 1356, 1359, 1360, 1451,
  1452, 1553, 1822, 1824, 1825, 1826, 1830, 1832, 1833, 1834, 3730, 3780, 3819, 3820, 3822, 3940, 4092,
])

function describe(error: unknown): StepError {
  const errno = errnoOf(error)
  const message =
    errno !== undefined && NAMES_ONLY.has(errno)
      ? `${(error as Error).message} (error ${errno})`
      : toDataError(error, { byName: () => undefined, byColumns: () => undefined }).message
  return { code: errno?.toString(), message, offset: undefined, needsNoTransaction: false }
}
