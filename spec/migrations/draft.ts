import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import type { Engine } from '../../lib/dialect/dialect.js'

type Sql = string | readonly string[] | Partial<Record<Engine, string | readonly string[]>>

/** A migration for a spec: a list of SQL is a list of steps; one SQL for all engines, or one for each. */
export interface Draft {
  readonly slug: string
  readonly up?: Sql
  readonly down?: Sql
  /** Slugs. Default: the one before. */
  readonly parents?: readonly string[]
  readonly lossyDown?: boolean
  /** Text of a `data.mjs`. */
  readonly data?: string
}

const ENGINES: readonly Engine[] = ['postgres', 'mysql', 'sqlite']
const folders: string[] = []

/** An id whose order is that of the drafts. */
export function idOf(drafts: readonly Draft[], slug: string): string {
  const at = drafts.findIndex((draft) => draft.slug === slug)
  const seconds = at + 1
  const two = (value: number) => String(value).padStart(2, '0')
  return `20260101T${two(Math.floor(seconds / 3_600))}${two(Math.floor(seconds / 60) % 60)}${two(seconds % 60)}Z_${slug}`
}

/** Writes a folder of migrations; it is removed after the specs of the file. */
export async function folderOf(drafts: readonly Draft[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'latchwork-migrations-'))
  folders.push(folder)
  for (const draft of drafts) await writeDraft(folder, drafts, draft)
  if (drafts.length > 0) await writeFile(join(folder, 'HEAD'), `${idOf(drafts, drafts.at(-1)!.slug)}\n`)
  return folder
}

afterAll(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
})

export async function writeDraft(folder: string, drafts: readonly Draft[], draft: Draft): Promise<void> {
  const at = drafts.indexOf(draft)
  const id = idOf(drafts, draft.slug)
  const before = at === 0 ? [] : [drafts[at - 1]!.slug]
  const parents = (draft.parents ?? before).map((slug) => idOf(drafts, slug))
  await mkdir(join(folder, id), { recursive: true })
  const described = { id, parents, operations: [], lossyDown: draft.lossyDown ?? false }
  await writeFile(join(folder, id, 'migration.json'), JSON.stringify(described, undefined, 2))
  if (draft.data !== undefined) await writeFile(join(folder, id, 'data.mjs'), draft.data)
  for (const engine of ENGINES) {
    for (const direction of ['up', 'down'] as const) {
      const text = textFor(draft[direction], engine)
      if (text !== undefined) await writeFile(join(folder, id, `${direction}.${engine}.sql`), text)
    }
  }
}

function textFor(sql: Sql | undefined, engine: Engine): string | undefined {
  if (sql === undefined) return undefined
  const own = typeof sql === 'string' || Array.isArray(sql) ? sql : (sql as Partial<Record<Engine, string | readonly string[]>>)[engine]
  if (own === undefined || typeof own === 'string') return own
  return own.map((step) => `-- latchwork:step\n${step};\n`).join('\n')
}

/** Five migrations that each say once that they ran. */
export const FIVE: readonly Draft[] = [
  { slug: 'marks', up: ['create table marks (id integer primary key, migration varchar(20) not null)'], down: ['drop table marks'] },
  {
    slug: 'users',
    up: ["insert into marks values (2, 'users')", 'create table users (id integer primary key, name varchar(40) not null)'],
    down: ['delete from marks where id = 2', 'drop table users'],
  },
  {
    slug: 'emails',
    up: [
      "insert into marks values (3, 'emails')",
      'alter table users add column email varchar(80)',
      'create index users_email_idx on users (email)',
    ],
    down: {
      postgres: ['delete from marks where id = 3', 'drop index users_email_idx', 'alter table users drop column email'],
      sqlite: ['delete from marks where id = 3', 'drop index users_email_idx', 'alter table users drop column email'],
      mysql: ['delete from marks where id = 3', 'drop index users_email_idx on users', 'alter table users drop column email'],
    },
  },
  {
    slug: 'posts',
    up: [
      "insert into marks values (4, 'posts')",
      'create table posts (id integer primary key, user_id integer not null references users (id), title varchar(80))',
      'create index posts_user_id_idx on posts (user_id)',
    ],
    down: ['delete from marks where id = 4', 'drop table posts'],
  },
  {
    slug: 'seeds',
    up: ["insert into marks values (5, 'seeds')", "insert into users (id, name) values (1, 'Ada'), (2, 'Grace')"],
    down: ['delete from users', 'delete from marks where id = 5'],
  },
]
