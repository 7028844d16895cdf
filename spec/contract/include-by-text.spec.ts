import { belongsTo, deletedAt, field, type Generated, hasMany, id, type Many, model, type One } from 'latchwork'
import { beforeEach, describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { useDatabase } from './use-database.js'

@model()
class Shelf {
  @id() id!: Generated<number>
  /** Of several shelves. */
  @field.text({ maxLength: 10 }) topic!: string
  /** Of one shelf that is there, and of any number that are not. */
  @field.text({ maxLength: 10, unique: true }) label!: string
  @deletedAt() deletedAt!: Generated<Date | null>
  @hasMany(() => Volume, { foreignKey: 'topic', references: 'topic' }) onTopic!: Many<Volume>
  @hasMany(() => Volume, { foreignKey: 'label', references: 'label' }) labelled!: Many<Volume>
}

@model()
class Volume {
  @id() id!: Generated<number>
  @field.text({ maxLength: 10 }) topic!: string
  @field.text({ maxLength: 10 }) label!: string
  @belongsTo(() => Shelf, { foreignKey: 'label', references: 'label', constraint: false }) shelf!: One<Shelf> | null
}

forEachEngine((engine) => {
  describe('rows that are related by a text', () => {
    const use = useDatabase(engine, { shelves: Shelf, volumes: Volume })

    beforeEach(() => use.clear())

    const idsOf = (rows: readonly { readonly id: number }[]) => rows.map(({ id }) => id)

    it('are each given once to each of several owners with the same', async () => {
      const { shelves, volumes } = use.nodes
      const [one, two] = [await shelves.create({ topic: 'art', label: 'a' }), await shelves.create({ topic: 'art', label: 'b' })]
      const first = await volumes.create({ topic: 'art', label: 'a' })
      const second = await volumes.create({ topic: 'art', label: 'b' })
      const both = [first.id, second.id]
      const options = { include: { onTopic: { orderBy: { id: 'asc' } } } } as const
      const { rows } = await shelves.list({ orderBy: { id: 'asc' }, ...options })
      expect(rows.map(({ onTopic }) => idsOf(onTopic))).toEqual([both, both])
      expect(idsOf((await shelves.readOrThrow({ where: { id: two.id }, ...options })).onTopic)).toEqual(both)
      const limited = await shelves.list({ orderBy: { id: 'asc' }, include: { onTopic: { orderBy: { id: 'asc' }, limit: 2 } } })
      expect(limited.rows.map(({ onTopic }) => idsOf(onTopic))).toEqual([both, both])
      expect(idsOf((await shelves.readOrThrow({ where: { id: one.id }, include: { labelled: true } })).labelled)).toEqual([first.id])
    })

    it('are each given once, also where others had the text and are deleted', async () => {
      const { shelves, volumes } = use.nodes
      for (let round = 0; round < 3; round++) {
        const { id } = await shelves.create({ topic: 'art', label: 'a' })
        if (round < 2) await shelves.delete({ where: { id } })
      }
      const { id } = await volumes.create({ topic: 'art', label: 'a' })
      const { rows } = await shelves.list({ include: { labelled: true, onTopic: true } })
      expect(rows.map(({ labelled, onTopic }) => [idsOf(labelled), idsOf(onTopic)])).toEqual([[[id], [id]]])
      expect((await volumes.list({ include: { shelf: true } })).rows).toMatchObject([{ id, shelf: { label: 'a' } }])
    })

    if (engine.name === 'mysql') {
      it('are given to owners whose text the database takes for the same', async () => {
        for (const table of ['shelfs', 'volumes'])
          await engine.admin(use.url, `alter table ${table} convert to character set utf8mb4 collate utf8mb4_general_ci`)
        const { shelves, volumes } = use.nodes
        await shelves.create({ topic: 'Art', label: 'a' })
        const small = await shelves.create({ topic: 'art', label: 'b' })
        const { id } = await volumes.create({ topic: 'ART', label: 'a' })
        const include = { onTopic: true } as const
        expect((await shelves.list({ include })).rows.map(({ onTopic }) => idsOf(onTopic))).toEqual([[id], [id]])
        expect(idsOf((await shelves.readOrThrow({ where: { id: small.id }, include })).onTopic)).toEqual([id])
      })
    }
  })
})
