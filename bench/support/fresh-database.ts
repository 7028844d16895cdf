import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createConnection } from 'mysql2/promise'
import pg from 'pg'
import type { EngineName } from './engine-traits.js'

/** An empty database of this run alone. */
export interface FreshDatabase {
  /** As latchwork and the drivers take it; for SQLite `sqlite:` and the file. */
  readonly url: string
  drop(): Promise<void>
}

const SERVERS = {
  postgres: () => process.env.POSTGRES_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres',
  mysql: () => process.env.MYSQL_URL ?? 'mysql://root@127.0.0.1:3306',
}

const MAKERS: Readonly<Record<EngineName, () => Promise<FreshDatabase>>> = {
  postgres: () => onServer(SERVERS.postgres(), runOnPostgres, "template template0 encoding 'UTF8'", '(force)'),
  mysql: () => onServer(SERVERS.mysql(), runOnMysql, 'character set utf8mb4'),
  sqlite: inFile,
}

/** Runs `fn` with a database that was not there before and is not there after. */
export async function withFreshDatabase<T>(engine: EngineName, fn: (url: string) => Promise<T>): Promise<T> {
  const database = await MAKERS[engine]()
  try {
    return await fn(database.url)
  } finally {
    await database.drop()
  }
}

type Run = (url: string, sql: string) => Promise<unknown>

async function onServer(server: string, run: Run, settings: string, force?: string): Promise<FreshDatabase> {
  const name = `latchwork_bench_${randomBytes(6).toString('hex')}`
  await run(server, `create database ${name} ${settings}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return { url: url.href, drop: async () => void (await run(server, `drop database ${name}${force ? ` with ${force}` : ''}`)) }
}

async function inFile(): Promise<FreshDatabase> {
  const folder = await mkdtemp(join(tmpdir(), 'latchwork-bench-'))
  return { url: `sqlite:${join(folder, 'bench.db')}`, drop: () => rm(folder, { recursive: true }) }
}

async function runOnPostgres(url: string, sql: string): Promise<unknown> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return (await client.query(sql)).rows
  } finally {
    await client.end()
  }
}

async function runOnMysql(url: string, sql: string): Promise<unknown> {
  const connection = await createConnection(url)
  try {
    return (await connection.query(sql))[0]
  } finally {
    await connection.end()
  }
}
