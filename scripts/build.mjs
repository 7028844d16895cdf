// Builds the package into dist: declarations, a file a source, and JavaScript for each path of the exports map and each program.
import { execFileSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { bundleWithCore, ROOT } from './bundle.mjs'

rmSync(join(ROOT, 'dist'), { recursive: true, force: true })
try {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  execFileSync(process.execPath, [tsc, '-p', 'tsconfig.json', '--emitDeclarationOnly'], { cwd: ROOT, stdio: 'inherit' })
} catch (error) {
  // it has already said what is wrong
  process.exit(error.status ?? 1)
}
await bundleWithCore(entries(), 'dist', { inlined: ['async-lock', 'reflect-metadata/lite'] })

/** The sources of the paths and programs that the package has. */
function entries() {
  const { exports, bin = {} } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
  const built = [...Object.values(exports).map((target) => target.default), ...Object.values(bin)]
  return built.filter((path) => path !== undefined).map((path) => path.replace(/^\.\/dist\//, '').replace(/\.js$/, ''))
}
