import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, expect, it } from 'vitest'
import { forEachEngine } from './support/engines.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

const PRINTED = {
  'sign-up': `account (AccountCreateNode) → welcome (WelcomeLater) → workspace (WorkspaceCreateNode)
ada@example.com wants engine
  mail to ada@example.com, when 1 accounts are committed
  has engine
bob@example.com wants engine
  workspace: UNIQUE_VIOLATION; what stays: nothing
bob@example.com wants compiler
  mail to bob@example.com, when 2 accounts are committed
  has compiler
`,
  'nightly-import': `imported 600 prices; some pages took more than one try
runs: done; prices: 600
failed in write (VALIDATION); undone: begin, run
runs: done, failed; prices: 0
`,
} as const

beforeAll(() => {
  if (!existsSync(join(ROOT, 'dist/index.js'))) throw new Error('there is no dist/ that the samples can import; run: npm run build')
})

it.each(Object.keys(PRINTED))('the sample %s has a script', async (name) => {
  const { scripts } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { scripts: Record<string, string> }
  expect(scripts[`sample:${name}`]).toBe(`npm run --silent build && tsx samples/${name}/main.ts`)
  expect(await readFile(join(ROOT, `samples/${name}/main.ts`), 'utf8')).toContain(`npm run sample:${name}`)
})

forEachEngine((engine) => {
  it.each(Object.entries(PRINTED))(
    'the sample %s does what it says',
    async (name, printed) => {
      const database = await engine.freshDatabase()
      const env = { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1', NODE_NO_WARNINGS: '1', DATABASE_URL: database.url }
      const { stdout } = await promisify(execFile)(join(ROOT, 'node_modules/.bin/tsx'), [join(ROOT, `samples/${name}/main.ts`)], {
        cwd: ROOT,
        env,
      })
      expect(stdout).toBe(printed)
      await database.drop()
    },
    60_000,
  )
})
