import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { ConnectionSource } from '../../../lib/dialect/connection-source.js'
import type { Connection, Dialect } from '../../../lib/dialect/dialect.js'
import { sqliteDialect } from '../../../lib/dialect/sqlite/index.js'
import { LockTimeoutError, PoolClosedError } from '../../../lib/errors.js'
import { type PoolOptions, poolOptions } from '../../../lib/pool/pool-options.js'
import { poolRegistry } from '../../../lib/pool/pool-registry.js'

const WRITE = { access: 'write', label: 'spec' } as const

describe('ConnectionSource', () => {
  let folder: string
  const sources: ConnectionSource[] = []

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'latchwork-source-'))
  })

  afterEach(async () => {
    await Promise.all(sources.splice(0).map((source) => source.close(1_000)))
    expect(poolRegistry().stats().pools).toEqual([])
    expect(poolRegistry().budget.taken).toBe(0)
    rmSync(folder, { recursive: true })
  })

  function sourceOf(dialect: Dialect, options: Partial<PoolOptions> = {}): ConnectionSource {
    const source = new ConnectionSource(dialect, poolOptions(options))
    sources.push(source)
    return source
  }

  function fileDialect(): Dialect {
    return sqliteDialect({ engine: 'sqlite', file: join(folder, 'shop.db') })
  }

  /** The dialect with its first opening held up until `open` is called. */
  function stalled(dialect: Dialect): { readonly dialect: Dialect; readonly open: () => void } {
    let open = () => {}
    const gate = new Promise<void>((resolve) => {
      open = resolve
    })
    let isFirst = true
    const openPool: Dialect['openPool'] = async (...given) => {
      const waits = isFirst
      isFirst = false
      if (waits) await gate
      return dialect.openPool(...given)
    }
    return { dialect: { ...dialect, openPool }, open: () => open() }
  }

  async function answer(connection: Connection): Promise<unknown> {
    return (await connection.run({ sql: 'select 42', parameters: [] })).rows[0]?.[0]
  }

  it('borrows one pool for 300 callers at once, and keeps it', async () => {
    const source = sourceOf(fileDialect())
    const answers = await Promise.all(
      Array.from({ length: 300 }, async () => {
        const connection = await source.acquire(WRITE)
        const given = await answer(connection)
        source.release(connection, 'clean')
        return given
      }),
    )
    expect(new Set(answers)).toEqual(new Set([42]))
    expect(poolRegistry().stats().pools).toMatchObject([{ leases: 1 }])
  })

  it('gives a connection at once, without a promise, where the pool is open and idle', async () => {
    const source = sourceOf(fileDialect())
    source.release(await source.acquire(WRITE), 'clean')
    const connection = source.acquire(WRITE)
    expect(connection).not.toBeInstanceOf(Promise)
    source.release(connection as Connection, 'clean')
  })

  it('shares the pool of equal configurations, and of no others', () => {
    const [one, same, other] = [sourceOf(fileDialect()), sourceOf(fileDialect()), sourceOf(fileDialect(), { maxConnections: 3 })]
    expect(same.name).toBe(one.name)
    expect(other.name).not.toBe(one.name)
  })

  it('has a pool of its own where share is false', async () => {
    const one = sourceOf(fileDialect(), { share: false })
    const other = sourceOf(fileDialect(), { share: false })
    one.release(await one.acquire(WRITE), 'clean')
    other.release(await other.acquire(WRITE), 'clean')
    expect(one.pool).not.toBe(other.pool)
    await one.close(1_000)
    expect(await answer(await other.acquire(WRITE))).toBe(42)
  })

  it('lends a dedicated connection while the pool is not open in time, and closes it on release', async () => {
    const held = stalled(fileDialect())
    const source = sourceOf(held.dialect, { lockTimeoutMs: 20 })
    const connection = await source.acquire(WRITE)
    expect(await answer(connection)).toBe(42)
    expect(poolRegistry().stats().dedicated).toBe(1)
    source.release(connection, 'clean')
    await expect.poll(() => poolRegistry().stats().dedicated).toBe(0)
    expect(connection.isBroken).toBe(true)
    held.open()
    const shared = await source.acquire(WRITE)
    expect(source.pool).toBeDefined()
    source.release(shared, 'clean')
  })

  it('raises the time-out where a second connection would be another database', async () => {
    const held = stalled(sqliteDialect({ engine: 'sqlite', file: ':memory:' }))
    const source = sourceOf(held.dialect, { lockTimeoutMs: 20 })
    await expect(source.acquire(WRITE)).rejects.toBeInstanceOf(LockTimeoutError)
    held.open()
    source.release(await source.acquire(WRITE), 'clean')
  })

  it('takes back a connection that was lent before close, and lends none after it', async () => {
    const source = sourceOf(fileDialect())
    const connection = await source.acquire(WRITE)
    const closed = source.close(1_000)
    await expect(async () => source.acquire(WRITE)).rejects.toBeInstanceOf(PoolClosedError)
    source.release(connection, 'clean')
    await closed
    expect(connection.isBroken).toBe(true)
  })

  it('gives the pool back that was still being opened when it was closed', async () => {
    const held = stalled(fileDialect())
    const source = sourceOf(held.dialect)
    const waiting = source.acquire(WRITE)
    const closed = source.close(1_000)
    held.open()
    await expect(waiting).rejects.toBeInstanceOf(PoolClosedError)
    await closed
    await expect.poll(() => poolRegistry().stats().pools).toEqual([])
  })
})
