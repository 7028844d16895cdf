import fc from 'fast-check'
import { createDatabase, type Database, deletedAt, field, type Generated, id, model, tenant } from 'latchwork'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { poolRegistry } from '../../lib/pool/pool-registry.js'
import { forEachEngine } from '../support/engines.js'
import { statementsOf } from './use-blog.js'
import { rejectionOf, useDatabase } from './use-database.js'

/** A number as its key, and another. */
@model()
class Part {
  @id() id!: Generated<number>
  @field.bigint({ unique: true }) serial!: bigint
  @field.uuid({ unique: true }) tag!: string
  @field.text({ unique: true, maxLength: 20 }) label!: string
  @field.bytes() body!: Uint8Array
  @deletedAt() deletedAt!: Generated<Date | null>
}

/** Rows of several tenants in one table, each with numbers of its own. */
@model({ uniques: [{ on: ['orgId', 'number'] }] })
class Bin {
  @id() id!: Generated<number>
  @tenant() orgId!: Generated<number>
  @field.integer() number!: number
  @field.text({ maxLength: 20 }) name!: string
}

const models = { parts: Part, bins: Bin } as const
/** Too few to go in two statements beside the one that goes alone. */
const PARTS = 16
const FIRST_SERIAL = 9_007_199_254_740_993n

const tagOf = (n: number) => `00000000-0000-4000-8000-0000000ABC${String(n).padStart(2, '0')}`
const partsUpTo = (count: number) =>
  Array.from({ length: count }, (_, n) => ({
    serial: FIRST_SERIAL + BigInt(n),
    tag: tagOf(n),
    label: `part ${n}`,
    body: new Uint8Array([n]),
  }))

