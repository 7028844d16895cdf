// Runs the tests on another major version of Node: npm run test:node -- 24
// That Node, and the headers to build better-sqlite3 against, come from the npm registry; nothing else is downloaded but `npm ci`.
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'

// What better-sqlite3 is built against where the headers of the newest release will not do. An addon built against those of
// Node 24.19 or newer aborts when a process ends, on every Node 24 (nodejs/node#65446); built before, it runs on all of them.
const HEADERS = { 24: '24.18.1' }

const [major, ...testCommand] = process.argv.slice(2)
if (!/^\d+$/.test(major ?? '')) {
  console.error('usage: npm run test:node -- <major version> [command, default: npm test]')
  process.exit(2)
}

const folder = mkdtempSync(join(tmpdir(), `latchwork-node-${major}-`))
process.once('exit', () => rmSync(folder, { recursive: true, force: true }))

const node = installNode(join(folder, 'node'), major)
const { headers } = major in HEADERS ? installNode(join(folder, 'headers'), HEADERS[major]) : node
const project = copyProject(join(folder, 'project'))
const env = {
  ...process.env,
  PATH: `${dirname(node.program)}${delimiter}${process.env.PATH}`,
  npm_config_nodedir: headers,
  npm_config_build_from_source: 'true',
}
console.log(`testing on Node ${execFileSync(node.program, ['--version'], { encoding: 'utf8' }).trim()}`)
try {
  run('npm', ['ci'], project, env)
  const [program, ...parameters] = testCommand.length === 0 ? ['npm', 'test'] : testCommand
  run(program, parameters, project, env)
} catch (error) {
  // the command has already said what is wrong
  process.exitCode = error.status ?? 1
}

/** The registry has a package for each platform; `node` itself only chooses one, in an install script. */
function installNode(at, version) {
  const prefix = process.platform === 'darwin' && process.arch === 'arm64' ? 'node-bin' : 'node'
  const name = `${prefix}-${process.platform}-${process.arch}`
  mkdirSync(at)
  run('npm', ['install', '--no-save', '--no-package-lock', '--prefix', at, `${name}@${version}`], at, process.env)
  const headers = join(at, 'node_modules', name)
  return { program: join(headers, 'bin', 'node'), headers }
}

function copyProject(to) {
  const listed = execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' })
  const files = listed.split('\0').filter((path) => path !== '' && existsSync(path))
  for (const path of files) cpSync(path, join(to, path))
  return to
}

function run(program, parameters, cwd, env) {
  execFileSync(program, parameters, { cwd, env, stdio: 'inherit' })
}
