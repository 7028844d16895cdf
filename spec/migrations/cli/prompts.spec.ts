import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { CliProject } from './cli-project.js'
import { HANDLE, NICK, shop, userModel } from './models.js'

const ENTER = '\r'
const DOWN = '\u001B[B'
const CTRL_C = '\u0003'

/** Runs a command on a terminal, made by `script` of util-linux, and types each answer once its question is there. */
async function onTerminal(project: CliProject, command: string, answers: readonly (readonly [question: string, typed: string])[]) {
  const { program, environment: env } = project
  const words = `stty cols 120 rows 40; '${process.execPath}' '${program}' ${command} --no-color`
  const child = spawn('script', ['-qec', words, '/dev/null'], { cwd: project.folder, env })
  const left = [...answers]
  let unread = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    unread += text
    const [next] = left
    if (next === undefined || !unread.includes(next[0])) return
    left.shift()
    unread = ''
    child.stdin.write(next[1])
  })
  const [exitCode] = (await once(child, 'close')) as [number]
  return { exitCode, unasked: left }
}

// elsewhere `script` takes other words
describe.skipIf(process.platform !== 'linux')('on a terminal, latchwork migrate generate', () => {
  async function withFirst(fields: string): Promise<CliProject> {
    const project = await CliProject.create(shop('sqlite', NICK))
    await project.run('migrate', 'generate', 'first')
    await project.write({ 'models/user.ts': userModel(fields) })
    return project
  }

  async function operationsOf(project: CliProject, name: string): Promise<unknown> {
    const id = (await project.list('migrations')).find((each) => each.endsWith(name))
    return JSON.parse(await project.read('migrations', id!, 'migration.json')).operations
  }

  it('asks whether a column was renamed, and renames it', async () => {
    await using project = await withFirst(HANDLE)
    const ran = await onTerminal(project, 'migrate generate handle', [['column users.nick is gone', ENTER]])
    expect(ran).toEqual({ exitCode: 0, unasked: [] })
    expect(await operationsOf(project, '_handle')).toEqual([{ kind: 'renameColumn', table: 'users', name: 'nick', to: 'handle' }])
  })

  it('drops it where that is the answer, and asks for what is left', async () => {
    await using project = await withFirst('@field.integer() age!: number')
    const ran = await onTerminal(project, 'migrate generate handle', [
      ['column users.nick is gone', `${DOWN}${ENTER}`],
      ['what do rows get that are there', `21${ENTER}`],
    ])
    expect(ran).toEqual({ exitCode: 0, unasked: [] })
    expect(await operationsOf(project, '_handle')).toEqual(
      expect.arrayContaining([
        { kind: 'dropColumn', table: 'users', name: 'nick' },
        { kind: 'addColumn', table: 'users', name: 'age' },
      ]),
    )
  })

  it('writes nothing where a question is broken off', async () => {
    await using project = await withFirst(HANDLE)
    const ran = await onTerminal(project, 'migrate generate handle', [['column users.nick is gone', CTRL_C]])
    expect(ran).toEqual({ exitCode: 130, unasked: [] })
    expect(await project.list('migrations')).toHaveLength(2)
  })
})
