import type { Engine } from '../../lib/dialect/dialect.js'

/** Something that a user's own SQL can leave behind in a session. */
export interface Soil {
  readonly what: string
  readonly soil: string
  /** Gives other rows in a session that is soiled. */
  readonly look: string
  /** The statement itself fails. */
  readonly isRefused?: boolean
  /** Inside a transaction it ends it, or means nothing there. */
  readonly endsTransaction?: boolean
}

/** Counts one where the statement is not the first of its transaction. */
const IN_TRANSACTION = 'select count(*) as n from pg_stat_activity where pid = pg_backend_pid() and xact_start < query_start'

/** What each engine's sessions can be left with. */
export const SOILS: Readonly<Record<Engine, readonly Soil[]>> = {
  postgres: [
    { what: 'an open transaction', soil: 'begin', look: IN_TRANSACTION, endsTransaction: true },
    { what: 'an open transaction that locks a table', soil: 'begin; lock table stocks', look: IN_TRANSACTION, endsTransaction: true },
    { what: 'an aborted transaction', soil: 'begin; select 1 / 0', look: 'select 1 as one', isRefused: true },
    { what: 'another search_path', soil: 'set search_path to pg_catalog', look: 'show search_path' },
    { what: 'a read-only session', soil: 'set default_transaction_read_only = on', look: 'show default_transaction_read_only' },
    { what: 'a statement_timeout', soil: "set statement_timeout = '1234ms'", look: 'show statement_timeout' },
    { what: 'another time zone', soil: "set time zone 'Asia/Tokyo'", look: 'show time zone' },
    { what: 'another role', soil: 'set role pg_monitor', look: 'select current_user as name' },
    { what: 'another user', soil: 'set session authorization pg_monitor', look: 'select session_user as name' },
    {
      what: 'a temporary table before the real one',
      soil: 'create temporary table stocks as select 1 as fake',
      look: "select count(*) as n from pg_class where relnamespace = pg_my_temp_schema() and relname = 'stocks'",
    },
    {
      what: 'an advisory lock',
      soil: 'select pg_advisory_lock(7)',
      look: "select count(*) as n from pg_locks where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())",
    },
    { what: 'a LISTEN', soil: 'listen news', look: 'select count(*) as n from pg_listening_channels()', endsTransaction: true },
    {
      what: 'a cursor that outlives its transaction',
      soil: 'declare kept cursor with hold for select 1',
      look: 'select count(*) as n from pg_cursors where is_holdable',
    },
    {
      what: 'a setting of its own',
      soil: "select set_config('shop.tenant', '7', false)",
      look: "select coalesce(current_setting('shop.tenant', true), '') as tenant",
    },
    { what: 'none of its prepared statements', soil: 'deallocate all', look: 'select 1 as one', endsTransaction: true },
    { what: 'nothing at all', soil: 'discard all', look: 'select 1 as one', endsTransaction: true },
    { what: 'a COPY that wants rows', soil: 'copy stocks from stdin', look: 'select 1 as one', isRefused: true },
    { what: 'a COPY that gives rows', soil: 'copy stocks to stdout', look: 'select 1 as one', endsTransaction: true },
  ],
  mysql: [
    {
      what: 'an open transaction',
      soil: 'start transaction with consistent snapshot',
      look: 'select count(*) as n from information_schema.innodb_trx where trx_mysql_thread_id = connection_id()',
      endsTransaction: true,
    },
    { what: 'no autocommit', soil: 'set autocommit = 0', look: 'select @@autocommit as n' },
    { what: 'another sql_mode', soil: "set sql_mode = ''", look: 'select @@sql_mode as mode' },
    {
      what: 'backslashes that mean nothing',
      soil: "set sql_mode = concat(@@sql_mode, ',NO_BACKSLASH_ESCAPES')",
      look: 'select @@sql_mode as mode',
    },
    { what: 'a variable', soil: 'set @tenant = 7', look: 'select @tenant as tenant' },
    { what: 'another time zone', soil: "set time_zone = '+09:00'", look: 'select @@time_zone as zone' },
    {
      what: 'another character set',
      soil: 'set names latin1',
      look: 'select @@character_set_client as client, @@collation_connection as collation',
    },
    {
      what: 'another isolation level',
      soil: 'set session transaction isolation level serializable',
      look: "show session variables where variable_name in ('tx_isolation', 'transaction_isolation')",
    },
    {
      what: 'a read-only session',
      soil: 'set session transaction read only',
      look: "show session variables where variable_name in ('tx_read_only', 'transaction_read_only')",
    },
    { what: 'another database', soil: 'use information_schema', look: 'select database() as name' },
    {
      what: 'a temporary table before the real one',
      soil: 'create temporary table stocks as select 1 as fake',
      look: 'select count(*) as n from stocks',
    },
    { what: 'a lock of GET_LOCK', soil: "select get_lock('latchwork-soil', 0)", look: "select is_used_lock('latchwork-soil') as holder" },
    { what: 'locked tables', soil: 'lock tables stocks read', look: 'select count(*) as n from members', endsTransaction: true },
    { what: 'foreign keys off', soil: 'set foreign_key_checks = 0', look: 'select @@foreign_key_checks as n' },
    { what: 'a limit of rows', soil: 'set sql_select_limit = 0', look: 'select @@sql_select_limit as n' },
    {
      what: 'a file that was asked for',
      soil: "load data local infile '/etc/hostname' into table stocks",
      look: 'select 1 as one',
      isRefused: true,
    },
  ],
  sqlite: [
    { what: 'an open transaction', soil: 'begin immediate', look: 'select 1 as one', endsTransaction: true },
    { what: 'foreign keys off', soil: 'pragma foreign_keys = off', look: 'pragma foreign_keys', endsTransaction: true },
    { what: 'a session that only reads', soil: 'pragma query_only = on', look: 'pragma query_only' },
    { what: 'another cache size', soil: 'pragma cache_size = 7', look: 'pragma cache_size' },
    {
      what: 'a temporary table before the real one',
      soil: 'create temporary table stocks (fake integer)',
      look: "select count(*) as n from sqlite_temp_master where name = 'stocks'",
    },
    {
      what: 'an attached database',
      soil: "attach ':memory:' as beside",
      look: 'select name from pragma_database_list order by name',
      endsTransaction: true,
    },
    {
      what: 'a trigger of its own',
      soil: 'create temporary trigger watch after insert on stocks begin select 1; end',
      look: 'select count(*) as n from sqlite_temp_master',
    },
  ],
}
