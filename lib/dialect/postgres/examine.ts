import type { Connection } from '../dialect.js'
import { clockCheck, type Examination, fail, ok, versionCheck, warn } from '../examination.js'

/** The smallest version that is supported. */
const SMALLEST = '13.0'

const SETTINGS = [
  'lock_timeout',
  'statement_timeout',
  'idle_in_transaction_session_timeout',
  'client_connection_check_interval',
  'default_transaction_read_only',
  'server_encoding',
] as const

/** `reset_val`: what other sessions of this user have, and not what a run sets for itself. */
const STATE = `
  select current_setting('server_version'), pg_catalog.current_schema(), pg_catalog.pg_is_in_recovery(),
    pg_catalog.has_schema_privilege(pg_catalog.current_schema(), 'create'),
    (select count(*) from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
      where n.nspname = pg_catalog.current_schema() and c.relkind in ('r', 'p') and not pg_catalog.pg_has_role(c.relowner, 'usage')),
    (select count(*) from pg_catalog.pg_stat_activity where datname = pg_catalog.current_database() and pid <> pg_catalog.pg_backend_pid()
      and state like 'idle in transaction%' and state_change < pg_catalog.clock_timestamp() - interval '60 seconds')`

const SETTINGS_SQL = `select name, reset_val || coalesce(unit, '') from pg_catalog.pg_settings where name in (${SETTINGS.map((name) => `'${name}'`).join(', ')})`

/** Whether the server, the user and the settings are fit for migrations. */
export async function examine(connection: Pick<Connection, 'run'>): Promise<readonly Examination[]> {
  const ask = async (sql: string) => (await connection.run({ sql, parameters: [] })).rows
  const [[version, schema, isStandby, mayCreate, foreign, idle] = []] = await ask(STATE)
  const settings = new Map((await ask(SETTINGS_SQL)).map(([name, value]) => [String(name), String(value)]))
  return [
    versionCheck('server version', 'PostgreSQL', String(version), SMALLEST),
    await clockCheck(async () => Number((await ask('select extract(epoch from pg_catalog.clock_timestamp()) * 1000'))[0]![0])),
    String(isStandby) === 't' || settings.get('default_transaction_read_only') === 'on'
      ? fail('writes', 'a standby, or a database that takes no writes', 'give the URL of the primary by LATCHWORK_MIGRATE_URL')
      : ok('writes', 'taken'),
    String(mayCreate) === 't'
      ? ok('privileges', `may create in the schema "${String(schema)}"`)
      : fail('privileges', `may not create in the schema "${String(schema)}"`, `grant create on schema "${String(schema)}" to the user`),
    Number(foreign) === 0
      ? ok('owner', 'may alter every table of the schema')
      : warn(
          'owner',
          `${Number(foreign)} tables of the schema belong to others, and cannot be altered`,
          'make the user a member of their owner',
        ),
    Number(idle) === 0
      ? ok('idle transactions', 'none is older than 60 s')
      : warn(
          'idle transactions',
          `${Number(idle)} sessions sit in a transaction for more than 60 s: what alters their tables waits for them`,
          'end them, or set idle_in_transaction_session_timeout',
        ),
    ...settingChecks(settings),
  ]
}

function settingChecks(settings: ReadonlyMap<string, string>): readonly Examination[] {
  const settingOf = (name: (typeof SETTINGS)[number]) => settings.get(name) ?? 'not there'
  const encoding = settingOf('server_encoding')
  const plain = ['lock_timeout', 'statement_timeout', 'idle_in_transaction_session_timeout'] as const
  return [
    // a run has limits of its own: these are what its neighbours have
    ...plain.map((name) => ok(name, `${settingOf(name)} for other sessions`)),
    settings.has('client_connection_check_interval')
      ? ok('client_connection_check_interval', 'known: the lock of a killed migrator is free within a second')
      : warn(
          'client_connection_check_interval',
          'not known before PostgreSQL 14: the lock of a killed migrator is free when its statement ends',
          'upgrade to 14 or newer',
        ),
    encoding === 'UTF8'
      ? ok('encoding', encoding)
      : warn('encoding', `${encoding}, which cannot hold every character`, 'make the database with encoding UTF8'),
  ]
}
