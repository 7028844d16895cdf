import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { forEachEngine } from './support/engines.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const TSX = join(ROOT, 'node_modules/.bin/tsx')
const RUN_TIMEOUT_MS = 120_000

interface Output {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

describe('the quickstart', () => {
  let folder: string

  beforeAll(async () => {
    if (!existsSync(join(ROOT, 'dist/index.js'))) throw new Error('there is no dist/ that the sample can import; run: npm run build')
    folder = await mkdtemp(join(tmpdir(), 'latchwork-quickstart-'))
  })

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  async function quickstart(url: string): Promise<Output> {
    const env = { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1', NODE_NO_WARNINGS: '1', DATABASE_URL: url }
    return promisify(execFile)(TSX, [join(ROOT, 'samples/quickstart/main.ts')], { cwd: folder, env }).then(
      (output) => ({ exitCode: 0, ...output }),
      (error: Output & { code: number }) => ({ exitCode: error.code, stdout: error.stdout, stderr: error.stderr }),
    )
  }

  forEachEngine((engine) => {
    it(
      'imports the cities of the world, works with them, and finds nothing to change the second time',
      async () => {
        const database = await engine.freshDatabase()
        // without a URL it makes a file where it is run
        const url = engine.name === 'sqlite' ? '' : database.url
        const target = engine.name === 'sqlite' ? 'sqlite:geo.db' : withoutUser(url)

        const first = await quickstart(url)
        expect(first).toMatchObject({ exitCode: 0, stderr: PROGRESS })
        expect(withoutTimes(first.stdout)).toBe(expectedOutput(target, 'first run'))
        const second = await quickstart(url)
        expect(second).toMatchObject({ exitCode: 0, stderr: PROGRESS })
        expect(withoutTimes(second.stdout)).toBe(expectedOutput(target, 'second run'))

        await database.drop()
      },
      2 * RUN_TIMEOUT_MS,
    )
  })

  it('says in one line, without the password, why a database cannot be reached', async () => {
    const { exitCode, stdout, stderr } = await quickstart('postgres://nobody:password@127.0.0.1:1/geo')
    expect(exitCode).toBe(1)
    expect(stderr.trim()).toMatch(/^CONNECTION: postgres:127\.0\.0\.1:1\/geo: .*$/)
    expect(stdout + stderr).not.toContain('password')
  })

  it('says in one line what is wrong with a URL', async () => {
    const { exitCode, stdout, stderr } = await quickstart('oracle://db')
    expect([exitCode, stdout]).toEqual([1, ''])
    expect(stderr.trim()).toMatch(/^CONFIGURATION: url: unknown scheme "oracle:".*$/)
  })
})

const PROGRESS = ['  cities: 50,000 of 171,075', '  cities: 100,000 of 171,075', '  cities: 150,000 of 171,075', ''].join('\n')

describe('the notes', () => {
  const SAMPLE = join(ROOT, 'samples/notes')

  function run(url: string): Promise<Output> {
    const env = { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1', NODE_NO_WARNINGS: '1', DATABASE_URL: url }
    return promisify(execFile)(TSX, [join(SAMPLE, 'main.ts')], { cwd: SAMPLE, env }).then(
      (output) => ({ exitCode: 0, ...output }),
      (error: Output & { code: number }) => ({ exitCode: error.code, stdout: error.stdout, stderr: error.stderr }),
    )
  }

  forEachEngine((engine) => {
    it('bring their database up to date when they start, once of many that start together', async () => {
      const database = await engine.freshDatabase()
      const started = await Promise.all([run(database.url), run(database.url), run(database.url)])
      expect(started.map(({ exitCode, stderr }) => [exitCode, stderr])).toEqual([0, 0, 0].map(() => [0, '']))
      const lines = started.flatMap(({ stdout }) => stdout.trimEnd().split('\n'))
      const upToDate = 'the database is up to date'
      expect(lines.filter((line) => !line.startsWith('Ada')).sort()).toEqual(
        [...appliedLines(engine.name), 'seeded 01_grace', upToDate, upToDate].sort(),
      )
      expect(await engine.admin(database.url, 'select name from authors order by name')).toEqual([{ name: 'Ada' }, { name: 'Grace' }])
      expect(lines).toContain('Ada has 3 notes')
      await database.drop()
    }, 120_000)
  })

  it('have migrations that lead to their models', async () => {
    const main = join(ROOT, 'dist/migrations/cli/main.js')
    const { stdout } = await promisify(execFile)(process.execPath, [main, 'migrate', 'generate', '--check', '--cwd', SAMPLE])
    expect(stdout).toBe('the models are as the last migration left them\n')
  })
})

/** SQLite has a foreign key with its table, in one step. */
function appliedLines(engine: string): readonly string[] {
  const first = engine === 'sqlite' ? 3 : 4
  return [
    `applied 20261127T015711Z_first_tables (${first} steps)`,
    'applied 20261127T015713Z_author_handle (2 steps)',
    'applied 20261127T015716Z_fill_handles (1 step)',
  ]
}

function expectedOutput(target: string, run: 'first run' | 'second run'): string {
  const isFirst = run === 'first run'
  const counts = (rows: string) => (isFirst ? `created ${rows}, updated 0, unchanged 0` : `created 0, updated 0, unchanged ${rows}`)
  return `latchwork quickstart on ${target}

Get ready
  connect      the database answers
  tables       ${isFirst ? 'created' : 'there already'}

Import
  countries        252 rows: ${counts('252')}
  regions        3,865 rows: ${counts('3,865')}
  districts     47,643 rows: ${counts('47,643')}
  cities       171,075 rows: ${counts('171,075')}
  Left out: 0 cities that the source has twice. Left null, since the source names and does not
  list them: the region of 284 cities, the district of 4,123.
${isFirst ? '' : '  Nothing changed: the database held every row already.\n'}
Work
  create       Latchwork at 64.50000, -18.25000
  create       again: UNIQUE_VIOLATION on countryCode, name, latitude, longitude
  read         Iceland, capital Reykjavik
  update       Latchwork is in region IS.39
  upsert       to region IS.41: updated; once more: unchanged
  list         6 in Iceland with S, page 1: Sandgerði, Sauðárkrókur, Selfoss
  list         6 in Iceland with S, page 2: Seltjarnarnes, Siglufjörður, Stykkishólmur
  count        191 cities north of the Arctic Circle, 2,721 in the Nordic countries
  transaction  Iceland's 36 cities deleted: 0 left; rolled back: 36
  delete       Latchwork, which was here for this run only
${isFirst ? '\nRun it again: the import will find nothing to change.\n' : ''}`
}

/** Every step ends with how long it took. */
function withoutTimes(stdout: string): string {
  return stdout.replaceAll(/ +[\d.]+ m?s$/gm, '')
}

function withoutUser(url: string): string {
  const { protocol, host, pathname } = new URL(url)
  return `${protocol}//${host}${pathname}`
}
