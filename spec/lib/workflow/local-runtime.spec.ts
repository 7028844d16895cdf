import { AsyncLocalStorage } from 'node:async_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { currentLockScope, defineNode, type WorkflowError, type WorkflowEvent } from 'latchwork'
import { LocalRuntime, WorkflowBuilder } from 'latchwork/workflow'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { workflowEvents } from '../../../lib/events.js'
import { rejectionOf } from '../../contract/use-database.js'
import { TIMED } from '../../support/timed.js'
import { echo, failing, flaky, increment, mail, slow } from './own-nodes.js'

const runtime = new LocalRuntime()
const failureOf = (run: Promise<unknown>) => rejectionOf(run) as Promise<WorkflowError & Record<string, unknown>>

/** Keeps count of how many calls are under way. */
function gauge() {
  const seen = { now: 0, most: 0 }
  const node = defineNode({
    name: 'Gauge',
    effect: 'read',
    run: async (value) => {
      seen.most = Math.max(seen.most, ++seen.now)
      await sleep(2)
      seen.now--
      return value
    },
  })
  return { node, seen }
}

describe('LocalRuntime.execute', () => {
  it('gives each step the results that it takes, and tells what each took', async () => {
    const workflow = new WorkflowBuilder('sum', { input: z.object({ start: z.number() }) })
      .add('one', increment, ({ input }) => ({ n: input.start }))
      .add('two', increment, ({ one }) => one)
      .add('both', echo, ({ one, two }) => one.n + two.n)
      .build()
    const result = await runtime.execute(workflow, { start: 1 })
    expect(result.results).toEqual({ one: { n: 2 }, two: { n: 3 }, both: 5 })
    expect(result.output).toEqual(result.results)
    expect(result.runId).toMatch(/^[0-9a-f-]{36}$/)
    expect(result.steps.map(({ step, status, attempts }) => [step, status, attempts])).toEqual([
      ['one', 'done', 1],
      ['two', 'done', 1],
      ['both', 'done', 1],
    ])
    expect(result.durationMs).toBeGreaterThanOrEqual(result.steps[2]!.startedMs)
    expect(await rejectionOf(runtime.execute(workflow, { start: 'x' as never }))).toMatchObject({
      code: 'VALIDATION',
      model: 'sum',
      issues: [{ path: ['start'] }],
    })
  })

  it('begins a step when what it needs is there, without waiting for the rest of a wave', async () => {
    const order: string[] = []
    const note = defineNode({ name: 'Note', effect: 'read', run: async (name) => void order.push(String(name)) })
    const workflow = new WorkflowBuilder('early')
      .add('long', slow, () => ({ ms: 30 }))
      .add('short', slow, () => ({ ms: 1 }))
      .add('afterShort', note, ({ short }) => `short ${short}`)
      .add('afterLong', note, ({ long }) => `long ${long}`)
      .build()
    await runtime.execute(workflow, {})
    expect(order).toEqual(['short 1', 'long 30'])
  })

  it('runs no more side by side than it may', async () => {
    const { node, seen } = gauge()
    const builder = new WorkflowBuilder('wide')
    for (let at = 0; at < 20; at++) builder.addNode(node, `s${at}`)
    await new LocalRuntime(undefined, { maxParallel: 3 }).execute(builder.build(), {})
    expect(seen).toEqual({ now: 0, most: 3 })
    expect(() => new LocalRuntime(undefined, { maxParallel: 0 })).toThrow('maxParallel')
  })

  it('skips a step by its condition, and those that are to be skipped with it', async () => {
    const workflow = new WorkflowBuilder('conditions', { input: z.object({ on: z.boolean() }) })
      .add('maybe', increment, () => ({ n: 1 }), { when: ({ input }) => input.on })
      .add('with', increment, ({ maybe }) => maybe, { ifSkipped: 'skip' })
      .add('without', echo, ({ maybe }) => maybe?.n ?? 'none', { ifSkipped: 'undefined' })
      .add('later', echo, () => 'ran', { after: ['with'] })
      .build()
    expect((await runtime.execute(workflow, { on: true })).results).toEqual({ maybe: { n: 2 }, with: { n: 3 }, without: 2, later: 'ran' })
    const off = await runtime.execute(workflow, { on: false })
    expect(off.results).toEqual({ without: 'none', later: 'ran' })
    expect(off.steps.filter(({ status }) => status === 'skipped').map(({ step }) => step)).toEqual(['maybe', 'with'])
  })

  it('runs a step once an item, so many side by side, and keeps their order', async () => {
    const { node, seen } = gauge()
    async function* numbers() {
      for (let n = 0; n < 50; n++) yield n
    }
    const workflow = new WorkflowBuilder('items')
      .map(
        'all',
        node,
        () => numbers(),
        (n, _, index) => n * 10 + index,
        { maxParallel: 5 },
      )
      .build()
    const { results } = await runtime.execute(workflow, {})
    expect(results.all).toEqual(Array.from({ length: 50 }, (_, n) => n * 11))
    expect(seen).toEqual({ now: 0, most: 5 })
  })

  it('stops beginning items after a failure, and closes what it takes them from', async () => {
    let isClosed = false
    let begun = 0
    function* numbers() {
      try {
        for (;;) yield ++begun
      } finally {
        isClosed = true
      }
    }
    const workflow = new WorkflowBuilder('items').map('all', failing, numbers, (n) => n, { maxParallel: 2 }).build()
    expect(await failureOf(runtime.execute(workflow, {}))).toMatchObject({ step: 'all', node: 'Failing' })
    expect(isClosed).toBe(true)
    expect(begun).toBeLessThanOrEqual(3)
  })

  it('tries a step again, with pauses that grow, as often as it may', async () => {
    const events: WorkflowEvent[] = []
    const workflow = (failures: number) =>
      new WorkflowBuilder('again').add('flaky', flaky(failures), () => undefined, { retry: { attempts: 3, delayMs: 2 } }).build()
    const { results, steps } = await runtime.execute(workflow(2), {}, { onEvent: (event) => events.push(event) })
    expect([results.flaky, steps[0]!.attempts]).toEqual([3, 3])
    expect(events.map(({ type }) => type)).toEqual(['started', 'stepStarted', 'stepRetried', 'stepRetried', 'stepEnded', 'ended'])
    expect(await failureOf(runtime.execute(workflow(3), {}))).toMatchObject({ step: 'flaky', cause: { message: 'failure 3' } })
  })

  it('does not try again what says that it is of no use', async () => {
    const { seen, node } = {
      seen: { calls: 0 },
      node: defineNode({ name: 'Strict', effect: 'read', input: z.object({ n: z.number() }), run: async () => 1 }),
    }
    const workflow = new WorkflowBuilder('useless')
      .add(
        'strict',
        node,
        () => {
          seen.calls++
          return { n: 'x' as never }
        },
        { retry: { attempts: 5 } },
      )
      .build()
    seen.calls = 0
    expect(await failureOf(runtime.execute(workflow, {}))).toMatchObject({ cause: { code: 'VALIDATION' } })
    expect(seen.calls).toBe(1)
  })

  it('lets a step that failed say what stands for its result', async () => {
    const workflow = new WorkflowBuilder('handled')
      .add('bad', failing, () => undefined, { onError: (error) => (error as Error).message.length })
      .add('next', echo, ({ bad }) => bad)
      .build()
    expect((await runtime.execute(workflow, {})).results).toEqual({ bad: 6, next: 6 })
  })

  it('says which step failed, what stays, and undoes it, the last first', async () => {
    const undone: unknown[] = []
    const write = defineNode({ name: 'Write', effect: 'write', run: async (value) => value })
    const workflow = new WorkflowBuilder('undo')
      .add('a', write, () => 'A', { compensate: (result) => void undone.push(result) })
      .add('b', write, ({ a }) => `${a}B`, { compensate: () => Promise.reject(new Error('cannot')) })
      .add('c', write, ({ b }) => `${b}C`, { compensate: (result, { a }) => void undone.push([result, a]) })
      .add('r', echo, ({ c }) => c)
      .add('d', write, ({ r }) => r)
      .add('e', failing, ({ d }) => d)
      .add('never', write, ({ e }) => e)
      .build()
    const error = await failureOf(runtime.execute(workflow, {}, { runId: 'run-1' }))
    expect(error).toMatchObject({ code: 'WORKFLOW', workflow: 'undo', runId: 'run-1', step: 'e', node: 'Failing', retryable: false })
    expect(error).toMatchObject({
      committed: ['b', 'd'],
      compensated: ['c', 'a'],
      compensationErrors: [{ step: 'b', error: { message: 'cannot' } }],
    })
    expect(error.message).toBe('workflow undo, step "e" (Failing): broken; what stays: b, d')
    expect(undone).toEqual([['ABC', 'A'], 'A'])
  })

  it('undoes the items of a list that were done, the last first, also where another one failed', async () => {
    const undone: unknown[] = []
    const write = defineNode({
      name: 'Write',
      effect: 'write',
      run: async (n: unknown) => {
        if (n === 4) throw new Error('four')
        return Number(n) * 10
      },
    })
    const listOf = (numbers: readonly number[], then: 'echo' | 'failing') =>
      new WorkflowBuilder('items')
        .map(
          'all',
          write,
          () => numbers,
          (n) => n,
          { maxParallel: 1, compensateItem: (result, _, n) => void undone.push([result, n]) },
        )
        .add('after', then === 'echo' ? echo : failing, ({ all }) => all)
        .build()
    const partly = await failureOf(runtime.execute(listOf([1, 2, 3, 4, 5], 'echo'), {}))
    expect(partly).toMatchObject({ step: 'all', committed: [], compensated: ['all'] })
    expect(undone.splice(0)).toEqual([
      [30, 3],
      [20, 2],
      [10, 1],
    ])
    expect(await failureOf(runtime.execute(listOf([1, 2], 'failing'), {}))).toMatchObject({ step: 'after', compensated: ['all'] })
    expect(undone).toEqual([
      [20, 2],
      [10, 1],
    ])
    const kept = new WorkflowBuilder('kept')
      .map(
        'all',
        write,
        () => [1, 4],
        (n) => n,
        { maxParallel: 1, compensate: () => void undone.push('all') },
      )
      .build()
    expect(await failureOf(runtime.execute(kept, {}))).toMatchObject({ committed: ['all'], compensated: [] })
    const both = new WorkflowBuilder('both').map(
      'all',
      write,
      () => [1],
      (n) => n,
      { compensate: () => 1, compensateItem: () => 1 },
    )
    expect(() => both.build()).toThrow('say one of them')
  })

  it('waits for the steps beside one that failed, and counts them', async () => {
    const workflow = new WorkflowBuilder('beside')
      .add('bad', failing, () => undefined)
      .add('good', slow, () => ({ ms: 20 }))
      .build()
    expect(await failureOf(runtime.execute(workflow, {}))).toMatchObject({ step: 'bad', committed: ['good'], running: [] })
  })

  it('stops within 100 ms when it is aborted or late, whatever its steps do', TIMED, async () => {
    const workflow = new WorkflowBuilder('long')
      .add('slow', slow, () => ({ ms: 400 }))
      .add('next', echo, ({ slow: ms }) => ms)
      .build()
    const stop = new AbortController()
    setTimeout(() => stop.abort(new Error('enough')), 20)
    const startedMs = performance.now()
    const [aborted, late] = await Promise.all([
      failureOf(runtime.execute(workflow, {}, { signal: stop.signal })),
      failureOf(runtime.execute(workflow, {}, { timeoutMs: 20 })),
    ])
    expect(performance.now() - startedMs).toBeLessThan(120)
    expect(aborted).toMatchObject({ cause: { code: 'ABORTED', cause: { message: 'enough' } }, running: ['slow'], step: undefined })
    expect(late).toMatchObject({ cause: { code: 'QUERY_TIMEOUT' }, running: ['slow'] })
    expect(await failureOf(runtime.execute(workflow, {}, { signal: AbortSignal.abort() }))).toMatchObject({
      cause: { code: 'ABORTED' },
      running: [],
    })
  })

  it('gives up a step that is late, and a pause between tries when it has to stop', TIMED, async () => {
    const lateStep = new WorkflowBuilder('late').add('slow', slow, () => ({ ms: 300 }), { timeoutMs: 10 }).build()
    expect(await failureOf(runtime.execute(lateStep, {}))).toMatchObject({ step: 'slow', cause: { code: 'QUERY_TIMEOUT' } })
    const pausing = new WorkflowBuilder('pausing')
      .add('bad', failing, () => undefined, { retry: { attempts: 9, delayMs: 60_000, maxDelayMs: 60_000 } })
      .build()
    const stop = new AbortController()
    setTimeout(() => stop.abort(), 10)
    const startedMs = performance.now()
    await failureOf(runtime.execute(pausing, {}, { signal: stop.signal }))
    expect(performance.now() - startedMs).toBeLessThan(1_000)
  })

  it('runs workflows inside workflows, under the limits of the outer one', async () => {
    const inner = new WorkflowBuilder('inner', { input: z.object({ n: z.number() }) })
      .add('next', increment, ({ input }) => input)
      .output(({ next }) => next.n)
      .build()
    const outer = new WorkflowBuilder('outer')
      .add('first', inner, () => ({ n: 1 }))
      .map(
        'more',
        inner,
        ({ first }) => [first, 10],
        (n) => ({ n }),
      )
      .build()
    expect(await outer({})).toEqual({ first: 2, more: [3, 11] })
    const stuck = new WorkflowBuilder('stuck')
      .add('in', new WorkflowBuilder('in').add('slow', slow, () => ({ ms: 300 })).build(), () => ({}))
      .build()
    const error = await failureOf(stuck({}, { timeoutMs: 10 }))
    expect(error.code).toBe('WORKFLOW')
  })

  it('is one lock scope a run, and keeps what the program stores by call chain', async () => {
    const storage = new AsyncLocalStorage<number>()
    const look = defineNode({ name: 'Look', effect: 'read', run: async () => [storage.getStore(), currentLockScope()?.id] as const })
    const workflow = new WorkflowBuilder('looks')
      .add('a', look, () => undefined)
      .add('wait', slow, () => ({ ms: 1 }))
      .add('b', look, ({ a, wait }) => [a, wait])
      .build()
    const runs = await Promise.all(Array.from({ length: 1_000 }, (_, run) => storage.run(run, () => runtime.execute(workflow, {}))))
    const scopes = new Set<unknown>()
    for (const [run, { results }] of runs.entries()) {
      expect([results.a[0], results.b[0]]).toEqual([run, run])
      expect(results.a[1]).toBe(results.b[1])
      scopes.add(results.a[1])
    }
    expect(scopes.size).toBe(1_000)
    expect(scopes).not.toContain(undefined)
  })

  it('runs 10,000 steps in a row and 10,000 side by side', async () => {
    const row = new WorkflowBuilder('row')
    const wide = new WorkflowBuilder('wide')
    for (let at = 0; at < 10_000; at++) {
      row.addNode(echo, `s${at}`, {}, at === 0 ? {} : { after: [`s${at - 1}`] })
      wide.addNode(echo, `s${at}`)
    }
    expect((await runtime.execute(row.build(), {})).steps).toHaveLength(10_000)
    expect((await runtime.execute(wide.build(), {})).steps).toHaveLength(10_000)
  })

  it('refuses a result that a step was not seen to need, in every run alike', async () => {
    const builder = new WorkflowBuilder('hidden', { input: z.object({ deep: z.boolean() }) }).add('a', increment, () => ({ n: 1 }))
    const hidden = (context: { input: { deep: boolean }; a: { n: number } }) => (context.input.deep === true ? context.a.n : 0)
    expect(await failureOf(runtime.execute(builder.add('b', echo, hidden).build(), { deep: true }))).toMatchObject({
      step: 'b',
      cause: { code: 'CONFIGURATION', message: expect.stringContaining(`({ a }) => …`) },
    })
  })

  it('has no transactions without a database', async () => {
    const workflow = new WorkflowBuilder('t', { transaction: 'workflow' }).add('a', echo, () => 1).build()
    expect(await rejectionOf(workflow({}))).toMatchObject({ code: 'CONFIGURATION' })
    expect(await rejectionOf(runtime.execute({} as never, {}))).toMatchObject({ code: 'CONFIGURATION' })
  })

  it('tells of each run on its channel', async () => {
    const events: WorkflowEvent[] = []
    const listen = (event: WorkflowEvent) => void events.push(event)
    workflowEvents.subscribe(listen)
    const workflow = new WorkflowBuilder('told')
      .add('mail', mail, () => 'ada', { compensate: () => undefined })
      .add('bad', failing, ({ mail: to }) => to)
      .build()
    await failureOf(runtime.execute(workflow, {}, { runId: 'r' }))
    workflowEvents.unsubscribe(listen)
    expect(events.map((event) => ('step' in event ? `${event.type} ${event.step}` : event.type))).toEqual([
      'started',
      'stepStarted mail',
      'stepEnded mail',
      'stepStarted bad',
      'stepEnded bad',
      'compensated mail',
      'ended',
    ])
    expect(events.every(({ workflow: name, runId }) => name === 'told' && runId === 'r')).toBe(true)
  })
})
