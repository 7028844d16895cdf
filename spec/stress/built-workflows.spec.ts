import type { Database } from 'latchwork'
import { LocalRuntime, WorkflowBuilder } from 'latchwork/workflow'
import { beforeEach, describe, expect, it } from 'vitest'
import { z } from 'zod'
import { models } from '../contract/members.js'
import { rejectionOf } from '../contract/use-database.js'
import { forEachEngine } from '../support/engines.js'
import { mostSessions, SECOND_ATTEMPT, useGround } from './ground.js'

/** Create, read, update, count: the four steps of {@link workflow}, as a workflow. */
function fourSteps({ nodes: { members } }: Database<typeof models>, transaction?: 'workflow') {
  return new WorkflowBuilder('fourSteps', { input: z.object({ index: z.number() }), transaction })
    .add('created', members.create, ({ input }) => ({ email: `${transaction ?? 'none'}${input.index}@example.com` }))
    .add('read', members.readOrThrow, ({ created }) => ({ where: { id: created.id } }))
    .add('updated', members.update, ({ read, input }) => ({ where: { id: read.id }, set: { age: input.index }, version: read.version }))
    .add('counted', members.count, ({ updated }) => ({ where: { id: updated.id } }))
    .output(({ updated, counted }) => ({ index: updated.age, counted }))
    .build()
}

forEachEngine((engine) => {
  describe('many built workflows at once on a cold pool', { timeout: 60_000 }, () => {
    const ground = useGround(engine, models)
    beforeEach(() => engine.admin(ground.url, 'delete from members'))

    const counts = engine.name === 'postgres' ? [100, 300, 1_000, 5_000] : [300]
    const sizes = engine.name === 'postgres' ? [10, 50] : [10]
    const loads = sizes.flatMap((maxConnections) => counts.map((count) => ({ count, maxConnections })))

    it.each(loads)('all go well: $count on $maxConnections connections, and leave nothing behind', async ({ count, maxConnections }) => {
      const db = ground.open({ maxConnections, acquireTimeoutMs: 60_000 })
      const runtime = new LocalRuntime(db)
      const workflow = fourSteps(db)
      const most = await mostSessions(engine, ground.url, async () => {
        const runs = await Promise.all(Array.from({ length: count }, (_, index) => runtime.execute(workflow, { index })))
        expect(runs.map(({ output }) => output)).toEqual(Array.from({ length: count }, (_, index) => ({ index, counted: 1 })))
        expect(new Set(runs.map(({ runId }) => runId)).size).toBe(count)
      })
      expect(most).toBeLessThanOrEqual(maxConnections + SECOND_ATTEMPT)
    })

    it('all go well in transactions: 300', async () => {
      const db = ground.open({ maxConnections: 10, acquireTimeoutMs: 60_000 })
      const runtime = new LocalRuntime(db)
      const workflow = fourSteps(db, 'workflow')
      const runs = await Promise.all(Array.from({ length: 300 }, (_, index) => runtime.execute(workflow, { index })))
      expect(runs.map(({ output }) => output)).toEqual(Array.from({ length: 300 }, (_, index) => ({ index, counted: 1 })))
    })

    it('fail and are stopped without leaving anything: 300, each third aborted at some moment', async () => {
      const db = ground.open({ maxConnections: 10, acquireTimeoutMs: 60_000 })
      const runtime = new LocalRuntime(db)
      const workflow = fourSteps(db, 'workflow')
      let aborted = 0
      await Promise.all(
        Array.from({ length: 300 }, async (_, index) => {
          if (index % 3 > 0) return runtime.execute(workflow, { index })
          const stop = new AbortController()
          setTimeout(() => stop.abort(), Math.random() * 50)
          const outcome = await runtime.execute(workflow, { index }, { signal: stop.signal }).then(
            () => undefined,
            (error: unknown) => error,
          )
          if (outcome === undefined) return undefined
          aborted++
          expect(outcome).toMatchObject({ code: 'WORKFLOW' })
          return undefined
        }),
      )
      expect(await db.nodes.members.count()).toBe(300 - aborted)
      expect(await rejectionOf(runtime.execute(workflow, { index: 1 }))).toMatchObject({
        step: 'created',
        cause: { code: 'UNIQUE_VIOLATION' },
      })
    })
  })
})
