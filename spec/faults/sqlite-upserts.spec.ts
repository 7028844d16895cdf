import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import Sqlite from 'better-sqlite3'
import { field, type Generated, id, model, type QueryEvent } from 'latchwork'
import { afterEach, describe, expect, it } from 'vitest'
import { useGround } from '../stress/ground.js'
import { forEachEngine } from '../support/engines.js'

@model({ table: 'racers' })
class Racer {
  @id() id!: Generated<number>
  @field.text({ unique: true, maxLength: 50 }) email!: string
  @field.integer() laps!: number
}

const CHANNEL = 'latchwork:query'

forEachEngine(
  (engine) => {
    describe('an upsert that another connection comes between', () => {
      const ground = useGround(engine, { racers: Racer })
      let listener: ((event: unknown) => void) | undefined

      afterEach(() => {
        if (listener !== undefined) unsubscribe(CHANNEL, listener)
      })

      /** Runs SQL on a connection of its own right after the next statement of an upsert that begins so. */
      function intervene(behind: 'insert' | 'update', sql: string): void {
        let isDone = false
        listener = (event) => {
          const { label, sql: text } = event as QueryEvent
          if (isDone || label !== 'RacerUpsertNode' || !text.startsWith(behind)) return
          isDone = true
          const rival = new Sqlite(ground.url.slice('sqlite:'.length))
          rival.exec(sql)
          rival.close()
        }
        subscribe(CHANNEL, listener)
      }

      it('makes the row where that was deleted after it was met', async () => {
        const { racers } = ground.open().nodes
        await racers.create({ email: 'a', laps: 1 })
        intervene('insert', "delete from racers where email = 'a'")
        const { row, outcome } = await racers.upsert({ on: ['email'], values: { email: 'a', laps: 2 } })
        expect({ laps: row.laps, outcome }).toEqual({ laps: 2, outcome: 'created' })
      })

      it('does not take a row for unchanged that is another one by then', async () => {
        const { racers } = ground.open().nodes
        await racers.create({ email: 'b', laps: 1 })
        intervene('update', "delete from racers where email = 'b'; insert into racers (email, laps) values ('b', 7)")
        const { row, outcome } = await racers.upsert({ on: ['email'], values: { email: 'b', laps: 1 } })
        expect({ laps: row.laps, outcome }).toEqual({ laps: 1, outcome: 'updated' })
      })
    })
  },
  { engines: ['sqlite'] },
)
