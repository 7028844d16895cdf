import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { MigratorOptions, RunDocument } from 'latchwork/migrations'

const FILE = fileURLToPath(new URL('../fixtures/migrations/worker.ts', import.meta.url))

/** A process that migrates when it is told to. */
export class MigratingProcess {
  readonly #child: ChildProcess
  readonly #lines: string[] = []
  #onLine: (() => void) | undefined
  #errors = ''

  constructor(env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(process.execPath, ['--import', 'tsx', FILE], { env: { ...process.env, NODE_OPTIONS: '', ...env } })
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      this.#lines.push(line)
      this.#onLine?.()
    })
    this.#child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#errors += text
    })
    this.#child.once('exit', () => this.#onLine?.())
    // it may be killed while it is told something
    this.#child.stdin!.on('error', () => undefined)
  }

  tell(options: MigratorOptions & { readonly resume?: string }): void {
    this.#child.stdin!.write(`${JSON.stringify(options)}\n`)
  }

  /** The next document that it gives; that a migration was begun is passed over. */
  async document(): Promise<RunDocument> {
    for (;;) {
      const line = await this.#line()
      if (!line.startsWith('{"started"')) return JSON.parse(line)
    }
  }

  /** Settles when it has begun a migration. */
  async started(): Promise<void> {
    await this.#line()
  }

  async kill(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exit = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exit
  }

  async end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return
    const exit = once(this.#child, 'exit')
    this.#child.stdin!.end()
    await exit
  }

  async #line(): Promise<string> {
    while (this.#lines.length === 0) {
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) throw new Error(`the process ended: ${this.#errors}`)
      await new Promise<void>((resolve) => {
        this.#onLine = resolve
      })
    }
    return this.#lines.shift()!
  }
}
