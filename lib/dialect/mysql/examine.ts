import type { Connection } from '../dialect.js'
import { clockCheck, type Examination, fail, ok, versionCheck, warn } from '../examination.js'

/** The smallest versions that are supported. */
const SMALLEST = { mysql: '8.0.19', mariadb: '10.5.2' }

/** What migrations and their state need in the database. */
const NEEDED = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'CREATE', 'ALTER', 'DROP', 'INDEX', 'REFERENCES']

const STATE = 'select version(), database(), current_user(), @@global.read_only, @@character_set_database'

/** Of the user's own; those of a role that it has taken are under the role's name. */
const PRIVILEGES = `
  select privilege_type from information_schema.user_privileges where grantee in ($grantees)
  union select privilege_type from information_schema.schema_privileges where grantee in ($grantees) and database() like table_schema`

const SETTINGS = ['sql_mode', 'lock_wait_timeout', 'innodb_lock_wait_timeout', 'wsrep_on']

/** Whether the server, the user and the settings are fit for migrations. */
export async function examine(connection: Pick<Connection, 'run'>): Promise<readonly Examination[]> {
  const ask = async (sql: string, ...parameters: string[]) => (await connection.run({ sql, parameters })).rows
  const [[version, database, user, isReadOnly, charset] = []] = await ask(STATE)
  const named = SETTINGS.map((name) => `'${name}'`).join(', ')
  const settings = new Map(
    (await ask(`show global variables where variable_name in (${named})`)).map(([name, value]) => [name, String(value)]),
  )
  const isMariaDb = /mariadb/i.test(String(version))
  return [
    isMariaDb
      ? versionCheck('server version', 'MariaDB', String(version), SMALLEST.mariadb)
      : versionCheck('server version', 'MySQL', String(version), SMALLEST.mysql),
    await clockCheck(async () => Number((await ask('select unix_timestamp(now(3)) * 1000'))[0]![0])),
    ['0', 'OFF'].includes(String(isReadOnly))
      ? ok('writes', 'taken')
      : fail('writes', 'the server is read-only', 'give the URL of the primary by LATCHWORK_MIGRATE_URL'),
    await privilegeCheck(ask, String(user), String(database)),
    String(charset) === 'utf8mb4'
      ? ok('character set', 'utf8mb4')
      : warn(
          'character set',
          `${String(charset)}, in tables that others make`,
          `alter database \`${String(database)}\` character set utf8mb4`,
        ),
    ...settingChecks(settings),
  ]
}

async function privilegeCheck(
  ask: (sql: string, ...parameters: string[]) => Promise<readonly (readonly unknown[])[]>,
  user: string,
  database: string,
): Promise<Examination> {
  const at = user.lastIndexOf('@')
  const [[role] = []] = await ask('select current_role()')
  const roles = role === null || role === undefined || role === 'NONE' ? [] : String(role).split(',')
  const grantees = [`'${user.slice(0, at)}'@'${user.slice(at + 1)}'`, ...roles.flatMap(formsOfRole)]
  const rows = await ask(PRIVILEGES.replaceAll('$grantees', grantees.map(() => '?').join(', ')), ...grantees, ...grantees)
  const held = new Set(rows.map(([privilege]) => String(privilege).toUpperCase()))
  const lacking = NEEDED.filter((privilege) => !held.has(privilege))
  if (lacking.length === 0) return ok('privileges', `all that are needed in "${database}"`)
  return fail(
    'privileges',
    `lacks ${lacking.join(', ')} in "${database}"`,
    `grant ${lacking.join(', ').toLowerCase()} on \`${database}\`.* to the user`,
  )
}

/** `admin` on MariaDB, `` `admin`@`%` `` on MySQL, and both lists write them in another way. */
function formsOfRole(role: string): readonly string[] {
  const plain = role.replaceAll('`', '')
  const [name = plain, host = '%'] = plain.split('@')
  return [plain, `'${name}'@'${host}'`, `'${name}'@''`]
}

function settingChecks(settings: ReadonlyMap<unknown, string>): readonly Examination[] {
  const mode = settings.get('sql_mode') ?? ''
  const clustered = settings.get('wsrep_on')?.toUpperCase() === 'ON'
  return [
    /STRICT_(?:ALL|TRANS)_TABLES/.test(mode)
      ? ok('sql_mode', `strict for other sessions too: ${mode}`)
      : warn(
          'sql_mode',
          `not strict for other sessions: what does not fit is cut (${mode === '' ? 'none' : mode})`,
          "set global sql_mode = concat(@@global.sql_mode, ',STRICT_TRANS_TABLES')",
        ),
    // a run has limits of its own: these are what its neighbours have
    ok('lock_wait_timeout', `${settings.get('lock_wait_timeout')} s for other sessions`),
    ok('innodb_lock_wait_timeout', `${settings.get('innodb_lock_wait_timeout')} s for other sessions`),
    clustered
      ? warn('cluster', 'Galera: a lock is its node’s alone', 'migrate over one node, by --single-writer, while no other is written to')
      : ok('cluster', 'none: a lock is seen by all'),
    ok('DDL', 'cannot be undone: a migration that fails is resumed; keep them small'),
  ]
}
