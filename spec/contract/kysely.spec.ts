import { setImmediate } from 'node:timers/promises'
import { type Database, sql, UniqueViolationError, UnsupportedError } from 'latchwork'
import { beforeEach, describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import type { models } from './kysely-models.js'
import { ada, EARLY, LATE, useKyselyShop } from './kysely-shop.js'
import { rejectionOf } from './use-database.js'

forEachEngine((engine) => {
  describe('db.kysely', () => {
    const { shop, kysely } = useKyselyShop(engine)

    describe('values', () => {
      const values = {
        aText: `it's "a\\b" 😀 %_$1 ?`,
        anInteger: -2147483648,
        aBigint: 2n ** 63n - 1n,
        aSafeBigint: 2 ** 53 - 1,
        aBigintText: '-9223372036854775808',
        aFloat: 0.1 + 0.2,
        aDecimal: '-1234567890123456789012345678.0123',
        aBoolean: true,
        aDate: '2024-02-29',
        aTime: '23:59:59.5',
        anInstant: EARLY,
        aMicrosecond: '2024-02-29T12:30:00.123456Z',
        aUuid: '6f9619ff-8b86-d011-b42d-00c04fc964ff',
        aJson: { list: [1, 'two', null], flag: true },
        someBytes: new Uint8Array([0, 1, 255]),
        anEnum: 'open' as const,
        texts: ['a', 'b,"c"'],
        bigints: [2n ** 53n + 1n],
      }

      beforeEach(async () => {
        await kysely()
          .insertInto('everything')
          .values([{ id: 1, ...values }, { id: 2 }])
          .execute()
      })

      it('come back as they went in, of every type, and null', async () => {
        const rows = await kysely().selectFrom('everything').selectAll().orderBy('id').execute()
        const nulls = Object.fromEntries(Object.keys(values).map((name) => [name, null]))
        expect(rows).toEqual([
          { id: 1, ...values },
          { id: 2, ...nulls },
        ])
      })

      it('are the same to the nodes', async () => {
        await kysely().updateTable('everything').set(values).where('id', '=', 2).execute()
        expect(await shop.nodes.everything.read({ where: { id: 2 } })).toEqual({ id: 2, ...values })
      })

      it.each(Object.keys(values).filter((name) => !['aJson', 'texts', 'bigints'].includes(name)))(
        'of %s are found by comparison and in a list',
        async (name) => {
          const column = name as 'aText'
          const value = values[column]
          expect(await kysely().selectFrom('everything').select('id').where(column, '=', value).execute()).toEqual([{ id: 1 }])
          expect(await kysely().selectFrom('everything').select('id').where(column, 'in', [value]).execute()).toEqual([{ id: 1 }])
        },
      )

      it('keep their type through raw SQL that names their column', async () => {
        const { rows } = await sql`select c_boolean, c_instant, c_bigint, c_json, c_bytes from everything where id = ${1}`.execute(kysely())
        const { aBoolean, anInstant, aBigint, aJson, someBytes } = values
        expect(rows).toEqual([{ c_boolean: aBoolean, c_instant: anInstant, c_bigint: aBigint, c_json: aJson, c_bytes: someBytes }])
      })

      it('that stand against no column go to the driver as the engine takes them', async () => {
        const asText = engine.name === 'mysql' ? sql.raw('char') : sql.raw('text')
        const { rows } = await sql<Record<string, unknown>>`
          select cast(${EARLY} as ${asText}) as moment, cast(${2n ** 53n + 1n} as ${asText}) as big, case when ${true} then 'yes' end as truth
        `.execute(kysely())
        expect(rows[0]).toMatchObject({ big: '9007199254740993', truth: 'yes' })
        expect(String(rows[0]!.moment)).toMatch(/^2024-01-02.03:04:05\.006/)
      })

      it('of expressions are what the plain driver gives', async () => {
        const [row] = await kysely()
          .selectFrom('everything')
          .select((eb) => [
            eb('anInteger', '+', 1).as('next'),
            eb.fn.count('id').as('count'),
            sql<string>`upper(${eb.ref('anEnum')})`.as('loud'),
          ])
          .groupBy(['anInteger', 'anEnum'])
          .where('id', '=', 1)
          .execute()
        expect({ next: Number(row!.next), count: Number(row!.count), loud: row!.loud }).toEqual({
          next: -2147483647,
          count: 1,
          loud: 'OPEN',
        })
      })
    })

    describe('raw SQL', () => {
      it('gives what is in no model as the plain driver does', async () => {
        await engine.admin(
          shop.url,
          'drop table if exists plain; create table plain (small integer, word varchar(10), part double precision)',
        )
        const made = await sql`insert into plain values (${7}, ${'x'}, ${0.5})`.execute(kysely())
        expect(made.numAffectedRows).toBe(1n)
        expect((await sql`select * from plain`.execute(kysely())).rows).toEqual([{ small: 7, word: 'x', part: 0.5 }])
      })

      it('names tables and columns by the models', async () => {
        const query = sql<{ email: string }>`
          select ${sql.ref('users.email')} as email from ${sql.table('users')} where ${sql.ref('createdAt')} < ${LATE} order by ${sql.ref('users.createdAt')}
        `
        expect((await query.execute(kysely())).rows).toEqual([{ email: ada.email }])
      })

      it('may be a part of a query', async () => {
        const rows = await kysely()
          .selectFrom('users as u')
          .select((eb) => sql<string>`lower(${eb.ref('u.email')})`.as('low'))
          .where(sql<boolean>`${sql.ref('u.active')} = ${true}`)
          .execute()
        expect(rows).toEqual([{ low: ada.email }])
      })
    })

    describe('where it runs', () => {
      it('joins the transaction around it, and is rolled back with it', async () => {
        const error = new Error('undo')
        const caught = await rejectionOf(
          shop.db.transaction(async () => {
            await kysely()
              .insertInto('users')
              .values({ ...ada, email: 't@example.com' })
              .execute()
            expect(await shop.nodes.users.count({ where: { email: 't@example.com' } })).toBe(1)
            const outside = shop.another({ pool: { share: false } })
            expect(await outside.kysely.selectFrom('users').select('id').where('email', '=', 't@example.com').execute()).toEqual([])
            throw error
          }),
        )
        expect(caught).toBe(error)
        expect(await kysely().selectFrom('users').select('id').where('email', '=', 't@example.com').execute()).toEqual([])
      })

      it('needs no second connection in a transaction', async () => {
        const single = shop.another({ pool: { share: false, maxConnections: 1, acquireTimeoutMs: 2_000 } })
        const counts = await Promise.all(
          Array.from({ length: 5 }, () =>
            single.transaction(async () => {
              const rows = await Promise.all(
                [1, 2].map((id) => single.kysely.selectFrom('users').select('email').where('id', '=', id).execute()),
              )
              return rows.flat().length
            }),
          ),
        )
        expect(counts).toEqual([2, 2, 2, 2, 2])
      })

      it('goes on in a transaction while others wait for its connection', async () => {
        const single = shop.another({ pool: { share: false, maxConnections: 1, acquireTimeoutMs: 2_000 } })
        const insert = (email: string) =>
          single.kysely
            .insertInto('users')
            .values({ ...ada, email })
            .execute()
        let begin = () => {}
        const begun = new Promise<void>((resolve) => {
          begin = resolve
        })
        // outside the transaction: a call belongs to where its chain began
        const others = begun.then(() => Promise.all([insert('x@example.com'), insert('y@example.com')]))
        await single.transaction(async () => {
          await insert('first@example.com')
          begin()
          await setImmediate()
          await insert('second@example.com')
        })
        await others
        expect(await single.nodes.users.count()).toBe(6)
      })

      if (engine.name === 'postgres')
        it('spoils a transaction when it fails in it, as a node does', async () => {
          const error = await rejectionOf(
            shop.db.transaction(async () => {
              await rejectionOf(sql`select * from nowhere`.execute(kysely()))
            }),
          )
          expect(error).toMatchObject({ code: 'TRANSACTION_ABORTED' })
        })

      it('leaves nothing of a session to the next borrower', async () => {
        const single = shop.another({ pool: { share: false, maxConnections: 1 } })
        const { change, look } = SESSION[engine.name]
        const before = (await sql<{ state: unknown }>`${sql.raw(look)}`.execute(single.kysely)).rows
        await single.transaction(async () => {
          await sql`${sql.raw(change)}`.execute(single.kysely)
          expect((await sql`${sql.raw(look)}`.execute(single.kysely)).rows).not.toEqual(before)
        })
        expect((await sql`${sql.raw(look)}`.execute(single.kysely)).rows).toEqual(before)
        await sql`${sql.raw(change)}`.execute(single.kysely)
        expect((await sql`${sql.raw(look)}`.execute(single.kysely)).rows).toEqual(before)
      })

      it('gives its connection back whatever happens', async () => {
        const single = shop.another({ pool: { share: false, maxConnections: 1, acquireTimeoutMs: 2_000 } })
        for (let round = 0; round < 3; round++) {
          await rejectionOf(single.kysely.insertInto('users').values(ada).execute())
          await rejectionOf(sql`select nothing from nowhere`.execute(single.kysely))
          await rejectionOf(single.kysely.selectFrom('users').innerJoin('posts', 'authorId', 'users.id').select('createdAt').execute())
          await rejectionOf(firstOf(single))
        }
        expect(await single.nodes.users.count()).toBe(2)
      })
    })

    describe('errors', () => {
      it('are those of the nodes, with the names of the model and no values', async () => {
        const error = await rejectionOf(kysely().insertInto('users').values(ada).execute())
        expect(error).toBeInstanceOf(UniqueViolationError)
        expect(error).toMatchObject({ model: 'User', fields: ['email'] })
        expect(error.message).not.toContain(ada.email)
      })

      it('say what to use for what is not its own', async () => {
        for (const work of [
          () =>
            kysely()
              .transaction()
              .execute(async () => 1),
          () => kysely().startTransaction().execute(),
        ]) {
          expect(await rejectionOf(work())).toMatchObject({ code: 'UNSUPPORTED', message: expect.stringContaining('db.transaction') })
        }
        expect(() => kysely().connection()).toThrow(UnsupportedError)
        const kept = kysely()
          .withTables()
          .connection()
          .execute(async (one) => {
            await sql`select 1`.execute(one)
            await sql`select 2`.execute(one)
          })
        expect(await rejectionOf(kept)).toBeInstanceOf(UnsupportedError)
        expect(await rejectionOf(kysely().destroy())).toMatchObject({ message: expect.stringContaining('db.close()') })
        expect(await rejectionOf(firstOf(shop.db))).toMatchObject({ message: expect.stringContaining('pages') })
        await shop.db.ping()
      })
    })
  })
})

/** What changes a session, and what shows whether it was changed. */
const SESSION = {
  postgres: { change: 'set search_path = pg_catalog', look: 'show search_path' },
  mysql: { change: 'set @latch = 1', look: 'select @latch as state' },
  sqlite: { change: 'pragma case_sensitive_like = on', look: "select 'a' like 'A' as state" },
} as const

async function firstOf(db: Database<typeof models>): Promise<unknown> {
  for await (const row of db.kysely.selectFrom('users').selectAll().stream()) return row
  return undefined
}
