import { afterAll, expect, it } from 'vitest'
import { type FreshDatabase, forEachEngine } from '../../support/engines.js'
import { CliProject } from './cli-project.js'
import { HANDLE, NICK, shop, userModel } from './models.js'

const AGE = '@field.integer({ nullable: true }) age!: number | null'

forEachEngine((engine) => {
  const databases: FreshDatabase[] = []

  async function fresh(): Promise<string> {
    const database = await engine.freshDatabase()
    databases.push(database)
    return database.url
  }

  it('migrate squash makes one of several, on which models and snapshots agree, and which lint lets be', async () => {
    await using project = await CliProject.create(shop(engine.name, NICK))
    const { id: first } = await project.json('migrate', 'generate', 'one')
    await project.write({ 'models/user.ts': userModel(AGE) })
    const { id: second } = await project.json('migrate', 'generate', 'two', '--drop', 'users.nick')
    const squashed = await project.json('migrate', 'squash', 'all', '--from', first, '--to', second)
    const id = `${second.slice(0, 16)}_all`
    expect(squashed).toMatchObject({ command: 'squash', ok: true, exitCode: 0, ids: [id], replaced: [first, second], kept: [] })
    expect(await project.json('migrate', 'generate', '--check')).toMatchObject({ ok: true })
    expect(await project.json('migrate', 'lint')).toMatchObject({
      ok: true,
      findings: expect.not.arrayContaining([expect.objectContaining({ level: 'error' })]),
    })
    expect(await project.json('migrate', 'up', '--url', await fresh())).toMatchObject({ ok: true, applied: [{ id }] })
    expect(await project.json('migrate', 'squash', '--from', id, '--to', id)).toMatchObject({ ok: false, exitCode: 2 })
  }, 120_000)

  it('generate --split writes the drops as a second migration, for when the old release is gone', async () => {
    await using project = await CliProject.create(
      shop(engine.name, `${NICK}\n  @field.text({ maxLength: 9, index: true, nullable: true }) old!: string | null`),
    )
    await project.json('migrate', 'generate', 'first')
    await project.write({ 'models/user.ts': userModel(`${HANDLE}\n  ${AGE}`) })
    const words = ['migrate', 'generate', 'second', '--rename', 'users.nick:handle', '--drop', 'users.old', '--split']
    const { id, dropsId } = await project.json(...words)
    expect([id, dropsId]).toEqual([expect.stringMatching(/_second$/), expect.stringMatching(/_drop_second$/)])
    const read = (each: string) => project.read('migrations', each, `up.${engine.name}.sql`)
    expect(await read(id)).not.toMatch(/drop column|approve/)
    expect(await read(dropsId)).toContain('-- latchwork:approve drop-column users.old')
    expect(await project.json('migrate', 'generate', '--check')).toMatchObject({ ok: true })
    const url = await fresh()
    await project.json('migrate', 'up', '--to', id, '--url', url)
    await engine.admin(url, "insert into users (email, handle, age, old) values ('a@example.com', 'a', 1, 'b')")
    expect(await project.json('migrate', 'up', '--url', url)).toMatchObject({ applied: [{ id: dropsId }] })
    expect(await engine.admin(url, 'select email, handle, age from users')).toEqual([{ email: 'a@example.com', handle: 'a', age: 1 }])
    await expect(engine.admin(url, 'select old from users')).rejects.toThrow()
  }, 120_000)

  afterAll(() => Promise.all(databases.splice(0).map((each) => each.drop())))
})
