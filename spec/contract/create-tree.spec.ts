import {
  belongsTo,
  createdAt,
  field,
  type Generated,
  hasMany,
  id,
  type Many,
  manyToMany,
  model,
  type One,
  TenantRequiredError,
  tenant,
  UniqueViolationError,
  UnknownFieldError,
  ValidationError,
  version,
} from 'latchwork'
import { afterEach, describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { models } from './blog.js'
import { statementsOf } from './use-blog.js'
import { rejectionOf, useDatabase } from './use-database.js'

/** Of a tenant; what refers to it shows its key as a number. */
@model()
class Crew {
  @id('bigint') id!: Generated<bigint>
  @tenant() orgId!: Generated<number>
  @field.text({ maxLength: 20, default: 'red' }) colour!: Generated<string>
  @createdAt() createdAt!: Generated<Date>
  @version() version!: Generated<number>
  @hasMany(() => Sailor, 'crewId') sailors!: Many<Sailor>
  @manyToMany(() => Sailor, { through: () => Shift, foreignKey: 'crewId', otherKey: 'sailorId' }) shifts!: Many<Sailor>
}

@model()
class Sailor {
  @id() id!: Generated<number>
  @tenant() orgId!: Generated<number>
  @field.bigint({ as: 'number' }) crewId!: number
  @field.text({ maxLength: 20, minLength: 2 }) name!: string
  @version() version!: Generated<number>
  @belongsTo(() => Crew, 'crewId') crew!: One<Crew>
}

/** Between the two, and of no use without its hours. */
@model()
class Shift {
  @id.bigint() crewId!: bigint
  @id.integer() sailorId!: number
  @field.integer() hours!: number
  @belongsTo(() => Crew, 'crewId') crew!: One<Crew>
  @belongsTo(() => Sailor, 'sailorId') sailor!: One<Sailor>
}

/** Nothing in it but keys that the database makes. */
@model()
class Bag {
  @id() id!: Generated<number>
  @hasMany(() => Bag, 'insideId') bags!: Many<Bag>
  @field.integer({ nullable: true }) insideId!: number | null
  @belongsTo(() => Bag, 'insideId') inside!: One<Bag> | null
}

const ships = { crews: Crew, sailors: Sailor, shifts: Shift, bags: Bag } as const

const FULL = { topics: { orderBy: { area: 'asc', name: 'asc' } } } as const

forEachEngine((engine) => {
  describe('a row that is created with rows of its relations', () => {
    const use = useDatabase(engine, models)
    afterEach(async () => {
      // or MariaDB would not let the table go that refers to itself
      await use.nodes.writers.bulkUpdate({ all: true, set: { mentorId: null } })
      await use.clear()
    })

    it('comes after the rows it belongs to and before those that belong to it, at any depth', async () => {
      const { writers } = use.nodes
      const ada = await writers.create(
        {
          name: 'Ada',
          country: { code: 'FR', name: 'France' },
          mentor: { name: 'Bob', country: { code: 'SE', name: 'Sweden' } },
          portrait: { image: new Uint8Array([1, 2]) },
          pupils: [{ name: 'Cleo', articles: [{ title: 'c1' }] }],
          articles: [
            {
              title: 'a1',
              topics: [
                { area: 'art', name: 'music', weight: 2 },
                { area: 'law', name: 'music' },
              ],
              rating: 3,
            },
            { title: 'a2', details: { words: 7 } },
            { title: 'a3', topics: [{ area: 'art', name: 'dance' }] },
          ],
        },
        {
          include: {
            country: true,
            mentor: { include: { country: true } },
            portrait: true,
            pupils: { include: { articles: true } },
            articles: { orderBy: { title: 'asc' }, include: FULL },
          },
        },
      )
      expect(ada).toMatchObject({
        name: 'Ada',
        version: 1,
        countryCode: 'FR',
        country: { name: 'France' },
        mentor: { name: 'Bob', version: 1, country: { code: 'SE' } },
        portrait: { image: new Uint8Array([1, 2]) },
        pupils: [{ name: 'Cleo', articles: [{ title: 'c1', topics: expect.anything() }] }].map(({ name }) => ({
          name,
          articles: [{ title: 'c1' }],
        })),
        articles: [
          {
            title: 'a1',
            rating: 3,
            topics: [
              { area: 'art', name: 'music', weight: 2 },
              { area: 'law', weight: 0 },
            ],
          },
          { title: 'a2', details: { words: 7 }, topics: [] },
          { title: 'a3', topics: [{ name: 'dance' }] },
        ],
      })
      expect(await writers.create({ name: 'Dan', pupils: [] }, { select: ['name'] })).toEqual({ name: 'Dan' })
    })

    it('may itself belong to a new row that has others', async () => {
      const writer = { name: 'Ada', articles: [{ title: 'a2' }, { title: 'a3' }] }
      const { writer: ada, ...article } = await use.nodes.articles.create({ title: 'a1', writer }, { include: { writer: true } })
      expect([article.title, ada.name, article.writerId === ada.id]).toEqual(['a1', 'Ada', true])
      expect(await use.nodes.articles.count({ where: { writerId: ada.id } })).toBe(3)
    })

    it('takes as many statements as there are models, not rows', async () => {
      const articles = (count: number) =>
        Array.from({ length: count }, (_, n) => ({ title: `t${n}`, topics: [{ area: `x${count}`, name: `n${n}` }] }))
      const create = (name: string, count: number) => use.nodes.writers.create({ name, articles: articles(count) })
      const few = await statementsOf(() => create('few', 4))
      // lists of rows go in powers of two
      const many = await statementsOf(() => create('many', 512))
      expect(many).toBe(few)
      expect(few).toBeLessThanOrEqual(8)
      expect(await use.nodes.articles.count({ where: { topics: { $some: { area: 'x512' } } } })).toBe(512)
    })

    it('keeps every row with its own, also where others count at the same time', async () => {
      const names = Array.from({ length: 12 }, (_, n) => `w${n}`)
      const pupils = (name: string) =>
        Array.from({ length: 21 }, (_, n) => ({ name: `${name}.${n}`, articles: [{ title: `${name}.${n}` }] }))
      await Promise.all(names.map((name) => use.nodes.writers.create({ name, pupils: pupils(name) })))
      const { rows } = await use.nodes.writers.list({
        where: { mentor: { name: { $like: 'w%' } } },
        include: { mentor: true, articles: true },
      })
      expect(rows.length).toBe(12 * 21)
      for (const { name, mentor, articles } of rows) {
        expect([name.split('.')[0], articles.map(({ title }) => title)]).toEqual([mentor?.name, [name]])
      }
    })

    if (engine.name === 'mysql') {
      it('finds its rows where the counter of a cluster takes steps', async () => {
        const { writers } = use.another({ pool: { initSql: ['set auto_increment_increment = 7, auto_increment_offset = 3'] } }).nodes
        const pupils = Array.from({ length: 21 }, (_, n) => ({ name: `p${n}`, articles: [{ title: `p${n}` }] }))
        const { pupils: made } = await writers.create({ name: 'Ada', pupils }, { include: { pupils: { include: { articles: true } } } })
        expect(made.map(({ id }) => id % 7)).toEqual(Array.from({ length: 21 }, () => 3))
        for (const { name, articles } of made) expect(articles.map(({ title }) => title)).toEqual([name])
      })
    }

    it('is not made when a row of its relations cannot be, nor are any of them', async () => {
      const { writers, articles, countries } = use.nodes
      await writers.create({ name: 'Bob' })
      const create = () =>
        writers.create({
          name: 'Ada',
          country: { code: 'FR', name: 'F' },
          articles: [{ title: 'a1' }],
          pupils: [{ name: 'Cleo' }, { name: 'Bob' }],
        })
      const error = await rejectionOf(create())
      expect(error).toBeInstanceOf(UniqueViolationError)
      expect(error).toMatchObject({ model: 'Writer', fields: ['name'] })
      await use.db.transaction(async () => {
        await writers.create({ name: 'Eve' })
        expect(await rejectionOf(create())).toMatchObject({ code: 'UNIQUE_VIOLATION' })
        expect(await writers.count()).toBe(2)
      })
      expect([await writers.count(), await articles.count(), await countries.count()]).toEqual([2, 0, 0])
    })

    it('is undone with the transaction that it is made in', async () => {
      const undone = use.db.transaction(async () => {
        await use.nodes.writers.create({ name: 'Ada', articles: [{ title: 'a1' }] })
        throw new Error('undo')
      })
      expect((await rejectionOf(undone)).message).toBe('undo')
      expect([await use.nodes.writers.count(), await use.nodes.articles.count()]).toEqual([0, 0])
    })

    const image = new Uint8Array([1])
    const circle: { name: string; pupils: unknown[] } = { name: 'Ada', pupils: [] }
    circle.pupils.push(circle)
    const nested = (depth: number): object => (depth === 0 ? { name: 'deep' } : { name: `d${depth}`, mentor: nested(depth - 1) })

    it.each<readonly [what: string, input: object, said: RegExp]>([
      ['a value', { name: 'Ada', articles: [{ title: 'a' }, { title: 7 }] }, /articles\[1\]\.title: expected text/],
      [
        'a value deep in it',
        { name: 'Ada', pupils: [{ name: 'B', portrait: { image: 'x' } }] },
        /pupils\[0\]\.portrait\.image: expected bytes/,
      ],
      ['what is missing', { name: 'Ada', mentor: {} }, /mentor\.name: is required/],
      [
        'a field that nobody has',
        { name: 'Ada', mentor: { name: 'B', nmae: 'x' } },
        /mentor\.nmae: unknown field "nmae"; did you mean "name"/,
      ],
      ['a relation that nobody has', { name: 'Ada', pupils: [{ name: 'B', boss: {} }] }, /pupils\[0\]\.boss: unknown field "boss"/],
      ['what the layer keeps', { name: 'Ada', pupils: [{ name: 'B', version: 3 }] }, /pupils\[0\]\.version: is kept by the layer/],
      [
        'a key and its row',
        { name: 'Ada', countryCode: 'FR', country: { code: 'SE', name: 'S' } },
        /countryCode: is filled in from "country"/,
      ],
      [
        'a key that the row around it has',
        { name: 'Ada', articles: [{ title: 'a', writerId: 1 }] },
        /articles\[0\]\.writerId: is filled in from the row around it/,
      ],
      [
        'another row in place of that around it',
        { name: 'Ada', portrait: { image, writer: { name: 'B' } } },
        /portrait\.writer: writerId is filled in/,
      ],
      ['one row in place of a list', { name: 'Ada', pupils: { name: 'B' } }, /pupils: expected a list of rows of Writer, got an object/],
      [
        'a list in place of one row',
        { name: 'Ada', mentor: [{ name: 'B' }] },
        /mentor: expected an object with fields of Writer, got (a list|an array)/,
      ],
      ['null in place of a row', { name: 'Ada', mentor: null }, /mentor: expected an object with fields of Writer, got null/],
      ['a hole in a list', { name: 'Ada', pupils: new Array(1) }, /pupils\[0\]: expected an object/],
      ['a row that stands in itself', circle, /pupils\[0\]: stands in itself/],
      ['rows without an end', nested(40), /expected at most 32 levels of rows/],
    ])('is refused with the place of %s, before anything is sent', async (_, input, said) => {
      let error: (Error & Record<string, unknown>) | undefined
      const sent = await statementsOf(async () => {
        error = await rejectionOf(use.nodes.writers.create(input as never))
      })
      expect(error).toBeInstanceOf(ValidationError)
      expect(error?.message).toMatch(said)
      if (/unknown/.test(String(said))) expect(error).toBeInstanceOf(UnknownFieldError)
      expect(sent).toBe(0)
    })

    it('is refused where rows stand in each other so often that they are without number', async () => {
      let layer: object = { name: 'x' }
      for (let depth = 0; depth < 30; depth++) layer = { name: 'x', pupils: [layer, layer] }
      expect(await rejectionOf(use.nodes.writers.create(layer as never))).toMatchObject({
        code: 'VALIDATION',
        message: expect.stringContaining('expected at most 100000 rows in all'),
      })
    })

    it('is for create alone', async () => {
      const row = { name: 'Ada', articles: [] }
      const { writers } = use.nodes
      for (const refused of [
        () => writers.bulkCreate({ rows: [row as never] }),
        () => writers.upsert({ on: ['name'], values: row as never }),
        () => writers.update({ where: { id: 1 }, set: row as never }),
      ]) {
        expect((await rejectionOf(refused())).message).toMatch(/articles: is a relation, and cannot be given/)
      }
    })
  })

  describe('rows that are created together', () => {
    const use = useDatabase(engine, ships)
    afterEach(() => use.clear())

    it('are of one tenant, with their defaults, versions and instants, and keys in the type of each field', async () => {
      const { crews } = use.nodes
      const create = () =>
        crews.create({ sailors: [{ name: 'Ann' }, { name: 'Ben' }] }, { include: { sailors: { orderBy: { name: 'asc' } } } })
      const crew = await use.db.withTenant(7, create)
      expect(crew).toMatchObject({ orgId: 7, colour: 'red', version: 1, createdAt: expect.any(Date) })
      expect(crew.sailors.map(({ name, orgId, version, crewId }) => [name, orgId, version, crewId])).toEqual([
        ['Ann', 7, 1, Number(crew.id)],
        ['Ben', 7, 1, Number(crew.id)],
      ])
      expect(await statementsOf(async () => expect(await rejectionOf(create())).toBeInstanceOf(TenantRequiredError))).toBe(0)
      expect(await use.db.withTenant(8, () => crews.count())).toBe(0)
    })

    it('are refused where the rows between two models need more than the two keys', async () => {
      const create = () => use.nodes.crews.create({ shifts: [{ name: 'Ann', crew: { colour: 'blue' } }] })
      expect((await rejectionOf(use.db.withTenant(7, create))).message).toMatch(
        /shifts: a row of Shift needs hours too: make rows of Shift themselves/,
      )
    })

    it('may have nothing of their own', async () => {
      const bag = await use.nodes.bags.create(
        { inside: {}, bags: [{}, { bags: [{}, {}] }] },
        { include: { bags: { include: { bags: true } } } },
      )
      expect(bag.bags.map(({ bags }) => bags.length).sort()).toEqual([0, 2])
      expect(await use.nodes.bags.count()).toBe(6)
      await use.nodes.bags.bulkUpdate({ all: true, set: { insideId: null } })
    })
  })
})
