import { belongsTo, ForeignKeyViolationError, field, id, model, type One } from 'latchwork'
import { beforeEach, describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { rejectionOf, useDatabase } from './use-database.js'

@model({ table: 'shelves' })
class Shelf {
  @id.text({ maxLength: 20 }) room!: string
  @id.integer({ column: 'nr' }) position!: number
  @field.text({ maxLength: 20, nullable: true }) aboveRoom!: string | null
  @field.integer({ column: 'above_nr', nullable: true }) abovePosition!: number | null
  @belongsTo(() => Shelf, { foreignKey: ['aboveRoom', 'abovePosition'] }) above!: One<Shelf> | null
}

@model({ table: 'boxes' })
class Box {
  @id.text({ maxLength: 20 }) code!: string
  @field.text({ maxLength: 20, nullable: true }) room!: string | null
  @field.integer({ nullable: true }) shelf!: number | null
  @belongsTo(() => Shelf, { foreignKey: ['room', 'shelf'], onUpdate: 'restrict', onDelete: 'restrict' }) place!: One<Shelf> | null
}

const OF_BOX = { model: 'Box', fields: ['room', 'shelf'], constraint: 'boxes_room_shelf_fkey' }
const OF_SHELF = { model: 'Shelf', fields: ['aboveRoom', 'abovePosition'], constraint: 'shelves_above_room_above_nr_fkey' }

forEachEngine((engine) => {
  describe('a foreign key of several columns', () => {
    const house = useDatabase(engine, { shelves: Shelf, boxes: Box })
    const where = { room: 'cellar', position: 1 }

    house.rollBackEach()

    beforeEach(async () => {
      await house.nodes.shelves.bulkCreate({ rows: [1, 2, 3].map((position) => ({ room: 'cellar', position })) })
      await house.nodes.shelves.update({ where: { room: 'cellar', position: 2 }, set: { aboveRoom: 'cellar', abovePosition: 3 } })
      await house.nodes.boxes.create({ code: 'a', room: 'cellar', shelf: 1 })
    })

    const refused: readonly [string, object, () => Promise<unknown>][] = [
      ['a row of which one part is right', OF_BOX, () => house.nodes.boxes.create({ code: 'b', room: 'cellar', shelf: 9 })],
      ['an update of one part', OF_BOX, () => house.nodes.boxes.update({ where: { code: 'a' }, set: { room: 'attic' } })],
      ['an update of the key that is referred to', OF_BOX, () => house.nodes.shelves.update({ where, set: { position: 7 } })],
      [
        'arithmetic on the key that is referred to',
        OF_BOX,
        () => house.nodes.shelves.bulkUpdate({ where, set: { position: { $increment: 9 } } }),
      ],
      ['a delete of the row that is referred to', OF_BOX, () => house.nodes.shelves.delete({ where })],
      [
        'a row that refers to its own table in vain',
        OF_SHELF,
        () => house.nodes.shelves.create({ room: 'attic', position: 1, aboveRoom: 'attic', abovePosition: 2 }),
      ],
      [
        'an update that refers to its own table in vain',
        OF_SHELF,
        () => house.nodes.shelves.update({ where, set: { aboveRoom: 'attic', abovePosition: 2 } }),
      ],
      ['a delete in its own table', OF_SHELF, () => house.nodes.shelves.bulkDelete({ where: { position: 3 } })],
    ]

    it.each(refused)('is named for %s', async (_, named, call) => {
      const error = await rejectionOf(call())
      expect(error).toBeInstanceOf(ForeignKeyViolationError)
      expect(error).toMatchObject(named)
    })

    it('refers to nothing while one of them is null', async () => {
      await house.nodes.boxes.create({ code: 'b', room: 'attic', shelf: null })
      await house.nodes.boxes.create({ code: 'c' })
      await house.nodes.shelves.create({ room: 'attic', position: 1, aboveRoom: null, abovePosition: 5 })
      expect(await house.nodes.boxes.count()).toBe(3)
    })
  })
})
