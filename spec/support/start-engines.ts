import { randomBytes } from 'node:crypto'
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import type { Engine } from '../../lib/dialect/dialect.js'
import { AskedServerError, type FoundEngine, findEngine } from './engine-search.js'
import { holdUpNaps } from './naps.js'
import { dropDatabase, runSql } from './plain-sql.js'

/** What the specs learn of an engine: where it is, or why it is not there and whether that is a failure. */
export type EngineForSpecs = { readonly url: string } | { readonly missing: string; readonly isRequired: boolean }

declare module 'vitest' {
  interface ProvidedContext {
    engines: Readonly<Record<Engine, EngineForSpecs>>
    /** The specs run on this one alone. */
    onlyEngine: Engine | undefined
    /** Every database of this run begins with it. */
    databasePrefix: string
    /** Holds the SQLite files of this run. */
    sqliteFolder: string
  }
}

const ENGINES = ['postgres', 'mysql', 'sqlite'] as const satisfies readonly Engine[]

/**
 * Finds or starts each engine once for the whole run; afterwards drops the databases that specs left and stops what it started.
 *
 * `REQUIRE_ENGINES` is a comma list of engines whose absence fails their specs; elsewhere these are skipped, with the reason
 * in their title. `LATCHWORK_SPEC_ENGINE_SOURCE` looks in one place only, see {@link findEngine}.
 */
export default async function startEngines(project: TestProject): Promise<() => Promise<void>> {
  const required = requiredEngines()
  const sqliteFolder = await mkdtemp(join(tmpdir(), 'latchwork-sqlite-'))
  const databasePrefix = `lw_${process.pid}_${randomBytes(3).toString('hex')}`
  const searches = await Promise.all(ENGINES.map((engine) => search(engine, required)))
  const found = searches.flatMap(({ found }) => found ?? [])
  const mysql = searches.find(({ engine }) => engine === 'mysql')?.found
  const letNapsGo = mysql && (await holdUpNaps(mysql.url, databasePrefix))
  for (const { engine, forSpecs } of searches) if ('missing' in forSpecs) console.warn(`${engine} is not there: ${forSpecs.missing}`)

  project.provide(
    'engines',
    Object.fromEntries(searches.map(({ engine, forSpecs }) => [engine, forSpecs])) as Record<Engine, EngineForSpecs>,
  )
  project.provide('databasePrefix', databasePrefix)
  project.provide('sqliteFolder', sqliteFolder)

  // an interrupted run ends without the teardown below
  process.once('exit', () => rmSync(sqliteFolder, { recursive: true, force: true }))
  return async () => {
    await letNapsGo?.()
    await Promise.all(found.map((engine) => dropLeftovers(engine.url, databasePrefix).finally(() => engine.stop())))
  }
}

function requiredEngines(): ReadonlySet<string> {
  const names = (process.env.REQUIRE_ENGINES ?? '').split(',').filter((name) => name !== '')
  const unknown = names.find((name) => !ENGINES.some((engine) => engine === name))
  if (unknown !== undefined) throw new Error(`REQUIRE_ENGINES names "${unknown}"; known are ${ENGINES.join(', ')}`)
  return new Set(names)
}

async function search(
  engine: Engine,
  required: ReadonlySet<string>,
): Promise<{ engine: Engine; forSpecs: EngineForSpecs; found?: FoundEngine }> {
  try {
    const found = await findEngine(engine, process.env.LATCHWORK_SPEC_ENGINE_SOURCE)
    if (typeof found !== 'string') return { engine, found, forSpecs: { url: found.url } }
    return { engine, forSpecs: { missing: found, isRequired: required.has(engine) } }
  } catch (error) {
    if (!(error instanceof AskedServerError)) throw error
    return { engine, forSpecs: { missing: error.message, isRequired: true } }
  }
}

async function dropLeftovers(url: string, prefix: string): Promise<void> {
  if (url.startsWith('sqlite:')) return
  const catalogue = url.startsWith('postgres')
    ? 'select datname as name from pg_database'
    : 'select schema_name as name from information_schema.schemata'
  for (const { name } of await runSql(url, catalogue)) {
    if (String(name).startsWith(prefix)) await dropDatabase(url, String(name))
  }
}
