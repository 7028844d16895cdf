import { describe, expect, it } from 'vitest'
import { createMigrationDialect } from '../../lib/dialect/create-migration-dialect.js'
import { stepsOf } from '../../migrations/steps.js'

const postgres = createMigrationDialect({ engine: 'postgres', user: 'any' })
const mysql = createMigrationDialect({ engine: 'mysql', user: 'any' })
const sqlite = createMigrationDialect({ engine: 'sqlite', file: 'any.db' })

function steps(text: string, dialect = postgres) {
  return stepsOf({ kind: 'sql', file: 'up.sql', text, checksum: '' }, dialect)
}

function refusal(text: string, dialect = postgres): unknown {
  try {
    steps(text, dialect)
  } catch (error) {
    return error
  }
  return undefined
}

describe('the steps of a file', () => {
  it('are one statement each, at its line, without the semicolon and what is around it', () => {
    const text =
      '-- a comment\n\n-- latchwork:step\n  create table a (id integer); -- behind\n\n-- latchwork:step\ninsert into a\n  values (1)\n'
    expect(steps(text).map(({ statements, line }) => [statements, line])).toEqual([
      [['create table a (id integer)'], 4],
      [['insert into a\n  values (1)'], 7],
    ])
  })

  it('need no marker where there is one, and none at all where there is none', () => {
    expect(steps('select 1')).toHaveLength(1)
    expect(steps('')).toEqual([])
    expect(steps('-- latchwork:step\n-- nothing\n')).toEqual([])
  })

  it('have markers neither in texts nor in bodies', () => {
    expect(steps("insert into notes values ('a\n-- latchwork:step\nb; c')")).toHaveLength(1)
    expect(
      steps('create function f() returns void language plpgsql as $$ begin\n-- latchwork:step\nperform 1; perform 2; end $$'),
    ).toHaveLength(1)
    const trigger = 'create trigger t after insert on a for each row begin\n  insert into b values (1);\n  insert into b values (2);\nend'
    expect(steps(trigger, mysql)).toHaveLength(1)
    expect(steps(trigger, sqlite)).toHaveLength(1)
  })

  it('with a second statement are refused at its line', () => {
    expect(refusal('-- latchwork:step\nselect 1;\nselect 2;\n')).toMatchObject({ exitCode: 2, line: 3 })
    expect(refusal("select 'it is open")).toMatchObject({ exitCode: 2, line: 1 })
  })

  it.each(['begin', 'start transaction', 'COMMIT', 'rollback', 'savepoint a', '/* so */ commit'])(
    'do not control transactions: %s',
    (sql) => {
      expect(refusal(`select 1;\n-- latchwork:step\n${sql};`)).toMatchObject({ exitCode: 2, line: 3 })
    },
  )

  it('take directives, and refuse those that nobody knows', () => {
    const [step] = steps(
      '-- latchwork:tx none\n-- latchwork:timeout 30m\n-- latchwork:approve drop-column users.nick\nalter table users drop column nick',
    )
    expect(step).toMatchObject({ isTransactional: false, timeoutMs: 1_800_000, rebuilds: undefined })
    expect(refusal('select 1\n-- latchwork:stepp')).toMatchObject({ line: 2, message: expect.stringContaining('did you mean step?') })
    expect(refusal('-- latchwork:timeout soon\nselect 1')).toMatchObject({ line: 1 })
    expect(refusal('-- latchwork:tx none\n-- latchwork:step\nselect 1')).toMatchObject({ line: 1 })
  })

  it('make a table anew with two statements, where the engine needs that', () => {
    const text =
      '-- latchwork:rebuild users\ncreate table "__latchwork_new_users" (id integer);\ninsert into "__latchwork_new_users" select id from users;'
    expect(steps(text, sqlite)).toMatchObject([
      { rebuilds: 'users', isTransactional: true, statements: [expect.anything(), expect.anything()] },
    ])
    expect(refusal(text)).toMatchObject({ exitCode: 2 })
  })

  it.each([
    ['create index concurrently a_idx on a (b)', postgres, false],
    ['create unique index concurrently if not exists a_idx on a (b)', postgres, false],
    ['drop index concurrently a_idx', postgres, false],
    ['create index a_idx on a (b)', postgres, true],
    ['reindex table concurrently a', postgres, false],
    ['reindex (verbose, concurrently) index a', postgres, false],
    ['reindex database shop', postgres, false],
    ['reindex table a', postgres, true],
    ['vacuum (analyze) a', postgres, false],
    ['create database shop', postgres, false],
    ["alter system set work_mem = '1MB'", postgres, false],
    ['alter table a detach partition a_1 concurrently', postgres, false],
    ['alter table a detach partition a_1', postgres, true],
    ['cluster', postgres, false],
    ['cluster a using a_idx', postgres, true],
    ["create subscription s connection 'x' publication p", postgres, false],
    ["alter type mood add value 'glad'", postgres, true],
    ['create table a (id integer)', mysql, false],
    ['insert into a values (1)', mysql, true],
    ['update a set b = 1', mysql, true],
    ['set @a = 1', mysql, true],
    ['create table a (id integer)', sqlite, true],
    ['vacuum', sqlite, false],
    ['pragma journal_mode = wal', sqlite, false],
    ['pragma user_version = 3', sqlite, true],
  ])('know what is undone with its transaction: %s', (sql, dialect, isTransactional) => {
    expect(steps(sql, dialect)[0]!.isTransactional).toBe(isTransactional)
  })
})
