import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { PeerRow } from '../bench/compare/peer-row.js'
import type { LoadRow } from '../bench/load/load-row.js'

const ROOT = fileURLToPath(new URL('..', import.meta.url))

interface Output {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

async function run(program: string, parameters: readonly string[]): Promise<Output> {
  const env = { ...process.env, NODE_OPTIONS: '', NO_COLOR: '1' }
  return promisify(execFile)(program, parameters, { cwd: ROOT, env }).then(
    (output) => ({ exitCode: 0, ...output }),
    (error: Output & { code: number }) => ({ exitCode: error.code, stdout: error.stdout, stderr: error.stderr }),
  )
}

function bench(...parameters: readonly string[]): Promise<Output> {
  return run(process.execPath, [join(ROOT, 'bench/dist/main.js'), ...parameters])
}

describe('the benchmarks', () => {
  let folder: string

  beforeAll(async () => {
    if (!existsSync(join(ROOT, 'dist/index.js'))) throw new Error('there is no dist/ that the benchmarks can import; run: npm run build')
    const { exitCode, stderr } = await run(process.execPath, [join(ROOT, 'scripts/build-bench.mjs')])
    if (exitCode !== 0) throw new Error(`the benchmarks cannot be built:\n${stderr}`)
    folder = await mkdtemp(join(tmpdir(), 'latchwork-bench-spec-'))
  })

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  it('measure workflows on a SQLite file, and write an array of rows', async () => {
    const json = join(folder, 'load.json')
    const { exitCode, stdout, stderr } = await bench(
      'load',
      '--engine',
      'sqlite',
      '--n',
      '20',
      '--rounds',
      '1',
      '--seed',
      '7',
      '--json',
      json,
    )
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' })

    const rows = JSON.parse(await readFile(json, 'utf8')) as LoadRow[]
    expect(rows.map(({ mode, pool }) => `${mode} ${pool}`)).toEqual(['raw cold', 'nodes cold', 'raw warm', 'nodes warm'])
    const figure = expect.closeTo(5_000, -4)
    for (const row of rows) {
      expect(row).toEqual({
        engine: 'sqlite',
        n: 20,
        mode: row.mode,
        pool: row.pool,
        pools: 1,
        stalled: false,
        successRate: 1,
        meanMs: figure,
        p95Ms: figure,
        p99Ms: figure,
        wallMs: figure,
        maxConnections: 0,
        meanRatioToRaw: row.mode === 'raw' ? 1 : expect.any(Number),
      })
      expect([row.meanMs, row.p95Ms, row.p99Ms, row.wallMs]).toEqual([row.meanMs, row.p95Ms, row.p99Ms, row.wallMs].sort((a, b) => a - b))
      expect(row.meanMs).toBeGreaterThan(0)
    }
    expect(ratioOf(rows, 'cold')).toBe(rows[1]!.meanRatioToRaw)
    expect(ratioOf(rows, 'warm')).toBe(rows[3]!.meanRatioToRaw)
    expect(stdout).toContain(
      '| engine | n | mode | pool | pools | success | mean ms | p95 ms | p99 ms | wall ms | connections | mean ÷ raw |',
    )
    expect(stdout).toContain('| 20 on sqlite: success of nodes | ≥ 100 % | 100 % | yes |')
  })

  it('compare latchwork with raw on a SQLite file, and write an array of rows', async () => {
    const json = join(folder, 'compare.json')
    const options = '--engine sqlite --only latchwork --workloads read,transaction,bulk --rows 1000 --rounds 1 --turn-ms 1 --seed 7'
    const { exitCode, stdout, stderr } = await bench(...options.split(' '), '--json', json)
    expect({ exitCode, stderr: stderr.replace(/^sqlite: .*\n/gm, '') }).toEqual({ exitCode: 0, stderr: '' })

    const rows = JSON.parse(await readFile(json, 'utf8')) as PeerRow[]
    const workloads = ['cold-start', 'read', 'transaction', 'bulk']
    expect(rows.map(({ workload, adapter }) => `${workload} ${adapter}`)).toEqual(
      workloads.flatMap((workload) => [`${workload} raw`, `${workload} latchwork`]),
    )
    for (const row of rows) {
      const isRaw = row.adapter === 'raw'
      expect(row).toMatchObject({ engine: 'sqlite', concurrency: 1, cpuUs: expect.any(Number), wallUs: expect.any(Number) })
      expect([row.cpuRatio === 1, row.wallRatio === 1]).toEqual([isRaw, isRaw])
      expect(Math.min(row.cpuUs, row.wallUs, row.cpuRatio, row.wallRatio)).toBeGreaterThan(0)
    }
    expect(stdout).toContain('seed 7')
    expect(stdout).toContain('| workload, callers | raw µs | latchwork |')
    expect(stdout).toMatch(/\| sqlite: read, 1: CPU ÷ raw \| ≤ 2 \| .* \| not judged \|/)
  }, 60_000)

  it('do not judge limits by a run that is too small for them', async () => {
    const { exitCode, stdout } = await bench('lock-cost', '--calls', '10', '--rounds', '1')
    expect(exitCode).toBe(0)
    expect(stdout).toMatch(/\| \S.* \| ≤ .* µs \| .* \| not judged \|/)
    expect(stdout).not.toMatch(/\| (yes|NO) \|/)
  })

  it.each([
    ['an unknown option', ['load', '--engin', 'sqlite'], "Unknown option '--engin'"],
    ['an option that the benchmark does not listen to', ['load', '--rows', '5'], '--rows: load does not listen to it'],
    ['a count that is none', ['load', '--n', '100,3OO'], '--n: expected a whole number from 1, got 3OO'],
    ['an unknown engine', ['load', '--engine', 'sqlite,oracle'], '--engine: expected one of postgres, mysql, sqlite, got oracle'],
    ['an unknown benchmark', ['lod'], 'expected one benchmark of compare, bulk-create, memory, load, lock-cost, workflow, got lod'],
    ['an unknown adapter', ['--only', 'raw,hibernate'], '--only: expected one of raw, latchwork, '],
    ['an unknown workload', ['--workloads', 'reads'], '--workloads: expected one of read, list, '],
    ['too few rows to compare with', ['--only', 'raw', '--rows', '10'], '--rows: compare takes 1000 or more, got 10'],
  ])('end with code 2 and say why: %s', async (_, parameters, said) => {
    const { exitCode, stdout, stderr } = await bench(...parameters)
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain(said)
  })

  it('say what there is when asked', async () => {
    const { exitCode, stdout } = await bench('--help')
    expect(exitCode).toBe(0)
    expect(stdout).toContain('npm run bench:load -- [options]')
  })
})

/** Of one round, the ratio of the two means. */
function ratioOf(rows: readonly LoadRow[], pool: string): number {
  const meanOf = (mode: string) => rows.find((row) => row.mode === mode && row.pool === pool)!.meanMs
  return meanOf('nodes') / meanOf('raw')
}
