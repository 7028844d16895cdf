import { ConfigurationError, createDatabase, defineModel, ModelError, type Node, UniqueViolationError } from 'latchwork'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type NodeEvent, nodeEvents } from '../../lib/events.js'
import { forEachEngine } from '../support/engines.js'
import { isValid } from '../support/json-schema-check.js'
import { models } from './members.js'
import { rejectionOf, useDatabase } from './use-database.js'

/** Each operation: what it does to the world, an input that its node takes and one that it refuses. */
const OPERATIONS: Readonly<Record<string, readonly [effect: 'read' | 'write', taken: object, refused: object]>> = {
  create: ['write', { warehouse: 'w', item: 'new', amount: 1 }, { warehouse: 'w', item: 'new', amount: '1' }],
  read: ['read', { where: { warehouse: 'w', item: 'a' } }, { where: { warehouse: 'w' } }],
  readOrThrow: ['read', { where: { warehouse: 'w', item: 'a' } }, {}],
  update: [
    'write',
    { where: { warehouse: 'w', item: 'a' }, set: { amount: { $increment: 1 } } },
    { where: { warehouse: 'w', item: 'a' }, set: {} },
  ],
  delete: ['write', { where: { warehouse: 'w', item: 'b' } }, { where: { amount: 1 } }],
  restore: ['write', { where: { warehouse: 'w', item: 'a' } }, {}],
  list: ['read', { where: { amount: { $gte: 0 } }, orderBy: { item: 'desc' }, limit: 2, total: true }, { limit: -1 }],
  readMany: [
    'read',
    {
      keys: [
        { warehouse: 'w', item: 'a' },
        { warehouse: 'w', item: 'none' },
      ],
    },
    { keys: [{ warehouse: 'w' }] },
  ],
  stream: ['read', { where: { amount: { $gte: 0 } }, orderBy: { item: 'desc' }, limit: 2 }, { limit: '2' }],
  exists: ['read', { where: { item: 'a' } }, { where: { items: 'a' } }],
  aggregate: [
    'read',
    { groupBy: ['warehouse'], values: { rows: '$count', most: { $max: 'amount' } } },
    { values: { x: { $sum: 'item' } } },
  ],
  count: ['read', { where: { item: { $in: ['a', 'b'] } } }, { where: { items: 'a' } }],
  upsert: [
    'write',
    { on: ['warehouse', 'item'], values: { warehouse: 'w', item: 'a', amount: 3 } },
    { on: ['amount'], values: { warehouse: 'w', item: 'a', amount: 3 } },
  ],
  bulkCreate: ['write', { rows: [{ warehouse: 'x', item: 'a', amount: 1 }], returning: true }, { rows: [{ warehouse: 'x' }] }],
  bulkUpdate: ['write', { where: { warehouse: 'w' }, set: { amount: 4 } }, { where: {}, set: { amount: 4 } }],
  bulkDelete: ['write', { where: { warehouse: 'x' } }, {}],
  claim: [
    'write',
    { where: { warehouse: 'w' }, set: { amount: 2 }, orderBy: { item: 'asc' }, limit: 2 },
    { where: {}, set: { amount: 2 } },
  ],
  bulkUpsert: ['write', { on: ['warehouse', 'item'], rows: [{ warehouse: 'w', item: 'a', amount: 9 }] }, { on: [], rows: [] }],
}

