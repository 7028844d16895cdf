import { createMigrator, type MigrationFailedError } from 'latchwork/migrations'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type FreshDatabase, forEachEngine } from '../support/engines.js'
import { inLanes, roundsTimeoutMs } from '../support/rounds.js'
import { type Draft, folderOf } from './draft.js'
import { shapeOf } from './look.js'
import { MigratingProcess } from './worker.js'

const rows = (table: string) => `insert into ${table} (id, v) select n, 'x' from numbers`

/** All kinds of steps, none of them done in an instant. */
const DRAFTS: readonly Draft[] = [
  { slug: 'numbers', up: ['create table numbers (n integer primary key)', `insert into numbers values ${list(1, 500)}`] },
  {
    slug: 'tables',
    up: [
      'create table a (id integer primary key, v varchar(20))',
      rows('a'),
      'create index a_v_idx on a (v)',
      'alter table a add column w integer',
    ],
  },
  {
    slug: 'more',
    up: [
      'create table b (id integer primary key, v varchar(20))',
      rows('b'),
      "update b set v = 'y' where id < 100",
      'create index b_v_idx on b (v)',
    ],
  },
  {
    slug: 'alone',
    up: {
      postgres: [
        'create index concurrently a_w_idx on a (w)',
        'create index concurrently b_v2_idx on b (v, id)',
        'drop index concurrently b_v_idx',
      ],
      mysql: ['create index a_w_idx on a (w)', 'create index b_v2_idx on b (v, id)', 'drop index b_v_idx on b'],
      sqlite: ['create index a_w_idx on a (w)', 'create index b_v2_idx on b (v, id)', 'drop index b_v_idx'],
    },
  },
  { slug: 'last', up: ['create table c (id integer primary key, v varchar(20))', rows('c'), 'delete from c where id > 250'] },
]

const TABLES = ['numbers', 'a', 'b', 'c']

function list(from: number, to: number): string {
  return Array.from({ length: to - from + 1 }, (_, at) => `(${from + at})`).join(', ')
}

forEachEngine((engine) => {
  let folder: string
  let undisturbed: unknown
  let wholeMs: number

  beforeAll(async () => {
    folder = await folderOf(DRAFTS)
    const database = await engine.freshDatabase()
    const process = new MigratingProcess()
    process.tell({ url: database.url, folder })
    await process.started()
    const sinceMs = performance.now()
    expect(await process.document()).toMatchObject({ ok: true })
    wholeMs = performance.now() - sinceMs
    await process.end()
    undisturbed = await shapeOf(database.url, ...TABLES)
    await database.drop()
  })

  const open: FreshDatabase[] = []
  afterAll(() => Promise.all(open.map((each) => each.drop())))

  it(
    'reaches what an undisturbed run does when its process is killed at any moment',
    () =>
      inLanes(async (round) => {
        const database = await engine.freshDatabase()
        open.push(database)
        const process = new MigratingProcess()
        process.tell({ url: database.url, folder })
        await process.started()
        await new Promise((resolve) => setTimeout(resolve, Math.random() * wholeMs))
        await process.kill()
        await finish(database.url)
        expect([round, await shapeOf(database.url, ...TABLES)]).toEqual([round, undisturbed])
      }),
    roundsTimeoutMs(15_000),
  )

  /** As an operator would: up, and resume where it says so. */
  async function finish(url: string): Promise<void> {
    const migrator = createMigrator({ url, folder })
    for (;;) {
      try {
        await migrator.up()
        return
      } catch (error) {
        const { exitCode, failed, next } = error as MigrationFailedError
        expect(exitCode, String(error)).toBe(9)
        expect(next[0]).toBe(`latchwork migrate resume ${failed.id}`)
        await migrator.resume(failed.id)
      }
    }
  }
})
