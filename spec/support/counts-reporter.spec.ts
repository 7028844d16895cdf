import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const FIXTURES = fileURLToPath(new URL('../fixtures/counts/', import.meta.url))
const VITEST = fileURLToPath(new URL('../../node_modules/vitest/vitest.mjs', import.meta.url))

function runCase(name: string): { lastLine: string | undefined; exitCode: number | null } {
  const { stdout, status } = run(name)
  return { lastLine: stdout.split('\n').at(-2), exitCode: status }
}

function run(name: string): { stdout: string; status: number | null } {
  return spawnSync(process.execPath, [VITEST, 'run', `${name}.case.ts`], { cwd: FIXTURES, encoding: 'utf8' })
}

describe('CountsReporter', () => {
  it('ends the output with what passed, failed and was skipped', () => {
    expect(runCase('mixed')).toEqual({ lastLine: '1 passed, 1 failed, 1 skipped', exitCode: 1 })
  })

  it('names what passed only when it was tried again', () => {
    const { stdout } = run('flaky')
    expect(stdout.split('\n').slice(-3)).toEqual([
      'passed only when it was tried again: flaky.case.ts > passes the second time',
      '1 passed, 0 failed, 0 skipped',
      '',
    ])
  })

  it('fails a run in which nothing was tested', () => {
    expect(runCase('all-skipped')).toEqual({ lastLine: '0 passed, 0 failed, 1 skipped', exitCode: 1 })
    expect(runCase('no-such')).toEqual({ lastLine: '0 passed, 0 failed, 0 skipped', exitCode: 1 })
  })

  it.each([
    ['unloadable', '0 passed, 1 failed, 0 skipped'],
    ['broken-hook', '0 passed, 1 failed, 1 skipped'],
    ['uncaught', '1 passed, 1 failed, 0 skipped'],
  ])('counts what breaks outside of tests as failed: %s', (name, lastLine) => {
    expect(runCase(name)).toEqual({ lastLine, exitCode: 1 })
  })
})
