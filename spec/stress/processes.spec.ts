import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { runFixture } from '../contract/fixture-process.js'
import { Task } from '../fixtures/stress/task.js'
import type { LoadDone } from '../fixtures/stress/thread.js'
import { forEachEngine } from '../support/engines.js'
import { mostSessions, useGround } from './ground.js'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

forEachEngine((engine) => {
  describe('a database that several use', { timeout: 60_000 }, () => {
    const ground = useGround(engine, { tasks: Task })

    it.each([
      ['threads', 4],
      ['processes', 2],
    ])('gives all of them what they ask for: %s, each with a registry of its own', async (kind, count) => {
      // the writers of a file take turns: there the order of things is what is tried, not their number
      const load = { url: ground.url, maxConnections: 5, count: engine.name === 'sqlite' ? 50 : 300 }
      let done: readonly LoadDone[] = []
      const most = await mostSessions(engine, ground.url, async () => {
        const { output } = await runFixture('../stress/threads.ts', kind, String(count), JSON.stringify(load))
        done = JSON.parse(output) as LoadDone[]
      })
      expect(done.map(({ right, left }) => ({ right, left }))).toEqual(
        Array.from({ length: count }, () => ({ right: load.count, left: 0 })),
      )
      // a file has its writer beside those that read
      const allowed = engine.name === 'sqlite' ? 6 : 5
      for (const { mostTaken } of done) expect(mostTaken).toBeLessThanOrEqual(allowed)
      expect(most).toBeLessThanOrEqual(count * 5)
    })
  })
})

describe('two copies of the package in one process', { timeout: 60_000 }, () => {
  let folder: string

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'latchwork-copies-'))
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    await symlink(join(ROOT, 'node_modules'), join(folder, 'node_modules'))
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    await run(process.execPath, [tsc, '-p', join(ROOT, 'tsconfig.json'), '--outDir', join(folder, 'first')])
    await cp(join(folder, 'first'), join(folder, 'second'), { recursive: true })
  })

  afterAll(() => rm(folder, { recursive: true, force: true }))

  forEachEngine((engine) => {
    const ground = useGround(engine, { tasks: Task })

    it('share one pool, and one budget, and neither closes it under the other', async () => {
      const program = join(ROOT, 'spec/fixtures/stress/two-copies.mjs')
      let output = ''
      const most = await mostSessions(engine, ground.url, async () => {
        const { stdout } = await run(process.execPath, [program, join(folder, 'first'), join(folder, 'second'), ground.url], {
          env: { ...process.env, NODE_OPTIONS: '' },
        })
        output = stdout
      })
      const report = JSON.parse(output)
      expect(report).toMatchObject({
        areTwo: true,
        isOneRegistry: true,
        made: 300,
        pools: [{ leases: 2 }],
        limit: 7,
        afterFirstClose: 300,
        left: { limit: 0, taken: 0 },
      })
      expect(report.pools[0].created).toBeLessThanOrEqual(engine.name === 'sqlite' ? 6 : 5)
      expect(most).toBeLessThanOrEqual(5)
    })
  })
})
