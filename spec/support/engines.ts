import { randomBytes } from 'node:crypto'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, inject, it } from 'vitest'
import type { Engine } from '../../lib/dialect/dialect.js'
import { dropDatabase, type PlainRow, runSql } from './plain-sql.js'

/** An empty database that belongs to one spec. */
export interface FreshDatabase {
  /** As latchwork takes it. */
  readonly url: string
  drop(): Promise<void>
}

/** The engine that a spec runs on. */
export interface SpecEngine {
  readonly name: Engine
  /** Makes an empty database with a random name. What a spec does not drop goes at the end of the run. */
  freshDatabase(): Promise<FreshDatabase>
  /** Runs SQL past latchwork, with the plain driver: see {@link runSql}. */
  admin(url: string, sql: string): Promise<readonly PlainRow[]>
}

/**
 * Runs `body` once on each engine, in a `describe` of its own.
 *
 * In `npm run test:plain` on one of them. Where an engine is not there its specs are skipped, the reason in the title; or fail, when `REQUIRE_ENGINES` names it.
 */
export function forEachEngine(body: (engine: SpecEngine) => void, options: { readonly engines?: readonly Engine[] } = {}): void {
  const only = inject('onlyEngine')
  for (const name of options.engines ?? (['postgres', 'mysql', 'sqlite'] as const)) {
    if (only !== undefined && name !== only) continue
    const place = inject('engines')[name]
    if ('url' in place) describe(`on ${name}`, () => body(engineAt(name, place.url)))
    else if (place.isRequired) describe(`on ${name}`, () => it('has the engine it needs', () => expectEngine(name, place.missing)))
    else describe.skip(`on ${name} (not there: ${place.missing})`, () => body(engineAt(name, '')))
  }
}

function expectEngine(name: Engine, missing: string): never {
  throw new Error(`${name} is required and not there: ${missing}`)
}

function engineAt(name: Engine, serverUrl: string): SpecEngine {
  return { name, freshDatabase: name === 'sqlite' ? freshFile : () => freshOnServer(name, serverUrl), admin: runSql }
}

function freshName(): string {
  return `${inject('databasePrefix')}${randomBytes(6).toString('hex')}`
}

async function freshFile(): Promise<FreshDatabase> {
  const file = join(inject('sqliteFolder'), `${freshName()}.db`)
  const drop = async () => {
    for (const suffix of ['', '-wal', '-shm', '-journal']) await rm(`${file}${suffix}`, { force: true })
  }
  return { url: `sqlite:${file}`, drop }
}

async function freshOnServer(name: Engine, serverUrl: string): Promise<FreshDatabase> {
  const database = freshName()
  // neither text encoding nor template is left to how somebody's server was set up
  const settings = name === 'postgres' ? "template template0 encoding 'UTF8'" : 'character set utf8mb4'
  await runSql(serverUrl, `create database ${database} ${settings}`)
  const url = new URL(serverUrl)
  url.pathname = `/${database}`
  return { url: url.href, drop: () => dropDatabase(serverUrl, database) }
}
