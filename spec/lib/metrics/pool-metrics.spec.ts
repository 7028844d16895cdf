import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDatabase, field, type Generated, id, model } from 'latchwork'
import { collectMetrics } from 'latchwork/metrics'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseExposition } from './exposition.js'

@model()
class Note {
  @id() id!: Generated<number>
  @field.text() title!: string
}

let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'latchwork-metrics-spec-'))
})

afterAll(() => rm(folder, { recursive: true }))

describe('latchwork_pool_max_connections', () => {
  it.each([
    ['the readers of a SQLite file and its writer', 'shop.db', 1, 2],
    ['the one connection of a database in memory', ':memory:', 5, 1],
  ])('counts %s', async (_, file, maxConnections, most) => {
    using metrics = await collectMetrics()
    const url = `sqlite:${file === ':memory:' ? file : join(folder, file)}`
    await using db = createDatabase({ url, models: { notes: Note }, pool: { maxConnections, share: false } })
    await db.createTables()
    const read = async () => parseExposition(await metrics.text())
    // all that can be lent at once: to one who writes, and beside it to one who reads
    const full = await db.transaction(async () => {
      await db.nodes.notes.create({ title: 'a' })
      return most === 1 ? read() : db.transaction(() => db.nodes.notes.count().then(read), { propagation: 'new', readOnly: true })
    })
    expect([full.sum('latchwork_pool_connections', { state: 'leased' }), full.sum('latchwork_pool_max_connections')]).toEqual([most, most])
  })
})
