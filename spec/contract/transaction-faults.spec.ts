import { setTimeout as sleep } from 'node:timers/promises'
import {
  ConnectionError,
  ConnectionLostError,
  createDatabase,
  ForeignKeyViolationError,
  LatchworkError,
  TransactionAbortedError,
} from 'latchwork'
import { beforeEach, describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { Member, models, Note } from './members.js'
import { endSessions, rejectionOf, useDatabase } from './use-database.js'

forEachEngine((engine) => {
  // MySQL and MariaDB look at every constraint at once
  if (engine.name !== 'mysql') {
    describe('a COMMIT that a deferred constraint refuses', () => {
      const shop = useDatabase(engine, { members: Member, notes: Note }, { pool: { maxConnections: 1 } })

      it('is the error of the constraint, keeps nothing, and leaves the connection clean', async () => {
        await engine.admin(shop.url, deferringConstraint(engine.name))
        const error = await rejectionOf(
          shop.db.transaction(async () => {
            await shop.nodes.members.create({ email: 'ada@example.com' })
            await shop.nodes.notes.create({ memberId: 9_999, title: 'nobody' })
          }),
        )
        expect(error).toBeInstanceOf(ForeignKeyViolationError)
        expect(await shop.nodes.members.count()).toBe(0)
        const { id } = await shop.db.transaction(() => shop.nodes.members.create({ email: 'bob@example.com' }))
        expect(await shop.nodes.members.read({ where: { id } })).toMatchObject({ email: 'bob@example.com' })
      })
    })
  }

  if (engine.name === 'sqlite') {
    describe('transactions of SQLite', () => {
      const shop = useDatabase(engine, models)
      beforeEach(() => shop.clear())

      it('let others read beside the open one, all its rows or none', async () => {
        const outside = shop.another()
        await shop.db.transaction(async () => {
          for (let index = 0; index < 5; index++) {
            await shop.nodes.stocks.create({ warehouse: 'w', item: String(index), amount: 1 })
            await sleep(1)
            expect(await outside.nodes.stocks.count()).toBe(0)
          }
        })
        expect(await outside.nodes.stocks.count()).toBe(5)
      })

      it('write one after the other, in the order in which they were asked for', async () => {
        const order: number[] = []
        const write = (index: number) =>
          shop.db.transaction(async () => {
            order.push(index)
            await shop.nodes.stocks.create({ warehouse: 'w', item: String(index), amount: index })
            await sleep(Math.random() * 3)
          })
        await Promise.all(Array.from({ length: 30 }, (_, index) => write(index)))
        expect(order).toEqual(Array.from({ length: 30 }, (_, index) => index))
      })

      it('let 200 at once finish on one file', async () => {
        const add = () =>
          shop.db.transaction(() => shop.nodes.stocks.update({ where: { warehouse: 'w', item: 'a' }, set: { amount: { $increment: 1 } } }))
        await shop.nodes.stocks.create({ warehouse: 'w', item: 'a', amount: 0 })
        await Promise.all(Array.from({ length: 200 }, add))
        expect(await shop.nodes.stocks.read({ where: { warehouse: 'w', item: 'a' } })).toMatchObject({ amount: 200 })
      })

      it('work in memory, nested, read-only and side by side', async () => {
        await using memory = createDatabase({ url: 'sqlite::memory:', models: { members: Member } })
        const { members } = memory.nodes
        await memory.createTables()
        const create = (name: string) => members.create({ email: `${name}@example.com` })
        await Promise.all(
          ['a', 'b', 'c'].map((name) =>
            memory.transaction(async () => {
              await create(name)
              await sleep(2)
              await rejectionOf(memory.transaction(async () => Promise.reject(await create(`${name}-undone`))))
            }),
          ),
        )
        expect(await members.count()).toBe(3)
        expect(await rejectionOf(memory.transaction(() => create('d'), { readOnly: true }))).toMatchObject({ code: 'READ_ONLY' })
        await rejectionOf(memory.transaction(async () => Promise.reject(await create('e'))))
        expect(await members.count()).toBe(3)
      })
    })
    return
  }

  describe('a transaction whose connection is lost', () => {
    const shop = useDatabase(engine, models)
    beforeEach(() => shop.clear())

    it('fails with a typed error, keeps nothing, and costs no later call', async () => {
      const error = await rejectionOf(
        shop.db.transaction(async () => {
          await shop.nodes.members.create({ email: 'ada@example.com' })
          await endSessions(engine, shop.url)
          await shop.nodes.members.create({ email: 'bob@example.com' })
        }),
      )
      expect(error).toBeInstanceOf(LatchworkError)
      expect([ConnectionLostError, ConnectionError].some((type) => error instanceof type)).toBe(true)
      expect(await shop.nodes.members.count()).toBe(0)
      await shop.db.transaction(() => shop.nodes.members.create({ email: 'cleo@example.com' }))
    })

    it('is not committed where that error was swallowed', async () => {
      const error = await rejectionOf(
        shop.db.transaction(async () => {
          await shop.nodes.members.create({ email: 'ada@example.com' })
          await endSessions(engine, shop.url)
          await rejectionOf(shop.nodes.members.create({ email: 'bob@example.com' }))
          await shop.db.transaction(() => shop.nodes.members.create({ email: 'cleo@example.com' }))
        }),
      )
      expect(error).toBeInstanceOf(TransactionAbortedError)
      expect(await shop.nodes.members.count()).toBe(0)
    })

    it('never says that it was committed when the connection went before COMMIT', async () => {
      const error = await rejectionOf(
        shop.db.transaction(async () => {
          await shop.nodes.members.create({ email: 'ada@example.com' })
          await endSessions(engine, shop.url)
        }),
      )
      expect(['CONNECTION', 'CONNECTION_LOST', 'COMMIT_UNKNOWN']).toContain(error.code)
      expect(await shop.nodes.members.count()).toBe(0)
    })
  })
})

function deferringConstraint(engine: string): string {
  if (engine === 'postgres') return 'alter table notes alter constraint notes_member_id_fkey deferrable initially deferred'
  return `drop table notes; create table notes (id integer primary key, member_id integer not null references members (id) deferrable initially deferred,
    title text not null, body text not null, deleted_at text)`
}
