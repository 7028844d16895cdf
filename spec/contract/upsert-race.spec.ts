import { createDatabase, field, type Generated, id, model } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'

const CALLERS = 20
const ROUNDS = 10

/** Its other key stands before the one that the upserts name: that is where two callers with one row meet first. */
@model()
class Racer {
  @id() id!: Generated<number>
  @field.text({ unique: true, maxLength: 50 }) nickname!: string
  @field.text({ unique: true, maxLength: 50 }) email!: string
  @field.integer() laps!: number
}

forEachEngine((engine) => {
  describe('callers who upsert one row that has two keys, at once', () => {
    async function race(run: (racers: ReturnType<typeof open>, round: number, caller: number) => Promise<unknown>): Promise<number[]> {
      const database = await engine.freshDatabase()
      const db = open(database.url)
      try {
        await db.createTables()
        for (let round = 0; round < ROUNDS; round++) {
          await Promise.all(Array.from({ length: CALLERS }, (_, caller) => run(db, round, caller)))
        }
        const { rows } = await db.nodes.racers.list({ orderBy: { id: 'asc' } })
        return rows.map(({ laps }) => laps)
      } finally {
        await db.close()
        await database.drop()
      }
    }

    const open = (url: string) => createDatabase({ url, models: { racers: Racer } })
    const valuesOf = (round: number) => ({ nickname: `n${round}`, email: `e${round}@example.com`, laps: 1 })
    const everyLap = Array.from({ length: ROUNDS }, () => CALLERS)

    it('are all served, and every one of them counts', async () => {
      const laps = await race(({ nodes: { racers } }, round) =>
        racers.upsert({ on: ['email'], values: valuesOf(round), update: { laps: { $increment: 1 } } }),
      )
      expect(laps).toEqual(everyLap)
    })

    it('are all served in transactions of their own', async () => {
      const laps = await race((db, round) =>
        db.transaction(() => db.nodes.racers.upsert({ on: ['email'], values: valuesOf(round), update: { laps: { $increment: 1 } } })),
      )
      expect(laps).toEqual(everyLap)
    })

    it('are all served in bulk', async () => {
      const laps = await race(({ nodes: { racers } }, round) => racers.bulkUpsert({ on: ['email'], rows: [valuesOf(round)] }))
      expect(laps).toEqual(Array.from({ length: ROUNDS }, () => 1))
    })
  })
})
