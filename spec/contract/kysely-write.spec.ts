import { UnsupportedError, ValidationError } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { ada, bob, EARLY, LATE, post, useKyselyShop } from './kysely-shop.js'
import { rejectionOf } from './use-database.js'

forEachEngine((engine) => {
  const canReturn = engine.name !== 'mysql'

  describe('db.kysely, writing', () => {
    const { kysely } = useKyselyShop(engine)

    it('gives the outcome as Kysely does', async () => {
      const inserted = await kysely()
        .insertInto('users')
        .values({ ...ada, email: 'c@example.com' })
        .executeTakeFirstOrThrow()
      expect(inserted.numInsertedOrUpdatedRows).toBe(1n)
      if (engine.name !== 'postgres') expect(inserted.insertId).toBeTypeOf('bigint')
      await kysely().deleteFrom('posts').execute()
      const updated = await kysely()
        .updateTable('users')
        .set({ active: true, balance: '3' })
        .where('createdAt', '=', EARLY)
        .executeTakeFirst()
      expect(updated.numUpdatedRows).toBe(2n)
      const deleted = await kysely().deleteFrom('users').where('balance', '=', '3').executeTakeFirst()
      expect(deleted.numDeletedRows).toBe(2n)
      expect(await kysely().selectFrom('users').select('email').execute()).toEqual([{ email: bob.email }])
    })

    it('sets a column from others, and inserts what a query gives', async () => {
      await kysely()
        .updateTable('posts')
        .set((eb) => ({ createdAt: eb.ref('made_at'), views: eb('views', '+', 1n), meta: null }))
        .execute()
      const [row] = await kysely().selectFrom('posts').select(['createdAt', 'views', 'meta']).execute()
      expect(row).toEqual({ createdAt: LATE, views: post.views + 1n, meta: null })
      await kysely()
        .insertInto('posts')
        .columns(['authorId', 'title', 'made_at', 'createdAt', 'views'])
        .expression((eb) =>
          eb
            .selectFrom('users')
            .select((one) => ['id', 'email', 'createdAt', 'createdAt as same', one.val(7n).as('views')])
            .where('active', '=', false),
        )
        .execute()
      expect(await kysely().selectFrom('posts').select(['authorId', 'made_at', 'views']).where('authorId', '=', 2).execute()).toEqual([
        { authorId: 2, made_at: LATE, views: 7n },
      ])
    })

    it('inserts rows of different shapes', async () => {
      await kysely().deleteFrom('posts').execute()
      const rows = [
        { ...post, id: 1, meta: null },
        { ...post, id: 2, createdAt: null },
      ]
      await kysely().insertInto('posts').values(rows).execute()
      expect(await kysely().selectFrom('posts').selectAll().orderBy('id').execute()).toEqual(rows)
    })

    if (canReturn)
      it('returns rows under the names of the model', async () => {
        const made = await kysely()
          .insertInto('users')
          .values({ ...ada, email: 'c@example.com', id: 9 })
          .returningAll()
          .execute()
        expect(made).toEqual([{ ...ada, email: 'c@example.com', id: 9 }])
        const changed = await kysely()
          .updateTable('users')
          .set({ createdAt: LATE })
          .where('id', '=', 9)
          .returning(['createdAt', 'active as isOn'])
          .executeTakeFirst()
        expect(changed).toEqual({ createdAt: LATE, isOn: true })
        const gone = await kysely().deleteFrom('users').where('id', '=', 9).returning('users.email').executeTakeFirst()
        expect(gone).toEqual({ email: 'c@example.com' })
      })

    if (canReturn)
      it('updates on a conflict, with the row that was refused', async () => {
        const row = await kysely()
          .insertInto('users')
          .values({ ...bob, email: ada.email })
          .onConflict((conflict) =>
            conflict
              .column('email')
              .doUpdateSet((eb) => ({ createdAt: eb.ref('excluded.createdAt'), balance: '1.5' }))
              .where('users.active', '=', true),
          )
          .returning(['id', 'createdAt', 'balance'])
          .executeTakeFirst()
        expect(row).toEqual({ id: 1, createdAt: LATE, balance: '1.50' })
      })

    if (engine.name === 'mysql')
      it('updates on a duplicate key, and refuses RETURNING', async () => {
        await kysely()
          .insertInto('users')
          .values({ ...bob, email: ada.email })
          .onDuplicateKeyUpdate({ createdAt: LATE, active: false })
          .execute()
        expect(await kysely().selectFrom('users').select(['createdAt', 'active']).where('id', '=', 1).execute()).toEqual([
          { createdAt: LATE, active: false },
        ])
        const error = await rejectionOf(kysely().insertInto('users').values(ada).returning('id').execute())
        expect(error).toBeInstanceOf(UnsupportedError)
      })

    it('updates and deletes by what stands in another table', async () => {
      const hasPosts = (name: 'users') =>
        kysely()
          .updateTable(name)
          .set({ active: false })
          .where((eb) => eb.exists(eb.selectFrom('posts').select('posts.id').whereRef('posts.authorId', '=', 'users.id')))
      expect((await hasPosts('users').executeTakeFirst()).numUpdatedRows).toBe(1n)
      await kysely()
        .deleteFrom('posts')
        .where('authorId', 'in', (eb) => eb.selectFrom('users').select('id').where('createdAt', '=', EARLY))
        .execute()
      expect(await kysely().selectFrom('posts').select('id').execute()).toEqual([])
    })

    if (engine.name === 'postgres')
      it('writes in a common table expression, from another table, and by merge', async () => {
        const rows = await kysely()
          .with('gone', (qc) =>
            qc.deleteFrom('posts').using('users').whereRef('authorId', '=', 'users.id').returning(['posts.createdAt', 'users.active']),
          )
          .selectFrom('gone')
          .selectAll()
          .execute()
        expect(rows).toEqual([{ createdAt: EARLY, active: true }])
        await kysely()
          .insertInto('posts')
          .values({ ...post, id: 3 })
          .execute()
        await kysely()
          .updateTable('posts')
          .from('users')
          .set((eb) => ({ createdAt: eb.ref('users.createdAt') }))
          .whereRef('users.id', '=', 'authorId')
          .execute()
        await kysely()
          .mergeInto('users')
          .using('posts as p', (join) => join.onRef('p.authorId', '=', 'users.id'))
          .whenMatched()
          .thenUpdateSet((eb) => ({ createdAt: eb.ref('p.made_at'), active: false }))
          .whenNotMatched()
          .thenInsertValues({ ...bob, email: 'm@example.com' })
          .execute()
        expect(await kysely().selectFrom('users').select(['createdAt', 'active']).where('id', '=', 1).execute()).toEqual([
          { createdAt: LATE, active: false },
        ])
      })

    it('refuses a value that is not of its field, and does not repeat it', async () => {
      const error = await rejectionOf(
        kysely()
          .insertInto('users')
          .values({ ...ada, createdAt: 'yesterday' as unknown as Date })
          .execute(),
      )
      expect(error).toBeInstanceOf(ValidationError)
      expect(error).toMatchObject({ model: 'User', issues: [{ path: ['createdAt'] }] })
      expect(error.message).not.toContain('yesterday')
    })
  })
})
