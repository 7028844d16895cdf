import { existsSync } from 'node:fs'
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import type { Introspection, IntrospectOptions } from '../lib/dialect/introspection.js'
import { hasDefinition } from '../lib/model/define-model.js'
import type { ModelClass } from '../lib/model/model-definition.js'
import type { Schema, TableSchema } from '../lib/model/schema.js'
import { factName } from '../lib/model/schema-change.js'
import type { PullDocument, PulledModel } from './documents.js'
import { MigrationDecisionError, MigrationUsageError } from './errors.js'
import { loadModule } from './load-module.js'
import type { PullOptions } from './migrator-api.js'
import type { KeptModel } from './pull/model-plan.js'
import { pullModels } from './pull/pull-models.js'

/** Of which a document is made. */
export type Pulled = Pick<PullDocument, 'models' | 'findings'>

/**
 * Writes a model for each table of a database, a file each, and says what of it no model can say.
 *
 * @param known  the schema after the last migration
 * @throws {MigrationDecisionError} a file is there already, with `overwrite: 'never'`; nothing was written
 * @throws {MigrationUsageError} a name in `tables` matches none, or a model that is there does not load
 */
export async function pull(
  introspect: (options: IntrospectOptions) => Promise<Introspection>,
  known: Schema | undefined,
  { out = join('src', 'models'), tables, dryRun = false, overwrite = 'never' }: PullOptions,
): Promise<Pulled> {
  if (overwrite !== 'never' && overwrite !== 'merge') throw new MigrationUsageError(`overwrite is never or merge, not ${String(overwrite)}`)
  const folder = resolve(out)
  const kept = overwrite === 'merge' ? await modelsIn(folder) : []
  const wanted = new WantedTables(tables)
  const files = overwrite === 'merge' ? await stemsIn(folder) : []
  const pulled = await pullModels(introspect, { known, schemas: wanted.schemas, isWanted: (table) => wanted.has(table), kept, files })
  wanted.refuseUnmatched()
  const pathOf = (file: string) => relative(process.cwd(), join(folder, `${file}.ts`))
  const there = pulled.models.map(({ file }) => pathOf(file)).filter((path) => existsSync(path))
  if (there.length > 0) {
    throw new MigrationDecisionError(`${there.join(', ')} ${there.length === 1 ? 'is' : 'are'} there already; nothing was written`, [
      'latchwork db pull --overwrite merge',
      'latchwork db pull --out <folder>',
      'latchwork db pull --dry-run',
    ])
  }
  if (!dryRun && pulled.models.length > 0) await mkdir(folder, { recursive: true })
  if (!dryRun) for (const { file, text } of pulled.models) await writeFile(join(folder, `${file}.ts`), text, { flag: 'wx' })
  const keptTables = pulled.kept.map(
    ({ table, name, file }): PulledModel => ({ table, model: name, file: pathOf(file), state: 'kept', text: null }),
  )
  const written = pulled.models.map(({ table, name, file, text }): PulledModel => {
    return { table: factName(table), model: name, file: pathOf(file), state: dryRun ? 'planned' : 'written', text: dryRun ? text : null }
  })
  const findings = pulled.findings.map(({ table, object = null, problem }) => ({ table, object, problem }))
  return { models: [...written, ...keptTables], findings }
}

/** What a person asked for: names, with `*` for any letters, and a schema before a dot. */
class WantedTables {
  readonly #patterns: readonly { readonly text: string; readonly pattern: RegExp }[] | undefined
  readonly #matched = new Set<string>()

  constructor(tables: readonly string[] | undefined) {
    this.#patterns = tables?.map((text) => ({ text, pattern: new RegExp(`^${text.split('*').map(escaped).join('.*')}$`, 'u') }))
  }

  /** Those that are named. */
  get schemas(): readonly string[] {
    return (this.#patterns ?? []).flatMap(({ text }) => (/^[^.*]+\./.test(text) ? text.slice(0, text.indexOf('.')) : []))
  }

  has(table: Pick<TableSchema, 'schema' | 'name'>): boolean {
    const isOwn = table.schema === undefined
    // a snapshot may know of others
    if (this.#patterns === undefined) return isOwn
    const matching = this.#patterns.filter(({ text, pattern }) => text.includes('.') !== isOwn && pattern.test(factName(table)))
    for (const { text } of matching) this.#matched.add(text)
    return matching.length > 0
  }

  refuseUnmatched(): void {
    const unmatched = this.#patterns?.find(({ text }) => !this.#matched.has(text))
    if (unmatched !== undefined) throw new MigrationUsageError(`no table matches "${unmatched.text}"; nothing was written`)
  }
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
}

const MODEL_FILE = /^(.+)\.[jt]s$/

async function stemsIn(folder: string): Promise<readonly string[]> {
  if (!existsSync(folder)) return []
  const names = (await readdir(folder)).filter((name) => !/\.d\.ts$/.test(name))
  return names.flatMap((name) => MODEL_FILE.exec(name)?.[1] ?? [])
}

/** The models that files of a folder export by name: a person may have changed them. */
async function modelsIn(folder: string): Promise<readonly KeptModel[]> {
  const kept = new Map<ModelClass, KeptModel>()
  for (const file of [...new Set(await stemsIn(folder))].sort()) {
    const path = ['ts', 'js'].map((ending) => join(folder, `${file}.${ending}`)).find((each) => existsSync(each))!
    const module = await loadModule(path).catch((error: Error) => {
      throw new MigrationUsageError(`${error.message}; nothing was written`)
    })
    for (const [name, value] of Object.entries(module)) {
      const isModel = typeof value === 'function' && hasDefinition(value as ModelClass)
      if (isModel && name !== 'default' && !kept.has(value as ModelClass))
        kept.set(value as ModelClass, { name, file, model: value as ModelClass })
    }
  }
  return [...kept.values()]
}
