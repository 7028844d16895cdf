import { sql } from 'kysely'
import { type Database, field, type Generated, id, LatchworkError, model } from 'latchwork'
import { describe, expect, it } from 'vitest'
import type { Engine } from '../../lib/dialect/dialect.js'
import { forEachEngine } from '../support/engines.js'
import { ROUNDS, roundsTimeoutMs } from '../support/rounds.js'
import { useDatabase } from './use-database.js'

/** Knows nothing of what the migration adds, as the application that still runs. */
@model()
class Parcel {
  @id() id!: Generated<number>
  @field.text({ maxLength: 50 }) label!: string
  @field.integer() weight!: number
}

const models = { parcels: Parcel }

/** One column added, the types of two widened, and another column added with a default. */
const MIGRATIONS: Readonly<Record<Engine, readonly (readonly string[])[]>> = {
  postgres: [
    ['alter table parcels add column note text'],
    ['alter table parcels alter column weight type bigint'],
    ['alter table parcels alter column label type varchar(200)'],
    [`alter table parcels add column state text not null default 'new'`],
  ],
  mysql: [
    ['alter table parcels add column note text'],
    ['alter table parcels modify column weight bigint not null'],
    ['alter table parcels modify column label varchar(200) not null'],
    [`alter table parcels add column state varchar(20) not null default 'new'`],
  ],
  sqlite: [
    ['alter table parcels add column note text'],
    [
      'create table parcels_anew (id integer primary key autoincrement, label varchar(200) not null, weight bigint not null, note text)',
      'insert into parcels_anew (id, label, weight, note) select id, label, weight, note from parcels',
      'drop table parcels',
      'alter table parcels_anew rename to parcels',
    ],
    [`alter table parcels add column state text not null default 'new'`],
  ],
}

const CALLERS = 32
/** Of the callers, between two changes. */
const CALLS_BETWEEN = 100

/** What the callers did. */
interface Tally {
  calls: number
  parcels: number
  weight: number
  repeated: number
  readonly failures: unknown[]
}

forEachEngine((engine) => {
  describe('a migration while 32 callers read and write', () => {
    const shop = useDatabase(engine, models)

    it(`fails no call outside transactions, and inside one only so that it may be repeated; all is there at the end, ${ROUNDS} times over`, {
      timeout: roundsTimeoutMs(4_000),
    }, async () => {
      let repeated = 0
      for (let round = 0; round < ROUNDS; round++) repeated += await migrateWhileServing()
      // PostgreSQL alone refuses what it prepared before: seen to be repeated, else nothing was tried
      if (engine.name === 'postgres') expect(repeated).toBeGreaterThan(0)
      if (engine.name === 'sqlite') expect(repeated).toBe(0)
    })

    /** Gives how many transactions had to be repeated. */
    async function migrateWhileServing(): Promise<number> {
      const migrator = shop.another({ pool: { maxConnections: 1, share: false } })
      const db = shop.another({ pool: { maxConnections: 8 } })
      await engine.admin(shop.url, 'drop table parcels')
      await db.createTables()
      const tally: Tally = { calls: 0, parcels: 0, weight: 0, repeated: 0, failures: [] }
      let isOver = false
      const callers = Array.from({ length: CALLERS }, async (_, caller) => {
        const work = caller % 4 === 3 ? inTransaction : workflow
        for (let turn = 0; !isOver; turn++) {
          await work(db, tally, `${caller}-${turn}`).catch((error: unknown) => tally.failures.push(error))
        }
      })
      const callsAfter: number[] = []
      /** Lets the callers do what shows that they are at work. */
      const goOn = async () => {
        const before = tally.calls
        await expect.poll(() => tally.calls - before, { timeout: 5_000, interval: 5 }).toBeGreaterThan(CALLS_BETWEEN)
      }
      try {
        for (const statements of MIGRATIONS[engine.name]) {
          await goOn()
          await migrator.transaction(async () => {
            for (const statement of statements) await sql.raw(statement).execute(migrator.kysely)
          })
          callsAfter.push(tally.calls)
        }
        await goOn()
      } finally {
        isOver = true
        await Promise.all(callers)
      }

      expect(tally.failures.slice(0, 3).map(String)).toEqual([])
      // each change met callers at work
      for (const [index, calls] of callsAfter.entries()) expect(callsAfter[index + 1] ?? tally.calls).toBeGreaterThan(calls)
      const rows = await engine.admin(shop.url, 'select label, weight, note, state from parcels')
      expect(rows).toHaveLength(tally.parcels)
      expect(rows.reduce((sum, { weight }) => sum + Number(weight), 0)).toBe(tally.weight)
      expect(rows.filter(({ note, state }) => note !== null || state !== 'new')).toEqual([])
      expect(await db.nodes.parcels.count()).toBe(tally.parcels)
      await Promise.all([db.close(), migrator.close()])
      return tally.repeated
    }
  })
})

async function workflow({ nodes }: Database<typeof models>, tally: Tally, label: string): Promise<void> {
  const { id } = await nodes.parcels.create({ label, weight: 1 })
  tally.parcels++
  tally.weight++
  expect(await nodes.parcels.read({ where: { id } })).toEqual({ id, label, weight: 1 })
  expect(await nodes.parcels.update({ where: { id }, set: { weight: { $increment: 2 } } })).toEqual({ id, label, weight: 3 })
  tally.weight += 2
  expect(await nodes.parcels.list({ where: { label: { $in: [label] } } })).toEqual({ rows: [{ id, label, weight: 3 }] })
  const pair = [`${label}-a`, `${label}-b`].map((each) => ({ label: each, weight: 5 }))
  await nodes.parcels.bulkCreate({ rows: pair })
  tally.parcels += 2
  tally.weight += 10
  expect(await nodes.parcels.count({ where: { label: { $startsWith: `${label}-` } } })).toBe(2)
  tally.calls += 6
}

/** The same as one piece, repeated for as long as an error says that it may be. */
async function inTransaction(db: Database<typeof models>, tally: Tally, label: string): Promise<void> {
  const once = () =>
    db.transaction(async () => {
      const own: Tally = { calls: 0, parcels: 0, weight: 0, repeated: 0, failures: [] }
      await workflow(db, own, label)
      return own
    })
  for (;;) {
    try {
      const { calls, parcels, weight } = await once()
      tally.calls += calls
      tally.parcels += parcels
      tally.weight += weight
      return
    } catch (error) {
      if (!(error instanceof LatchworkError && error.retryable)) throw error
      tally.repeated++
    }
  }
}
