import { AsyncLocalStorage } from 'node:async_hooks'
import { AuditEntry, currentLockScope, field, type Generated, id, model, tenant, withLockScope } from 'latchwork'
import { describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { useDatabase } from './use-database.js'

@model({ audit: true })
class Memo {
  @id() id!: Generated<number>
  @tenant() orgId!: Generated<number>
  @field.text({ maxLength: 50 }) text!: string
}

forEachEngine((engine) => {
  describe('work after a commit', () => {
    const use = useDatabase(engine, { memos: Memo, audit: AuditEntry })
    const requests = new AsyncLocalStorage<string>()
    const as = <T>(org: number, fn: () => Promise<T>) =>
      requests.run(`request ${org}`, () => use.db.withTenant(org, () => use.db.withActor(`user ${org}`, fn)))
    const write = (text: string) => () => use.nodes.memos.create({ text: `${text} of ${requests.getStore()}` })
    const queue = (text: string) => use.db.afterCommit(write(text))
    /** The text of each row, its tenant, and who made it. */
    const written = async () => {
      const { rows } = await use.db.acrossTenants(() => use.nodes.memos.list({ orderBy: { id: 'asc' } }))
      const entries = await use.nodes.audit.list({ orderBy: { id: 'asc' } })
      await use.clear()
      return rows.map(({ orgId, text }, index) => `${text}: tenant ${orgId}, ${entries.rows[index]?.actor}`)
    }

    it('runs in the context of the call that queued it: tenant, actor, and storages of the program', async () => {
      await as(2, () =>
        use.db.transaction(async () => {
          await queue('outer')
          await as(1, () => queue('inner'))
          await as(3, () => use.db.transaction(() => as(4, () => queue('nested'))))
          await as(5, () => use.db.transaction(() => queue('joined'), { propagation: 'join' }))
        }),
      )
      expect(await written()).toEqual([
        'outer of request 2: tenant 2, user 2',
        'inner of request 1: tenant 1, user 1',
        'nested of request 4: tenant 4, user 4',
        'joined of request 5: tenant 5, user 5',
      ])
    })

    it('is in no transaction, lock or lock scope that has ended by then', async () => {
      const transaction = () => use.db.transaction(write('transaction'))
      const lock = () => use.db.lock('b', write('lock'))
      const scope = () => withLockScope(write('scope'))
      await as(2, () =>
        use.db.transaction(async () => {
          await use.db.transaction(() => use.db.afterCommit(transaction))
          await use.db.lock('a', () => use.db.transaction(() => as(1, () => use.db.afterCommit(lock))))
          await withLockScope(() => use.db.afterCommit(scope))
        }),
      )
      expect(await written()).toEqual([
        'transaction of request 2: tenant 2, user 2',
        'lock of request 1: tenant 1, user 1',
        'scope of request 2: tenant 2, user 2',
      ])
    })

    it('is in no transaction of another database that has ended by then', async () => {
      const other = use.another({ pool: { maxConnections: 2 } })
      const counts: number[] = []
      const count = () => other.acrossTenants(async () => void counts.push(await other.nodes.memos.count()))
      await as(2, () =>
        use.db.transaction(async () => {
          await write('row')()
          await other.transaction(() => use.db.afterCommit(count), { readOnly: true })
        }),
      )
      expect(counts).toEqual([1])
      await use.clear()
    })

    it('is under the locks that are held around its transaction', async () => {
      const keys: (readonly string[])[] = []
      const look = () => void keys.push(currentLockScope()?.holds.map(({ name }) => name.split('@')[0]!) ?? [])
      await use.db.lock('around', () => use.db.transaction(() => use.db.lock('within', () => use.db.afterCommit(look))))
      expect(keys).toEqual([['around']])
    })

    it('runs at once, in the context of the call, where that is detached', async () => {
      const outcome = use.db.transaction(() => as(1, () => use.db.detached(() => queue('detached'))), { readOnly: true })
      await as(2, () => outcome)
      expect(await written()).toEqual(['detached of request 1: tenant 1, user 1'])
    })
  })
})
