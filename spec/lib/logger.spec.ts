import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { createDatabase, field, type Generated, id, type Logger, model } from 'latchwork'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type LockEvent, lockEvents, type PoolEvent, poolEvents, queryEvents, slowQueryEvents } from '../../lib/events.js'
import { logEvents } from '../../lib/logger.js'

@model()
class Note {
  @id() id!: Generated<number>
  @field.text({ unique: true, maxLength: 20 }) title!: string
}

class MemoryLog implements Logger {
  readonly lines: { level: string; message: string; fields: object }[] = []
  debug(fields: object, message: string): void {
    this.lines.push({ level: 'debug', message, fields })
  }
  warn(fields: object, message: string): void {
    this.lines.push({ level: 'warn', message, fields })
  }
  of(level: string): string {
    return this.lines.flatMap((line) => (line.level === level ? [line.message] : [])).join('\n')
  }
}

describe('logger', () => {
  it('gets statements and the life of connections as debug, with no bound value', async () => {
    const log = new MemoryLog()
    await using db = createDatabase({ url: 'sqlite::memory:', models: { notes: Note }, logger: log })
    await db.createTables()
    await db.nodes.notes.create({ title: 'a secret title' })
    expect(log.of('debug')).toMatch(/NoteCreateNode: 1 rows in/)
    expect(log.of('debug')).toMatch(/pool sqlite::memory:#\w{8}: opened/)
    expect(JSON.stringify(log.lines)).not.toContain('a secret title')
    expect(log.of('warn')).toBe('')
  })

  it('gets a failed statement as a warning, with the typed error', async () => {
    const log = new MemoryLog()
    await using db = createDatabase({ url: 'sqlite::memory:', models: { notes: Note }, logger: log })
    await db.createTables()
    await db.nodes.notes.create({ title: 'twice' })
    await expect(db.nodes.notes.create({ title: 'twice' })).rejects.toThrow()
    expect(log.of('warn')).toMatch(/NoteCreateNode failed after .* ms: Note: another row has the same unique key on title/)
    expect(log.lines.at(-1)?.fields).toMatchObject({ label: 'NoteCreateNode', error: { code: 'UNIQUE_VIOLATION' } })
  })

  it('hears nothing of other databases, and nothing after close', async () => {
    const log = new MemoryLog()
    const db = createDatabase({ url: 'sqlite::memory:', models: { notes: Note }, logger: log })
    await using other = createDatabase({ url: 'sqlite::memory:', models: { notes: Note } })
    await other.createTables()
    expect(log.lines).toEqual([])
    await db.close()
    await other.nodes.notes.create({ title: 'unheard' })
    expect(log.lines).toEqual([])
  })

  it('is refused where it cannot be written to', () => {
    expect(() => createDatabase({ url: 'sqlite::memory:', models: { notes: Note }, logger: { info() {} } as never })).toThrow(
      'logger: expected an object with debug and warn',
    )
  })
})

describe('logEvents', () => {
  const POOL = 'postgres:db:5432/shop#ab12cd34'
  const log = new MemoryLog()
  let end: () => void

  beforeEach(() => {
    log.lines.length = 0
    end = logEvents(log, POOL)
  })

  afterEach(() => end())

  function publishLock(event: object): void {
    lockEvents.publish({ kind: 'pool', key: POOL, label: 'UserCreateNode', isReentry: false, ...event } as LockEvent)
  }

  it.each([
    ['debug', { type: 'opened' }, `pool ${POOL}: opened`],
    ['debug', { type: 'connected', durationMs: 3 }, `pool ${POOL}: connected`],
    ['debug', { type: 'disconnected', reason: 'idle', ageMs: 3 }, `pool ${POOL}: disconnected`],
    ['warn', { type: 'connectFailed', durationMs: 3, error: new Error('refused') }, `pool ${POOL}: connectFailed`],
    ['warn', { type: 'timedOut', label: 'UserCreateNode', waitedMs: 3 }, `pool ${POOL}: timedOut for UserCreateNode`],
    ['warn', { type: 'refused', label: 'UserCreateNode', waiting: 3 }, `pool ${POOL}: refused for UserCreateNode`],
    ['warn', { type: 'deadlock', label: 'UserCreateNode' }, `pool ${POOL}: deadlock for UserCreateNode`],
    ['warn', { type: 'fallback', label: 'UserCreateNode', waitedMs: 3 }, `pool ${POOL}: fallback for UserCreateNode`],
    ['warn', { type: 'leaked', label: 'UserCreateNode', heldMs: 3, stack: undefined }, `pool ${POOL}: leaked for UserCreateNode`],
  ])('writes as %s that the pool has %j', (level, event, message) => {
    const published = { pool: POOL, ...event } as PoolEvent
    poolEvents.publish(published)
    expect(log.lines).toEqual([{ level, message, fields: published }])
  })

  it.each([
    ['debug', { type: 'acquired', waitedMs: 1.25 }, `lock "${POOL}": acquired for UserCreateNode after 1.3 ms`],
    ['debug', { type: 'released', heldMs: 2 }, `lock "${POOL}": released for UserCreateNode after 2.0 ms`],
    ['debug', { type: 'aborted', waitedMs: 2, label: undefined }, `lock "${POOL}": aborted after 2.0 ms`],
    ['warn', { type: 'timedOut', waitedMs: 5_000 }, `lock "${POOL}": timedOut for UserCreateNode after 5000.0 ms`],
    ['warn', { type: 'deadlock', waitedMs: 0 }, `lock "${POOL}": deadlock for UserCreateNode after 0.0 ms`],
    ['warn', { type: 'leaked', heldMs: 7, stack: 'at' }, `lock "${POOL}": leaked for UserCreateNode after 7.0 ms`],
    ['warn', { type: 'overheld', heldMs: 7, stack: 'at' }, `lock "${POOL}": overheld for UserCreateNode after 7.0 ms`],
  ])('writes as %s that the lock was %j', (level, event, message) => {
    publishLock(event)
    expect(log.lines).toMatchObject([{ level, message, fields: event }])
  })

  it('writes of the locks of the application on its database, and of no other lock', () => {
    publishLock({ kind: 'application', key: 'invoice:42@postgres:db:5432/shop', type: 'acquired', waitedMs: 0 })
    publishLock({ kind: 'application', key: 'invoice:42@postgres:db:5432/shop (all processes)', type: 'acquired', waitedMs: 0 })
    publishLock({ kind: 'application', key: 'invoice:42@postgres:db:5432/other', type: 'acquired', waitedMs: 0 })
    publishLock({ kind: 'application', key: 'invoice:42@postgres:db:5432/shop2', type: 'acquired', waitedMs: 0 })
    publishLock({ key: 'postgres:db:5432/shop#cd34ef56', type: 'acquired', waitedMs: 0 })
    expect(log.lines.map(({ message }) => message)).toEqual([
      'lock "invoice:42@postgres:db:5432/shop": acquired for UserCreateNode after 0.0 ms',
      'lock "invoice:42@postgres:db:5432/shop (all processes)": acquired for UserCreateNode after 0.0 ms',
    ])
  })

  it('hears nothing more when it is ended', () => {
    end()
    const channels = [queryEvents, slowQueryEvents, poolEvents, lockEvents]
    expect(channels.map(({ hasSubscribers }) => hasSubscribers)).toEqual([false, false, false, false])
  })
})

describe('a slow statement', () => {
  it('is a warning with its text and time, and without its values', async () => {
    const log = new MemoryLog()
    await using db = createDatabase({ url: 'sqlite::memory:', models: { notes: Note }, logger: log, slowQueryMs: 1 })
    await db.createTables()
    // enough to take longer than a millisecond anywhere, and still one statement
    const rows = Array.from({ length: 1_000 }, (_, index) => ({ title: `a secret ${index}` }))
    await db.nodes.notes.bulkCreate({ rows, returning: true })
    // on a busy machine the tables may have been slow too
    expect(log.of('warn')).toMatch(/^NoteBulkCreateNode was slow: 1000 rows in \d+\.\d ms, over slowQueryMs 1$/m)
    expect(log.lines.findLast(({ level }) => level === 'warn')?.fields).toMatchObject({
      label: 'NoteBulkCreateNode',
      sql: expect.stringMatching(/^insert into "notes"/),
      rowCount: 1_000,
      durationMs: expect.any(Number),
    })
    expect(JSON.stringify(log.lines)).not.toContain('a secret')
  })

  it.each([0, 86_400_001, 1.5, '100', Number.NaN, null])('is not a matter of slowQueryMs %j', (slowQueryMs) => {
    expect(() => createDatabase({ url: 'sqlite::memory:', models: { notes: Note }, slowQueryMs: slowQueryMs as never })).toThrow(
      /^slowQueryMs: expected a whole number from 1 to 86400000, got /,
    )
  })
})

describe('NODE_DEBUG=latchwork', () => {
  it('prints what happens once, without values, and nothing is printed without it', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'latchwork-debug-'))
    const told = await runDebug(join(folder, 'told.db'), 'latchwork')
    expect(told.split('\n').filter((line) => line.includes('ItemCreateNode: 1 rows in'))).toHaveLength(1)
    expect(told).toMatch(/^LATCHWORK \d+: ItemCreateNode: 1 rows in \d+\.\d ms \{ pool: 'sqlite:.*', .*sql: 'insert into "items"/m)
    expect(told).toMatch(/^LATCHWORK \d+: db\.kysely failed after .* ms: .*nowhere/m)
    expect(told).toMatch(/^LATCHWORK \d+: lock "sqlite:.*told.db#\w{8}": acquired for /m)
    expect(told).not.toContain('canary')
    expect(await runDebug(join(folder, 'untold.db'), '')).toBe('')
    await rm(folder, { recursive: true })
  })
})

/** What the program wrote to standard error. */
async function runDebug(file: string, debug: string): Promise<string> {
  const program = fileURLToPath(new URL('../fixtures/database/debug.ts', import.meta.url))
  const env = { ...process.env, NODE_OPTIONS: '', NODE_NO_WARNINGS: '1', NODE_DEBUG: debug }
  const { stderr } = await promisify(execFile)(process.execPath, ['--import', 'tsx', program, `sqlite:${file}`], { env })
  return stderr
}
