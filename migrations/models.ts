import { glob } from 'tinyglobby'
import { ConfigurationError } from '../lib/errors.js'
import { definitionOf, hasDefinition } from '../lib/model/define-model.js'
import type { ModelClass, ModelDefinition } from '../lib/model/model-definition.js'
import { loadModule } from './load-module.js'

/**
 * The definitions of all models that the files export, in the order of the files' paths and of their names in each.
 *
 * A class that several files export counts once. So does one in an object that a file exports, such as `{ users: User }`.
 *
 * @param globs  from `folder`; `!` in front leaves files out
 * @throws {ConfigurationError} a glob finds no file, a file cannot be loaded, or there is no model in any of them
 */
export async function loadModels(globs: readonly string[], folder: string): Promise<readonly ModelDefinition[]> {
  const files = await filesOf(globs, folder)
  const found = new Set<ModelDefinition>()
  for (const file of files) {
    for (const model of modelsIn(await loadModule(file))) found.add(definitionOf(model))
  }
  if (found.size > 0) return [...found]
  throw new ConfigurationError('models', `none of the ${files.length} files exports a class with @model() or defineModel`)
}

/** Absolute, sorted, so that the same files give the same schema everywhere. */
async function filesOf(globs: readonly string[], folder: string): Promise<readonly string[]> {
  const isLeftOut = (pattern: string) => pattern.startsWith('!')
  const without = globs.filter(isLeftOut).map((pattern) => pattern.slice(1))
  const files = new Set<string>()
  for (const pattern of globs.filter((pattern) => !isLeftOut(pattern))) {
    const options = { cwd: folder, absolute: true, ignore: ['**/node_modules/**', '**/*.d.{ts,mts,cts}', ...without] }
    const matches = await glob(pattern, options)
    if (matches.length === 0) throw new ConfigurationError('models', `no file matches "${pattern}" in ${folder}`)
    for (const file of matches) files.add(file)
  }
  return [...files].sort()
}

function modelsIn(module: Readonly<Record<string, unknown>>): readonly ModelClass[] {
  const byName = Object.entries(module).sort(([a], [b]) => (a < b ? -1 : 1))
  return byName.flatMap(([, value]) => [value, ...(isPlain(value) ? Object.values(value) : [])]).filter(isModel)
}

function isModel(value: unknown): value is ModelClass {
  return typeof value === 'function' && hasDefinition(value as ModelClass)
}

function isPlain(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
