import { rename } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { CliProject } from './cli-project.js'
import { NICK, shop, userModel } from './models.js'

const AGE = '@field.integer({ nullable: true }) age!: number | null'

/** A project in which two branches have each generated a migration behind the first one, merged but for `HEAD`. */
async function withBranches(ours: string, theirs: string): Promise<CliProject> {
  const project = await CliProject.create(shop('sqlite', NICK))
  await project.json('migrate', 'generate', 'first')
  const first = await project.read('migrations/HEAD')
  await project.write({ 'models/user.ts': userModel(ours) })
  const { id } = await project.json('migrate', 'generate', 'ours')
  await rename(join(project.folder, 'migrations', id), join(project.root, id))
  await project.write({ 'migrations/HEAD': first, 'models/user.ts': userModel(theirs) })
  const { id: other } = await project.json('migrate', 'generate', 'theirs', '--drop', 'users.nick')
  await rename(join(project.root, id), join(project.folder, 'migrations', id))
  await project.write({ 'migrations/HEAD': `<<<<<<< ours\n${id}\n=======\n${other}\n>>>>>>> theirs\n` })
  return project
}

describe('latchwork migrate merge', () => {
  it('joins branches that changed different columns of a table: then models and migrations agree, and up applies all', async () => {
    await using project = await withBranches(`${NICK}\n  ${AGE}`, '')
    const refused = await project.json('migrate', 'generate', 'more')
    expect(refused).toMatchObject({ exitCode: 6, next: ['latchwork migrate merge'] })
    const merged = await project.json('migrate', 'merge')
    expect(merged).toMatchObject({
      ok: true,
      exitCode: 0,
      conflicts: [],
      heads: [expect.stringMatching(/_ours$/), expect.stringMatching(/_theirs$/)],
    })
    expect(await project.read('migrations/HEAD')).toBe(`${merged.id}\n`)
    await project.write({ 'models/user.ts': userModel(AGE) })
    expect(await project.json('migrate', 'generate', '--check')).toMatchObject({ ok: true })
    const up = await project.json('migrate', 'up', '--url', 'sqlite:shop.db')
    expect(up).toMatchObject({ ok: true, applied: [{}, {}, {}, { id: merged.id }] })
    expect(await project.json('migrate', 'merge')).toMatchObject({ ok: true, id: null })
  })

  it('ends with 3 where both changed the same column, names it and writes nothing', async () => {
    await using project = await withBranches(NICK.replace('40', '80'), '')
    const document = await project.json('migrate', 'merge')
    expect(document).toMatchObject({ ok: false, exitCode: 3, id: null, conflicts: ['users.nick'] })
    expect(document.error.message).toContain('both change users.nick')
    expect(await project.list('migrations')).toHaveLength(4)
  })
})
