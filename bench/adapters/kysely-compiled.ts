import { type Compilable, type CompiledQuery, type Kysely, sql } from 'kysely'
import type { Adapter } from '../compare/adapter.js'
import type { NewUser } from '../compare/users.js'
import { TRAITS } from '../support/engine-traits.js'
import type { Place } from '../support/place.js'
import { type KyselyTables, openKysely, POST_COLUMNS, USER_COLUMNS } from './kysely-database.js'
import { CODECS, type Codec, withPosts } from './stored-user.js'

const ANY = { email: '', name: '', age: 0, active: 0, joined_at: '' }

/** Kysely where somebody compiles each statement once by hand and binds other values to it from then on. */
export async function open(place: Place): Promise<Adapter> {
  const db = await openKysely(place)
  const codec = CODECS[place.engine]
  const statements = statementsOf(db, TRAITS[place.engine].returnsRows)
  const on = (session: Kysely<KyselyTables>) => pointsOn(session, codec, statements)
  const run = runOn(db)
  const bulks = new Map<number, CompiledQuery>()
  return {
    ...on(db),
    list: async (from) => (await run(statements.list, [from, codec.flag(true)])).map(codec.user),
    include: async (from) => {
      const users = (await run(statements.page, [from])).map(codec.user)
      const ids = users.map(({ id }) => id)
      return withPosts(users, (await run(statements.posts, ids)).map(codec.post))
    },
    upsert: async (user) => {
      if (statements.upsert !== undefined) return codec.user((await run(statements.upsert, codec.values(user)))[0]!)
      await run(statements.upsertAlone, [...codec.values(user), user.age])
      return codec.user((await run(statements.byEmail, [user.email]))[0]!)
    },
    count: async (from, to) => Number((await run<{ n: number | string }>(statements.count, [from, to]))[0]!.n),
    transaction: (id, user) => {
      return db.transaction().execute(async (transaction) => {
        const { read, insert, update } = on(transaction)
        const { age } = (await read(id))!
        await update(id, age + 1)
        return insert(user)
      })
    },
    bulk: (users) => {
      const compiled =
        bulks.get(users.length) ??
        db
          .insertInto('users')
          .values(users.map(() => ANY))
          .compile()
      bulks.set(users.length, compiled)
      return run(
        compiled,
        users.flatMap((user) => codec.values(user)),
      )
    },
    close: () => db.destroy(),
  }
}

type Statements = ReturnType<typeof statementsOf>

/** Where rows cannot be returned, what writes them alone. */
function statementsOf(db: Kysely<KyselyTables>, canReturn: boolean) {
  const users = db.selectFrom('users').select(USER_COLUMNS)
  const page = users.where('id', '>=', 0).orderBy('id')
  const insert = db.insertInto('users').values(ANY)
  const update = db.updateTable('users').set({ age: 0 }).where('id', '=', 0)
  const upsert = insert.onConflict((on) => on.column('email').doUpdateSet((eb) => ({ age: eb.ref('excluded.age') })))
  const compiledIf = (query: Compilable<unknown>) => (canReturn ? query.compile() : undefined)
  return {
    read: users.where('id', '=', 0).compile(),
    byEmail: users.where('email', '=', '').compile(),
    insert: compiledIf(insert.returning(USER_COLUMNS)),
    insertAlone: insert.compile(),
    update: compiledIf(update.returning(USER_COLUMNS)),
    updateAlone: update.compile(),
    upsert: compiledIf(upsert.returning(USER_COLUMNS)),
    upsertAlone: insert.onDuplicateKeyUpdate({ age: 0 }).compile(),
    list: page.where('active', '=', 0).limit(sql.lit(50)).compile(),
    page: page.limit(sql.lit(50)).compile(),
    posts: db
      .selectFrom('posts')
      .select(POST_COLUMNS)
      .where(
        'user_id',
        'in',
        Array.from({ length: 50 }, () => 0),
      )
      .orderBy('id')
      .compile(),
    count: db
      .selectFrom('users')
      .select((eb) => eb.fn.countAll().as('n'))
      .where('id', '>=', 0)
      .where('id', '<', 0)
      .compile(),
  }
}

function runOn(db: Kysely<KyselyTables>) {
  return async <Row extends object = object>(compiled: CompiledQuery, parameters: readonly unknown[]): Promise<Row[]> => {
    return (await db.executeQuery<Row>({ ...compiled, parameters } as CompiledQuery<Row>)).rows
  }
}

function pointsOn(db: Kysely<KyselyTables>, codec: Codec, statements: Statements): Pick<Adapter, 'read' | 'insert' | 'update'> {
  const run = runOn(db)
  const read = async (id: number) => {
    const [row] = await run(statements.read, [id])
    return row && codec.user(row)
  }
  return {
    read,
    insert: async (user: NewUser) => {
      if (statements.insert !== undefined) return codec.user((await run(statements.insert, codec.values(user)))[0]!)
      const { insertId } = await db.executeQuery({ ...statements.insertAlone, parameters: codec.values(user) })
      return (await read(Number(insertId)))!
    },
    update: async (id, age) => {
      if (statements.update !== undefined) return codec.user((await run(statements.update, [age, id]))[0]!)
      await run(statements.updateAlone, [age, id])
      return (await read(id))!
    },
  }
}
