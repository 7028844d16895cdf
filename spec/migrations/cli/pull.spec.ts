import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createDatabase } from 'latchwork'
import { createMigrator } from 'latchwork/migrations'
import { describe, expect, it } from 'vitest'
import { defineLooseModel } from '../../../lib/model/define-model.js'
import { type Schema, schemaOf } from '../../../lib/model/schema.js'
import { diffSchemas } from '../../../lib/model/schema-diff.js'
import { MODELS } from '../../lib/dialect/ddl-models.js'
import { MigratedDatabase } from '../../lib/dialect/migrated-database.js'
import { forEachEngine, type SpecEngine } from '../../support/engines.js'
import { CliProject, type Printed } from './cli-project.js'
import { configText, userModel } from './models.js'

const TSC = fileURLToPath(new URL('../../../node_modules/typescript/bin/tsc', import.meta.url))

/** What the compiler says of the models, with these options; empty: nothing. */
function compiled(project: CliProject, options: object): Promise<string> {
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2022',
    lib: ['es2023', 'esnext.disposable'],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
    ...options,
  }
  return project.write({ 'tsconfig.json': JSON.stringify({ compilerOptions, include: ['models'] }) }).then(
    () =>
      new Promise((resolve) => {
        execFile(process.execPath, [TSC, '-p', 'tsconfig.json'], { cwd: project.folder }, (_error, stdout, stderr) =>
          resolve(stdout + stderr),
        )
      }),
  )
}

/** The schema of the models in the project's folder `models`: the first migration from nothing has it. */
async function schemaIn(project: CliProject): Promise<Schema> {
  const { id } = await project.json('migrate', 'generate', 'pulled')
  return JSON.parse(await project.read('migrations', id, 'snapshot.json'))
}

async function inDatabase(
  engine: SpecEngine,
  make: (db: MigratedDatabase) => Promise<void>,
  body: (project: CliProject, db: MigratedDatabase) => Promise<void>,
): Promise<void> {
  const db = await MigratedDatabase.open(engine)
  await using project = await CliProject.create({ 'latchwork.config.ts': configText(engine.name) })
  project.env.LATCHWORK_DATABASE_URL = db.fresh.url
  try {
    await make(db)
    await body(project, db)
  } finally {
    await db.close()
  }
}

function modelIn({ models }: Printed, table: string): Printed {
  return models.find((model: Printed) => model.table === table)
}

const BESIDE_MODELS: Readonly<
  Record<
    SpecEngine['name'],
    { readonly statements: readonly string[]; readonly said: readonly RegExp[]; readonly files: readonly string[] }
  >
