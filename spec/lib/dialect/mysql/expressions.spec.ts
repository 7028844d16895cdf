import { type Expression, MysqlQueryCompiler, type RawBuilder, sql } from 'kysely'
import { expect, it } from 'vitest'
import { COLLATION } from '../../../../lib/dialect/mysql/collation.js'
import { mysqlExpressions as expressions } from '../../../../lib/dialect/mysql/expressions.js'
import type { ColumnType } from '../../../../lib/model/column-type.js'
import { forEachEngine } from '../../../support/engines.js'
import { type Session, Sessions } from './sessions.js'

const INTEGER: ColumnType = { kind: 'integer' }
const TEXT: ColumnType = { kind: 'text' }
const DECIMAL: ColumnType = { kind: 'decimal', precision: 38, scale: 2 }

forEachEngine(
  (engine) => {
    const sessions = new Sessions(engine)

    // compiled as Kysely does it inside a query
    async function evaluate(session: Session, expression: Expression<unknown>): Promise<unknown> {
      const { compiler, queryId } = { compiler: new MysqlQueryCompiler(), queryId: { queryId: 'spec' } }
      const compiled = compiler.compileQuery(sql`select ${expression}`.toOperationNode() as never, queryId)
      return session.value(compiled.sql, ...compiled.parameters)
    }

    function like(text: string, pattern: string, ignoreCase = false): RawBuilder<boolean> {
      return expressions.like(sql`${text}`, sql`${expressions.encodeLike(pattern, ignoreCase)}`, ignoreCase)
    }

    it('matches a pattern with a backslash as its escape, under every sql_mode', async () => {
      for (const mode of ['ANSI_QUOTES', 'NO_BACKSLASH_ESCAPES', '']) {
        const session = await sessions.open({ initSql: [`set sql_mode = '${mode}'`] })
        const matches = async (text: string, pattern: string) => (await evaluate(session, like(text, pattern))) === 1
        expect(await matches('50% off', '50\\%%')).toBe(true)
        expect(await matches('500 off', '50\\%%')).toBe(false)
        expect(await matches('a_b', 'a\\_b')).toBe(true)
        expect(await matches('axb', 'a\\_b')).toBe(false)
        expect(await matches('axb', 'a_b')).toBe(true)
        expect(await matches('C:\\temp', 'C:\\\\%')).toBe(true)
        expect(await matches('a|b', 'a|b')).toBe(true)
        expect(await matches('a||b', 'a|b')).toBe(false)
        expect(await matches('a|%', 'a|\\%')).toBe(true)
        expect(await matches('end\\', 'end\\')).toBe(true)
        expect(await matches('\u{1f600}x', '_x')).toBe(true)
        expect(await matches('\u{1f600}', '\\\u{1f600}')).toBe(true)
      }
    })

    it('tells upper and lower case apart, whatever collation the column has', async () => {
      const session = await sessions.open()
      await session.run('create table cased (bin varchar(20) collate utf8mb4_bin, ci varchar(20) collate utf8mb4_general_ci)')
      await session.run('insert into cased values (?, ?)', 'Ann', 'Ann')
      for (const column of ['bin', 'ci']) {
        const find = async (pattern: string, ignoreCase: boolean) => {
          const pieces = expressions.like(sql.ref(column), sql`${pattern}`, ignoreCase)
          return evaluate(session, sql`count(*) from cased where ${pieces}`)
        }
        expect([await find('Ann', false), await find('ann', false), await find('aNN', true)]).toEqual([1, 0, 1])
      }
    })

    it('ignores case, and only case: neither accents nor emoji are taken for each other', async () => {
      const session = await sessions.open()
      expect(await evaluate(session, like('ÀÉ', 'à%', true))).toBe(1)
      expect(await evaluate(session, like('À', 'a', true))).toBe(0)
      expect(await evaluate(session, like('\u{1f600}', '\u{1f60e}', true))).toBe(0)
    })

    it('lets an index serve a prefix', async () => {
      const session = await sessions.open()
      await session.run(`create table prefixed (v varchar(20) collate ${COLLATION}, n int, key prefix_key (v))`)
      for (let n = 0; n < 50; n++) await session.run('insert into prefixed values (?, ?)', `name ${n}`, n)
      const compiled = new MysqlQueryCompiler().compileQuery(
        sql`explain select * from prefixed where ${expressions.like(sql.ref('v'), sql`${'name 4%'}`, false)}`.toOperationNode() as never,
        { queryId: 'spec' },
      )
      const [plan] = await session.rows(compiled.sql, ...compiled.parameters)
      expect(plan).toContain('prefix_key')
    })

    it('matches regular expressions, case-sensitively', async () => {
      const session = await sessions.open()
      const matches = (text: string, pattern: string) => evaluate(session, expressions.regex(sql`${text}`, sql`${pattern}`))
      expect(await matches('abc-42', '^[a-z]+-\\d{2}$')).toBe(1)
      expect(await matches('ABC-42', '^[a-z]+-\\d{2}$')).toBe(0)
    })

    it('compares decimals digit by digit, alone and in lists', async () => {
      const session = await sessions.open()
      const column = sql`cast(${'123456789012345678901234567890123456.78'} as decimal(38, 2))`
      const one = (text: string) => sql`${column} = ${expressions.bound(sql`${text}`, DECIMAL)}`
      expect(await evaluate(session, one('123456789012345678901234567890123456.78'))).toBe(1)
      expect(await evaluate(session, one('123456789012345678901234567890123456.79'))).toBe(0)
      const list = (...texts: string[]) =>
        expressions.inList(
          column,
          texts.map((text) => sql`${text}`),
          DECIMAL,
        )
      expect(await evaluate(session, list('1', '123456789012345678901234567890123456.79'))).toBe(0)
      expect(await evaluate(session, list('1', '123456789012345678901234567890123456.78'))).toBe(1)
    })

    it('adds and multiplies exactly', async () => {
      const session = await sessions.open()
      const big = sql`cast(${'123456789012345678901234567890123456.78'} as decimal(38, 2))`
      const sum = expressions.arithmetic(big, '+', sql`${'0.01'}`, DECIMAL)
      expect(await evaluate(session, sum)).toBe('123456789012345678901234567890123456.79')
      const price = sql`cast(${'100.00'} as decimal(38, 2))`
      expect(Number(await evaluate(session, expressions.arithmetic(price, '*', sql`${1.075}`, DECIMAL)))).toBe(107.5)
      const count = sql`cast(${9_007_199_254_740_993n} as signed)`
      const less = expressions.arithmetic(count, '-', sql`${1}`, { kind: 'bigint' })
      // text beyond 2^53, a number up to it
      expect(String(await evaluate(session, less))).toBe('9007199254740992')
    })

    it('takes null for a value like any other where it asks whether two differ', async () => {
      const session = await sessions.open()
      const differ = (left: unknown, right: unknown) => evaluate(session, expressions.isDistinct(sql`${left}`, sql`${right}`, INTEGER))
      expect([await differ(1, 1), await differ(1, 2), await differ(1, null), await differ(null, null)]).toEqual([0, 1, 1, 0])
    })

    it('takes texts for different that the collation of a column takes for the same, in whatever character set they are', async () => {
      const session = await sessions.open()
      const column = sql`cast('é' as char character set latin1) collate latin1_swedish_ci`
      const differ = (right: unknown) => evaluate(session, expressions.isDistinct(column, sql`${right}`, TEXT))
      expect([await differ('é'), await differ('É'), await differ('é '), await differ(null)]).toEqual([0, 1, 1, 1])
    })

    it('binds one value each for a list', () => {
      expect(expressions.encodeList(['a', 'b'], TEXT)).toBeUndefined()
    })
  },
  { engines: ['mysql'] },
)
