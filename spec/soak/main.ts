import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { createDatabase } from '../../index.js'
import type { Engine } from '../../lib/dialect/dialect.js'
import { poolRegistry } from '../../lib/pool/pool-registry.js'
import { findEngine } from '../support/engine-search.js'
import { dropDatabase, runSql } from '../support/plain-sql.js'
import { Load, Parcel } from './load.js'
import { takeSample } from './sample.js'
import { type Sample, verdictOn, WARM_UP_MINUTES } from './verdict.js'

// npm run test:soak -- --minutes 10 --engine postgres
// npm run test:soak -- --faults 200
// Mixed work on each engine, one after the other; or the specs of faults and load, with so many rounds of what is repeated there. Ends with 1 when something grows or fails, with 2 when it was too short to tell.

const ENGINES = ['postgres', 'mysql', 'sqlite'] as const satisfies readonly Engine[]
const CONNECTIONS = 10
const RACY = ['spec/faults', 'spec/stress', 'spec/contract/migrate-while-serving.spec.ts', 'spec/migrations/cli/processes.spec.ts']
const VITEST = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url))
const TOO_SHORT = 2

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    engine: { type: 'string', multiple: true, default: [...ENGINES] },
    /** Seconds between two samples. */
    every: { type: 'string', default: '10' },
    /** Rounds of the faults, instead of the load. */
    faults: { type: 'string' },
  },
})
const minutes = positive('--minutes', values.minutes)
const everyMs = positive('--every', values.every) * 1_000
const codes: number[] = []
if (values.faults !== undefined) codes.push(repeatFaults(positive('--faults', values.faults)))
else for (const name of values.engine) codes.push(await soakOn(knownEngine(name)))
process.exitCode = codes.includes(1) ? 1 : Math.max(...codes)

function positive(option: string, text: string): number {
  const value = Number(text)
  if (!(value > 0)) throw new Error(`${option}: expected a number above 0, got ${text}`)
  return value
}

function knownEngine(name: string): Engine {
  const engine = ENGINES.find((known) => known === name)
  if (engine === undefined) throw new Error(`--engine: expected one of ${ENGINES.join(', ')}, got ${name}`)
  return engine
}

/** Runs the specs that repeat what is racy, so many times; gives their exit code. */
function repeatFaults(rounds: number): number {
  const env = { ...process.env, NODE_OPTIONS: '', LATCHWORK_SPEC_ROUNDS: String(rounds) }
  const { status } = spawnSync(process.execPath, [VITEST, 'run', ...RACY], { stdio: 'inherit', env })
  return status ?? 1
}

/** Soaks one engine; gives the exit code that it is worth. */
async function soakOn(engine: Engine): Promise<number> {
  if (globalThis.gc === undefined) throw new Error('run it with node --expose-gc')
  const found = await findEngine(engine)
  if (typeof found === 'string') throw new Error(`${engine} is not there: ${found}`)
  const place = await freshPlace(engine, found.url)
  try {
    return await soak(engine, place.url)
  } finally {
    await place.remove()
    await found.stop()
  }
}

async function freshPlace(engine: Engine, serverUrl: string): Promise<{ url: string; remove(): Promise<void> }> {
  if (engine === 'sqlite') {
    const folder = await mkdtemp(join(tmpdir(), 'latchwork-soak-'))
    return { url: `sqlite:${join(folder, 'soak.db')}`, remove: () => rm(folder, { recursive: true, force: true }) }
  }
  const name = `lw_soak_${process.pid}_${randomBytes(3).toString('hex')}`
  await runSql(serverUrl, `create database ${name}`)
  const url = new URL(serverUrl)
  url.pathname = `/${name}`
  return { url: url.href, remove: () => dropDatabase(serverUrl, name) }
}

async function soak(engine: Engine, url: string): Promise<number> {
  const db = createDatabase({ url, models: { parcels: Parcel }, pool: { maxConnections: CONNECTIONS } })
  const load = new Load(db)
  const samples: Sample[] = []
  try {
    await db.createTables()
    const startedMs = performance.now()
    while (performance.now() - startedMs < minutes * 60_000) {
      await load.run(Math.min(everyMs, minutes * 60_000))
      samples.push(await takeSample(engine, db, CONNECTIONS, (performance.now() - startedMs) / 60_000))
      print(engine, samples.at(-1)!, load)
    }
  } finally {
    await db.close()
  }
  return report(engine, samples, load)
}

function print(engine: Engine, sample: Sample, { figures }: Load): void {
  const [pool] = poolRegistry().stats().pools
  const { open = 0, idle = 0, created = 0, waiting = 0 } = pool?.stats ?? {}
  const parts = [
    `${sample.atMinute.toFixed(2)} min`,
    `heap ${sample.heapMiB.toFixed(2)} MiB`,
    `rss ${sample.rssMiB.toFixed(0)} MiB`,
    `descriptors ${sample.descriptors ?? '-'}`,
    `statements ${sample.statements ?? '-'}`,
    `pool ${open} open, ${idle} idle, ${waiting} waiting, ${created} made`,
    `work ${figures.calls}, ${figures.failed} failed`,
  ]
  console.log(`${engine.padEnd(8)}  ${parts.join('  ')}`)
}

function report(engine: Engine, samples: readonly Sample[], { figures }: Load): number {
  const { isJudged, complaints, growth } = verdictOn(samples)
  const unexpected = [...figures.unexpected].map(([code, count]) => `unexpected ${code}, ${count} times`)
  const { budget, pools } = poolRegistry().stats()
  const left =
    budget.taken === 0 && pools.length === 0 ? [] : [`${budget.taken} connections and ${pools.length} pools are left after close()`]
  for (const line of growth) console.log(`${engine.padEnd(8)}  ${line}`)
  const wrong = [...complaints, ...unexpected, ...left]
  for (const line of wrong) console.error(`${engine.padEnd(8)}  FAILED  ${line}`)
  if (wrong.length > 0) return 1
  if (isJudged) return 0
  console.log(
    `${engine.padEnd(8)}  too short to be judged: it takes a minute beyond the ${WARM_UP_MINUTES} of warming up, more where a figure swings`,
  )
  return TOO_SHORT
}
