import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type FreshDatabase, forEachEngine } from '../../support/engines.js'
import { PROGRAM_ROUNDS, roundsTimeoutMs } from '../../support/rounds.js'
import { FIVE, folderOf, idOf } from '../draft.js'
import { shapeOf } from '../look.js'
import { CliProject, type Printed } from './cli-project.js'

const PROCESSES = 8
/** Moments at which a process is killed, on each engine. */
const KILLS = PROGRAM_ROUNDS === 2 ? 5 : Math.max(50, PROGRAM_ROUNDS)
const LANES = 3
const ids = FIVE.map(({ slug }) => idOf(FIVE, slug))

describe('the command line as processes', () => {
  forEachEngine((engine) => {
    let project: CliProject
    const databases: FreshDatabase[] = []

    beforeAll(async () => {
      project = await CliProject.create({})
      await cp(await folderOf(FIVE), join(project.folder, 'migrations'), { recursive: true })
    })

    afterAll(async () => {
      await Promise.all(databases.map((each) => each.drop()))
      await project[Symbol.asyncDispose]()
    })

    it(
      `applies each migration once when ${PROCESSES} begin at the same time, and all end with 0`,
      async () => {
        for (let round = 0; round < PROGRAM_ROUNDS; round++) {
          const database = await engine.freshDatabase()
          const all = Array.from({ length: PROCESSES }, () => project.run('migrate', 'up', '--json', '--url', database.url))
          const ran = await Promise.all(all)
          expect([round, ran.map(({ exitCode }) => exitCode)]).toEqual([round, ran.map(() => 0)])
          const documents: Printed[] = ran.map(({ stdout }) => JSON.parse(stdout))
          expect(documents.flatMap(({ applied }) => applied.map(({ id }: Printed) => id))).toEqual(ids)
          // each body says so in a row, and a second time would be the same key
          expect(await engine.admin(database.url, 'select id from marks order by id')).toEqual([2, 3, 4, 5].map((id) => ({ id })))
          await database.drop()
        }
      },
      roundsTimeoutMs(30_000),
    )

    it(
      `reaches what an undisturbed run does, killed at any of ${KILLS} moments`,
      async () => {
        const first = await engine.freshDatabase()
        databases.push(first)
        const { wholeMs } = await upKilledAfter(project, first.url, undefined)
        const undisturbed = await shapeOf(first.url, 'marks', 'users', 'posts')
        let next = 0
        let cut = 0
        const lane = async () => {
          while (next < KILLS) {
            const moment = next++
            const database = await engine.freshDatabase()
            // moments all over the run, from its first connection on
            const { isCut } = await upKilledAfter(project, database.url, (wholeMs * (moment + Math.random())) / KILLS)
            cut += isCut ? 1 : 0
            await finish(database.url)
            expect([moment, await shapeOf(database.url, 'marks', 'users', 'posts')]).toEqual([moment, undisturbed])
            await database.drop()
          }
        }
        await Promise.all(Array.from({ length: LANES }, lane))
        // most of them hit while it ran
        expect(cut).toBeGreaterThan(KILLS / 2)
      },
      20_000 + KILLS * 15_000,
    )

    /** As an operator would: up, and what it says is next. */
    async function finish(url: string): Promise<void> {
      for (let tries = 0; tries < 5; tries++) {
        const document: Printed = await project.json('migrate', 'up', '--url', url)
        if (document.ok) return
        expect(document, JSON.stringify(document)).toMatchObject({
          exitCode: 9,
          next: [`latchwork migrate resume ${document.failed.id}`, {}, {}],
        })
        expect(await project.json('migrate', 'resume', document.failed.id, '--url', url)).toMatchObject({ ok: true })
      }
      throw new Error('it does not come to an end')
    }
  })
})

/** Runs `up` and kills it without a word, so long after it has the lock; undefined: lets it end. */
async function upKilledAfter(
  project: CliProject,
  url: string,
  ms: number | undefined,
): Promise<{ readonly wholeMs: number; readonly isCut: boolean }> {
  const child = spawn(process.execPath, [project.program, 'migrate', 'up', '--url', url], { cwd: project.folder, env: project.environment })
  const closed = once(child, 'close')
  child.stdout.resume()
  let sinceMs = performance.now()
  child.stderr.setEncoding('utf8').once('data', () => {
    sinceMs = performance.now()
    if (ms !== undefined) setTimeout(() => child.kill('SIGKILL'), ms)
  })
  const [, signal] = (await closed) as [number | null, NodeJS.Signals | null]
  return { wholeMs: performance.now() - sinceMs, isCut: signal === 'SIGKILL' }
}
