// How the sources become JavaScript that is quick to load: a few modules in place of one a file, which a process would find, read and
// link one by one.
//
// What `import 'latchwork'` needs at once is one module, the core. Everything else imports from it: the other paths of the package, and
// what the core itself imports later, by `import()`. esbuild alone would cut the core into a module for each set of those that share it.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path/posix'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

export const ROOT = fileURLToPath(new URL('..', import.meta.url))

/** What the core of the package is at. */
const CORE = 'lib/core.js'
/** How modules name the core until it is known where they are. */
const CORE_NAME = 'latchwork:core'

/**
 * One module for each entry, at its own path, and further ones for what several have in common or what is imported later. Packages are
 * imported as they are. Lines and names stay, so that a stack trace can be read where source maps are off.
 *
 * @param entries paths of sources from the root, without their ending
 */
export async function bundle(entries, outdir, options) {
  const { outputFiles } = await build(settings({ entryPoints: sourcesOf(entries), outdir, ...options }))
  for (const { path, contents } of outputFiles) save(path, contents)
}

/**
 * As {@link bundle}, where all that the first entry imports at once is one module: the core.
 *
 * @param inlined packages that are a part of the core: small ones, whose own modules would cost more to find than to run
 */
export async function bundleWithCore(entries, outdir, { inlined = [], ...options } = {}) {
  const [face, ...others] = sourcesOf(entries)
  const { files, later } = await reachedFrom(face)
  const exportsOf = await exportsOfEach(files)
  const around = await build(
    settings({ entryPoints: [...others, ...later], outdir, plugins: [importsFromCore(files, exportsOf)], ...options }),
  )
  const faceText = fromCore(face, files, exportsOf)
  const texts = around.outputFiles.filter(({ path }) => path.endsWith('.js')).map(({ text }) => text)
  const used = new Set([faceText, ...texts].flatMap((text) => text.match(/\bcore\$\d+\$\w+/g) ?? []))
  const core = await build(
    settings({
      stdin: { contents: coreText(face, files, exportsOf, used), resolveDir: ROOT, sourcefile: 'core.ts', loader: 'ts' },
      outdir: undefined,
      outfile: join(ROOT, outdir, CORE),
      splitting: false,
      packages: undefined,
      // all of the core is run, as the sources are
      ignoreAnnotations: true,
      plugins: [importsLater(files, inlined)],
      ...options,
    }),
  )
  for (const { path, contents } of core.outputFiles) save(path, contents)
  const out = join(ROOT, outdir)
  save(join(out, CORE.replace(/js$/, 'licenses.txt')), licencesOf(inlined))
  for (const { path, text } of [{ path: join(out, face.replace(/ts$/, 'js')), text: faceText }, ...around.outputFiles])
    save(path, text.replaceAll(`"${CORE_NAME}"`, `"${wayTo(CORE, relative(out, path))}"`))
}

function settings({ outdir, ...options }) {
  return {
    absWorkingDir: ROOT,
    outbase: ROOT,
    outdir: outdir && join(ROOT, outdir),
    bundle: true,
    splitting: true,
    chunkNames: 'lib/[name]-[hash]',
    packages: 'external',
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    sourcemap: true,
    write: false,
    logLevel: 'warning',
    ...options,
  }
}

/** The sources that one imports at once, by way of others too, and those that these import later. Paths from the root. */
async function reachedFrom(face) {
  const { metafile } = await build(settings({ entryPoints: [face], outdir: 'dist', metafile: true }))
  const files = new Set()
  const later = new Set()
  const visit = (path) => {
    if (files.has(path)) return
    files.add(path)
    for (const { path: next, kind, external } of metafile.inputs[path].imports) {
      if (external) continue
      if (kind === 'dynamic-import') later.add(next)
      else visit(next)
    }
  }
  visit(face)
  return { files: [...files], later: [...later].filter((path) => !files.has(path)) }
}

/** The names that each source exports. */
async function exportsOfEach(files) {
  const { metafile } = await build(settings({ entryPoints: files, outdir: 'dist', metafile: true }))
  return new Map(Object.values(metafile.outputs).flatMap(({ entryPoint, exports }) => (entryPoint ? [[entryPoint, exports]] : [])))
}

/** What a name of a source in the core is called outside of that source. */
const coreName = (place, name) => `core$${place}$${name}`

/** What a source of the core exports, from there. */
function fromCore(path, files, exportsOf) {
  const names = exportsOf.get(path).map((name) => `  ${coreName(files.indexOf(path), name)} as ${name},\n`)
  return `export {\n${names.join('')}} from "${CORE_NAME}"\n`
}

/** Sources outside of the core take what is in it from there. */
function importsFromCore(files, exportsOf) {
  return {
    name: 'imports from the core',
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir, importer }) => {
        const source = sourceAt(resolveDir, path)
        // one for each importer: what several have in common would be a module of its own
        return files.includes(source) ? { path: source, namespace: 'core', suffix: `?${importer}` } : undefined
      })
      onLoad({ filter: /./, namespace: 'core' }, ({ path }) => ({ contents: fromCore(path, files, exportsOf), resolveDir: ROOT }))
      onResolve({ filter: new RegExp(`^${CORE_NAME}$`) }, ({ path }) => ({ path, external: true, sideEffects: false }))
    },
  }
}

/** The core leaves what it imports later where that is, and takes no package in but those that are `inlined`. */
function importsLater(files, inlined) {
  return {
    name: 'imports later',
    setup({ onResolve }) {
      onResolve({ filter: /^\.{1,2}\// }, ({ path, resolveDir, importer }) => {
        if (importer.includes('node_modules')) return undefined
        const source = sourceAt(resolveDir, path)
        if (files.includes(source)) return undefined
        return { path: wayTo(source.replace(/ts$/, 'js'), CORE), external: true }
      })
      onResolve({ filter: /^[^.]/ }, ({ path, importer }) => {
        const isTakenIn = importer.includes('node_modules') || inlined.includes(path)
        return isTakenIn ? undefined : { path, external: true }
      })
    },
  }
}

function coreText(face, files, exportsOf, used) {
  const texts = files.map((path, place) => {
    const names = exportsOf.get(path).filter((name) => used.has(coreName(place, name)))
    if (names.length === 0) return ''
    return `export { ${names.map((name) => `${name} as ${coreName(place, name)}`).join(', ')} } from './${path}'\n`
  })
  // first: so that the sources are run in the order in which they ask for each other
  return `import './${face}'\n${texts.join('')}`
}

/** What the authors of packages ask for where these are passed on. */
function licencesOf(packages) {
  const names = packages.map((path) => path.split('/')[0])
  return names.map((name) => `${name}\n\n${readFileSync(join(ROOT, 'node_modules', name, 'LICENSE'), 'utf8')}`).join('\n\n')
}

function sourcesOf(entries) {
  return entries.map((entry) => `${entry}.ts`)
}

function sourceAt(folder, path) {
  return relative(ROOT, join(folder, path)).replace(/js$/, 'ts')
}

function wayTo(path, from) {
  const way = relative(dirname(from), path)
  return way.startsWith('.') ? way : `./${way}`
}

function save(path, contents) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, contents)
}
