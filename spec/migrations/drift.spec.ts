import 'reflect-metadata'
import { createMigrator } from 'latchwork/migrations'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { forEachEngine } from '../support/engines.js'
import { folderOf } from './draft.js'
import { OrdersProject, orders } from './orders-project.js'

const MORE = { more: { kind: 'integer', default: 7 } } as const

forEachEngine((engine) => {
  let project: OrdersProject

  beforeEach(async () => {
    project = await OrdersProject.create(engine)
  })

  afterEach(() => project.database.drop())

  describe('drift', () => {
    it('finds nothing where nothing was changed, whatever the engine makes of defaults, checks and indexes', async () => {
      const id = await project.generate(orders())
      const { migrator } = project
      expect(await migrator.drift()).toMatchObject({ ok: true, exitCode: 0, against: [], unmanaged: [] })
      expect(await migrator.up()).toMatchObject({ warnings: [] })
      const objects = (await project.kept()).map(({ object }) => object)
      expect(objects).toEqual(expect.arrayContaining(['orders/check/orders_note_check', 'orders/default/rank', 'up-to']))
      expect(await migrator.drift()).toEqual({
        schema: 'latchwork.migrate/1',
        command: 'drift',
        dialect: engine.name,
        database: expect.any(String),
        ok: true,
        exitCode: 0,
        error: null,
        lock: null,
        next: [],
        warnings: [],
        against: [id],
        differences: [],
        notCompared: [],
        unmanaged: [],
      })
      await project.admin('delete from _latchwork_expressions')
      // what each engine makes of it is known without them
      expect(await migrator.drift()).toMatchObject({ ok: true, differences: [], notCompared: [] })
    })

    it('says what is there, what is missing and what differs, and in which table', async () => {
      await project.generate(orders())
      const { migrator } = project
      await migrator.up()
      await project.changeByHand('all')
      const drift = await migrator.drift()
      expect(drift).toMatchObject({ ok: false, exitCode: 5, unmanaged: ['audit_log'], error: { code: 'MIGRATION_DRIFT' } })
      expect(drift.differences).toEqual([
        expect.objectContaining({
          kind: 'different',
          table: 'orders',
          what: 'column',
          name: 'rank',
          expected: 'integer not null default -1',
        }),
        expect.objectContaining({ kind: 'missing', what: 'column', name: 'price', actual: null }),
        { kind: 'unexpected', table: 'orders', what: 'column', name: 'legacy_code', expected: null, actual: 'text null' },
        expect.objectContaining({ kind: 'missing', what: 'index', name: 'orders_note_idx' }),
      ])
      const ignore = ['orders.rank', 'orders.legacy_*', 'orders.pric?', '*_note_idx']
      expect(await migrator.drift({ ignore })).toMatchObject({ ok: true, differences: [], unmanaged: ['audit_log'] })
      expect(await migrator.drift({ ignore, strict: true })).toMatchObject({ exitCode: 5, differences: [{ table: 'audit_log' }] })
      expect(await migrator.drift({ ignore: ['audit_*', 'orders'], strict: true })).toMatchObject({ ok: true, unmanaged: [] })
    })

    it('tells SQL of the model apart by how it was kept, also when a later migration has run; without that it says so', async () => {
      await project.generate(orders())
      const { migrator } = project
      await migrator.up()
      await project.changeByHand('note')
      await project.generate(orders(MORE))
      await migrator.up()
      expect((await project.kept()).map(({ object }) => object)).toContain('orders/default/more')
      const check = { table: 'orders', what: 'check', name: 'orders_note_check' } as const
      expect(await migrator.drift()).toMatchObject({ exitCode: 5, differences: [{ ...check, kind: 'different' }], notCompared: [] })
      await project.admin("delete from _latchwork_expressions where object = 'orders/check/orders_note_check'")
      expect(await migrator.drift()).toMatchObject({ ok: true, differences: [], notCompared: [check] })
    })

    it('keeps what down and redo leave, and nothing of what is gone', async () => {
      await project.generate(orders())
      const { migrator } = project
      await migrator.up()
      const first = await project.kept()
      await project.generate(orders({ rank: { kind: 'integer', default: -5 } }))
      await migrator.up()
      const second = await project.kept()
      expect(second).not.toEqual(first)
      expect(await migrator.redo({ allowLossy: true })).toMatchObject({ ok: true, warnings: [] })
      expect(await project.kept()).toEqual(second)
      await migrator.down({ steps: 1, allowLossy: true })
      const again = await project.kept()
      const back = (rows: typeof first) => rows.filter(({ object }) => object !== 'orders/default/rank')
      expect(back(again)).toEqual(back(first))
      expect(await migrator.drift()).toMatchObject({ ok: true })
      await migrator.down({ steps: 1, allowLossy: true })
      expect(await project.kept()).toEqual([{ object: 'up-to', logical_hash: '', as_stored: '' }])
    })

    it('refuses where what was applied is not on disk', async () => {
      await project.generate(orders())
      await project.migrator.up()
      const elsewhere = createMigrator({ url: project.database.url, folder: await folderOf([]) })
      await expect(elsewhere.drift()).rejects.toMatchObject({ exitCode: 6, problems: [{ kind: 'missing' }] })
    })
  })

  describe('baseline', () => {
    it('adopts a database that is as the snapshot says, and no other', async () => {
      const id = await project.generate(orders())
      const second = await project.generate(orders({ more: { kind: 'integer', nullable: true } }))
      const { migrator } = project
      await expect(migrator.baseline(id)).rejects.toMatchObject({
        exitCode: 5,
        report: { differences: [{ kind: 'missing', table: 'orders' }] },
        document: { command: 'baseline', baselined: [], differences: [{ table: 'orders' }], pending: [id, second] },
      })
      await project.admin((await migrator.script({ to: id })).sql)
      for (const table of ['migrations', 'migration_log', 'expressions', 'seeds', 'meta'])
        await project.admin(`drop table _latchwork_${table}`)
      await project.admin('create table other (id integer primary key)')
      await expect(migrator.baseline(second)).rejects.toMatchObject({ report: { differences: [{ kind: 'missing', name: 'more' }] } })
      expect(await migrator.status()).toMatchObject({ applied: [], pending: [id, second] })

      const adopted = await migrator.baseline(id)
      expect(adopted).toMatchObject({ ok: true, baselined: [id], pending: [second], differences: [], unmanaged: ['other'] })
      expect(adopted.lock).toMatchObject({ waitedMs: expect.any(Number) })
      expect((await migrator.status()).migrations.map(({ state }) => state)).toEqual(['baselined', 'pending'])
      await expect(migrator.baseline(id)).rejects.toMatchObject({ exitCode: 6 })
      expect(await migrator.up()).toMatchObject({ ok: true, applied: [{ id: second }], warnings: [] })
      expect(await migrator.drift()).toMatchObject({ ok: true, against: [second] })
      expect((await project.kept()).map(({ object }) => object)).toEqual(['up-to'])
    })

    it('goes on where the database differs for a reason, which is in the log', async () => {
      const id = await project.generate(orders())
      const { migrator } = project
      await expect(migrator.baseline('no_such_id')).rejects.toMatchObject({ exitCode: 2 })
      await expect(migrator.baseline(id, { forceMismatch: ' ' })).rejects.toMatchObject({ exitCode: 2 })
      const forced = await migrator.baseline(id, { forceMismatch: 'its tables come tomorrow' })
      expect(forced).toMatchObject({ ok: true, baselined: [id], differences: [{ kind: 'missing', what: 'table', table: 'orders' }] })
      const log = await project.admin('select action, outcome, reason from _latchwork_migration_log')
      expect(log).toEqual([{ action: 'baseline', outcome: 'baselined', reason: 'mismatch forced: its tables come tomorrow' }])
    })
  })
})
