import * as onPostgres from 'kysely/helpers/postgres'
import * as onSqlite from 'kysely/helpers/sqlite'
import { describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { ada, bob, EARLY, LATE, post, useKyselyShop } from './kysely-shop.js'
import { rejectionOf } from './use-database.js'

forEachEngine((engine) => {
  describe('db.kysely, reading', () => {
    const { kysely } = useKyselyShop(engine)

    it('takes and gives the names of the models', async () => {
      const rows = await kysely()
        .selectFrom('users')
        .select(['id', 'createdAt', 'users.active as isOn'])
        .where('email', '=', ada.email)
        .execute()
      expect(rows).toEqual([{ id: 1, createdAt: EARLY, isOn: true }])
    })

    it('gives all fields of a model under their names', async () => {
      expect(await kysely().selectFrom('users').selectAll().orderBy('id').execute()).toEqual([
        { id: 1, ...ada },
        { id: 2, ...bob },
      ])
      expect(await kysely().selectFrom('posts as p').selectAll('p').execute()).toEqual([{ id: 1, ...post }])
    })

    it('joins under aliases, each with the columns of its own model', async () => {
      const rows = await kysely()
        .selectFrom('users as u')
        .innerJoin('posts as p', 'p.authorId', 'u.id')
        .select(['u.createdAt as joined', 'p.createdAt as published', 'p.made_at', 'email', 'views'])
        .where('p.createdAt', '<', LATE)
        .execute()
      expect(rows).toEqual([{ joined: EARLY, published: EARLY, made_at: LATE, email: ada.email, views: post.views }])
    })

    it('joins a model with itself', async () => {
      const pairs = await kysely()
        .selectFrom('users')
        .innerJoin('users as other', (join) => join.onRef('other.createdAt', '>', 'users.createdAt'))
        .select(['users.email as first', 'other.email as second'])
        .execute()
      expect(pairs).toEqual([{ first: ada.email, second: bob.email }])
    })

    it('selects all of several tables', async () => {
      const [row] = await kysely()
        .selectFrom('users')
        .leftJoin('posts', 'authorId', 'users.id')
        .selectAll('posts')
        .select('email')
        .where('users.id', '=', 2)
        .execute()
      expect(row).toEqual({
        id: null,
        authorId: null,
        title: null,
        made_at: null,
        createdAt: null,
        meta: null,
        views: null,
        email: bob.email,
      })
    })

    it('refuses a bare name that is another column in each table', async () => {
      const query = kysely().selectFrom('users').innerJoin('posts', 'posts.authorId', 'users.id').select('createdAt')
      const error = await rejectionOf(query.execute())
      expect(error).toMatchObject({ code: 'QUERY' })
      expect(error.message).toContain('"users.createdAt" or "posts.createdAt"')
    })

    it('groups, filters groups and orders by property', async () => {
      const rows = await kysely()
        .selectFrom('users')
        .select((eb) => ['active', eb.fn.countAll<number>().as('count'), eb.fn.max('createdAt').as('latest')])
        .groupBy('active')
        .having((eb) => eb.fn.max('createdAt'), '>=', EARLY)
        .orderBy('active', 'desc')
        .execute()
      expect(rows.map(({ active, latest }) => ({ active, latest }))).toEqual([
        { active: true, latest: EARLY },
        { active: false, latest: LATE },
      ])
      expect(rows.map(({ count }) => Number(count))).toEqual([1, 1])
    })

    it('compares and sorts decimals as numbers', async () => {
      const above = kysely().selectFrom('users').select('balance as sum').where('balance', '>', '9.5').orderBy('sum')
      expect(await above.execute()).toEqual([{ sum: '10.00' }])
      const between = kysely()
        .selectFrom('users')
        .select('email')
        .where((eb) => eb.between('balance', '9', '10'))
        .orderBy('balance', 'desc')
      expect(await between.execute()).toEqual([{ email: bob.email }, { email: ada.email }])
      expect(await kysely().selectFrom('users').select('email').where('balance', 'in', ['9.5', '3']).execute()).toEqual([
        { email: ada.email },
      ])
    })

    it('reads from subqueries, correlated ones too', async () => {
      const fromSubquery = await kysely()
        .selectFrom((eb) => eb.selectFrom('users').select(['createdAt', 'active as isOn', 'id']).as('u'))
        .selectAll()
        .where('u.createdAt', '>', EARLY)
        .execute()
      expect(fromSubquery).toEqual([{ createdAt: LATE, isOn: false, id: 2 }])
      const correlated = await kysely()
        .selectFrom('users')
        .select((eb) => [
          'email',
          eb.selectFrom('posts').select('posts.createdAt').whereRef('posts.authorId', '=', 'users.id').limit(1).as('published'),
        ])
        .where((eb) => eb.exists(eb.selectFrom('posts').select('posts.id').whereRef('authorId', '=', 'users.id')))
        .execute()
      expect(correlated).toEqual([{ email: ada.email, published: EARLY }])
    })

    it('means the outer column where an inner table has a column of that name in the database', async () => {
      // a user's createdAt is made_at, which a post has too
      const later = kysely()
        .selectFrom('users as u')
        .select('email')
        .where((eb) => eb.exists(eb.selectFrom('posts').select('posts.id').whereRef('posts.made_at', '>', 'u.createdAt')))
        .orderBy('email')
      expect(await later.execute()).toEqual([{ email: ada.email }])
    })

    it('takes a query of db.kysely inside another one', async () => {
      const authors = kysely().selectFrom('posts').select('authorId').where('createdAt', '=', EARLY)
      const rows = await kysely().selectFrom('users').select('email').where('id', 'in', authors).execute()
      expect(rows).toEqual([{ email: ada.email }])
      const whole = kysely().selectFrom('users').selectAll()
      expect(await kysely().selectFrom(whole.as('w')).select(['w.createdAt', 'active']).where('w.createdAt', '<', LATE).execute()).toEqual([
        { createdAt: EARLY, active: true },
      ])
    })

    it('reads common table expressions, also one that is called as a model', async () => {
      const rows = await kysely()
        .with('users', (qc) => qc.selectFrom('users').select(['email', 'createdAt as since']).where('active', '=', true))
        .with('both(address, since)', (qc) => qc.selectFrom('users').select(['email as address', 'since']))
        .selectFrom('both')
        .selectAll()
        .where('since', '<', LATE)
        .execute()
      expect(rows).toEqual([{ address: ada.email, since: EARLY }])
    })

    it('takes an expression of a common table for what it is, whatever it is called', async () => {
      const rows = await kysely()
        .with('app_users', (qc) => qc.selectFrom('posts').select((eb) => eb('id', '+', 4).as('is_active')))
        .selectFrom('app_users')
        .select('is_active')
        .execute()
      expect(rows.map(({ is_active }) => Number(is_active))).toEqual([5])
    })

    it('counts down a recursive common table expression', async () => {
      const rows = await kysely()
        .withRecursive('chain', (qc) =>
          qc
            .selectFrom('users')
            .select(['id', 'createdAt'])
            .where('id', '=', 1)
            .unionAll((eb) =>
              eb
                .selectFrom('users')
                .innerJoin('chain', (join) => join.on((on) => on('users.id', '=', on('chain.id', '+', 1))))
                .select(['users.id', 'users.createdAt']),
            ),
        )
        .selectFrom('chain')
        .select(['id', 'chain.createdAt'])
        .orderBy('createdAt', 'desc')
        .execute()
      expect(rows).toEqual([
        { id: 2, createdAt: LATE },
        { id: 1, createdAt: EARLY },
      ])
    })

    it('decodes the columns of a union, ordered by their names', async () => {
      const rows = await kysely()
        .selectFrom('users')
        .select(['createdAt', 'active'])
        .union((eb) =>
          eb
            .selectFrom('posts')
            .innerJoin('users', 'users.id', 'authorId')
            .select(['posts.createdAt', 'active'])
            .$castTo<{ createdAt: Date; active: boolean }>(),
        )
        .orderBy('createdAt')
        .execute()
      expect(rows).toEqual([
        { createdAt: EARLY, active: true },
        { createdAt: LATE, active: false },
      ])
    })

    it('pages, and picks distinct rows', async () => {
      expect(await kysely().selectFrom('users').select('id').orderBy('createdAt').limit(1).offset(1).execute()).toEqual([{ id: 2 }])
      expect(
        await kysely().selectFrom('users').select('active').distinct().where('createdAt', 'in', [EARLY, LATE]).orderBy('active').execute(),
      ).toEqual([{ active: false }, { active: true }])
    })

    // Kysely's helper for MySQL says what MariaDB does not understand
    if (engine.name !== 'mysql')
      it('makes JSON of the rows of another model, under its names', async () => {
        const { jsonArrayFrom } = engine.name === 'sqlite' ? onSqlite : onPostgres
        const [row] = await kysely()
          .selectFrom('users as u')
          .select((eb) => [
            'u.id',
            jsonArrayFrom(eb.selectFrom('posts').select(['posts.authorId', 'title']).whereRef('authorId', '=', 'u.id')).as('written'),
          ])
          .orderBy('u.id')
          .execute()
        const written: unknown = row!.written
        expect(typeof written === 'string' ? JSON.parse(written) : written).toEqual([{ authorId: 1, title: post.title }])
      })

    if (engine.name === 'postgres')
      it('takes the first row of each group', async () => {
        const query = kysely().selectFrom('users').distinctOn('createdAt').select(['createdAt', 'active']).orderBy('createdAt', 'desc')
        expect(await query.execute()).toEqual([
          { createdAt: LATE, active: false },
          { createdAt: EARLY, active: true },
        ])
      })

    it('explains', async () => {
      const plan = await kysely().selectFrom('users').select('id').explain()
      expect(plan.length).toBeGreaterThan(0)
    })
  })
})