> = {
  postgres: {
    statements: [
      'create table books (a integer not null, b integer not null, constraint pk_books primary key (a, b))',
      `create unlogged table notes (id integer generated always as identity, title text collate "POSIX" not null, a integer, b integer,
        constraint notes_pkey primary key (id),
        constraint book foreign key (a, b) references books (a, b) match full deferrable initially deferred,
        constraint titles unique (title) deferrable)`,
      "alter table notes add constraint short check (title <> '') not valid",
      'create index notes_a_b_idx on notes (a, b)',
      'alter table notes enable row level security',
      "create function quiet() returns trigger language plpgsql as 'begin return new; end'",
      'create trigger hush before insert on notes for each row execute function quiet()',
      'create view titles_only as select title from notes',
      'create materialized view titles_kept as select title from notes',
    ],
    said: [
      /^notes is unlogged/,
      /^notes has row level security/,
      /^notes has the trigger "hush"/,
      /^notes\.id is GENERATED ALWAYS AS IDENTITY/,
      /^notes\.title has the collation "POSIX"/,
      /^notes\.book is DEFERRABLE INITIALLY DEFERRED/,
      /^notes\.book is MATCH FULL/,
      /^notes\.titles is DEFERRABLE, which/,
      /^notes\.short is NOT VALID/,
      /^titles_only a view/,
      /^titles_kept a materialized view/,
    ],
    files: ['book.ts', 'note.ts'],
  },
  mysql: {
    statements: [
      `create table notes (id integer not null primary key, title varchar(40) character set latin1 collate latin1_swedish_ci not null,
        changed datetime(3) not null default current_timestamp(3) on update current_timestamp(3), secret integer invisible)
        character set utf8mb4 collate utf8mb4_unicode_ci`,
      'create table lists (id integer not null primary key) engine = MyISAM',
      'create trigger hush before insert on notes for each row set new.secret = 1',
      'create view titles_only as select title from notes',
    ],
    said: [
      /^notes has the trigger "hush"/,
      /^notes\.title has the collation "latin1_swedish_ci"/,
      /^notes\.changed has ON UPDATE CURRENT_TIMESTAMP/,
      /^notes\.secret is INVISIBLE/,
      /^lists is kept by MyISAM/,
      /^titles_only a view/,
    ],
    files: ['list.ts', 'note.ts'],
  },
  sqlite: {
    statements: [
      'create table lists (id integer not null, constraint lists_pkey primary key (id)) strict',
      `create table notes (
        id integer not null, -- the writer's own
        title varchar(40) collate nocase not null, /* it's (not) unique, */
        price numeric(10, 2) not null, list_id integer, body text not null on conflict ignore,
        constraint notes_pkey primary key (id),
        constraint listed foreign key (list_id) references lists (id) deferrable initially deferred) without rowid`,
      'create index notes_list_id_idx on notes (list_id)',
      "create trigger hush before insert on notes begin select raise(ignore) where new.title = ''; end",
      'create view titles_only as select title from notes',
      'create virtual table words using fts5(word)',
    ],
    said: [
      /^lists is STRICT/,
      /^notes is WITHOUT ROWID/,
      /^notes has the trigger "hush"/,
      /^notes\.title has the collation nocase/,
      /^notes\.price is of type "numeric\(10, 2\)", and its field of the nearest kind, float/i,
      /^notes\.body has ON CONFLICT IGNORE/,
      /^notes has a key that is DEFERRABLE INITIALLY DEFERRED/,
      /^titles_only a view/,
      /^words a virtual table/,
    ],
    files: ['list.ts', 'note.ts'],
  },
}

