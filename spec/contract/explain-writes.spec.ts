import { inspect } from 'node:util'
import {
  AuditEntry,
  belongsTo,
  deletedAt,
  type ExplainedStatement,
  type Explanation,
  field,
  type Generated,
  hasMany,
  IdempotencyRecord,
  id,
  type Many,
  model,
  type One,
  QueryTimeoutError,
  version,
} from 'latchwork'
import { beforeEach, describe, expect, it } from 'vitest'
import { type NodeEvent, nodeEvents } from '../../lib/events.js'
import { forEachEngine } from '../support/engines.js'
import { statementsOf, textsOf } from './use-blog.js'
import { rejectionOf, useDatabase } from './use-database.js'

@model()
class Maker {
  @id() id!: Generated<number>
  @field.text({ maxLength: 20, unique: true }) name!: string
  @version() version!: Generated<number>
  @deletedAt() deletedAt!: Generated<Date | null>
  @hasMany(() => Piece, 'makerId') pieces!: Many<Piece>
}

/** Goes with its maker. */
@model()
class Piece {
  @id() id!: Generated<number>
  @field.integer() makerId!: number
  @field.text({ maxLength: 20 }) title!: string
  @field.integer({ default: 0 }) sold!: Generated<number>
  @deletedAt() deletedAt!: Generated<Date | null>
  @belongsTo(() => Maker, { foreignKey: 'makerId', onDelete: 'cascade' }) maker!: One<Maker>
}

/** What becomes of it is written down. */
@model({ audit: true })
class Card {
  @id() id!: Generated<number>
  @field.text({ maxLength: 20, unique: true }) holder!: string
  @field.integer() points!: number
}

/** Has hooks. */
@model()
class Guest {
  @id() id!: Generated<number>
  @field.text({ maxLength: 20 }) name!: string
  @field.integer() visits!: number
}

const models = {
  makers: Maker,
  pieces: Piece,
  cards: Card,
  guests: Guest,
  auditEntries: AuditEntry,
  idempotencyRecords: IdempotencyRecord,
} as const

type Mode = { readonly explain: true | 'analyze' }

