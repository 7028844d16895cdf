import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { createMigrator } from 'latchwork/migrations'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type FreshDatabase, forEachEngine } from '../support/engines.js'
import { type Draft, FIVE, folderOf, idOf } from './draft.js'

const ids = FIVE.map(({ slug }) => idOf(FIVE, slug))

/** Leads to a server, and cuts the connection once: at a COMMIT, before the server has it or before its answer is passed on. */
class CommitCutter {
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #commits = 0
  #isCut = false

  constructor(target: URL, nth: number, when: 'unsent' | 'unanswered') {
    this.#server = createServer((near) => {
      const far = connect(Number(target.port), target.hostname)
      const end = () => [near, far].map((socket) => socket.destroy())
      for (const socket of [near, far]) {
        this.#sockets.add(socket)
        socket.on('error', end).on('close', end)
      }
      let isLast = false
      near.on('data', (bytes) => {
        if (!this.#isCut && bytes.includes('commit') && !bytes.includes('autocommit') && ++this.#commits === nth) {
          this.#isCut = true
          isLast = true
          if (when === 'unsent') return end()
        }
        far.write(bytes)
      })
      far.on('data', (bytes) => (isLast ? end() : near.write(bytes)))
    })
  }

  async listen(url: string): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    return Object.assign(new URL(url), { port: String((this.#server.address() as AddressInfo).port) }).href
  }

  close(): void {
    for (const socket of this.#sockets) socket.destroy()
    this.#server.close()
  }
}

forEachEngine(
  (engine) => {
    let database: FreshDatabase
    let cutter: CommitCutter

    beforeEach(async () => {
      database = await engine.freshDatabase()
    })

    afterEach(async () => {
      cutter.close()
      await database.drop()
    })

    async function migratorThrough(nth: number, when: 'unsent' | 'unanswered', drafts = FIVE) {
      cutter = new CommitCutter(new URL(database.url), nth, when)
      return createMigrator({ url: await cutter.listen(database.url), folder: await folderOf(drafts) })
    }

    // where DDL can be undone, the first COMMIT is that of the state tables, and each migration has one
    const isUndone = engine.name === 'postgres'

    describe('a COMMIT at the end of a migration', () => {
      it.each(isUndone ? [2, 3, 6] : [1])(
        'whose answer is lost is found to have come through, and the run goes on: the one of number %i',
        async (nth) => {
          const migrator = await migratorThrough(nth, 'unanswered')
          const done = await migrator.up()
          expect(done).toMatchObject({ ok: true, pending: [], warnings: [expect.stringContaining('which had come through')] })
          expect(done.applied.map(({ id }) => id)).toEqual(ids)
          expect(await engine.admin(database.url, 'select id from marks order by id')).toEqual([2, 3, 4, 5].map((id) => ({ id })))
        },
      )

      it('that never reached the server is said to have failed, and what is done is known', async () => {
        const migrator = await migratorThrough(isUndone ? 3 : 1, 'unsent')
        const error = await migrator.up().catch((reason: unknown) => reason)
        const id = isUndone ? ids[1]! : ids[0]!
        expect(error).toMatchObject({ exitCode: isUndone ? 8 : 9, failed: { id, databaseUnchanged: isUndone } })
        if (!isUndone) expect(await migrator.resume(id)).toMatchObject({ ok: true, warnings: [expect.stringContaining('had run')] })
        expect(await migrator.up()).toMatchObject({ ok: true, pending: [] })
        expect(await engine.admin(database.url, 'select id from marks order by id')).toEqual([2, 3, 4, 5].map((id) => ({ id })))
      })
    })

    describe('a COMMIT in a data migration', () => {
      const drafts: readonly Draft[] = [
        {
          slug: 'rows',
          up: ['create table rows_ (id integer primary key, n integer not null)', 'insert into rows_ values (1, 0), (2, 0), (3, 0)'],
        },
        {
          slug: 'count',
          data: `export const up = ({ batch }) => batch({ table: 'rows_', key: 'id', size: 2 }, ({ db, keys }) =>
            db.updateTable('rows_').set((eb) => ({ n: eb('n', '+', 1) })).where('id', 'in', keys).execute())`,
        },
      ]
      const count = idOf(drafts, 'count')
      const rows = () =>
        engine
          .admin(database.url, 'select n, count(*) as c from rows_ group by n')
          .then((all) => all.map(({ n, c }) => [Number(n), Number(c)]))

      it.each(['unsent', 'unanswered'] as const)(
        'of its first batch that is %s leaves it in part, and no row is missed or changed twice',
        async (when) => {
          const migrator = await migratorThrough(3, when, drafts)
          await expect(migrator.up()).rejects.toMatchObject({ exitCode: 9, failed: { id: count, databaseUnchanged: false } })
          expect(await migrator.resume(count)).toMatchObject({ ok: true, applied: [{ id: count }] })
          expect(await rows()).toEqual([[1, 3]])
        },
      )

      it('at its end whose answer is lost is found to have come through', async () => {
        const migrator = await migratorThrough(5, 'unanswered', drafts)
        expect(await migrator.up()).toMatchObject({ ok: true, pending: [], warnings: [expect.stringContaining('which had come through')] })
        expect(await rows()).toEqual([[1, 3]])
      })
    })
  },
  { engines: ['postgres', 'mysql'] },
)
