import { describe, expect, it } from 'vitest'
import { deletedAt, field, type Generated, id, model, version } from '../../index.js'
import { forEachEngine } from '../support/engines.js'
import { rejectionOf, useDatabase } from './use-database.js'

@model({ indexes: [{ on: ['state', 'priority'] }] })
class Job {
  @id() id!: Generated<number>
  @field.oneOf(['waiting', 'running'], { default: 'waiting' }) state!: Generated<'waiting' | 'running'>
  @field.integer() priority!: number
  @field.text({ nullable: true, maxLength: 20 }) worker!: string | null
  @version() version!: Generated<number>
  @deletedAt() deletedAt!: Generated<Date | null>
}

/** A key of two fields. */
@model()
class Slip {
  @id.text({ maxLength: 5 }) till!: string
  @id.integer() number!: number
  @field.boolean() isPaid!: boolean
}

forEachEngine((engine) => {
  describe('claim', () => {
    const use = useDatabase(engine, { jobs: Job, slips: Slip })
    const jobs = () => use.nodes.jobs
    const where = { state: 'waiting' } as const

    it('takes the first rows in order, changes them and gives them as they are now', async () => {
      await jobs().bulkCreate({ rows: [3, 1, 2].map((priority) => ({ priority })) })
      const set = { state: 'running', worker: 'me' } as const
      const claimed = await jobs().claim({ where, set, orderBy: { priority: 'desc' }, limit: 2 })
      expect(claimed.map(({ priority, state, worker, version }) => [priority, state, worker, version])).toEqual([
        [3, 'running', 'me', 2],
        [2, 'running', 'me', 2],
      ])
      expect(await jobs().claim({ where, set }, { select: ['priority'] })).toEqual([{ priority: 1 }])
      expect(await jobs().claim({ where, set })).toEqual([])
      await jobs().bulkDelete({ all: true })
    })

    it('gives each row to one of many workers', async () => {
      await jobs().bulkCreate({ rows: Array.from({ length: 60 }, (_, priority) => ({ priority })) })
      const worker = async (name: string) => {
        const taken: number[] = []
        for (;;) {
          const rows = await jobs().claim({ where, set: { state: 'running', worker: name }, orderBy: { priority: 'asc' }, limit: 4 })
          if (rows.length === 0) return taken
          taken.push(...rows.map(({ priority }) => priority))
        }
      }
      const taken = (await Promise.all(Array.from({ length: 8 }, (_, index) => worker(`w${index}`)))).flat()
      expect(taken.sort((a, b) => a - b)).toEqual(Array.from({ length: 60 }, (_, priority) => priority))
      await jobs().bulkDelete({ all: true })
    })

    it('passes over what another transaction has, and gives it back with it', async () => {
      await jobs().bulkCreate({ rows: [1, 2].map((priority) => ({ priority })) })
      const set = { state: 'running' } as const
      const outcome = use.db.transaction(async () => {
        const [mine] = await jobs().claim({ where, set, orderBy: { priority: 'asc' } })
        expect(mine!.priority).toBe(1)
        if (engine.name !== 'sqlite') {
          const other = use.another({ pool: { share: false } })
          const theirs = await other.nodes.jobs.claim({ where, set, orderBy: { priority: 'asc' }, limit: 5 })
          expect(theirs.map(({ priority }) => priority)).toEqual([2])
        }
        throw new Error('undo')
      })
      expect((await rejectionOf(outcome)).message).toBe('undo')
      const left = await jobs().list({ where, orderBy: { priority: 'asc' } })
      expect(left.rows.map(({ priority }) => priority)).toEqual(engine.name === 'sqlite' ? [1, 2] : [1])
      await jobs().bulkDelete({ all: true })
    })

    it('leaves out rows that are deleted, and finds rows by a key of two fields', async () => {
      const { slips } = use.nodes
      await slips.bulkCreate({ rows: [3, 2, 1].map((number) => ({ till: 'a', number, isPaid: false })) })
      const claimed = await slips.claim({ where: { isPaid: false }, set: { isPaid: true }, limit: 2 })
      expect(claimed).toEqual([1, 2].map((number) => ({ till: 'a', number, isPaid: true })))
      await jobs().create({ priority: 1 })
      await jobs().bulkDelete({ all: true })
      expect(await jobs().claim({ all: true, set: { worker: 'x' } })).toEqual([])
    })

    it.each<[what: string, input: object, message: string]>([
      ['no filter', { set: { worker: 'x' } }, 'where: expected an object'],
      ['an empty filter', { where: {}, set: { worker: 'x' } }, 'where: matches every row'],
      ['no change', { where }, 'set: expected an object'],
      ['a change of nothing', { where, set: {} }, 'set: expected at least one field'],
      ['a change of the key', { where, set: { id: 7 } }, 'set.id'],
      ['a negative limit', { where, set: { worker: 'x' }, limit: -1 }, 'limit: expected a whole number'],
      ['an unknown order', { where, set: { worker: 'x' }, orderBy: { x: 'asc' } }, 'orderBy.x: unknown field'],
    ])('refuses %s', async (_what, input, message) => {
      const error = await rejectionOf(jobs().claim(input as never))
      expect(error).toMatchObject({ name: expect.stringMatching(/^(Validation|UnknownField)Error$/) })
      expect(error.message).toContain(message)
    })
  })
})
