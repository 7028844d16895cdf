import 'reflect-metadata'
import { cp } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { forEachEngine } from '../../support/engines.js'
import { OrdersProject, orders } from '../orders-project.js'
import { CliProject } from './cli-project.js'

const CONFIG =
  "import { defineConfig } from 'latchwork/migrations'\nexport default defineConfig({ drift: { ignore: ['audit_*', 'orders.legacy_*'] } })\n"

describe('the command line', () => {
  forEachEngine((engine) => {
    it('says with 5 how a database has drifted, and adopts one that has not', { timeout: 60_000 }, async () => {
      const made = await OrdersProject.create(engine)
      await using project = await CliProject.create({ 'latchwork.config.mjs': CONFIG })
      project.env.LATCHWORK_DATABASE_URL = made.database.url
      try {
        const id = await made.generate(orders())
        await cp(made.folder, join(project.folder, 'migrations'), { recursive: true })
        expect(await project.json('migrate', 'baseline', id)).toMatchObject({
          dialect: engine.name,
          exitCode: 5,
          error: { code: 'MIGRATION_DRIFT' },
          next: [expect.stringContaining('--force-mismatch')],
          baselined: [],
          differences: [{ kind: 'missing', what: 'table', table: 'orders' }],
        })
        await made.migrator.up()
        await made.admin('delete from _latchwork_migrations')
        expect(await project.run('migrate', 'baseline', id)).toMatchObject({ exitCode: 0, stdout: `baselined ${id}\n` })
        expect(await project.json('migrate', 'baseline', id)).toMatchObject({ exitCode: 6 })
        expect(await project.run('migrate', 'drift')).toMatchObject({ exitCode: 0, stdout: `no drift; compared with ${id}\n` })

        await made.changeByHand('all')
        const { stdout, stderr, exitCode } = await project.run('migrate', 'drift', '--ignore', '*_note_idx')
        expect(exitCode).toBe(5)
        expect(stdout).toContain('\norders\n  different   column rank\n')
        expect(stdout).toContain('missing     column price: decimal(10, 2) not null default "0.50"\n')
        expect(stdout).not.toContain('legacy_code')
        expect(stderr).toContain('MIGRATION_DRIFT: the database is not as its migrations left it: 2 differences')
        const ignored = await project.json('migrate', 'drift', '--strict', '--ignore', 'orders')
        expect(ignored).toMatchObject({ ok: true, differences: [], unmanaged: [] })
      } finally {
        await made.database.drop()
      }
    })
  })

  it('shows examples of drift and baseline with --help', async () => {
    await using project = await CliProject.create({})
    expect((await project.run('migrate', 'drift', '--help')).stdout).toContain("latchwork migrate drift --ignore 'audit_*")
    expect((await project.run('migrate', 'baseline', '--help')).stdout).toContain('latchwork migrate baseline 2026')
  })
})
