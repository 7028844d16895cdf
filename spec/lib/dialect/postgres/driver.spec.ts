import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { loadDriver } from '../../../../lib/dialect/postgres/driver.js'

// a process in which the package cannot be found
const WITHOUT_PG = `data:text/javascript,${encodeURIComponent(`
  import { register } from 'node:module'
  const hook = 'export const resolve = (name, context, next) => next(name === "pg" ? "pg-that-is-not-there" : name, context)'
  register('data:text/javascript,' + encodeURIComponent(hook))
`)}`

describe('loadDriver', () => {
  it('gives the driver', async () => {
    expect(await loadDriver()).toMatchObject({ Client: expect.any(Function) })
  })

  async function failureOf(parameters: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
    const source = fileURLToPath(new URL('../../../../lib/dialect/postgres/driver.ts', import.meta.url))
    const script = `import(${JSON.stringify(source)}).then((m) => m.loadDriver()).catch((e) => console.log(e.code, e.message))`
    const options = { env: { ...process.env, ...env } }
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', ...parameters, '--eval', script], options)
    return stdout
  }

  it('says what to install where the package is missing', async () => {
    const failure = await failureOf(['--import', WITHOUT_PG])
    expect(failure).toContain('DRIVER_MISSING')
    expect(failure).toContain('npm install pg')
  })

  it('refuses the native client that the environment asks for', async () => {
    const failure = await failureOf([], { NODE_PG_FORCE_NATIVE: '1' })
    expect(failure).toContain('CONFIGURATION')
    expect(failure).toContain('NODE_PG_FORCE_NATIVE')
  })
})
