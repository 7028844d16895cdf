import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

describe('the types of decorators', () => {
  let folder: string

  beforeAll(async () => {
    // inside the project, so that the compiler finds its dependencies
    folder = await mkdtemp(join(ROOT, 'spec/types/.modes-'))
  })

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  it.each([
    ['standard', {}],
    ['legacy', { experimentalDecorators: true, emitDecoratorMetadata: true }],
  ])(
    'hold every promise and every refusal with %s decorators',
    async (mode, options) => {
      const path = join(folder, `${mode}.json`)
      await writeFile(
        path,
        JSON.stringify({
          extends: join(ROOT, 'tsconfig.json'),
          compilerOptions: { rootDir: ROOT, noEmit: true, declaration: false, sourceMap: false, inlineSources: false, ...options },
          include: [],
          files: [join(ROOT, 'spec/types/decorators.ts')],
        }),
      )
      await expect(compile(path)).resolves.toBe('')
    },
    60_000,
  )
})

async function compile(project: string): Promise<string> {
  const tsc = join(ROOT, 'node_modules/.bin/tsc')
  return promisify(execFile)(tsc, ['-p', project], { cwd: ROOT }).then(
    ({ stdout }) => stdout,
    // the compiler prints what is wrong where a result belongs
    (error: { stdout?: string }) => error.stdout ?? String(error),
  )
}
