import { afterEach, describe, expect, it } from 'vitest'
import { queryEvents } from '../../lib/events.js'
import { forEachEngine } from '../support/engines.js'
import { Membership } from './models.js'
import { useDatabase } from './use-database.js'

forEachEngine((engine) => {
  const house = useDatabase(engine, { memberships: Membership })
  const memberships = () => house.nodes.memberships
  const row = { userId: 1, groupName: 'chess', seat: 3, note: 'first' }
  const where = { userId: 1, groupName: 'chess' }

  afterEach(async () => {
    await memberships().bulkDelete({ all: true })
  })

  describe('select', () => {
    it('narrows what every node gives back', async () => {
      const options = { select: ['seat', 'note'] } as const
      const { create, read, readOrThrow, update, list, upsert, bulkCreate } = memberships()
      const narrow = { seat: 3, note: 'first' }
      expect(await create(row, options)).toStrictEqual(narrow)
      expect(await read({ where }, options)).toStrictEqual(narrow)
      expect(await readOrThrow({ where }, options)).toStrictEqual(narrow)
      expect(await list({}, options)).toStrictEqual({ rows: [narrow] })
      expect(await update({ where, set: { note: 'second' } }, options)).toStrictEqual({ seat: 3, note: 'second' })
      expect(await upsert({ on: ['userId', 'groupName'], values: row }, options)).toStrictEqual({ row: narrow, outcome: 'updated' })
      expect(await memberships().delete({ where }, options)).toStrictEqual(narrow)
      expect(await bulkCreate({ rows: [row], returning: true }, options)).toStrictEqual({ count: 1, rows: [narrow] })
    })

    it('narrows the SQL', async () => {
      await memberships().create(row)
      const statements: string[] = []
      const listen = ({ sql }: { sql: string }) => statements.push(sql)
      queryEvents.subscribe(listen)
      try {
        await memberships().list({}, { select: ['seat'] })
      } finally {
        queryEvents.unsubscribe(listen)
      }
      expect(statements).toHaveLength(1)
      expect(statements[0]).toContain('place')
      expect(statements[0]).not.toContain('note')
    })

    it('may name a field twice', async () => {
      await memberships().create(row)
      expect(await memberships().read({ where }, { select: ['seat', 'seat', 'note'] })).toStrictEqual({ seat: 3, note: 'first' })
    })

    it.each([
      [[], 'select: expected a list of at least one field, got an empty one'],
      ['seat', 'select: expected a list of at least one field, got text'],
      [null, 'select: expected a list of at least one field, got null'],
      [['place'], 'select[0]: unknown field "place"'],
      [['seat', '*'], 'select[1]: unknown field "*"'],
      [['__proto__'], 'select[0]: unknown field "__proto__"'],
      [[{ seat: true }], 'select[0]: expected the name of a field, got an object'],
      [{ 0: 'seat', length: 1 }, 'select: expected a list of at least one field, got an object'],
    ])('%j is refused', async (select, message) => {
      await expect(memberships().read({ where }, { select: select as never })).rejects.toThrow(message)
      await expect(memberships().create(row, { select: select as never })).rejects.toThrow(message)
      expect(await memberships().count()).toBe(0)
    })
  })
})