forEachEngine((engine) => {
  describe('explain of a write', () => {
    /** What the hooks have seen, and what they left for after the commit. */
    const seen: unknown[] = []
    const use = useDatabase(engine, models, {
      hooks: {
        guests: {
          create: { before: ({ input }) => ({ ...input, name: input.name.toUpperCase() }) },
          update: {
            after: async ({ output, nodes }) => {
              seen.push(output.visits)
              await nodes.cards.create({ holder: output.name, points: 0 })
              await use.db.afterCommit(() => void seen.push('committed'))
            },
          },
        },
      },
    })
    let maker: { readonly id: number }
    let fay: { readonly id: number }

    beforeEach(async () => {
      await use.clear()
      seen.length = 0
      const { makers, pieces, cards, guests } = use.nodes
      maker = await makers.create({ name: 'Ada', pieces: [{ title: 'one' }, { title: 'two' }] })
      await makers.create({ name: 'Bob' })
      await pieces.delete({ where: { id: (await pieces.create({ makerId: maker.id, title: 'gone' })).id } })
      await cards.create({ holder: 'eve', points: 1 })
      fay = await guests.create({ name: 'fay', visits: 1 })
    })

    /** Every write, with what makes it go the longer way where there are two. */
    const writes: Readonly<Record<string, (mode: Mode) => Promise<Explanation>>> = {
      create: (mode) => use.nodes.makers.create({ name: 'Cleo' }, mode),
      'create with others': (mode) =>
        use.nodes.makers.create({ name: 'Cleo', pieces: [{ title: 'a' }] }, { ...mode, include: { pieces: true } }),
      'create that is audited': (mode) => use.nodes.cards.create({ holder: 'dan', points: 2 }, mode),
      update: (mode) => use.nodes.makers.update({ where: { name: 'Ada' }, set: { name: 'Adele' } }, mode),
      'update that is audited': (mode) => use.nodes.cards.update({ where: { holder: 'eve' }, set: { points: { $increment: 1 } } }, mode),
      delete: (mode) => use.nodes.guests.delete({ where: { id: fay.id } }, mode),
      'delete of a row that is marked, with those that go with it': (mode) => use.nodes.makers.delete({ where: { name: 'Ada' } }, mode),
      restore: async (mode) => {
        const [{ id } = { id: 0 }] = (await use.nodes.pieces.list({}, { deleted: 'only' })).rows
        return use.nodes.pieces.restore({ where: { id } }, mode)
      },
      'upsert of a new row': (mode) => use.nodes.makers.upsert({ on: ['name'], values: { name: 'Dan' } }, mode),
      'upsert of a row that is there': (mode) => use.nodes.cards.upsert({ on: ['holder'], values: { holder: 'eve', points: 9 } }, mode),
      bulkCreate: (mode) =>
        use.nodes.pieces.bulkCreate(
          {
            rows: [
              { makerId: maker.id, title: 'b' },
              { makerId: maker.id, title: 'c', sold: 1 },
            ],
          },
          mode,
        ),
      bulkUpdate: (mode) => use.nodes.pieces.bulkUpdate({ all: true, set: { sold: { $increment: 1 } } }, mode),
      bulkDelete: (mode) => use.nodes.cards.bulkDelete({ all: true }, mode),
      'bulkDelete of rows that are marked': (mode) => use.nodes.makers.bulkDelete({ where: { name: 'Ada' } }, mode),
      bulkUpsert: (mode) =>
        use.nodes.cards.bulkUpsert(
          {
            on: ['holder'],
            rows: [
              { holder: 'eve', points: 5 },
              { holder: 'gil', points: 6 },
            ],
          },
          mode,
        ),
      claim: (mode) => use.nodes.pieces.claim({ where: { title: 'one' }, set: { sold: 1 } }, { ...mode, include: { maker: true } }),
    }
    const names = Object.keys(writes)

    /** All rows of all tables, as the call is given them: in the transaction around it. */
    const allRows = async () => {
      const rows: Record<string, string[]> = {}
      for (const name of Object.keys(models) as (keyof typeof models)[]) {
        const found: readonly object[] = await use.db.kysely.selectFrom(name).selectAll().execute()
        rows[name] = found.map((row) => inspect(row)).sort()
      }
      return rows
    }

    it.each(names)('gives the plans of the statements that it runs, in their order: %s', async (name) => {
      const explained: string[] = []
      let statements: readonly ExplainedStatement[] = []
      const sent = await textsOf(async () => {
        statements = (await writes[name]!({ explain: true })).statements
      })
      // each behind the question for its plan
      const asked = sent.flatMap((sql, place) => (/^explain/.test(sql) ? [sent[place + 1]!] : []))
      for (const { sql, plan } of statements) {
        explained.push(sql)
        expect(plan, sql).toEqual(expect.any(Object))
      }
      expect(explained).toEqual(asked)
      const run = await textsOf(() => rejectionOf(use.db.transaction(() => plainly(writes[name]!).then(undo))))
      expect(run.slice(-explained.length)).toEqual(explained)
      expect(explained.some((sql) => /^(with "lw_written" as \()?(insert|update|delete)/.test(sql))).toBe(true)
    })

    it.each(names)('leaves every table as it was: %s', async (name) => {
      const before = await allRows()
      await writes[name]!({ explain: true })
      expect(await allRows()).toEqual(before)
      await use.db.transaction(async () => {
        await use.nodes.guests.bulkCreate({ rows: [{ name: 'before', visits: 0 }] })
        const within = await allRows()
        await writes[name]!({ explain: true })
        expect(await allRows()).toEqual(within)
      })
      const after = await allRows()
      expect(after.guests).toHaveLength(before.guests!.length + 1)
      expect({ ...after, guests: [] }).toEqual({ ...before, guests: [] })
    })

    it.each(names)('measures where the engine does, and leaves every table as it was: %s', async (name) => {
      const before = await allRows()
      const explaining = writes[name]!({ explain: 'analyze' })
      if (engine.name === 'sqlite') {
        expect(await rejectionOf(explaining)).toMatchObject({ code: 'UNSUPPORTED', feature: "explain: 'analyze'" })
      } else {
        const { statements } = await explaining
        const { statements: unmeasured } = await writes[name]!({ explain: true })
        expect(statements.map(({ sql }) => sql)).toEqual(unmeasured.map(({ sql }) => sql))
        for (const { plan } of statements) expect(JSON.stringify(plan)).toMatch(/"Actual Total Time"|"r_total_time_ms"/)
        for (const { plan } of unmeasured) expect(JSON.stringify(plan)).not.toMatch(/"Actual Total Time"|"r_total_time_ms"/)
      }
      expect(await allRows()).toEqual(before)
    })

    if (engine.name !== 'sqlite') {
      it('measures a statement once, and goes on as though that had not been', async () => {
        await use.nodes.guests.update({ where: { id: fay.id }, set: { visits: { $increment: 1 } } }, { explain: 'analyze' })
        expect(seen).toEqual([2])
      })
    }

    it('runs the hooks of the write, whose own calls are undone and no part of it, and no work that waits for a commit', async () => {
      const before = await allRows()
      const { statements } = await use.nodes.guests.update({ where: { id: fay.id }, set: { visits: 7 } }, { explain: true, select: ['id'] })
      expect(statements.every(({ sql }) => sql.includes('guests'))).toBe(true)
      expect(seen).toEqual([7])
      expect(await allRows()).toEqual(before)
      await use.db.transaction(() => use.nodes.guests.update({ where: { id: fay.id }, set: { visits: 8 } }, { explain: true }))
      expect(seen).toEqual([7, 8])
      await use.nodes.guests.update({ where: { id: fay.id }, set: { visits: 9 } })
      expect(seen).toEqual([7, 8, 9, 'committed'])
    })

    it('takes no idempotency key', async () => {
      const { guests, idempotencyRecords } = use.nodes
      const idempotencyKey = 'k'
      const first = await guests.create({ name: 'gil', visits: 0 }, { idempotencyKey, explain: true })
      expect(first.statements.some(({ sql }) => /^insert into .guests/.test(sql))).toBe(true)
      expect(await idempotencyRecords.count()).toBe(0)
      await guests.create({ name: 'gil', visits: 0 }, { idempotencyKey })
      // what a call with a key that is taken runs: it finds what the first one gave
      const again = await guests.create({ name: 'gil', visits: 0 }, { idempotencyKey, explain: true })
      expect(again.statements.length).toBeGreaterThan(0)
      expect(again.statements.some(({ sql }) => /^insert into .guests/.test(sql))).toBe(false)
      expect(await rejectionOf(guests.create({ name: 'hal', visits: 0 }, { idempotencyKey, explain: true }))).toMatchObject({
        code: 'IDEMPOTENCY_KEY_REUSED',
      })
    })

    it('shows what is written down of an audited row', async () => {
      const { statements } = await writes['update that is audited']!({ explain: true })
      expect(statements.some(({ sql }) => /^insert into .audit_entries/.test(sql))).toBe(true)
    })

    it('throws what the write throws, and leaves the transaction around it as it was', async () => {
      const { makers, pieces } = use.nodes
      const options = { explain: true } as const
      const before = await allRows()
      await use.db.transaction(async () => {
        expect(await rejectionOf(makers.create({ name: 'Ada' }, options))).toMatchObject({ code: 'UNIQUE_VIOLATION', fields: ['name'] })
        expect(await rejectionOf(makers.update({ where: { name: 'Ada' }, set: { name: 'x' }, version: 9 }, options))).toMatchObject({
          code: 'STALE_VERSION',
        })
        expect(await rejectionOf(pieces.create({ makerId: -1, title: 'x' }, options))).toMatchObject({ code: 'FOREIGN_KEY_VIOLATION' })
        expect(await allRows()).toEqual(before)
        await makers.create({ name: 'Cleo' })
      })
      expect(await makers.count()).toBe(3)
    })

    it('takes a row that is not there for no error', async () => {
      const { guests, makers } = use.nodes
      const options = { explain: true } as const
      for (const { statements } of [
        await guests.update({ where: { id: -1 }, set: { visits: 1 } }, options),
        await guests.delete({ where: { id: -1 } }, options),
        await makers.delete({ where: { name: 'nobody' } }, options),
        await makers.restore({ where: { id: -1 } }, options),
      ])
        expect(statements.length).toBeGreaterThan(0)
    })

    it('refuses what the write refuses, and other values of the option, before any statement', async () => {
      const { makers, guests } = use.nodes
      const refused = async () => {
        const errors = [
          await rejectionOf(makers.create({ name: 7 } as never, { explain: true })),
          await rejectionOf(makers.bulkDelete({} as never, { explain: true })),
          await rejectionOf(guests.create({ name: 'x' } as never, { explain: true })),
          await rejectionOf(makers.create({ name: 'x' }, { explain: true, for: 'update' } as never)),
          await rejectionOf(makers.create({ name: 'x' }, { explain: 'yes' } as never)),
          await rejectionOf(makers.create({ name: 'x' }, { explain: false } as never)),
        ]
        expect(errors.map(({ code }) => code)).toEqual([
          'VALIDATION',
          'VALIDATION',
          'VALIDATION',
          'UNKNOWN_FIELD',
          'VALIDATION',
          'VALIDATION',
        ])
      }
      expect(await statementsOf(refused)).toBe(0)
    })

    it('takes all rows of a bulk write, chunk by chunk, and keeps no chunk', async () => {
      function* rows() {
        for (let index = 0; index < 2_001; index++) yield { makerId: maker.id, title: String(index) }
      }
      const before = await use.nodes.pieces.count()
      const { statements } = await use.nodes.pieces.bulkCreate({ rows: rows() }, { explain: true, transaction: false })
      const inserts = statements.filter(({ sql }) => sql.startsWith('insert'))
      expect(inserts.length).toBeGreaterThanOrEqual(3)
      expect(await use.nodes.pieces.count()).toBe(before)
    })

    it('stops in time and when its signal is aborted, and leaves nothing', async () => {
      const before = await allRows()
      const { makers, pieces } = use.nodes
      const late = await rejectionOf(pieces.bulkCreate({ rows: endless(maker.id) }, { explain: true, timeoutMs: 200 }))
      expect(late).toBeInstanceOf(QueryTimeoutError)
      const controller = new AbortController()
      const rows = endless(maker.id, () => controller.abort(new Error('enough')))
      const stopped = await rejectionOf(pieces.bulkCreate({ rows }, { explain: true, signal: controller.signal }))
      expect(stopped).toMatchObject({ code: 'ABORTED' })
      expect(await rejectionOf(makers.create({ name: 'x' }, { explain: true, signal: AbortSignal.abort() }))).toMatchObject({
        code: 'ABORTED',
      })
      expect(await allRows()).toEqual(before)
    })

    it('is told of as a call of its node', async () => {
      const events: NodeEvent[] = []
      const listener = (event: NodeEvent) => void events.push(event)
      nodeEvents.subscribe(listener)
      try {
        await writes.create!({ explain: true })
        await use.nodes.pieces.stream({}, { explain: true })
      } finally {
        nodeEvents.unsubscribe(listener)
      }
      expect(events.map(({ node, error }) => [node, error])).toEqual([
        ['MakerCreateNode', undefined],
        ['PieceStreamNode', undefined],
      ])
    })
  })
})

/** Calls a write as it is. */
function plainly(write: (mode: Mode) => Promise<unknown>): Promise<unknown> {
  return write({} as Mode)
}

function undo(): never {
  throw new Error('undo')
}

/** More rows than anyone takes. */
function* endless(makerId: number, onSecondChunk?: () => void) {
  for (let index = 0; ; index++) {
    if (index === 1_500) onSecondChunk?.()
    yield { makerId, title: 'again' }
  }
}
