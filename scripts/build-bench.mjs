// Builds the benchmarks into bench/dist, after the package itself: what raw and latchwork need, and the peers where `npm ci --prefix bench`
// has installed them.
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { bundle, ROOT } from './bundle.mjs'

const BENCH = join(ROOT, 'bench')
const PRISMA = join(BENCH, 'node_modules/.bin/prisma')

const hasPeers = existsSync(PRISMA)

// by name, as npm would link it
link('latchwork', ROOT)
// one copy of each for all contenders, of the same version: SQLite breaks where a process has two
if (hasPeers) for (const name of ['better-sqlite3', 'kysely', 'mysql2', 'pg']) link(name, join(ROOT, 'node_modules', name))
// an adapter that is built is one whose library is installed
rmSync(join(BENCH, 'dist'), { recursive: true, force: true })
if (hasPeers) for (const engine of ['postgres', 'mysql', 'sqlite']) generatePrismaClient(engine)
run(join(ROOT, 'node_modules/.bin/tsc'), ['-p', join(BENCH, hasPeers ? 'peers' : '', 'tsconfig.json')])
// what no path of the package leads to and is measured by itself: bench/support/internals.ts
const internals = [
  'lock/keyed-lock',
  'lock/lock-scope',
  'lock/lock-metrics',
  'pool/connection-pool',
  'pool/pool-options',
  'pool/pool-registry',
]
await bundle(
  internals.map((path) => `lib/${path}`),
  'bench/dist/internals',
)

function link(name, target) {
  const at = join(BENCH, 'node_modules', name)
  mkdirSync(dirname(at), { recursive: true })
  rmSync(at, { recursive: true, force: true })
  symlinkSync(target, at, 'junction')
}

/** Its generator compiles the schema with what npm installed; the engine that migrates, which it would download first, is not used. */
function generatePrismaClient(engine) {
  const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: process.execPath, CHECKPOINT_DISABLE: '1', PRISMA_HIDE_UPDATE_MESSAGE: '1' }
  run(PRISMA, ['generate', '--schema', join(BENCH, `peers/prisma/${engine}.prisma`)], env)
}

function run(program, parameters, env = process.env) {
  try {
    execFileSync(program, parameters, { cwd: BENCH, env, stdio: ['ignore', 'pipe', 'pipe'] })
  } catch (error) {
    console.error(`${error.stdout}${error.stderr}`)
    process.exit(error.status ?? 1)
  }
}
