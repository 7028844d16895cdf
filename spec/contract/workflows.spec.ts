import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { defineNode, field, type Generated, id, model, sqlNode, tenant, type WorkflowError } from 'latchwork'
import { LocalRuntime, WorkflowBuilder } from 'latchwork/workflow'
import { beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { statementsOnServer } from '../stress/ground.js'
import { forEachEngine } from '../support/engines.js'
import { TIMED } from '../support/timed.js'
import { models } from './members.js'
import { rejectionOf, useDatabase } from './use-database.js'

@model()
class Invoice {
  @id() id!: Generated<number>
  @tenant() orgId!: Generated<number>
  @field.integer() total!: number
}

const broken = defineNode({
  name: 'Broken',
  effect: 'write',
  run: async (): Promise<number> => {
    throw new Error('broken')
  },
})

forEachEngine((engine) => {
  describe('a workflow on a database', { timeout: 30_000 }, () => {
    const shop = useDatabase(engine, { ...models, invoices: Invoice })
    const emails = async () => (await shop.nodes.members.list({ orderBy: { email: 'asc' } })).rows.map(({ email }) => email)
    const failureOf = (run: Promise<unknown>) => rejectionOf(run) as Promise<WorkflowError & Record<string, unknown>>
    const runtime = () => new LocalRuntime(shop.db)

    beforeEach(() => shop.clear())

    /** Two rows, and a failure in the third step. */
    function threeSteps(transaction?: 'workflow' | 'step' | readonly string[]) {
      const { members, stocks } = shop.nodes
      return new WorkflowBuilder('three', { input: z.object({ name: z.string() }), transaction })
        .add('member', members.create, ({ input }) => ({ email: `${input.name}@x.org` }))
        .add('stock', stocks.create, ({ member }) => ({ warehouse: member.email, item: 'a', amount: member.id }), {
          compensate: ({ warehouse, item }) => stocks.delete({ where: { warehouse, item } }),
        })
        .add('third', broken, ({ stock }) => stock.amount)
        .build()
    }

    it('hands rows from node to node', async () => {
      const { members, notes } = shop.nodes
      const signUp = new WorkflowBuilder('signUp', { input: z.object({ email: z.string() }), transaction: 'workflow' })
        .add('member', members.create, ({ input }) => ({ email: input.email }))
        .add('note', notes.create, ({ member }) => ({ memberId: member.id, title: `for ${member.email}` }))
        .add('read', members.readOrThrow, ({ note }) => ({ where: { id: note.memberId } }))
        .build()
      const { results } = await runtime().execute(signUp, { email: 'ada@x.org' })
      expect(results.read).toEqual(results.member)
      expect(results.note.title).toBe('for ada@x.org')
      expect(results.member.createdAt).toBeInstanceOf(Date)
    })

    it('leaves nothing of its steps in a transaction when a later one fails', async () => {
      const error = await failureOf(runtime().execute(threeSteps('workflow'), { name: 'ada' }))
      expect(error).toMatchObject({ step: 'third', node: 'Broken', committed: [], compensated: [], cause: { message: 'broken' } })
      expect(error.message).toContain('nothing of it stays')
      expect([await emails(), await shop.nodes.stocks.count()]).toEqual([[], 0])
    })

    it('says what stays without one, and has undone what could be', async () => {
      const error = await failureOf(runtime().execute(threeSteps(), { name: 'ada' }))
      expect(error).toMatchObject({ step: 'third', committed: ['member'], compensated: ['stock'] })
      expect([await emails(), await shop.nodes.stocks.count()]).toEqual([['ada@x.org'], 0])
    })

    it('commits each step by itself, or some together', async () => {
      expect(await failureOf(runtime().execute(threeSteps('step'), { name: 'ada' }))).toMatchObject({
        committed: ['member'],
        compensated: ['stock'],
      })
      const together = await failureOf(runtime().execute(threeSteps(['stock', 'third']), { name: 'bob' }))
      expect(together).toMatchObject({ committed: ['member'], compensated: [] })
      expect([await emails(), await shop.nodes.stocks.count()]).toEqual([['ada@x.org', 'bob@x.org'], 0])
    })

    it('runs what waits for the commit after it, and not where there is none', async () => {
      const sent: string[] = []
      const welcome = defineNode({
        name: 'Welcome',
        effect: 'write',
        run: async (email) => shop.db.afterCommit(async () => void sent.push(`${email} of ${(await emails()).length}`)),
      })
      const build = (last: typeof broken) =>
        new WorkflowBuilder('welcomed', { transaction: 'workflow' })
          .add('member', shop.nodes.members.create, () => ({ email: 'ada@x.org' }))
          .add('welcome', welcome, ({ member }) => member.email)
          .add('last', last, ({ welcome: done }) => done)
          .build()
      await failureOf(runtime().execute(build(broken), {}))
      expect(sent).toEqual([])
      const fine = defineNode({ name: 'Fine', effect: 'write', run: async () => 1 })
      await runtime().execute(build(fine), {})
      expect(sent).toEqual(['ada@x.org of 1'])
    })

    it('queues steps side by side on the one connection of their transaction', async () => {
      const builder = new WorkflowBuilder('wide', { transaction: 'workflow', nodes: shop.db })
      for (let at = 0; at < 20; at++) builder.addNode('StockCreateNode', `s${at}`, { warehouse: 'w', item: `${at}`, amount: at })
      await runtime().execute(builder.build(), {})
      expect(await shop.nodes.stocks.count()).toBe(20)
    })

    it('lets a step in a transaction fail and go on: each try is a savepoint', async () => {
      const { members } = shop.nodes
      await members.create({ email: 'ada@x.org' })
      const workflow = new WorkflowBuilder('taken', { transaction: 'workflow' })
        .add('first', members.create, () => ({ email: 'bob@x.org' }))
        .add('second', members.create, ({ first }) => ({ email: first.age === null ? 'ada@x.org' : '' }), {
          onError: () => members.readOrThrow({ where: { email: 'ada@x.org' } }),
        })
        .add('third', members.create, ({ second }) => ({ email: `again.${second.email}` }))
        .build()
      await runtime().execute(workflow, {})
      expect(await emails()).toEqual(['ada@x.org', 'again.ada@x.org', 'bob@x.org'])
    })

    it('runs a transaction again that the database could not serialise, from its first step', async () => {
      let failures = 0
      const conflicted = defineNode({
        name: `Conflicted`,
        effect: 'write',
        run: async () => {
          const { SerializationError } = await import('latchwork')
          if (failures++ < 2) throw new SerializationError('could not serialize')
          return failures
        },
      })
      const workflow = new WorkflowBuilder('repeated', { transaction: 'workflow' })
        .add('member', shop.nodes.members.create, () => ({ email: 'ada@x.org' }))
        .add('conflict', conflicted, ({ member }) => member.id)
        .build()
      const { results, steps } = await runtime().execute(workflow, {})
      expect([results.conflict, steps.length, await emails()]).toEqual([3, 2, ['ada@x.org']])
      failures = 0
      const reaching = defineNode({ name: 'Reaching', effect: 'external', run: async () => 1 })
      const once = new WorkflowBuilder('once', { transaction: 'workflow', allowExternal: true })
        .add('reach', reaching, () => undefined)
        .add('conflict', conflicted, ({ reach }) => reach)
        .build()
      expect(await failureOf(runtime().execute(once, {}))).toMatchObject({ cause: { code: 'SERIALIZATION' } })
      expect(failures).toBe(1)
    })

    it('is a part of the transaction around it', async () => {
      const workflow = threeSteps('workflow')
      const fine = new WorkflowBuilder('fine', { transaction: 'workflow' })
        .add('member', shop.nodes.members.create, () => ({ email: 'bob@x.org' }))
        .build()
      const undone = shop.db.transaction(async () => {
        await runtime().execute(fine, {})
        await failureOf(runtime().execute(workflow, { name: 'ada' }))
        expect(await emails()).toEqual(['bob@x.org'])
        throw new Error('undo')
      })
      expect((await rejectionOf(undone)).message).toBe('undo')
      expect(await emails()).toEqual([])
    })

    it('is found by its name when it is registered, and runs in its transactions when it is called', async () => {
      const { members } = shop.nodes
      const workflow = new WorkflowBuilder(`Registered${engine.name}`, { input: z.object({ email: z.string() }), transaction: 'workflow' })
        .add('member', members.create, ({ input }) => input)
        .output(({ member }) => ({ id: member.id }))
        .build()
      const node = shop.db.register(workflow)
      const made: { id: number } = await node({ email: 'ada@x.org' })
      expect(await members.read({ where: { id: made.id } })).toMatchObject({ email: 'ada@x.org' })
      expect(shop.db.node(workflow.name)).toBe(node)
      const outer = new WorkflowBuilder('outer', { transaction: 'workflow' })
        .add('inner', node, () => ({ email: 'bob@x.org' }))
        .add('bad', broken, ({ inner }) => inner.id)
        .build()
      await failureOf(runtime().execute(outer, {}))
      expect(await emails()).toEqual(['ada@x.org'])
    })

    it('runs what was described as data', async () => {
      const built = new WorkflowBuilder('data', { transaction: 'workflow', nodes: shop.db })
        .addNode('MemberCreateNode', 'member')
        .addConnection('input', 'email', 'member', 'email')
        .addNode('NoteCreateNode', 'note', { title: 'T' })
        .addConnection('member', 'id', 'note', 'memberId')
        .addNode('NoteReadOrThrowNode', 'read')
        .addConnection('note', 'id', 'read', 'where.id')
        .build()
      const back = WorkflowBuilder.fromJSON(JSON.stringify(built), shop.db)
      const { results } = await runtime().execute(back, { email: 'ada@x.org' })
      expect(results.read).toMatchObject({ title: 'T', id: (results.note as { id: number }).id })
    })

    it('maps over a stream of rows', async () => {
      const { stocks } = shop.nodes
      await stocks.bulkCreate({ rows: Array.from({ length: 30 }, (_, at) => ({ warehouse: 'w', item: `${at}`, amount: at })) })
      const workflow = new WorkflowBuilder('raise')
        .map(
          'raised',
          stocks.update,
          () => stocks.stream({ where: { warehouse: 'w' } }),
          ({ warehouse, item }) => ({ where: { warehouse, item }, set: { amount: { $increment: 100 } } }),
          { maxParallel: 3 },
        )
        .add('high', stocks.count, ({ raised }) => ({ where: { amount: { $gte: raised.length } } }))
        .build()
      const { results } = await runtime().execute(workflow, {})
      expect(results.raised.map(({ amount }) => amount).sort((a, b) => a - b)).toEqual(Array.from({ length: 30 }, (_, at) => 100 + at))
      expect(results.high).toBe(30)
    })

    it.each([undefined, 'workflow'] as const)('maps over the rows of a statement, in transaction: %s', async (transaction) => {
      const { stocks } = shop.nodes
      await stocks.bulkCreate({ rows: Array.from({ length: 1_200 }, (_, at) => ({ warehouse: 'w', item: `${at}`, amount: at })) })
      const each = sqlNode({
        name: `Each${transaction ?? ''}`,
        sql: 'select item, amount from stocks where amount < :most order by amount',
        params: z.object({ most: z.number() }),
        result: z.object({ item: z.string(), amount: z.number() }),
        fetch: 'stream',
      })
      const rows = shop.db.register(each)
      const workflow = new WorkflowBuilder('raise', { input: z.object({ most: z.number() }), transaction })
        .map(
          'raised',
          stocks.update,
          ({ input }, limits) => rows({ most: input.most }, limits),
          ({ item }) => ({ where: { warehouse: 'w', item }, set: { amount: { $increment: 10_000 } } }),
          { maxParallel: 3 },
        )
        .build()
      const { results } = await runtime().execute(workflow, { most: 1_100 }, { timeoutMs: 20_000 })
      expect(results.raised.map(({ amount }) => amount)).toEqual(Array.from({ length: 1_100 }, (_, at) => 10_000 + at))
      expect(await stocks.count({ where: { amount: { $gte: 10_000 } } })).toBe(1_100)
      expect(shop.db.poolInfo()!.stats!.leased).toBe(0)
      const refused = new WorkflowBuilder('w', { input: z.object({ most: z.number() }) }).add('all', rows, ({ input }) => input)
      expect(() => refused.build()).toThrow('which no step can hand on')
    })

    if (engine.name !== 'sqlite') {
      it('stops a statement whose rows it maps over, when it is aborted', async () => {
        const sql = engine.name === 'postgres' ? 'select pg_sleep(5)' : 'select benchmark(2000000000, sha2(1, 512)) as n'
        const rows = shop.db.register(sqlNode({ name: 'Endless', sql, fetch: 'stream' }))
        const workflow = new WorkflowBuilder('stopped')
          .map(
            'all',
            shop.nodes.members.count,
            (_, limits) => rows({}, limits),
            () => ({}),
          )
          .build()
        const running = () => statementsOnServer(engine, shop.url, engine.name === 'postgres' ? 'sleep' : 'benchmark')
        const stop = new AbortController()
        const failing = failureOf(runtime().execute(workflow, {}, { signal: stop.signal }))
        await expect.poll(running, { timeout: 5_000 }).toBe(1)
        stop.abort()
        expect(await failing).toMatchObject({ code: 'WORKFLOW' })
        await expect.poll(running, { timeout: 2_000 }).toBe(0)
      })
    }

    it('keeps tenant and call chain right in every step of 1,000 runs side by side', async () => {
      await using db = shop.another({ pool: { acquireTimeoutMs: 60_000 } })
      const { invoices } = db.nodes
      const storage = new AsyncLocalStorage<number>()
      const seen = defineNode({ name: 'Seen', effect: 'read', run: async () => storage.getStore() })
      const workflow = new WorkflowBuilder('billed', { input: z.object({ total: z.number() }), transaction: ['made', 'raised'] })
        .add('made', invoices.create, ({ input }) => input)
        .add('raised', invoices.update, ({ made }) => ({ where: { id: made.id }, set: { total: made.total + 1 } }))
        .add('seen', seen, ({ raised }) => raised)
        .add('mine', invoices.count, ({ seen: chain }) => ({ where: { total: { $gte: (chain ?? 0) * 0 } } }))
        .build()
      const wrong: unknown[] = []
      const local = new LocalRuntime(db)
      await Promise.all(
        Array.from({ length: 1_000 }, (_, org) =>
          storage.run(org, () =>
            db.withTenant(org, async () => {
              const { results } = await local.execute(workflow, { total: org })
              const { raised, seen: chain, mine } = results
              if (raised.orgId !== org || raised.total !== org + 1 || chain !== org || mine !== 1) wrong.push({ org, results })
            }),
          ),
        ),
      )
      expect(wrong).toEqual([])
      expect(await db.acrossTenants(() => db.nodes.invoices.count())).toBe(1_000)
    }, 60_000)

    it('stops within 100 ms of its signal, rolls back, and leaves no statement on the server', TIMED, async () => {
      const wait =
        engine.name === 'sqlite'
          ? defineNode({
              name: 'Wait',
              effect: 'read',
              run: (_, { signal }): Promise<void> => sleep(5_000, undefined, { signal: signal! }),
            })
          : shop.db.register(sqlNode({ name: 'Wait', sql: engine.name === 'postgres' ? 'select pg_sleep(5)' : 'select sleep(5)' }))
      const workflow = new WorkflowBuilder('stopped', { transaction: 'workflow' })
        .add('member', shop.nodes.members.create, () => ({ email: 'ada@x.org' }))
        .add('wait', wait as unknown as typeof broken, ({ member }) => member && undefined)
        .build()
      const stop = new AbortController()
      const running = failureOf(runtime().execute(workflow, {}, { signal: stop.signal }))
      await sleep(200)
      const stoppedMs = performance.now()
      stop.abort()
      const error = await running
      expect(performance.now() - stoppedMs).toBeLessThan(100)
      expect(error).toMatchObject({ code: 'WORKFLOW', committed: [] })
      await expect.poll(() => statementsOnServer(engine, shop.url, 'sleep'), { timeout: 1_000 }).toBe(0)
      expect(await emails()).toEqual([])
    })
  })
})