forEachEngine((engine) => {
  describe('reads by key that come while others are under way', () => {
    const use = useDatabase(engine, models)
    const all = Array.from({ length: PARTS }, (_, n) => n)
    let ids: number[]

    beforeAll(async () => {
      const { rows } = await use.nodes.parts.bulkCreate({ rows: partsUpTo(PARTS), returning: true })
      ids = rows!.map((row) => row.id)
      for (const orgId of [1, 2, 3])
        await use.db.withTenant(orgId, () =>
          use.nodes.bins.bulkCreate({ rows: all.map((n) => ({ number: n, name: `bin ${n} of ${orgId}` })) }),
        )
    })

    /** The first goes alone; on SQLite each is answered before the next one is asked. */
    const statements = engine.name === 'sqlite' ? PARTS : 2

    it('go together in one statement, by a number, a bigint or a UUID', async () => {
      const { parts } = use.nodes
      const byId = () => Promise.all(ids.map((id) => parts.read({ where: { id } }, { select: ['label'] })))
      const labels = all.map((n) => ({ label: `part ${n}` }))
      expect(await byId()).toEqual(labels)
      expect(await statementsOf(byId)).toBe(statements)
      const bySerial = () =>
        Promise.all(all.map((n) => parts.readOrThrow({ where: { serial: FIRST_SERIAL + BigInt(n) } }, { select: ['label'] })))
      expect(await bySerial()).toEqual(labels)
      expect(await statementsOf(bySerial)).toBe(statements)
      const byTag = () =>
        Promise.all(all.map((n) => parts.read({ where: { tag: n % 2 === 0 ? tagOf(n) : tagOf(n).toLowerCase() } }, { select: ['label'] })))
      expect(await byTag()).toEqual(labels)
      expect(await statementsOf(byTag)).toBe(statements)
    })

    it('go in two statements at a time where there are enough for two', async () => {
      const { parts } = use.nodes
      const wanted = Array.from({ length: 320 }, (_, n) => ids[n % PARTS]!)
      const byMany = async () => {
        const rows = await Promise.all(wanted.map((id) => parts.read({ where: { id } })))
        expect(rows.map((row) => row?.id)).toEqual(wanted)
      }
      await byMany()
      const sent = await statementsOf(byMany)
      if (engine.name === 'sqlite') expect(sent).toBe(wanted.length)
      else expect(sent).toBeLessThanOrEqual(8)
    })

    it('go alone where that is said, where they may be stopped, by a text, in a transaction, under a lock, and with a lock of rows', async () => {
      const { parts } = use.nodes
      const each = (read: (n: number) => Promise<unknown>) => statementsOf(() => Promise.all(all.map(read)))
      expect(await each((n) => parts.read({ where: { id: ids[n]! } }, { batch: false }))).toBe(PARTS)
      expect(await each((n) => parts.read({ where: { id: ids[n]! } }, { timeoutMs: 60_000 }))).toBe(PARTS)
      expect(await each((n) => parts.read({ where: { id: ids[n]! } }, { signal: new AbortController().signal }))).toBe(PARTS)
      expect(await each((n) => parts.read({ where: { label: `part ${n}` } }))).toBe(PARTS)
      expect(await each((n) => use.db.lock(`part ${n}`, () => parts.read({ where: { id: ids[n]! } })))).toBe(PARTS)
      const inOne = () => use.db.transaction(() => Promise.all(ids.map((id) => parts.read({ where: { id } }))))
      expect((await inOne()).map((row) => row?.label)).toEqual(all.map((n) => `part ${n}`))
      expect(await statementsOf(inOne)).toBe(PARTS)
      const locked = () => use.db.transaction(() => Promise.all(ids.map((id) => parts.read({ where: { id } }, { for: 'update' }))))
      expect(await statementsOf(locked)).toBe(PARTS)
    })

    it('go alone in a database with batchReads: false, whatever a call says', async () => {
      const { parts } = use.another({ batchReads: false }).nodes
      const read = () => Promise.all(ids.map((id) => parts.read({ where: { id } }, { select: ['label'], batch: true })))
      expect(await read()).toEqual(all.map((n) => ({ label: `part ${n}` })))
      expect(await statementsOf(read)).toBe(PARTS)
      expect(() => use.another({ batchReads: 0 as never })).toThrow('batchReads: expected true or false, got a whole number')
    })

    it('give null or an error where there is no row, and a row of its own to each who asks for the same', async () => {
      const { parts } = use.nodes
      const wanted = [ids[0]!, -1, ids[1]!, ids[1]!, ids[1]!, -2]
      const rows = await Promise.all(wanted.map((id) => parts.read({ where: { id } }, { select: ['label', 'body'] })))
      expect(rows.map((row) => row?.label)).toEqual(['part 0', undefined, 'part 1', 'part 1', 'part 1', undefined])
      const [, , one, two, three] = rows
      one!.body[0] = 99
      one!.label = 'changed'
      for (const other of [two!, three!]) expect(other).toEqual({ label: 'part 1', body: new Uint8Array([1]) })
      const settled = await Promise.allSettled(wanted.map((id) => parts.readOrThrow({ where: { id } })))
      expect(settled.map((each) => (each.status === 'rejected' ? each.reason.code : each.value.label))).toEqual([
        'part 0',
        'NOT_FOUND',
        'part 1',
        'part 1',
        'part 1',
        'NOT_FOUND',
      ])
    })

    it('keep apart what is selected, what is seen of deleted rows, and what is asked beside the key', async () => {
      const { parts } = use.nodes
      await use.db.nodes.parts.delete({ where: { id: ids[5]! } })
      try {
        const id = ids[5]!
        const reads = [
          () => parts.read({ where: { id } }),
          () => parts.read({ where: { id } }, { select: ['label'], deleted: 'include' }),
          () => parts.read({ where: { id: ids[6]! } }, { select: ['serial'], deleted: 'include' }),
          () => parts.read({ where: { id } }, { select: ['label'], deleted: 'only' }),
          () => parts.read({ where: { id: ids[6]!, label: 'part 7' } }, { select: ['label'] }),
          () => parts.read({ where: { id: ids[6]!, label: 'part 6' } }, { select: ['label'] }),
          () => parts.read({ where: { id: ids[6]! } }, { select: ['label'], deleted: 'only' }),
        ]
        const rows = await Promise.all([...reads, ...reads].map((read) => read()))
        const expected = [null, { label: 'part 5' }, { serial: FIRST_SERIAL + 6n }, { label: 'part 5' }, null, { label: 'part 6' }, null]
        expect(rows).toEqual([...expected, ...expected])
      } finally {
        await parts.restore({ where: { id: ids[5]! } })
      }
    })

    it('keep tenants apart', async () => {
      const { bins } = use.nodes
      const read = (orgId: number, n: number) => use.db.withTenant(orgId, () => bins.read({ where: { number: n } }))
      const asked = all.flatMap((n) => [1, 2, 3].map((orgId) => ({ orgId, n })))
      const run = () => Promise.all(asked.map(({ orgId, n }) => read(orgId, n)))
      expect((await run()).map((row) => row?.name)).toEqual(asked.map(({ orgId, n }) => `bin ${n} of ${orgId}`))
      expect(await statementsOf(run)).toBe(statements * 3)
    })

    it('stop for one alone that is aborted, or refused before anything is sent', async () => {
      const { parts } = use.nodes
      const gone = new AbortController()
      const early = AbortSignal.abort(new Error('gone before'))
      const reads = ids.map((id, n) => {
        if (n === 3) return parts.read({ where: { id } }, { signal: gone.signal })
        if (n === 4) return parts.read({ where: { id } }, { signal: early })
        if (n === 5) return parts.read({ where: { id: 'five' as never } })
        return parts.read({ where: { id } }, n % 2 === 0 ? { timeoutMs: 60_000 } : {})
      })
      gone.abort(new Error('gone'))
      const settled = await Promise.allSettled(reads)
      const outcomes = settled.map((each) => (each.status === 'rejected' ? each.reason.code : each.value?.label))
      const isAnswered = engine.name === 'sqlite'
      const expected = all.map((n) => (n === 3 && !isAnswered ? 'ABORTED' : n === 4 ? 'ABORTED' : n === 5 ? 'VALIDATION' : `part ${n}`))
      expect(outcomes).toEqual(expected)
    })

    it('see what their caller has written', async () => {
      const { parts } = use.nodes
      const rename = async (id: number, n: number) => {
        for (const round of [1, 2, 3]) {
          await parts.update({ where: { id }, set: { label: `part ${n}, ${round}` } })
          expect((await parts.read({ where: { id } }))?.label).toBe(`part ${n}, ${round}`)
        }
        await parts.update({ where: { id }, set: { label: `part ${n}` } })
      }
      await Promise.all(ids.map(rename))
    })

    it('refuse a batch that is neither true nor false', async () => {
      const { parts } = use.nodes
      const error = await rejectionOf(parts.read({ where: { id: 1 } }, { batch: 'no' as never }))
      expect(error).toMatchObject({
        code: 'VALIDATION',
        message: expect.stringContaining('options.batch: expected true or false, got text'),
      })
      const other = await rejectionOf(parts.list({}, { batch: false } as never))
      expect(other).toMatchObject({ code: 'UNKNOWN_FIELD', message: expect.stringContaining('options.batch') })
    })

    it('give in any mixture what they give one by one', async () => {
      const { parts, bins } = use.nodes
      const select = fc.constantFrom(undefined, ['label'] as const, ['serial', 'body'] as const)
      const call = fc.record({
        kind: fc.constantFrom('id', 'serial', 'tag', 'bin'),
        n: fc.integer({ min: -2, max: PARTS + 1 }),
        orgId: fc.integer({ min: 1, max: 3 }),
        select,
        pause: fc.integer({ min: 0, max: 3 }),
      })
      type Call = typeof call extends fc.Arbitrary<infer T> ? T : never
      const run = ({ kind, n, orgId, select }: Call, batch: boolean): Promise<unknown> => {
        // nothing said beside the key is a way of its own
        const options = batch && select === undefined ? undefined : { batch, ...(select && { select }) }
        if (kind === 'id') return parts.read({ where: { id: ids[n] ?? -1 } }, options)
        if (kind === 'serial') return parts.read({ where: { serial: FIRST_SERIAL + BigInt(n) } }, options)
        if (kind === 'tag') return parts.read({ where: { tag: tagOf(Math.abs(n)) } }, options)
        return use.db.withTenant(orgId, () => bins.read({ where: { number: n } }, batch ? undefined : { batch }))
      }
      const paused = async (one: Call) => {
        for (let left = one.pause; left > 0; left--) await new Promise(setImmediate)
        return run(one, true)
      }
      await fc.assert(
        fc.asyncProperty(fc.array(call, { minLength: 1, maxLength: 80 }), async (calls) => {
          const together = await Promise.all(calls.map(paused))
          const alone = []
          for (const one of calls) alone.push(await run(one, false))
          expect(together).toEqual(alone)
        }),
        { numRuns: 60 },
      )
    })
  })

  describe('reads by key that go together', () => {
    const use = useDatabase(engine, models)
    let opened: Database<typeof models>[] = []
    const open = (pool: object) => {
      const db = createDatabase({ url: use.url, models, pool: { share: false, ...pool } })
      opened.push(db)
      return db
    }

    beforeAll(async () => {
      await use.nodes.parts.bulkCreate({ rows: partsUpTo(PARTS) })
    })

    afterEach(async () => {
      await Promise.all(opened.map((db) => db.close({ timeoutMs: 1_000 })))
      opened = []
      expect(poolRegistry().stats().dedicated).toBe(0)
    })

    it('wait for a connection as one', async () => {
      const db = open({ maxConnections: 1 })
      await db.ping()
      let free = () => {}
      const held = db.transaction(
        () =>
          new Promise<void>((resolve) => {
            free = resolve
          }),
      )
      await expect.poll(() => db.poolInfo()?.stats?.leased ?? 0).toBeGreaterThanOrEqual(engine.name === 'sqlite' ? 0 : 1)
      const serials = Array.from({ length: PARTS }, (_, n) => FIRST_SERIAL + BigInt(n))
      const sent = await statementsOf(async () => {
        const reads = serials.map((serial) => db.nodes.parts.read({ where: { serial } }))
        // more come while they wait
        await new Promise((resolve) => setTimeout(resolve, 20))
        reads.push(...serials.map((serial) => db.nodes.parts.read({ where: { serial } })))
        free()
        const rows = await Promise.all(reads)
        expect(rows.map((row) => row?.serial)).toEqual([...serials, ...serials])
      })
      await held
      if (engine.name !== 'sqlite') expect(sent).toBeLessThanOrEqual(4)
    })

    it('fail each by itself where their statement does', async () => {
      const db = open({})
      await db.nodes.parts.count()
      const { parts } = db.nodes
      await engine.admin(use.url, 'alter table parts rename to spare_parts')
      try {
        const settled = await Promise.allSettled(Array.from({ length: 10 }, (_, n) => parts.read({ where: { id: n } })))
        const errors = settled.map((each) => (each.status === 'rejected' ? each.reason : undefined))
        expect(errors.map((error) => error?.code)).toEqual(Array.from({ length: 10 }, () => 'QUERY'))
        expect(new Set(errors).size).toBe(10)
      } finally {
        await engine.admin(use.url, 'alter table spare_parts rename to parts')
      }
    })

    it('are waited for by a close of the database', async () => {
      // who has to wait for a connection still is refused
      const db = open({ minConnections: 2 })
      await db.ping()
      await expect.poll(() => db.poolInfo()?.stats?.idle).toBe(2)
      const reads = Array.from({ length: PARTS }, (_, n) => db.nodes.parts.read({ where: { serial: FIRST_SERIAL + BigInt(n) } }))
      // each has been called by now: an async function begins at once
      await Promise.all([db.close(), ...reads])
      expect((await Promise.all(reads)).map((row) => row?.label)).toEqual(Array.from({ length: PARTS }, (_, n) => `part ${n}`))
    })
  })
})
