import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('../fixtures/database', import.meta.url))

/** What a program printed, and how it ended. */
export interface FixtureRun {
  readonly output: string
  readonly exitCode: number | null
  /** From the last thing it printed until it was gone. */
  readonly msAfterOutput: number
}

/** Runs a program of `spec/fixtures/database` in a process of its own. */
export async function runFixture(file: string, ...parameters: string[]): Promise<FixtureRun> {
  const env = { ...process.env, NODE_OPTIONS: '' }
  const child = spawn(process.execPath, ['--expose-gc', '--import', 'tsx', join(FOLDER, file), ...parameters], { env })
  let output = ''
  let errors = ''
  let printedMs = performance.now()
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    printedMs = performance.now()
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const [exitCode] = (await once(child, 'close')) as [number | null]
  if (exitCode !== 0) throw new Error(`${file} ended with ${exitCode}: ${errors}`)
  return { output: output.trim(), exitCode, msAfterOutput: performance.now() - printedMs }
}
