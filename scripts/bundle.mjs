// How the sources become JavaScript that is quick to load: a few modules in place of one a file, which a process would find, read and
// link one by one.
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

export const ROOT = fileURLToPath(new URL('..', import.meta.url))

/**
 * One module for each entry, at its own path, and further ones for what several have in common or what is imported later. Packages are
 * imported as they are. Lines and names stay, so that a stack trace can be read where source maps are off.
 *
 * @param entries paths of sources from the root, without their ending
 */
export async function bundle(entries, outdir, { sourcemap = true } = {}) {
  return build({
    absWorkingDir: ROOT,
    entryPoints: entries.map((entry) => `${entry}.ts`),
    outbase: ROOT,
    outdir: join(ROOT, outdir),
    bundle: true,
    splitting: true,
    chunkNames: 'lib/[name]-[hash]',
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    sourcemap,
    logLevel: 'warning',
  })
}
