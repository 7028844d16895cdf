import Database from 'better-sqlite3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { PreparedStatements } from '../../../../lib/dialect/sqlite/prepared-statements.js'

let database: Database.Database

beforeEach(() => {
  database = new Database(':memory:')
})

afterEach(() => {
  database.close()
})

describe('PreparedStatements', () => {
  it('prepares a statement once while it is in use, and never keeps more than 512', () => {
    const statements = new PreparedStatements(database)
    const inUse = statements.get('select ?')
    const used = Array.from({ length: 2_000 }, (_, n) => {
      expect(statements.get('select ?')).toBe(inUse)
      return statements.get(`select ${n}, ${n}`)
    })
    // backwards: what is still kept is asked for before anything new could take its place
    const kept = used.filter((_, at) => statements.get(`select ${1_999 - at}, ${1_999 - at}`) === used[1_999 - at])
    expect(kept.length).toBeGreaterThanOrEqual(255)
    expect(kept.length).toBeLessThan(512)
  })

  it.each([
    'select 1',
    '  -- why\n/* how */ ; INSERT into t values (1)',
    'with x as (select 1) select * from x',
    'begin immediate',
    'savepoint a',
    'rollback',
    'values (1)',
    'explain query plan select 1',
    'explain query plan insert into t values (1)',
    'explain query plan update t set n = 1',
    'explain query plan delete from t',
  ])('takes %j for one that leaves the session as it is', (sql) => {
    database.exec('create table t (n)')
    const statements = new PreparedStatements(database)
    statements.get(sql)
    expect(statements.hasAlteredSession).toBe(false)
  })

  it.each([
    'pragma foreign_keys = off',
    '/* select */ pragma foreign_keys = off',
    "attach ':memory:' as other",
    'create temp table t (n)',
    'explain pragma foreign_keys = off',
    'explain query plan pragma foreign_keys = off',
    'detach other',
  ])('takes %j for one that may have altered the session', (sql) => {
    const statements = new PreparedStatements(database)
    statements.get(sql)
    expect(statements.hasAlteredSession).toBe(true)
  })

  it('counts a statement that failed to be prepared too', () => {
    const statements = new PreparedStatements(database)
    expect(() => statements.get('pragma foreign_keys = off; select 1')).toThrow()
    expect(statements.hasAlteredSession).toBe(true)
  })
})
