import { beforeAll, describe, expect, it } from 'vitest'
import { field, type Generated, id, model, type OrderBy } from '../../index.js'
import { forEachEngine } from '../support/engines.js'
import { rejectionOf, useDatabase } from './use-database.js'

@model()
class Sample {
  @id('bigint') id!: Generated<bigint>
  @field.text({ maxLength: 20, nullable: true }) label!: string | null
  @field.integer({ nullable: true }) rank!: number | null
  @field.decimal({ precision: 30, scale: 4 }) price!: string
  @field.float() ratio!: number
  @field.boolean() isNew!: boolean
  @field.timestamp({ precision: 6 }) at!: string
  @field.uuid() code!: string
  @field.oneOf(['low', 'high', 'mid'], { native: true }) level!: 'low' | 'high' | 'mid'
}

@model()
class Cell {
  @id.integer() x!: number
  @id.text({ maxLength: 5 }) y!: string
}

const LABELS = [null, 'b', 'a', "it's", 'Ä', 'b']
const LEVELS = ['low', 'high', 'mid'] as const

const SAMPLES = Array.from({ length: 25 }, (_, index) => ({
  label: LABELS[index % LABELS.length]!,
  rank: index % 4 === 0 ? null : index % 3,
  price: `${index % 5 === 0 ? '-' : ''}${(index % 7) * 10}.5`,
  ratio: [0.1, 1e21, -0.1, 1 / 3][index % 4]!,
  isNew: index % 2 === 0,
  // all in the same millisecond, in fives
  at: `2026-01-31T12:00:00.1230${String(Math.floor(index / 5)).padStart(2, '0')}Z`,
  code: `00000000-0000-4000-8000-0000000000${String(99 - (index % 10))}`,
  level: LEVELS[index % 3]!,
}))

const ORDERS: readonly OrderBy<Sample>[] = [
  {},
  { id: 'desc' },
  { label: 'asc' },
  { label: 'desc', rank: 'asc' },
  { rank: { direction: 'asc', nulls: 'first' }, label: { direction: 'desc', nulls: 'last' } },
  { rank: { direction: 'desc', nulls: 'first' } },
  { price: 'asc', rank: 'desc' },
  { ratio: 'desc' },
  { isNew: 'asc', at: 'desc' },
  { at: 'asc' },
  { code: 'asc', level: 'desc' },
  { level: 'asc' },
]

