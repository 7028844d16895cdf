import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { deadlineAfter } from '../../../../lib/deadline.js'
import type { Connection, StatementResult } from '../../../../lib/dialect/dialect.js'
import { sqliteDialect } from '../../../../lib/dialect/sqlite/index.js'
import type { Condition, Pool } from '../../../../lib/pool/pool.js'
import { type PoolOptions, poolOptions } from '../../../../lib/pool/pool-options.js'

const cleanUps: (() => unknown)[] = []

afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/** A folder of the test's own, gone after it. */
export function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'latchwork-sqlite-'))
  cleanUps.push(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A pool on a database, closed after the test; by default on a new file. */
export async function openSqlite(options: Partial<PoolOptions> = {}, file = join(freshFolder(), 'shop.db')): Promise<SqliteFixture> {
  const dialect = sqliteDialect({ engine: 'sqlite', file })
  const pool = await dialect.openPool('sqlite:shop#00000000', poolOptions(options), {})
  cleanUps.push(() => pool.close(1_000))
  return new SqliteFixture(file, pool)
}

type Access = 'read' | 'write'

export class SqliteFixture {
  constructor(
    readonly file: string,
    readonly pool: Pool<Connection>,
  ) {}

  async acquire(access: Access, withinMs = 5_000): Promise<Connection> {
    return this.pool.acquire({ access, deadline: deadlineAfter(withinMs), label: 'spec' })
  }

  async use<T>(access: Access, work: (connection: Connection) => T | Promise<T>, condition: Condition = 'clean'): Promise<T> {
    const connection = await this.acquire(access)
    try {
      return await work(connection)
    } finally {
      this.pool.release(connection, condition)
    }
  }

  run(access: Access, sql: string, ...parameters: readonly unknown[]): Promise<StatementResult> {
    return this.use(access, (connection) => connection.run({ sql, parameters }))
  }

  /** The first column of all rows. */
  async read(sql: string, ...parameters: readonly unknown[]): Promise<unknown[]> {
    return (await this.run('read', sql, ...parameters)).rows.map((row) => row[0])
  }
}

/** What another process does with `database`, a connection of its own without a busy timeout; `say` sends a line to {@link OtherProcess.hear}. */
export function otherProcess(file: string, script: string): OtherProcess {
  const driver = createRequire(import.meta.url).resolve('better-sqlite3')
  const program = `
    const database = new (require(process.argv[1]))(process.argv[2], { timeout: 0 })
    const say = (line) => process.stdout.write(line + '\\n')
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms))
    ;(async () => { ${script} })()`
  const child = spawn(process.execPath, ['-e', program, driver, file], { stdio: ['ignore', 'pipe', 'inherit'] })
  const other = new OtherProcess(child)
  cleanUps.push(() => other.end())
  return other
}

export class OtherProcess {
  readonly #child: ChildProcess
  #heard = ''

  constructor(child: ChildProcess) {
    this.#child = child
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.#heard += text
    })
  }

  /** Waits until the process said the line. */
  async hear(line: string): Promise<void> {
    while (!this.#heard.includes(line)) await once(this.#child.stdout!, 'data')
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }
}
