import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../..', import.meta.url))
const PROGRAM = join(ROOT, 'dist/migrations/cli/main.js')

/** What a run of the command line left behind. */
export interface Ran {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** A document that a command printed; specs look at what they care for. */
// biome-ignore lint/suspicious/noExplicitAny: another shape for each command
export type Printed = any

/** A project in a folder of its own, in which the built command line runs as a process. */
export class CliProject implements AsyncDisposable {
  readonly env: Record<string, string> = {}
  readonly program = PROGRAM

  private constructor(
    readonly folder: string,
    readonly root: string,
  ) {}

  /** @param name  of the folder: a path may hold what a URL or a glob takes for something else */
  static async create(files: Readonly<Record<string, string>>, name = 'shop'): Promise<CliProject> {
    if (!existsSync(PROGRAM)) throw new Error('there is no dist/ to run; run: npm run build')
    const root = await mkdtemp(join(tmpdir(), 'latchwork-cli-'))
    const project = new CliProject(join(root, name), root)
    await mkdir(join(project.folder, 'node_modules'), { recursive: true })
    await symlink(ROOT, join(project.folder, 'node_modules/latchwork'), 'junction')
    await project.write({ 'package.json': '{ "type": "module", "private": true }', ...files })
    return project
  }

  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(this.folder, path)), { recursive: true })
      await writeFile(join(this.folder, path), text)
    }
  }

  read(...path: readonly string[]): Promise<string> {
    return readFile(join(this.folder, ...path), 'utf8')
  }

  list(...path: readonly string[]): Promise<string[]> {
    return readdir(join(this.folder, ...path)).then((names) => names.sort())
  }

  /** Runs `latchwork` with these words, without a terminal. */
  run(...words: readonly string[]): Promise<Ran> {
    return this.runIn(this.folder, ...words)
  }

  runIn(cwd: string, ...words: readonly string[]): Promise<Ran> {
    return new Promise((resolve) => {
      execFile(process.execPath, [PROGRAM, ...words], { cwd, env: this.environment }, (error, stdout, stderr) => {
        resolve({ exitCode: error === null ? 0 : (error.code as unknown as number), stdout, stderr })
      })
    })
  }

  /** The document that a command prints with `--json`, which is all it prints. */
  async json(...words: readonly string[]): Promise<Printed> {
    const { stdout, exitCode } = await this.run(...words, '--json')
    const document = JSON.parse(stdout)
    if (document.exitCode !== exitCode) throw new Error(`exit code ${exitCode}, and the document says ${document.exitCode}`)
    return document
  }

  /** Runs it until stderr has the text, then sends the signal and waits for its end. */
  async interrupt(signal: NodeJS.Signals, said: string, ...words: readonly string[]): Promise<Ran> {
    const child = spawn(process.execPath, [PROGRAM, ...words], { cwd: this.folder, env: this.environment })
    const output = { stdout: '', stderr: '' }
    let isSent = false
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output.stdout += text
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output.stderr += text
      if (!isSent && output.stderr.includes(said)) isSent = child.kill(signal)
    })
    const [exitCode] = (await once(child, 'close')) as [number]
    if (!isSent) throw new Error(`ended with ${exitCode} before it said "${said}": ${output.stderr}`)
    return { exitCode, ...output }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.root, { recursive: true, force: true })
  }

  /** What a command sees: nothing of what this process has set for itself. */
  get environment(): NodeJS.ProcessEnv {
    const foreign = /^(LATCHWORK_|NO_COLOR$|FORCE_COLOR$|NODE_OPTIONS$|VITEST|NODE_ENV$)/
    const clean = Object.entries(process.env).filter(([name]) => !foreign.test(name))
    return { ...Object.fromEntries(clean), ...this.env }
  }
}