forEachEngine((engine) => {
  describe('a node', () => {
    const shop = useDatabase(engine, models)
    const nodes = () => shop.nodes.stocks as unknown as Readonly<Record<string, Node>>
    const events: NodeEvent[] = []
    const listen = (event: NodeEvent) => void events.push(event)

    beforeEach(async () => {
      await shop.clear()
      await shop.nodes.stocks.bulkCreate({ rows: ['a', 'b'].map((item) => ({ warehouse: 'w', item, amount: 1 })) })
    })

    afterEach(() => nodeEvents.unsubscribe(listen))

    it('is there for each operation, and described', () => {
      expect(Object.keys(shop.nodes.stocks).sort()).toEqual(Object.keys(OPERATIONS).sort())
      for (const [operation, [effect]] of Object.entries(OPERATIONS)) {
        const node = nodes()[operation]!
        const name = `Stock${operation[0]!.toUpperCase()}${operation.slice(1)}Node`
        expect({ ...node, name: node.name }).toMatchObject({ name, model: 'Stock', operation, effect, isStream: operation === 'stream' })
        expect(shop.db.node(name)).toBe(node)
        expect(node.run).toBe(node)
      }
    })

    it.each(Object.entries(OPERATIONS))('%s takes and gives what its schemas say', async (operation, [, taken, refused]) => {
      const node = nodes()[operation]!
      // there is nothing to restore of this model: see its own spec
      if (operation === 'restore') return
      expect(isValid(node.inputSchema, taken)).toBe(true)
      for (const output of await outputsOf(node, taken)) {
        expect(isValid(node.outputSchema, JSON.parse(JSON.stringify(output)))).toBe(true)
      }
      expect(isValid(node.inputSchema, refused)).toBe(false)
      expect(await rejectionOf(outputsOf(node, refused))).toMatchObject({
        model: 'Stock',
        operation,
        name: expect.stringMatching(/^(Validation|UnknownField)Error$/),
      })
    })

    it('has schemas that nobody can change, the same each time', () => {
      for (const node of Object.values(nodes())) {
        expect(node.inputSchema).toBe(node.inputSchema)
        expect(isFrozen(node.inputSchema) && isFrozen(node.outputSchema)).toBe(true)
        expect(() => Object.assign(node, { effect: 'read' })).toThrow(TypeError)
      }
      expect(Object.isFrozen(shop.nodes)).toBe(true)
      expect(Object.isFrozen(shop.nodes.stocks)).toBe(true)
    })

    it('publishes how each run went, without values', async () => {
      nodeEvents.subscribe(listen)
      events.length = 0
      await shop.nodes.stocks.count()
      const error = await rejectionOf(shop.nodes.stocks.create({ warehouse: 'w', item: 'a', amount: 1 }))
      expect(error).toBeInstanceOf(UniqueViolationError)
      expect(events).toEqual([
        { node: 'StockCountNode', model: 'Stock', operation: 'count', effect: 'read', durationMs: expect.any(Number), error: undefined },
        { node: 'StockCreateNode', model: 'Stock', operation: 'create', effect: 'write', durationMs: expect.any(Number), error },
      ])
    })

    it('rejects, and never throws, whatever it is given', () => {
      for (const node of Object.values(nodes())) {
        for (const input of [undefined, null, 5, 'text', [], () => 1, Symbol('s')]) {
          const output = node(input)
          expect(output instanceof Promise).toBe(!node.isStream)
          const first = output instanceof Promise ? output : output[Symbol.asyncIterator]().next()
          first.catch(() => undefined)
        }
      }
    })
  })
})

describe('db.node', () => {
  const db = createDatabase({ url: 'sqlite::memory:', models })

  it('suggests the name that was meant', () => {
    expect(() => db.node('MemberCraeteNode')).toThrow(ConfigurationError)
    expect(() => db.node('MemberCraeteNode')).toThrow('there is no node "MemberCraeteNode"; did you mean MemberCreateNode?')
    expect(() => db.node('')).toThrow(/there is no node ""$/)
    expect(() => db.node('constructor')).toThrow(ConfigurationError)
  })

  it('refuses two models of one name, and says what to do', () => {
    class Article {}
    defineModel(Article, { name: 'Member', table: 'articles', fields: { id: { kind: 'integer', primary: true } } } as never)
    const create = () => createDatabase({ url: 'sqlite::memory:', models: { ...models, articles: Article } })
    expect(create).toThrow(ModelError)
    expect(create).toThrow(/name/)
  })
})

/** What a node gives: of a stream, each piece. */
async function outputsOf(node: Node, input: unknown): Promise<unknown[]> {
  const output = node.run(input)
  if (output instanceof Promise) return [await output]
  const pieces: unknown[] = []
  for await (const piece of output) pieces.push(piece)
  expect(pieces.length).toBeGreaterThan(0)
  return pieces
}

function isFrozen(value: unknown): boolean {
  return typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(isFrozen))
}
