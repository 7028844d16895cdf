import { describe, expect, it } from 'vitest'
import { sessionNeedOf } from '../../../../lib/dialect/postgres/session-statements.js'

describe('sessionNeedOf', () => {
  it.each([
    ['set search_path to shop', 'SET'],
    ['SET SESSION lock_timeout = 0', 'SET'],
    ["set\n\ttime zone 'UTC'", 'SET'],
    ['set role reader', 'SET'],
    ['set session characteristics as transaction read only', 'SET'],
    ['reset all', 'RESET'],
    ['discard temp', 'DISCARD'],
    ['listen news', 'LISTEN'],
    ['unlisten *', 'UNLISTEN'],
    ['prepare one as select 1', 'PREPARE'],
    ['deallocate all', 'DEALLOCATE'],
    ["load 'auto_explain'", 'LOAD'],
    ['declare everything cursor with hold for select 1', 'DECLARE … WITH HOLD'],
    ['create temp table scratch (a int)', 'a temporary table'],
    ['create local temporary table scratch (a int) on commit delete rows', 'a temporary table'],
    ['create or replace temp view recent as select 1', 'a temporary table'],
    ['select 1 as a into temp scratch', 'a temporary table'],
    ['select pg_advisory_lock(1)', 'pg_advisory_lock()'],
    ['select PG_TRY_ADVISORY_LOCK_SHARED (1)', 'pg_try_advisory_lock_shared()'],
    ['select "pg_advisory_lock"(1)', 'pg_advisory_lock()'],
    ['with held as (select pg_advisory_unlock_all()) select 1', 'pg_advisory_unlock_all()'],
    ["select set_config('app.tenant', 'acme', false)", 'set_config() whose third argument is not a plain true'],
    ["select set_config('app.tenant', $1, $2)", 'set_config() whose third argument is not a plain true'],
    [
      "select set_config('a', 'b', true), set_config('a', concat('b', 'true'), false)",
      'set_config() whose third argument is not a plain true',
    ],
  ])('finds what a session is needed for: %s', (sql, need) => {
    expect(sessionNeedOf(sql)).toBe(need)
  })

  it.each([
    "set local lock_timeout = '1s'",
    'set transaction isolation level serializable',
    'set constraints all deferred',
    'begin',
    'notify news',
    "prepare transaction 'one'",
    'declare some cursor for select 1',
    'declare some cursor without hold for select 1',
    'create temp table scratch (a int) on commit drop',
    'create table temp (a int)',
    'insert into temp (a) values (1)',
    'insert into temp select 1',
    'select pg_advisory_xact_lock(1), pg_try_advisory_xact_lock_shared(2)',
    "select set_config('app.tenant', concat('a', 'b'), true)",
    'update orders set amount = 1 where hold',
    'select "set", \'listen news; set a to b\' from load',
    "select E'it\\'s; set a to b; '",
    "insert into notes values ('it''s; reset all; ')",
    'select 1 -- ; set a to b\n',
    'select 1 /* ; discard all */',
    'select $$; set a to b$$, $tag$; reset all$tag$, $1',
    'select pg_advisory_lock from locks',
  ])('lets pass what is of one transaction: %s', (sql) => {
    expect(sessionNeedOf(sql)).toBeUndefined()
  })

  it.each([
    ['select 1; set a to b', 'SET'],
    ["set local a to 'b;'; listen news", 'LISTEN'],
    ['  -- first\n /* then */ reset all', 'RESET'],
    ["select '--'; unlisten *", 'UNLISTEN'],
  ])('looks at every statement of a text: %s', (sql, need) => {
    expect(sessionNeedOf(sql)).toBe(need)
  })
})
