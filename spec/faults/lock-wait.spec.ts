import { LockTimeoutError, TransactionAbortedError } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { rejectionOf } from '../contract/use-database.js'
import { forEachEngine } from '../support/engines.js'
import { forEachOwnServer } from './own-server.js'
import { type DatabaseSource, type Shop, type ShopDatabase, useShop } from './shop.js'

/** Runs `body` while another session holds the row `held`, which was there before. */
async function whileLocked(shop: Shop, body: (db: ShopDatabase, heldId: number) => Promise<void>): Promise<void> {
  const db = shop.open({ initSql: ['set innodb_lock_wait_timeout = 1'] })
  const { id } = await db.nodes.items.create({ name: 'held' })
  const holder = shop.open()
  await holder.transaction(async () => {
    await holder.nodes.items.update({ where: { id }, set: { name: 'held' } })
    await holder.nodes.items.create({ name: 'of the holder' })
    await body(db, id)
  })
}

const names = async (shop: Shop) => (await shop.admin('select name from items order by name')).map(({ name }) => name)

/** Takes from one row, and gives to another although taking from a third had to wait for too long. */
async function transfer(db: ShopDatabase, heldId: number, within: (fn: () => Promise<unknown>) => Promise<unknown>): Promise<void> {
  await db.transaction(async () => {
    await db.nodes.items.create({ name: 'debit' })
    const error = await rejectionOf(within(() => db.nodes.items.update({ where: { id: heldId }, set: { name: 'taken' } })))
    expect(error).toBeInstanceOf(LockTimeoutError)
    await db.nodes.items.create({ name: 'credit' })
  })
}

function specsOf(source: DatabaseSource, endsTransaction: boolean): void {
  const shop = useShop(source)

  for (const [what, nested] of [
    ['the transaction itself', false],
    ['a nested transaction', true],
  ] as const) {
    const within = (db: ShopDatabase) => (fn: () => Promise<unknown>) => (nested ? db.transaction(fn) : fn())

    if (endsTransaction) {
      it(`ends the whole transaction, in ${what}: nothing after it is written alone`, async () => {
        await whileLocked(shop, async (db, heldId) => {
          expect(await rejectionOf(transfer(db, heldId, within(db)))).toBeInstanceOf(TransactionAbortedError)
          // the connection serves the next one
          await db.transaction(() => db.nodes.items.create({ name: 'next' }))
        })
        expect(await names(shop)).toEqual(['held', 'next', 'of the holder'])
      })
    } else {
      it(`undoes its statement alone, in ${what}`, async () => {
        await whileLocked(shop, (db, heldId) => transfer(db, heldId, within(db)))
        expect(await names(shop)).toEqual(['credit', 'debit', 'held', 'of the holder'])
      })
    }
  }
}

describe('a lock that is waited for too long', () => {
  forEachEngine((engine) => specsOf(engine as DatabaseSource, false), { engines: ['mysql'] })
})

describe('a lock that is waited for too long, where innodb_rollback_on_timeout is on,', () => {
  forEachOwnServer(
    (server) => {
      specsOf(server, true)
    },
    { engines: ['mysql'], parameters: ['--innodb-rollback-on-timeout=1'] },
  )
})