describe('db pull', () => {
  forEachEngine((engine) => {
    it('writes models that compile and say all that was made: types, defaults, keys, indexes, checks, foreign keys, comments', async () => {
      const make = (db: MigratedDatabase) => db.change(diffSchemas(undefined, schemaOf(MODELS)).changes)
      await inDatabase(engine, make, async (project, db) => {
        const document = await project.json('db', 'pull')
        expect(document).toMatchObject({ command: 'pull', dialect: engine.name, ok: true, findings: [] })
        expect(document.models.map(({ table }: Printed) => table).sort()).toEqual(
          schemaOf(MODELS)
            .tables.map(({ name }) => name)
            .sort(),
        )
        for (const { file, state } of document.models)
          expect([file, state]).toEqual([expect.stringMatching(/^models\/[\p{L}-]+\.ts$/u), 'written'])
        expect(await compiled(project, {})).toBe('')
        expect(await compiled(project, { experimentalDecorators: true, emitDecoratorMetadata: true, isolatedModules: true })).toBe('')
        const schema = await schemaIn(project)
        const found = await db.introspect(schema)
        expect(found.findings).toEqual([])
        expect(diffSchemas(found.schema, schema)).toMatchObject({ changes: [], decisions: [] })
        // and nothing of the database was lost on the way
        const made = await db.introspect(schemaOf(MODELS))
        for (const table of made.schema.tables) {
          const pulled = found.schema.tables.find(({ name }) => name === table.name)!
          for (const part of ['columns', 'uniques', 'indexes', 'foreignKeys', 'checks'] as const)
            expect([table.name, part, pulled[part].map(({ name }) => name).sort()]).toEqual([
              table.name,
              part,
              table[part].map(({ name }) => name).sort(),
            ])
        }
      })
    }, 300_000)

    it('takes what the engine cannot hold from the last snapshot', async () => {
      const fields = `@field.timestamp({ precision: 6, nullable: true, comment: 'to the microsecond' }) seen!: string | null
        @field.array('integer') numbers!: readonly number[]
        @field.oneOf(['a', 'b'], { native: true }) letter!: 'a' | 'b'`
      await inDatabase(
        engine,
        async () => undefined,
        async (project) => {
          await project.write({ 'models/user.ts': userModel(fields, "{ comment: 'people 😀' }") })
          await project.json('migrate', 'dev', 'first')
          const { models, findings } = await project.json('db', 'pull', '--out', 'pulled', '--dry-run')
          expect(findings).toEqual([])
          const [{ text }] = models
          expect(text).toContain("comment: 'people 😀'")
          expect(text).toContain(
            "@field.timestamp({ precision: 6, column: 'seen', comment: 'to the microsecond', nullable: true }) seen!: string | null",
          )
          expect(text).toContain("@field.array('integer', { column: 'numbers' }) numbers!: readonly number[]")
          expect(text).toMatch(/@field\.oneOf\(\['a', 'b'\], \{ native: true, column: 'letter' \}\) letter!: 'a' \| 'b'/)
          await expect(project.list('pulled')).rejects.toThrow('ENOENT')
        },
      )
    }, 240_000)

    it('reads that snapshot whatever engine the SQL beside it is for', async () => {
      const other = engine.name === 'sqlite' ? 'postgres' : 'sqlite'
      const make = async (db: MigratedDatabase) => {
        await db.run('create table users (id integer not null primary key, email varchar(320) not null)')
      }
      await inDatabase(engine, make, async (project) => {
        await project.write({ 'models/user.ts': userModel('', "{ comment: 'people' }") })
        expect(await project.json('migrate', 'generate', 'first', '--dialect', other)).toMatchObject({ ok: true })
        const { models, exitCode } = await project.json('db', 'pull', '--out', 'pulled', '--dry-run')
        expect(exitCode).toBe(0)
        // SQLite has no place for one
        expect(models[0].text.includes("comment: 'people'")).toBe(engine.name === 'sqlite')
      })
    }, 240_000)

    it('gives names that code can have, and says what no model can', async () => {
      const quote = engine.name === 'mysql' ? (name: string) => `\`${name}\`` : (name: string) => `"${name}"`
      const make = async (db: MigratedDatabase) => {
        await db.run(
          `create table ${quote('class')} (${quote('constructor')} integer primary key, ${quote('static')} varchar(5) not null, ${quote('to string')} integer, ${quote('__proto__')} integer, ${quote('toString')} integer, ${quote('2nd')} integer)`,
        )
        await db.run(`create table ${quote('dates')} (id integer primary key, day integer)`)
        await db.run(`create table ${quote('the  date')} (id integer primary key)`)
        await db.run(`create table keyless (n integer)`)
        await db.run(`create table ${quote("it's")} (id integer primary key)`)
        await db.run(
          `create table odd (id integer primary key, small smallint not null, place ${engine.name === 'postgres' ? 'point' : 'geometry'}, ${quote('a.b')} integer)`,
        )
      }
      await inDatabase(engine, make, async (project) => {
        const document = await project.json('db', 'pull')
        expect(document.ok).toBe(true)
        expect(document.models.map(({ table, model }: Printed) => [table, model]).sort()).toEqual([
          ['class', 'Class'],
          ['dates', 'DateRow'],
          ['odd', 'Odd'],
          ['the  date', 'TheDate'],
        ])
        const said = document.findings.map(({ table, object, problem }: Printed) => `${table}/${object}: ${problem}`)
        expect(said).toContainEqual('keyless/null: has no model: it has no primary key')
        expect(said).toContainEqual(expect.stringMatching(/^it's\/null: has no model: a name cannot hold quotes/))
        expect(said).toContainEqual(
          expect.stringMatching(/^odd\/small: is of type "smallint.*", and its field of the nearest kind, integer$/i),
        )
        expect(said).toContainEqual(expect.stringMatching(/^odd\/place: a column of type ".*", which no field has$/))
        expect(said).toContainEqual(expect.stringMatching(/^odd\/a\.b: is left out: "a\.b" holds a dot/))
        expect(await compiled(project, {})).toBe('')
        const text = await project.read('models/class.ts')
        // a sole INTEGER key is a name of SQLite's own counter
        const key =
          engine.name === 'sqlite'
            ? "@id('integer', { column: 'constructor' }) constructorField!: Generated<number>"
            : "@id.integer({ column: 'constructor' }) constructorField!: number"
        expect(text).toContain(key)
        expect(text).toContain('staticField!: string')
        for (const column of ["'to string'", "'__proto__'", "'toString'", "'2nd'"]) expect(text).toContain(`column: ${column}`)
        expect(await project.read('models/odd.ts')).toContain('// place: a column of type')
        const { columns } = (await schemaIn(project)).tables.find(({ name }) => name === 'class')!
        expect(columns.map(({ name }) => name).sort()).toEqual(
          ['2nd', '__proto__', 'constructor', 'static', 'to string', 'toString'].sort(),
        )
        const { stdout, exitCode } = await project.run('db', 'pull', '--out', 'other')
        expect(exitCode).toBe(0)
        expect(stdout).toMatch(/^wrote {2}other\/class\.ts {2}Class of class$/m)
        expect(stdout).toMatch(/^not said {2}keyless: has no model: it has no primary key$/m)
      })
    }, 240_000)

    it('says what of an index no model can: another order, method or collation, a part of its columns', async () => {
      const others: Readonly<Record<SpecEngine['name'], readonly string[]>> = {
        postgres: ['using gin (notes)', '(nick desc)', '(nick) include (tags)', 'using hash (nick)', '(lower(nick), id)'],
        mysql: ['(notes(10))', '(nick, notes(10))', 'fulltext (nick)'],
        sqlite: ['(nick desc)', '(nick collate nocase)', '(lower(nick), id)'],
      }
      const notes = { postgres: 'jsonb', mysql: 'text', sqlite: 'text' }[engine.name]
      const tags = engine.name === 'postgres' ? ", tags integer[] default '{}'" : ''
      const make = async (db: MigratedDatabase) => {
        await db.run(`create table members (id integer not null primary key, nick varchar(20), notes ${notes}${tags})`)
        for (const [at, text] of others[engine.name].entries()) {
          const [kind, on] = text.startsWith('fulltext') ? ['fulltext index', text.slice(9)] : ['index', text]
          await db.run(`create ${kind} other_${at} on members ${on}`)
        }
        if (engine.name !== 'mysql') await db.run("create index some_nicks on members (nick) WHERE nick = 'a (WHERE b'")
      }
      await inDatabase(engine, make, async (project) => {
        const { models, findings } = await project.json('db', 'pull')
        expect(models.map(({ model }: Printed) => model)).toEqual(['Member'])
        const ofIndexes = findings.filter(({ problem }: Printed) => problem.startsWith('an index whose SQL no model says so: '))
        expect(ofIndexes.map(({ object }: Printed) => object)).toEqual(others[engine.name].map((_, at) => `other_${at}`))
        const text = await project.read('models/member.ts')
        if (engine.name !== 'mysql')
          expect(text).toContain("indexes: [{ on: ['nick'], name: 'some_nicks', where: { nick: { $eq: 'a (WHERE b' } } }]")
        expect(text).not.toContain('index: true')
        expect(await compiled(project, {})).toBe('')
        expect((await schemaIn(project)).tables[0]?.indexes).toHaveLength(engine.name === 'mysql' ? 0 : 1)
      })
    }, 240_000)

    it('says what is there that no model has a word for, of tables, columns and constraints, and what is beside tables', async () => {
      await inDatabase(
        engine,
        async (db) => {
          for (const sql of BESIDE_MODELS[engine.name].statements) await db.run(sql)
        },
        async (project) => {
          const { findings } = await project.json('db', 'pull')
          const said = findings.map(({ table, object, problem }: Printed) => `${table}${object === null ? '' : `.${object}`} ${problem}`)
          for (const expected of BESIDE_MODELS[engine.name].said) expect(said).toContainEqual(expect.stringMatching(expected))
          expect(await project.list('models')).toEqual(BESIDE_MODELS[engine.name].files)
          expect(await project.read('models/note.ts')).toMatch(/^\/\/ (body|title): /m)
          expect(await compiled(project, {})).toBe('')
          // none of it is a difference to what a migration would make, but the type of a column
          const { id } = await project.json('migrate', 'generate', 'as it is')
          const { differences } = await project.json('migrate', 'baseline', id)
          expect(differences.map(({ name }: Printed) => name)).toEqual(engine.name === 'sqlite' ? ['price'] : [])
          if (engine.name === 'postgres') expect(await project.read('models/book.ts')).toContain("primaryKeyName: 'pk_books'")
        },
      )
    }, 240_000)

    it('ties tables both ways, several times and to themselves', async () => {
      const make = async (db: MigratedDatabase) => {
        await db.run(
          'create table users (id integer primary key, boss_id integer, constraint boss foreign key (boss_id) references users (id))',
        )
        await db.run('create index boss_idx on users (boss_id)')
        await db.run('create table profiles (user_id integer primary key, constraint profile foreign key (user_id) references users (id))')
        await db.run(
          'create table posts (id integer primary key, author_id integer not null, editor_id integer, constraint a foreign key (author_id) references users (id), constraint e foreign key (editor_id) references users (id))',
        )
        await db.run('create index posts_author_id_idx on posts (author_id)')
        await db.run('create index posts_editor_id_idx on posts (editor_id)')
      }
      await inDatabase(engine, make, async (project) => {
        expect((await project.json('db', 'pull')).models).toHaveLength(3)
        const user = await project.read('models/user.ts')
        for (const line of [
          "@belongsTo(() => User, { foreignKey: 'bossId', constraintName: 'boss' }) boss!: One<User> | null",
          "@hasMany(() => User, 'bossId') usersByBoss!: Many<User>",
          "@hasOne(() => Profile, 'userId') profile!: One<Profile> | null",
          "@hasMany(() => Post, 'authorId') postsByAuthor!: Many<Post>",
          "@hasMany(() => Post, 'editorId') postsByEditor!: Many<Post>",
        ])
          expect(user).toContain(line)
        expect(await project.read('models/post.ts')).toContain(
          "@belongsTo(() => User, { foreignKey: 'authorId', constraintName: 'a' }) author!: One<User>",
        )
        expect(await compiled(project, {})).toBe('')
        const { id } = await project.json('migrate', 'generate', 'as it is')
        expect(await project.json('migrate', 'baseline', id)).toMatchObject({ ok: true, differences: [] })
      })
    }, 240_000)

    it('writes nothing where a file is there, or only the models that are missing', async () => {
      const make = async (db: MigratedDatabase) => {
        await db.run('create table users (id integer primary key, nick varchar(40))')
        await db.run(
          'create table posts (id integer primary key, user_id integer, constraint writer foreign key (user_id) references users (id))',
        )
      }
      await inDatabase(engine, make, async (project) => {
        const own = `import { field, id, model } from 'latchwork'

/** Mine. */
@model({ table: 'users' })
export class Person {
  @id.integer() id!: number
  @field.varchar(40, { nullable: true, column: 'nick' }) name!: string | null
}
`
        await project.write({ 'models/user.ts': own })
        const refused = await project.json('db', 'pull')
        expect(refused).toMatchObject({
          ok: false,
          exitCode: 3,
          models: [],
          error: { code: 'MIGRATION_DECISION', message: expect.stringContaining('models/user.ts is there already; nothing was written') },
        })
        expect(await project.list('models')).toEqual(['user.ts'])

        const merged = await project.json('db', 'pull', '--overwrite', 'merge')
        expect(modelIn(merged, 'users')).toMatchObject({ model: 'Person', file: 'models/user.ts', state: 'kept' })
        expect(modelIn(merged, 'posts')).toMatchObject({ model: 'Post', file: 'models/post.ts', state: 'written' })
        expect(await project.read('models/user.ts')).toBe(own)
        expect(await project.read('models/post.ts')).toContain("import { Person } from './user.js'")
        expect(await compiled(project, {})).toBe('')
        expect((await schemaIn(project)).tables).toHaveLength(2)
        expect((await project.json('db', 'pull', '--overwrite', 'merge')).models.map(({ state }: Printed) => state)).toEqual([
          'kept',
          'kept',
        ])
      })
    }, 240_000)

    it('takes the tables that are named, as text, and from a program', async () => {
      const make = async (db: MigratedDatabase) => {
        for (const table of ['order_items', 'orders', 'users']) await db.run(`create table ${table} (id integer primary key)`)
      }
      await inDatabase(engine, make, async (project, db) => {
        const { stdout } = await project.run('db', 'pull', '--tables', 'order*', '--dry-run')
        expect(stdout).toMatch(
          /^\/\/ models\/order-item\.ts\nimport \{ (type Generated, )?id, model \} from 'latchwork'\n\n@model\(\{ table: 'order_items' \}\)\nexport class OrderItem \{\n/,
        )
        expect(stdout).not.toContain('users')
        expect(await project.json('db', 'pull', '--tables', 'nobody')).toMatchObject({
          exitCode: 2,
          error: { message: expect.stringContaining('no table matches "nobody"') },
        })
        const migrator = createMigrator({ url: db.fresh.url, folder: join(project.folder, 'migrations') })
        expect(await migrator.pull({ out: join(project.folder, 'x'), tables: ['users'] })).toMatchObject({
          models: [{ table: 'users', model: 'User', state: 'written' }],
          findings: [],
        })
        expect(await project.list('x')).toEqual(['user.ts'])
      })
    }, 240_000)
  })

  forEachEngine(
    (engine) => {
      it('gives a boolean and a day of tables that were made by hand the nearest field, which reads and writes them', async () => {
        const make = async (db: MigratedDatabase) => {
          await db.run('create table visits (id integer not null primary key, paid boolean not null default 0, day date)')
          await db.run("insert into visits (paid, day) values (true, '2024-02-29')")
        }
        await inDatabase(engine, make, async (project, db) => {
          const { findings } = await project.json('db', 'pull')
          const said = findings.map(({ object, problem }: Printed) => `${object} ${problem}`)
          for (const kind of ['boolean', 'date'])
            expect(said).toContainEqual(expect.stringContaining(`is of type "${kind}", and its field of the nearest kind, ${kind}`))
          class Visit {}
          defineLooseModel(Visit, {
            fields: {
              id: { kind: 'integer', primary: true, increment: true },
              paid: { kind: 'boolean' },
              day: { kind: 'date', nullable: true },
            },
          })
          const shop = createDatabase({ url: db.fresh.url, models: { visits: Visit } })
          const visits = shop.nodes.visits as Printed
          const { id } = await visits.create({ paid: false, day: '2025-12-31' })
          expect(await visits.read({ where: { id } })).toMatchObject({ paid: false, day: '2025-12-31' })
          const { rows } = await visits.list({ where: { paid: true, day: { $lt: '2025-01-01' } } })
          expect(rows).toMatchObject([{ paid: true, day: '2024-02-29' }])
          await shop.close()
        })
      }, 240_000)

      it('reads a foreign key that names no columns as one to the primary key', async () => {
        const make = async (db: MigratedDatabase) => {
          await db.run('create table rooms (house integer not null, number integer not null, primary key (number, house))')
          await db.run(
            'create table guests (id integer not null primary key, no integer, house integer, foreign key (no, house) references rooms)',
          )
          await db.run('create table bags (id integer not null primary key, guest integer references guests on delete cascade)')
        }
        await inDatabase(engine, make, async (project) => {
          await project.json('db', 'pull')
          expect(await project.read('models/guest.ts')).toContain("@belongsTo(() => Room, ['no', 'house']) room!: One<Room> | null")
          expect(await project.read('models/bag.ts')).toMatch(/@belongsTo\(\(\) => Guest, \{ .*onDelete: 'cascade'.* \}\) /)
          expect(await compiled(project, {})).toBe('')
        })
      }, 240_000)
    },
    { engines: ['sqlite'] },
  )

  forEachEngine(
    (engine) => {
      it('reaches into other schemas', async () => {
        const other = `lw_spec_${Math.random().toString(36).slice(2, 10)}`
        const make = async (db: MigratedDatabase) => {
          await db.run(`create schema ${other}`)
          await db.run('create table users (id integer primary key)')
          await db.run(`create table ${other}.users (id integer primary key)`)
        }
        await inDatabase(engine, make, async (project, db) => {
          try {
            const { models } = await project.json('db', 'pull', '--tables', `users,${other}.*`)
            expect(models.map(({ table }: Printed) => table).sort()).toEqual([`${other}.users`, 'users'])
            expect(new Set(models.map(({ model }: Printed) => model)).size).toBe(2)
            expect((await schemaIn(project)).tables.map(({ schema }) => schema)).toContain(other)
            expect((await project.json('db', 'pull', '--out', 'own')).models).toHaveLength(1)
          } finally {
            await db.run(`drop schema ${other}${engine.name === 'postgres' ? ' cascade' : ''}`)
          }
        })
      }, 240_000)
    },
    { engines: ['postgres', 'mysql'] },
  )
})
