import { createDatabase } from 'latchwork'
import { describe, expect, it, vi } from 'vitest'
import { queryEvents } from '../../lib/events.js'
import { forEachEngine } from '../support/engines.js'
import { models } from './members.js'

// MariaDB gives rows back and MySQL does not: what MariaDB does when it says that it is MySQL is what MySQL does
vi.mock(import('../../lib/dialect/mysql/session.js'), async (original) => ({ ...(await original()), askVersion: async () => '8.0.36' }))

vi.mock(import('../support/engines.js'), async (original) => {
  const engines = await original()
  return { ...engines, forEachEngine: (body) => engines.forEachEngine(body, { engines: ['mysql'] }) }
})

describe('a server that gives no rows back for what it writes', async () => {
  forEachEngine((engine) => {
    it('is sent no RETURNING', async () => {
      const fresh = await engine.freshDatabase()
      const db = createDatabase({ url: fresh.url, models })
      await db.createTables()
      const sent: string[] = []
      const listen = (event: unknown) => sent.push((event as { sql: string }).sql)
      queryEvents.subscribe(listen)
      const { members } = db.nodes
      await members.create({ email: 'ada@example.com' })
      await members.bulkCreate({ rows: [{ email: 'bob@example.com' }, { email: 'eve@example.com' }], returning: true })
      await members.upsert({ on: ['email'], values: { email: 'ada@example.com', age: 36 } })
      await members.delete({ where: { email: 'ada@example.com' } })
      queryEvents.unsubscribe(listen)
      await db.close()
      await fresh.drop()
      expect(sent.filter((sql) => /insert|delete/.test(sql)).length).toBeGreaterThan(4)
      expect(sent.filter((sql) => /returning/.test(sql))).toEqual([])
    })
  })

  await import('./rows.spec.js')
  await import('./create-tree.spec.js')
  await import('./bulk-create.spec.js')
  await import('./bulk-upsert.spec.js')
  await import('./upsert.spec.js')
  await import('./upsert-race.spec.js')
  await import('./kept-fields.spec.js')
  await import('./soft-delete.spec.js')
  await import('./field-types.spec.js')
  await import('./audit.spec.js')
})
