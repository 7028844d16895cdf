import type { Generated } from 'kysely'
import { type Database, defineModel, type Json, type Many } from '../../index.js'
import type { Equal, Holds, Plain } from './equal.js'

class Customer {
  id!: Generated<number>
  email!: string
  settings!: Json<{ theme: string }>
  createdAt!: Generated<Date>
  deletedAt!: Date | null
  orders!: Many<Order>
  shout(): string {
    return this.email
  }
}

class Order {
  id!: Generated<number>
  customerId!: number
  total!: string
}

defineModel(Order, {
  fields: {
    id: { kind: 'integer', primary: true, increment: true },
    customerId: { kind: 'integer' },
    total: { kind: 'decimal', precision: 12, scale: 2 },
  },
})

declare const db: Database<{ customers: typeof Customer; orders: typeof Order }>
const { kysely } = db

/** Uses that the compiler must take. */
export const queries = {
  all: kysely.selectFrom('customers').selectAll(),
  joined: kysely
    .selectFrom('customers as c')
    .leftJoin('orders', 'orders.customerId', 'c.id')
    .select(['c.createdAt', 'orders.total', 'settings as options']),
  inserted: kysely
    .insertInto('customers')
    .values({ email: 'x', settings: { theme: 'dark' } })
    .returning('id'),
  updated: kysely.updateTable('orders').set({ total: '1' }).where('customerId', 'in', [1, 2]),
}

type RowOf<Q extends { execute(): Promise<unknown[]> }> = Awaited<ReturnType<Q['execute']>>[number]

export type Rows = [
  Holds<
    Equal<
      Plain<RowOf<typeof queries.all>>,
      { id: number; email: string; settings: { theme: string }; createdAt: Date; deletedAt: Date | null }
    >
  >,
  Holds<Equal<Plain<RowOf<typeof queries.joined>>, { createdAt: Date; total: string | null; options: { theme: string } }>>,
  Holds<Equal<Plain<RowOf<typeof queries.inserted>>, { id: number }>>,
]

// @ts-expect-error no such model
kysely.selectFrom('customer')
// @ts-expect-error the table's name in the database is not its name in code
kysely.selectFrom('Customer')
// @ts-expect-error no such field
kysely.selectFrom('customers').select('emial')
// @ts-expect-error a relation is no column
kysely.selectFrom('customers').select('orders')
// @ts-expect-error a method is no column
kysely.selectFrom('customers').select('shout')
// @ts-expect-error a field of another model
kysely.selectFrom('customers').where('total', '=', '1')
// @ts-expect-error a wrong type
kysely.selectFrom('customers').where('createdAt', '>', '2024-01-01')
// @ts-expect-error email is required
kysely.insertInto('customers').values({ settings: { theme: 'dark' } })
// @ts-expect-error not the shape that the JSON has
kysely.updateTable('customers').set({ settings: { colour: 'red' } })
