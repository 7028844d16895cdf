import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sqlTraits as MYSQL } from '../../lib/dialect/mysql/sql-traits.js'
import { sqlTraits as POSTGRES } from '../../lib/dialect/postgres/sql-traits.js'
import { sqlTraits as SQLITE } from '../../lib/dialect/sqlite/sql-traits.js'
import { type SqlTokenKind, type SqlTraits, sqlStatements, sqlTokens } from '../../lib/sql-text.js'

const ALL = { POSTGRES, MYSQL, SQLITE }
type Name = keyof typeof ALL

function kinds(sql: string, traits: SqlTraits): [SqlTokenKind, string][] {
  return sqlTokens(sql, traits).flatMap(({ kind, text }) => (kind === 'space' ? [] : [[kind, text]]))
}

function textsOf(sql: string, traits: SqlTraits): string[] {
  return sqlStatements(sql, traits).map(({ text }) => text)
}

describe('sqlTokens', () => {
  const ALONE: readonly (readonly [Name, SqlTokenKind, string])[] = [
    ['POSTGRES', 'text', "'it''s :no'"],
    ['POSTGRES', 'text', "'ends with \\'"],
    ['POSTGRES', 'text', "E'it\\'s :no'"],
    ['POSTGRES', 'text', "e'one'\n  'it\\'s two'"],
    ['POSTGRES', 'text', "$$ it's ; :no $$"],
    ['POSTGRES', 'text', '$body$ $$ ; $other$ $body$'],
    ['POSTGRES', 'name', '"a "" ; :no"'],
    ['POSTGRES', 'comment', '/* a /* b ; */ :no */'],
    ['POSTGRES', 'comment', '--:no'],
    ['POSTGRES', 'placeholder', '$12'],
    ['POSTGRES', 'word', 'naïve$1'],
    ['POSTGRES', 'word', '\u{1f600}'],
    ['MYSQL', 'text', "'it\\'s ; :no'"],
    ['MYSQL', 'text', '"it\\"s ; :no"'],
    ['MYSQL', 'name', '`a `` ; :no`'],
    ['MYSQL', 'comment', '# ; :no'],
    ['MYSQL', 'comment', '-- ; :no'],
    ['MYSQL', 'comment', '--'],
    ['MYSQL', 'comment', '/* /* ; */'],
    ['MYSQL', 'placeholder', '?'],
    ['SQLITE', 'text', "'ends with \\'"],
    ['SQLITE', 'name', '[a ; :no]'],
    ['SQLITE', 'name', '"a ; :no"'],
    ['SQLITE', 'placeholder', '?3'],
    ['SQLITE', 'placeholder', '@id'],
    ['SQLITE', 'placeholder', '$id'],
    ['SQLITE', 'number', '1.5e-10'],
    ['SQLITE', 'parameter', ':id_2'],
  ]

  it.each(ALONE)('%s: one %s is %s', (name, kind, sql) => {
    expect(sqlTokens(`${sql}\n;`, ALL[name])[0]).toEqual({ kind, text: sql, offset: 0, line: 1, isUnfinished: false })
  })

  it.each(['id=:id', 'f(:id)', '{:id}', '+:id', ':id::int', '- :id', '[:id]'])('finds the parameter in %s', (sql) => {
    expect(kinds(sql, POSTGRES)).toContainEqual(['parameter', ':id'])
  })

  it.each(['a::id', 'a :: id', 'list[lo:id]', 'list[1:id]', 'list[f(1):id]', '@id:=1', "'k':id", "':id'", '--:id', '/*:id*/', '":id"'])(
    'finds no parameter in %s',
    (sql) => {
      expect(kinds(sql, POSTGRES).filter(([kind]) => kind === 'parameter')).toEqual([])
    },
  )

  it('reads as SQL what MySQL runs of a comment', () => {
    expect(kinds('/*!40101 select :id */', MYSQL)).toEqual([
      ['symbol', '/*!40101'],
      ['word', 'select'],
      ['parameter', ':id'],
      ['symbol', '*/'],
    ])
    expect(kinds('/*!40101 select :id */', SQLITE)).toEqual([['comment', '/*!40101 select :id */']])
  })

  it('takes two dashes without space for two signs where the engine does', () => {
    expect(kinds('1--1', MYSQL).map(([kind]) => kind)).toEqual(['number', 'symbol', 'symbol', 'number'])
    expect(kinds('1--1', SQLITE).map(([kind]) => kind)).toEqual(['number', 'comment'])
  })

  it.each([
    ["select 'open", POSTGRES],
    ["select 'open''", POSTGRES],
    ["select E'open\\'", POSTGRES],
    ['select $a$ open $b$', POSTGRES],
    ['select /* open /* */', POSTGRES],
    ['select "open\\"', MYSQL],
    ['select [open', SQLITE],
  ])('marks what is not closed in %s', (sql, traits) => {
    expect(sqlTokens(sql, traits).map(({ isUnfinished }) => isUnfinished)).toEqual([false, false, true])
  })

  it('keeps every position, in any text', () => {
    const piece = fc.constantFrom(
      "'",
      '"',
      '`',
      '[',
      ']',
      '\\',
      '$',
      '$a$',
      '/*',
      '*/',
      '--',
      '#',
      ':',
      '::',
      ':a',
      ';',
      '\n',
      '\r\n',
      ' ',
      'E',
      'begin',
      'end',
      '1',
      '?',
      '😀',
      '\ud800',
    )
    const text = fc.array(fc.oneof(piece, fc.string({ maxLength: 3 })), { maxLength: 40 }).map((pieces) => pieces.join(''))
    fc.assert(
      fc.property(text, fc.constantFrom(...Object.values(ALL)), (sql, traits) => {
        const tokens = sqlTokens(sql, traits)
        expect(tokens.map((token) => token.text).join('')).toBe(sql)
        for (const { text, offset, line } of tokens) {
          expect(text).not.toBe('')
          expect(sql.startsWith(text, offset)).toBe(true)
          expect(line).toBe(sql.slice(0, offset).split('\n').length)
        }
      }),
      { numRuns: 2_000 },
    )
  })

  it('reads back any text that is quoted as the engine quotes', () => {
    const quoted: readonly (readonly [SqlTraits, SqlTokenKind, (value: string) => string])[] = [
      [POSTGRES, 'text', (value) => `'${value.replaceAll("'", "''")}'`],
      [POSTGRES, 'text', (value) => `E'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`],
      [POSTGRES, 'text', (value) => `$q$${value.replaceAll('$', '')}$q$`],
      [POSTGRES, 'name', (value) => `"${value.replaceAll('"', '""')}"`],
      [MYSQL, 'text', (value) => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`],
      [MYSQL, 'text', (value) => `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`],
      [MYSQL, 'name', (value) => `\`${value.replaceAll('`', '``')}\``],
      [SQLITE, 'text', (value) => `'${value.replaceAll("'", "''")}'`],
      [SQLITE, 'name', (value) => `[${value.replaceAll(']', '')}]`],
    ]
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom("'", '"', '`', '\\', ']', '$', ';', ':', 'a', '\n', '-', '/', '*') }), (value) => {
        for (const [traits, kind, quote] of quoted) {
          const sql = quote(value)
          expect(kinds(`select ${sql};`, traits).slice(1)).toEqual([
            [kind, sql],
            ['semicolon', ';'],
          ])
        }
      }),
      { numRuns: 1_000 },
    )
  })

  it('takes 5 MB in its stride', () => {
    const started = performance.now()
    const long = 5_000_000
    sqlTokens(`'${'a'.repeat(long)}`, POSTGRES)
    sqlTokens('/*'.repeat(long / 2), POSTGRES)
    sqlTokens('[ '.repeat(long / 10), SQLITE)
    sqlStatements('select 1;'.repeat(long / 50), MYSQL)
    expect(performance.now() - started).toBeLessThan(10_000)
  })
})

