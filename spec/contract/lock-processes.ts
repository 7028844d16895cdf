import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const FOLDER = fileURLToPath(new URL('../fixtures/locks', import.meta.url))

/** A program of `spec/fixtures/locks` that runs in a process of its own. */
export class LockProcess {
  readonly #child: ChildProcess
  #output = ''

  constructor(file: string, ...parameters: string[]) {
    const options = { env: { ...process.env, NODE_OPTIONS: '' } }
    this.#child = spawn(process.execPath, ['--import', 'tsx', join(FOLDER, file), ...parameters], options)
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text
      })
    }
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** Waits until it has printed the text. */
  async prints(text: string): Promise<void> {
    while (!this.#output.includes(text)) {
      if (this.#child.exitCode !== null) throw new Error(`ended with ${this.#child.exitCode}: ${this.#output}`)
      const heard = new AbortController()
      const news = [once(this.#child.stdout!, 'data', heard), once(this.#child, 'close', heard)]
      await Promise.race(news).finally(() => heard.abort())
    }
  }

  tell(text: string): void {
    this.#child.stdin!.write(`${text}\n`)
  }

  /** The last line that it printed, once it has ended. */
  async ended(): Promise<string> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'close')
    return this.#output.trim().split('\n').at(-1)!
  }

  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.ended()
  }
}