forEachEngine((engine) => {
  describe('cursors', () => {
    const use = useDatabase(engine, { samples: Sample, cells: Cell })

    beforeAll(async () => {
      await use.nodes.samples.bulkCreate({ rows: SAMPLES })
      await use.nodes.cells.bulkCreate({ rows: [1, 2, 3].flatMap((x) => ['a', 'b', 'c'].map((y) => ({ x, y }))) })
    })

    it.each(ORDERS)('lead through a list in the order %o, forward and back, every row once', async (orderBy) => {
      const { samples } = use.nodes
      const all = (await samples.list({ orderBy, limit: 100 })).rows.map(({ id }) => id)
      expect(all).toHaveLength(SAMPLES.length)
      const forward: bigint[] = []
      let after: string | undefined
      let before: string | undefined
      do {
        const page = await samples.list({ orderBy, limit: 4, ...(after === undefined ? {} : { after }) }, { select: ['id'] })
        forward.push(...page.rows.map(({ id }) => id))
        expect(page.rows.every((row) => Object.keys(row).join() === 'id')).toBe(true)
        expect(page.previousCursor === undefined).toBe(after === undefined)
        after = page.nextCursor
        before = page.previousCursor
      } while (after !== undefined)
      expect(forward).toEqual(all)

      const back: bigint[] = []
      while (before !== undefined) {
        const page: Awaited<ReturnType<typeof samples.list>> = await samples.list({ orderBy, limit: 7, before })
        back.unshift(...page.rows.map(({ id }) => id))
        expect(page.nextCursor).toBeTypeOf('string')
        before = page.previousCursor
      }
      // all but the last page, whose first row the way back began at
      expect(back).toEqual(all.slice(0, 24))
    })

    it('lead through a key of two fields', async () => {
      const { cells } = use.nodes
      const seen: string[] = []
      let after: string | undefined
      do {
        const page = await cells.list({ orderBy: { x: 'desc' }, limit: 2, ...(after === undefined ? {} : { after }) })
        seen.push(...page.rows.map(({ x, y }) => `${x}${y}`))
        after = page.nextCursor
      } while (after !== undefined)
      expect(seen).toEqual(['3a', '3b', '3c', '2a', '2b', '2c', '1a', '1b', '1c'])
    })

    it('stay where they are while rows come and go', async () => {
      const { cells } = use.nodes
      const orderBy = { x: 'asc', y: 'asc' } as const
      const first = await cells.list({ orderBy, limit: 3 })
      expect(first.rows.at(-1)).toEqual({ x: 1, y: 'c' })
      await cells.create({ x: 0, y: 'z' })
      await cells.delete({ where: { x: 1, y: 'c' } })
      const next = await cells.list({ orderBy, limit: 2, after: first.nextCursor! })
      expect(next.rows).toEqual([
        { x: 2, y: 'a' },
        { x: 2, y: 'b' },
      ])
      const back = await cells.list({ orderBy, limit: 9, before: next.previousCursor! })
      expect(back.rows).toEqual([
        { x: 0, y: 'z' },
        { x: 1, y: 'a' },
        { x: 1, y: 'b' },
      ])
      await cells.delete({ where: { x: 0, y: 'z' } })
      await cells.create({ x: 1, y: 'c' })
    })

    it('are there only where rows are', async () => {
      const { cells } = use.nodes
      expect(Object.keys(await cells.list())).toEqual(['rows'])
      expect(Object.keys(await cells.list({ limit: 9 }))).toEqual(['rows'])
      expect(Object.keys(await cells.list({ limit: 8 }))).toEqual(['rows', 'nextCursor'])
      expect(Object.keys(await cells.list({ limit: 8, offset: 1 }))).toEqual(['rows', 'previousCursor'])
      expect(Object.keys(await cells.list({ limit: 0 }))).toEqual(['rows'])
    })

    it('go with filters, totals and relations as they are', async () => {
      const { cells } = use.nodes
      const first = await cells.list({ where: { x: { $gte: 2 } }, limit: 4, total: true })
      const second = await cells.list({ where: { x: { $gte: 2 } }, limit: 4, total: true, after: first.nextCursor! })
      expect([first.total, first.rows.length, second.total, second.rows.length]).toEqual([6, 4, 6, 2])
    })

    it('are refused where they were changed, or are of another list', async () => {
      const { cells, samples } = use.nodes
      const { nextCursor } = await cells.list({ limit: 1 })
      const cursor = nextCursor!
      const changed = `${cursor.slice(0, -2)}${cursor.at(-2) === 'A' ? 'B' : 'A'}${cursor.at(-1)}`
      const refused = [
        cells.list({ after: changed }),
        cells.list({ after: '' }),
        cells.list({ after: `${cursor}=` }),
        cells.list({ after: ` ${cursor}` }),
        cells.list({ before: 'x'.repeat(100_000) }),
        cells.list({ after: 7 as never }),
        cells.list({ orderBy: { x: 'desc' }, after: cursor }),
        samples.list({ after: cursor }),
        cells.list({ after: cursor, before: cursor }),
        cells.list({ after: cursor, offset: 1 }),
      ]
      for (const call of refused) expect(await rejectionOf(call)).toMatchObject({ code: 'VALIDATION' })
    })

    it('are signed with the secret of the database object', async () => {
      const [one, same, other] = ['a secret of sixteen', 'a secret of sixteen', 'another secret of it'].map((cursorSecret) =>
        use.another({ cursorSecret }),
      )
      const { nextCursor } = await one!.nodes.cells.list({ limit: 1 })
      expect((await same!.nodes.cells.list({ after: nextCursor!, limit: 1 })).rows).toEqual([{ x: 1, y: 'b' }])
      expect(await rejectionOf(other!.nodes.cells.list({ after: nextCursor! }))).toMatchObject({ code: 'VALIDATION' })
      expect(() => use.another({ cursorSecret: 'short' })).toThrow(/cursorSecret/)
    })
  })
})