describe('sqlStatements', () => {
  it('gives each with its place, without what surrounds it', () => {
    const sql = "-- first\n\nselect ';' ; -- none\n;\n  insert into t\nvalues (1) -- last\n"
    expect(sqlStatements(sql, POSTGRES).map(({ text, offset, line }) => ({ text, offset, line }))).toEqual([
      { text: "select ';'", offset: 10, line: 3 },
      { text: 'insert into t\nvalues (1)', offset: sql.indexOf('insert'), line: 5 },
    ])
  })

  it.each(['', ' ; ;; ', '-- nothing\n/* at all */;'])('finds none in %j', (sql) => {
    expect(sqlStatements(sql, SQLITE)).toEqual([])
  })

  const WHOLE: readonly (readonly [Name, string])[] = [
    ['SQLITE', 'create trigger t after insert on a begin update b set n = case when n > 1 then 2 else 3 end; delete from c; end'],
    ['SQLITE', 'CREATE TEMP TRIGGER IF NOT EXISTS t BEFORE UPDATE OF a ON b FOR EACH ROW WHEN NEW.a > 1 BEGIN SELECT 1; END'],
    ['MYSQL', "create definer = 'a'@'b' procedure p(in n int) begin declare i int; while i < n do set i = i + 1; end while; end"],
    ['MYSQL', 'create procedure p() begin if (1 > 0) then select 1; elseif 2 then select 2; end if; select if(1, 2, 3); end'],
    ['MYSQL', 'create trigger t before insert on a for each row if new.n is null then set new.n = 1; set new.m = 2; end if'],
    ['MYSQL', 'create procedure p() begin select case when a then if(b, 1, 2) else if(c, 3, 4) end from t; select 1; end'],
    ['MYSQL', 'create procedure p() again: loop leave again; end loop'],
    [
      'MYSQL',
      'create procedure p() begin repeat set @a = repeat("a", 3); until true end repeat; case x when 1 then select 1; end case; end',
    ],
    ['MYSQL', 'create event e on schedule every 1 day do begin delete from a; delete from b; end'],
    ['MYSQL', 'begin not atomic select 1; select 2; end'],
    ['POSTGRES', 'create function f() returns int begin atomic select case when true then 1 end; select 2; end'],
    ['POSTGRES', 'create or replace function f() returns trigger language plpgsql as $f$ begin new.a = 1; return new; end; $f$'],
    ['POSTGRES', 'do $$ begin perform 1; end $$'],
  ]

  it.each(WHOLE)('%s: %s is one', (name, sql) => {
    expect(textsOf(`${sql};\nselect 1;`, ALL[name])).toEqual([sql, 'select 1'])
  })

  const APART: readonly (readonly [Name, readonly string[]])[] = [
    ['SQLITE', ['begin', 'insert into a values (1)', 'commit']],
    ['MYSQL', ['create table event (begin datetime, finish datetime)', 'select 1']],
    ['MYSQL', ['create trigger t before insert on a for each row set new.n = if(new.n, 1, 2)', 'select 1']],
    ['POSTGRES', ['create function begin() returns int language sql return 1', 'select 1']],
    ['POSTGRES', ["select E'\\'; '", "select 'a\\'", 'select 2']],
    ['MYSQL', ['select "a;\\""', 'select 2']],
  ]

  it.each(APART)('%s: %j are apart', (name, statements) => {
    expect(textsOf(`${statements.join(';\n')};`, ALL[name])).toEqual(statements)
  })

  it('ends each statement where any others begin', () => {
    const statement = fc.constantFrom(
      ...WHOLE.filter(([name]) => name === 'MYSQL').map(([, sql]) => sql),
      'select 1',
      "insert into a values (';')",
    )
    const between = fc.constantFrom(';', ';\n', ' ;; -- a;b\n', '; /* ; */ ')
    fc.assert(
      fc.property(fc.array(fc.tuple(statement, between), { maxLength: 8 }), (pairs) => {
        expect(textsOf(pairs.flat().join(''), MYSQL)).toEqual(pairs.map(([sql]) => sql))
      }),
    )
  })
})
