import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { CliProject } from './cli-project.js'

const FIRST = '20261123T120000Z_first'
const SECOND = '20261123T120001Z_second'

const FILES: Readonly<Record<string, string>> = {
  [`migrations/${FIRST}/migration.json`]: JSON.stringify({ id: FIRST, parents: [] }),
  [`migrations/${FIRST}/up.sqlite.sql`]: 'create table users (id integer primary key);\n',
  [`migrations/${SECOND}/migration.json`]: JSON.stringify({ id: SECOND, parents: [FIRST] }),
  [`migrations/${SECOND}/data.mjs`]: "export async function up() { console.log('of a module'); console.info('and more') }\n",
  'latchwork.config.mjs': "console.log('of the configuration')\nexport default { url: 'sqlite:shop.db' }\n",
}

describe('the streams of a command', () => {
  it('keep what modules of the project print out of the result', async () => {
    await using project = await CliProject.create(FILES)
    const { stdout, stderr } = await project.run('migrate', 'up', '--json')
    expect(JSON.parse(stdout)).toMatchObject({ ok: true, applied: [{ id: FIRST }, { id: SECOND }] })
    for (const said of ['of the configuration\n', 'of a module\n', 'and more\n']) expect(stderr).toContain(said)
  })

  it.skipIf(process.platform === 'win32')('may be read by nobody: what runs goes on to its end', async () => {
    await using project = await CliProject.create(FILES)
    const up = `'${process.execPath}' '${project.program}' migrate up`
    const shell = (script: string) => promisify(execFile)('sh', ['-c', script], { cwd: project.folder, env: project.environment })
    await shell(`{ ${up} --json > result.json; echo $? > code; } 2>&1 | true`)
    expect(await project.read('code')).toBe('0\n')
    expect(JSON.parse(await project.read('result.json'))).toMatchObject({ ok: true, applied: [{ id: FIRST }, { id: SECOND }] })
    await shell(`{ ${up}; echo $? > code; } | true`)
    expect(await project.read('code')).toBe('0\n')
  })
})
