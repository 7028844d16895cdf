import {
  belongsTo,
  createDatabase,
  deletedAt,
  ForeignKeyViolationError,
  field,
  type Generated,
  hasMany,
  id,
  type Many,
  ModelError,
  model,
  type One,
  updatedAt,
  version,
} from 'latchwork'
import { manualClock } from 'latchwork/testing'
import { beforeEach, describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { isValid } from '../support/json-schema-check.js'
import { statementsOf } from './use-blog.js'
import { rejectionOf, useDatabase } from './use-database.js'

@model()
class Shelf {
  @id() id!: Generated<number>
  @field.text({ maxLength: 20 }) name!: string
  @updatedAt() updatedAt!: Generated<Date>
  @version() version!: Generated<number>
  @deletedAt() deletedAt!: Generated<Date | null>
  @hasMany(() => Box, 'shelfId') boxes!: Many<Box>
}

/** Goes with its shelf. */
@model()
class Box {
  @id() id!: Generated<number>
  @field.integer() shelfId!: number
  @field.text({ maxLength: 20 }) name!: string
  @version() version!: Generated<number>
  @deletedAt() deletedAt!: Generated<Date | null>
  @belongsTo(() => Shelf, { foreignKey: 'shelfId', onDelete: 'cascade' }) shelf!: One<Shelf>
  @hasMany(() => Item, 'boxId') items!: Many<Item>
  @hasMany(() => Sticker, 'boxId') stickers!: Many<Sticker>
}

/** Goes with its box, and with what it is part of. */
@model()
class Item {
  @id() id!: Generated<number>
  @field.integer() boxId!: number
  @field.integer({ nullable: true }) partOfId!: number | null
  @deletedAt() deletedAt!: Generated<Date | null>
  @belongsTo(() => Box, { foreignKey: 'boxId', onDelete: 'cascade' }) box!: One<Box>
  @belongsTo(() => Item, { foreignKey: 'partOfId', onDelete: 'cascade' }) partOf!: One<Item> | null
}

/** Stays, without its box. */
@model()
class Sticker {
  @id() id!: Generated<number>
  @field.integer({ nullable: true }) boxId!: number | null
  @version() version!: Generated<number>
  @belongsTo(() => Box, { foreignKey: 'boxId', onDelete: 'setNull' }) box!: One<Box> | null
}

/** Keeps its shelf from going. */
@model()
class Lease {
  @id() id!: Generated<number>
  @field.integer() shelfId!: number
  @belongsTo(() => Shelf, 'shelfId') shelf!: One<Shelf>
}

const models = { shelves: Shelf, boxes: Box, items: Item, stickers: Sticker, leases: Lease } as const
const NOON = new Date('2026-01-31T12:00:00.123Z')

forEachEngine((engine) => {
  describe('a row that is marked as deleted', () => {
    const clock = manualClock(NOON)
    const use = useDatabase(engine, models, { now: clock.now })
    const ids = new Map<string, number>()

    beforeEach(async () => {
      clock.set(NOON)
      await use.clear()
      const { shelves, boxes, items, stickers } = use.nodes
      for (const name of ['a', 'b']) {
        const shelf = await shelves.create({ name })
        ids.set(name, shelf.id)
        for (const part of ['1', '2']) {
          const box = await boxes.create({ shelfId: shelf.id, name: `${name}${part}` })
          const item = await items.create({ boxId: box.id, partOfId: null })
          await items.create({ boxId: box.id, partOfId: item.id })
          await stickers.create({ boxId: box.id })
        }
      }
    })

    const named = (name: string) => use.nodes.shelves.readOrThrow({ where: { id: ids.get(name)! } })
    const counts = async () => {
      const { shelves, boxes, items } = use.nodes
      return [await shelves.count(), await boxes.count(), await items.count()]
    }

    it('takes along what cascades from it, at any depth, with the same instant and the versions counted up', async () => {
      const gone = await use.nodes.shelves.delete({ where: { id: ids.get('a')! } })
      expect(gone).toMatchObject({ name: 'a', deletedAt: NOON, version: 2 })
      expect(await counts()).toEqual([1, 2, 4])
      const marked = await use.nodes.boxes.list({ orderBy: { name: 'asc' } }, { deleted: 'only' })
      expect(marked.rows.map(({ name, version, deletedAt }) => [name, version, deletedAt])).toEqual([
        ['a1', 2, NOON],
        ['a2', 2, NOON],
      ])
    })

    it('takes along in bulk, and says how many rows of its own model went', async () => {
      expect(await use.nodes.shelves.bulkDelete({ all: true })).toEqual({ count: 2 })
      expect(await counts()).toEqual([0, 0, 0])
      expect(await use.nodes.shelves.bulkDelete({ all: true })).toEqual({ count: 0 })
    })

    it('leaves null where it was referred to with setNull', async () => {
      await use.nodes.boxes.bulkDelete({ where: { name: 'a1' } })
      const stickers = (await use.nodes.stickers.list({ orderBy: { id: 'asc' } })).rows
      expect(stickers.map(({ boxId, version }) => [boxId === null, version])).toEqual([
        [true, 2],
        [false, 1],
        [false, 1],
        [false, 1],
      ])
    })

    it('is refused while rows refer to it that are not to lose it, with nothing changed', async () => {
      await use.nodes.leases.create({ shelfId: ids.get('a')! })
      const error = await rejectionOf(use.nodes.shelves.delete({ where: { id: ids.get('a')! } }))
      expect(error).toBeInstanceOf(ForeignKeyViolationError)
      expect(error).toMatchObject({ model: 'Lease', fields: ['shelfId'] })
      expect(await rejectionOf(use.nodes.shelves.bulkDelete({ all: true }))).toBeInstanceOf(ForeignKeyViolationError)
      // in a transaction that goes on, too
      await use.db.transaction(async () => {
        await rejectionOf(use.nodes.shelves.delete({ where: { id: ids.get('a')! } }))
        expect(await counts()).toEqual([2, 4, 8])
      })
      expect(await counts()).toEqual([2, 4, 8])
      await use.nodes.leases.bulkDelete({ all: true })
      await use.nodes.shelves.delete({ where: { id: ids.get('a')! } })
      expect(await counts()).toEqual([1, 2, 4])
    })

    it('is seen where that is asked for, and nowhere else', async () => {
      const { shelves } = use.nodes
      const where = { id: ids.get('a')! }
      await shelves.delete({ where })
      expect(await shelves.read({ where })).toBeNull()
      expect(await shelves.read({ where }, { deleted: 'include' })).toMatchObject({ name: 'a' })
      expect(await shelves.read({ where: { id: ids.get('b')! } }, { deleted: 'only' })).toBeNull()
      expect((await shelves.list({ orderBy: { name: 'asc' } }, { deleted: 'include' })).rows.map(({ name }) => name)).toEqual(['a', 'b'])
      expect([
        await shelves.count({}, { deleted: 'only' }),
        await shelves.exists({ where }, { deleted: 'only' }),
        await shelves.exists({ where }),
      ]).toEqual([1, true, false])
      expect(await shelves.aggregate({ values: { n: '$count' } }, { deleted: 'include' })).toEqual([{ n: 2 }])
      expect((await shelves.readMany({ keys: [where] }, { deleted: 'include' }))[0]?.name).toBe('a')
      const streamed: string[] = []
      for await (const { name } of shelves.stream({}, { deleted: 'only' })) streamed.push(name)
      expect(streamed).toEqual(['a'])
      expect((await use.nodes.boxes.list({}, { deleted: 'only', include: { shelf: true } })).rows.map(({ shelf }) => shelf)).toEqual([
        null,
        null,
      ])
      expect(await rejectionOf(use.nodes.leases.list({}, { deleted: 'only' }))).toMatchObject({ code: 'VALIDATION' })
      expect(await rejectionOf(shelves.list({}, { deleted: true } as never))).toMatchObject({ code: 'VALIDATION' })
    })

    it('is seen in an include that asks for it, at any depth, and in no other', async () => {
      const { shelves, boxes, items } = use.nodes
      const where = { id: ids.get('a')! }
      await boxes.bulkDelete({ where: { name: 'a1' } })
      const names = { select: ['name'], orderBy: { name: 'asc' } } as const
      const listed = async (deleted?: 'include' | 'only') => {
        const given = deleted === undefined ? names : { ...names, deleted }
        return (await shelves.readOrThrow({ where, include: { boxes: given } })).boxes.map(({ name }) => name)
      }
      expect([await listed(), await listed('include'), await listed('only')]).toEqual([['a2'], ['a1', 'a2'], ['a1']])

      await shelves.delete({ where })
      // what is said of the list is not said of what it includes, nor the other way round
      const [box] = (await boxes.list({ where: { name: 'a2' }, include: { shelf: true } }, { deleted: 'include' })).rows
      expect(box!.shelf).toBeNull()
      expect(await boxes.count({ where: { shelf: where } }, { deleted: 'include' })).toBe(0)
      const up = { box: { deleted: 'include', select: ['name'], include: { shelf: { deleted: 'only', select: ['name'] } } } } as const
      const oneOf = async (name: string) =>
        (await items.list({ where: { partOfId: null }, orderBy: { id: 'asc' }, include: up }, { deleted: 'include' })).rows
          .map(({ box }) => box)
          .filter((box) => box?.name === name)
      expect(await oneOf('a2')).toEqual([{ name: 'a2', shelf: { name: 'a' } }])
      expect(await oneOf('b1')).toEqual([{ name: 'b1', shelf: null }])
      // loaded by statements of their own, down and up again
      const down = await shelves.readOrThrow(
        {
          where,
          include: {
            boxes: {
              deleted: 'only',
              ...names,
              where: { name: 'a2' },
              include: {
                shelf: { deleted: 'include', select: ['name'] },
                items: { deleted: 'include', select: ['boxId'], include: { partOf: true } },
              },
            },
          },
        },
        { deleted: 'only' },
      )
      const parted = { boxId: box!.id, partOf: null }
      expect(down.boxes).toEqual([{ name: 'a2', shelf: { name: 'a' }, items: [parted, parted] }])
      const changed = await boxes.restore({ where: { id: box!.id } }, { include: { shelf: { deleted: 'include' } } })
      expect(changed.shelf).toMatchObject({ name: 'a', deletedAt: NOON })
    })

    it('is no different for an include that is prepared before or after another', async () => {
      const { boxes } = use.nodes
      await use.nodes.shelves.delete({ where: { id: ids.get('a')! } })
      const seen = async (deleted: 'include' | 'only' | undefined) => {
        const include = { shelf: deleted === undefined ? true : { deleted } } as const
        const { rows } = await boxes.list(
          { where: { name: { $endsWith: '1' } }, orderBy: { name: 'asc' }, include },
          { deleted: 'include' },
        )
        return rows.map(({ shelf }) => (shelf as { name: string } | null)?.name)
      }
      for (const again of [1, 2]) {
        expect(await seen(undefined), String(again)).toEqual([undefined, 'b'])
        expect(await seen('include')).toEqual(['a', 'b'])
        expect(await seen('only')).toEqual(['a', undefined])
      }
    })

    it('is refused in an include with another value, of a model that marks none, and for calls from outside', async () => {
      const { shelves, stickers, boxes } = use.nodes
      const refused = async () => {
        const errors = [
          await rejectionOf(shelves.list({ include: { boxes: { deleted: 'with' } } } as never)),
          await rejectionOf(shelves.list({ include: { boxes: { deleted: true } } } as never)),
          await rejectionOf(stickers.list({ include: { box: { include: { stickers: { deleted: 'only' } } } } } as never)),
          await rejectionOf(boxes.list({ include: { stickers: { deleted: 'include' } } })),
          await rejectionOf(shelves.list({ include: { boxes: { deleted: 'include' } } }, { redact: true } as never)),
        ]
        expect(errors.map(({ message }) => message)).toEqual([
          expect.stringContaining("include.boxes.deleted: expected 'include' or 'only'"),
          expect.stringContaining("include.boxes.deleted: expected 'include' or 'only'"),
          expect.stringContaining('include.box.include.stickers.deleted: the model has no deletedAt'),
          expect.stringContaining('include.stickers.deleted: the model has no deletedAt'),
          expect.stringContaining('include.boxes.deleted: is not for calls from outside'),
        ])
        for (const error of errors) expect(error).toMatchObject({ code: 'VALIDATION' })
      }
      expect(await statementsOf(refused)).toBe(0)
      // nor do published schemas tell of it
      expect(isValid(shelves.list.inputSchema, { include: { boxes: { deleted: 'include' } } })).toBe(false)
      expect(isValid(shelves.list.inputSchema, { include: { boxes: { limit: 1 } } })).toBe(true)
    })

    it('comes back with what went with it, and without what had gone before', async () => {
      const { shelves, boxes } = use.nodes
      await boxes.bulkDelete({ where: { name: 'a2' } })
      clock.advance(1_000)
      const where = { id: ids.get('a')! }
      await shelves.delete({ where })
      expect(await counts()).toEqual([1, 2, 4])
      clock.advance(1_000)
      const back = await shelves.restore({ where }, { include: { boxes: { select: ['name'] } } })
      expect(back).toMatchObject({ name: 'a', deletedAt: null, version: 3, updatedAt: clock.now(), boxes: [{ name: 'a1' }] })
      expect(await counts()).toEqual([2, 3, 6])
      expect(await rejectionOf(shelves.restore({ where }))).toMatchObject({ code: 'NOT_FOUND' })
      expect(await rejectionOf(shelves.restore({ where: { id: -1 } }))).toMatchObject({ code: 'NOT_FOUND' })
      expect(await rejectionOf(use.nodes.leases.restore({ where: { id: 1 } }))).toMatchObject({ code: 'VALIDATION' })
    })

    it('counts as gone for a version that is checked', async () => {
      const shelf = await named('a')
      expect(await rejectionOf(use.nodes.shelves.delete({ where: { id: shelf.id }, version: 9 }))).toMatchObject({ code: 'STALE_VERSION' })
      expect(await counts()).toEqual([2, 4, 8])
      await use.nodes.shelves.delete({ where: { id: shelf.id }, version: 1 })
      expect(await rejectionOf(use.nodes.shelves.delete({ where: { id: shelf.id } }))).toMatchObject({ code: 'NOT_FOUND' })
    })
  })
})

describe('a relation that cascades from rows that are only marked', () => {
  it('needs rows that can be marked too', () => {
    @model()
    class Crate {
      @id() id!: Generated<number>
      @deletedAt() deletedAt!: Generated<Date | null>
    }
    @model()
    class Bottle {
      @id() id!: Generated<number>
      @field.integer() crateId!: number
      @belongsTo(() => Crate, { foreignKey: 'crateId', onDelete: 'cascade' }) crate!: One<Crate>
    }
    const create = () => createDatabase({ url: 'sqlite::memory:', models: { crates: Crate, bottles: Bottle } })
    expect(create).toThrow(ModelError)
    expect(create).toThrow(/@deletedAt/)
  })
})
