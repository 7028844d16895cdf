import { defineNode, type Node, sqlNode } from 'latchwork'
import { beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { type NodeEvent, nodeEvents } from '../../lib/events.js'
import { forEachEngine } from '../support/engines.js'
import { TIMED } from '../support/timed.js'
import { models } from './members.js'
import { rejectionOf, useDatabase } from './use-database.js'

const double = () =>
  defineNode({
    name: 'Double',
    effect: 'read',
    input: z.object({ n: z.number() }),
    output: z.object({ twice: z.number() }),
    run: async ({ n }) => ({ twice: n === 13 ? ('unlucky' as unknown as number) : n * 2 }),
  })

describe('a node of the application', () => {
  it('takes what its schema takes, and gives what its schema gives', async () => {
    const node = double()
    expect(await node({ n: 2 })).toEqual({ twice: 4 })
    expect(await node.run({ n: 2 })).toEqual({ twice: 4 })
    const refused = await rejectionOf(node({ n: 'two' as unknown as number }))
    expect(refused).toMatchObject({ code: 'VALIDATION', model: 'Double', operation: 'input', issues: [{ path: ['n'] }] })
    expect(await rejectionOf(node({ n: 13 }))).toMatchObject({ code: 'VALIDATION', operation: 'output', issues: [{ path: ['twice'] }] })
  })

  it('is described, with JSON Schemas where its schemas have them', () => {
    const node = double()
    expect({ ...node, name: node.name }).toMatchObject({
      name: 'Double',
      model: undefined,
      operation: 'run',
      effect: 'read',
      isStream: false,
    })
    expect(node.inputSchema).toMatchObject({ type: 'object', properties: { n: { type: 'number' } }, required: ['n'] })
    expect(node.outputSchema).toMatchObject({ properties: { twice: { type: 'number' } } })
    const dated = defineNode({ name: 'Dated', effect: 'read', input: z.object({ on: z.date() }), run: async ({ on }) => on.getTime() })
    expect([dated.inputSchema, dated.outputSchema]).toEqual([{}, {}])
  })

  it('is told when its caller gives up, and when its time is over', async () => {
    const wait = defineNode({
      name: 'Wait',
      effect: 'external',
      run: (_, { signal }): Promise<void> =>
        new Promise((_resolve, reject) => signal!.addEventListener('abort', () => reject(signal!.reason))),
    })
    expect(await rejectionOf(wait(undefined, { timeoutMs: 5 }))).toMatchObject({ code: 'QUERY_TIMEOUT' })
    const stop = new AbortController()
    const waiting = rejectionOf(wait(undefined, { signal: stop.signal, timeoutMs: 10_000 }))
    stop.abort(new Error('enough'))
    expect((await waiting).message).toBe('enough')
    expect(await rejectionOf(wait(undefined, { timeoutMs: -1 }))).toMatchObject({ code: 'VALIDATION' })
  })

  it('tells of its calls as any other', async () => {
    const events: NodeEvent[] = []
    const listen = (event: NodeEvent) => void events.push(event)
    nodeEvents.subscribe(listen)
    await double()({ n: 1 })
    nodeEvents.unsubscribe(listen)
    expect(events).toMatchObject([{ node: 'Double', model: undefined, operation: 'run', effect: 'read', error: undefined }])
  })

  const REFUSED: readonly (readonly [definition: object, option: string])[] = [
    [{ name: '1st', effect: 'read', run: async () => 1 }, 'node.name'],
    [{ name: 'First', effect: 'reads', run: async () => 1 }, 'node.effect'],
    [{ name: 'First', effect: 'read', run: 1 }, 'node.run'],
    [{ name: 'First', effect: 'read', run: async () => 1, input: {} }, 'node.input'],
    [{ name: 'First', effect: 'read', run: async () => 1, ouput: z.any() }, 'node.ouput'],
  ]

  it.each(REFUSED)('refuses %j', (definition, option) => {
    expect(() => defineNode(definition as never)).toThrow(expect.objectContaining({ code: 'CONFIGURATION', option }))
  })
})

forEachEngine((engine) => {
  describe('a statement as a node', () => {
    const shop = useDatabase(engine, models)
    let names = 0
    const unique = () => `Statement${++names}`
    const register = (sql: string) => shop.db.register(sqlNode({ name: unique(), sql }))

    beforeEach(async () => {
      await shop.clear()
      await shop.nodes.members.bulkCreate({ rows: ['ada', 'bob', "o'neil"].map((name, age) => ({ email: `${name}@x.org`, age })) })
    })

    it('binds values by name, as often as the name stands there, and nothing that only looks like one', async () => {
      const node = register(
        "select email, ':age' as text /* :no */ from members where age >= :age and age < :age + 2 and email <> :email -- :nor\n order by age;",
      )
      expect(await node({ age: 1, email: "o'neil@x.org" })).toEqual([{ email: 'bob@x.org', text: ':age' }])
      expect(await node({ age: 1, email: "' or 1 = 1 --" })).toHaveLength(2)
    })

    it('gives what the fields of the columns say', async () => {
      const [row] = await register('select id, active, balance, created_at from members where age = :age')({ age: 0 })
      expect(row).toMatchObject({ id: expect.any(Number), active: true, balance: '0.00', created_at: expect.any(Date) })
    })

    it('is typed and checked by its schemas', async () => {
      const byAge = shop.db.register(
        sqlNode({
          name: unique(),
          sql: 'select email, age from members where age = :age',
          params: z.object({ age: z.coerce.number() }),
          result: z.object({ email: z.string().max(9), age: z.number() }),
          fetch: 'one',
        }),
      )
      const found: { email: string; age: number } | null = await byAge({ age: '1' })
      expect(found).toEqual({ email: 'bob@x.org', age: 1 })
      expect(await byAge({ age: 9 })).toBeNull()
      expect(await rejectionOf(byAge({ age: 'x' }))).toMatchObject({ code: 'VALIDATION', issues: [{ path: ['age'] }] })
      expect(await rejectionOf(byAge({ age: 2 }))).toMatchObject({ code: 'VALIDATION', operation: 'result', issues: [{ path: ['email'] }] })
      expect(byAge.effect).toBe('read')
      expect(shop.db.node(byAge.name)).toBe(byAge)
    })

    it('changes rows in the transaction around it', async () => {
      const older = shop.db.register(
        sqlNode({ name: unique(), sql: 'update members set age = age + :years where age < 2', fetch: 'execute' }),
      )
      expect(older.effect).toBe('write')
      const undone = shop.db.transaction(async () => {
        expect(await older({ years: 10 })).toEqual({ affectedRows: 2 })
        expect(await shop.nodes.members.count({ where: { age: { $gte: 10 } } })).toBe(2)
        throw new Error('undo')
      })
      expect((await rejectionOf(undone)).message).toBe('undo')
      expect(await shop.nodes.members.count({ where: { age: { $gte: 10 } } })).toBe(0)
    })

    it('throws the typed errors of the layer', async () => {
      const add = register('insert into members (email, created_at, updated_at, version) values (:email, :now, :now, 1)')
      const error = await rejectionOf(add({ email: 'ada@x.org', now: new Date() }))
      expect(error).toMatchObject({ code: 'UNIQUE_VIOLATION', model: 'Member', fields: ['email'] })
    })

    it('says which values are missing, before anything is sent', async () => {
      const node = register('select email from members where age = :age or email = :email')
      expect(await rejectionOf(node({ age: 1, email: undefined }))).toMatchObject({ code: 'VALIDATION', issues: [{ path: ['email'] }] })
      expect(await rejectionOf(node([] as never))).toMatchObject({ code: 'VALIDATION' })
      expect(await rejectionOf(node({ age: 1, email: '' }, { timeout: 1 } as never))).toMatchObject({ code: 'UNKNOWN_FIELD' })
    })

    it.each([
      ['', 'no statement'],
      ['select 1; select 2', 'another statement begins in line 1'],
      ["select 'a", 'not closed'],
      [engine.name === 'postgres' ? 'select $1' : 'select ?', 'has no name'],
    ])('refuses %j', (sql, message) => {
      expect(() => register(sql)).toThrow(message)
    })

    it('refuses a name that its schema does not have, and suggests the nearest', () => {
      const wrong = sqlNode({ name: unique(), sql: 'select :emial', params: z.object({ email: z.string() }) })
      expect(() => shop.db.register(wrong)).toThrow('did you mean :email?')
    })

    it('is known once a name', () => {
      const node: Node = shop.db.register(double()) as unknown as Node
      expect(shop.db.node('Double')).toBe(node)
      expect(() => shop.db.register(double())).toThrow('there is a node "Double" already')
      expect(() => shop.db.node('Duoble')).toThrow('did you mean Double?')
    })

    // a statement of SQLite runs to its end
    if (engine.name === 'sqlite') return

    it('is stopped on the server when its time is over', TIMED, async () => {
      const sleep = engine.name === 'postgres' ? 'select pg_sleep(:s)' : 'select sleep(:s)'
      const node = shop.db.register(sqlNode({ name: unique(), sql: sleep, timeoutMs: 100 }))
      const startedMs = performance.now()
      expect(await rejectionOf(node({ s: 5 }))).toMatchObject({ code: 'QUERY_TIMEOUT' })
      expect(performance.now() - startedMs).toBeLessThan(1_000)
    })
  })
})
