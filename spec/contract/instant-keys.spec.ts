import { belongsTo, field, hasMany, id, type Many, model, type One, UniqueViolationError } from 'latchwork'
import { beforeEach, describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { rejectionOf, useDatabase } from './use-database.js'

@model({ table: 'instants' })
class Instant {
  @id.timestamp() at!: Date
  @field.varchar(20) label!: string
  @hasMany(() => Reading, 'takenAt') readings!: Many<Reading>
}

@model({ table: 'readings' })
class Reading {
  @id.integer() number!: number
  @field.timestamp() takenAt!: Date
  @belongsTo(() => Instant, 'takenAt') instant!: One<Instant>
}

const FIRST_MS = Date.UTC(2026, 0, 31, 9, 5)
const instantOf = (ms: number) => new Date(FIRST_MS + ms)

forEachEngine((engine) => {
  describe('rows whose keys are instants of one second', () => {
    const lab = useDatabase(engine, { instants: Instant, readings: Reading })

    beforeEach(async () => {
      await lab.clear()
      await lab.nodes.instants.bulkCreate({ rows: [0, 1, 2].map((ms) => ({ at: instantOf(ms), label: `${ms} ms` })) })
    })

    it('are told apart by read, readMany, update and delete', async () => {
      const { instants } = lab.nodes
      expect(await instants.read({ where: { at: instantOf(1) } })).toEqual({ at: instantOf(1), label: '1 ms' })
      const keys = [2, 0, 3, 1].map((ms) => ({ at: instantOf(ms) }))
      expect((await instants.readMany({ keys })).map((row) => row?.label)).toEqual(['2 ms', '0 ms', undefined, '1 ms'])
      await instants.update({ where: { at: instantOf(1) }, set: { label: 'one' } })
      await instants.delete({ where: { at: instantOf(0) } })
      expect((await instants.list({ orderBy: { at: 'asc' } })).rows.map(({ label }) => label)).toEqual(['one', '2 ms'])
    })

    it('are told apart by what writes many, and by a unique key', async () => {
      const { instants } = lab.nodes
      const rows = [1, 2, 3].map((ms) => ({ at: instantOf(ms), label: 'new' }))
      expect(await instants.bulkUpsert({ on: ['at'], rows })).toMatchObject({ created: 1, updated: 2 })
      expect(await rejectionOf(instants.create({ at: instantOf(3), label: 'twice' }))).toBeInstanceOf(UniqueViolationError)
      const twice = instants.bulkUpsert({ on: ['at'], rows: [...rows, { at: instantOf(2), label: 'again' }] })
      expect(await rejectionOf(twice)).toMatchObject({ issues: [{ path: ['rows', 3], message: 'has the same at as rows[1]' }] })
    })

    it('have the rows of their relations, each its own', async () => {
      const { instants, readings } = lab.nodes
      await readings.bulkCreate({ rows: [0, 0, 2].map((ms, number) => ({ number, takenAt: instantOf(ms) })) })
      const { rows } = await instants.list({ orderBy: { at: 'asc' }, include: { readings: true } })
      expect(rows.map((row) => row.readings.map(({ number }) => number).sort())).toEqual([[0, 1], [], [2]])
      const read = await readings.list({ orderBy: { number: 'asc' }, include: { instant: true } })
      expect(read.rows.map(({ instant }) => instant.label)).toEqual(['0 ms', '0 ms', '2 ms'])
    })

    it('keep the instant that they were called with, whatever becomes of the caller’s date', async () => {
      const at = instantOf(9)
      const creating = lab.nodes.instants.create({ at, label: 'kept' })
      at.setTime(0)
      expect((await creating).at).toEqual(instantOf(9))
    })
  })
})
