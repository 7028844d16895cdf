import { readdir, rm, writeFile } from 'node:fs/promises'
import { join, relative, resolve } from 'node:path'
import { createMigrationDialect } from '../lib/dialect/create-migration-dialect.js'
import type { Engine } from '../lib/dialect/dialect.js'
import { leadingWords } from '../lib/dialect/migration-parts.js'
import { type Description, descriptionText, readDescription } from './description.js'
import { DOCUMENT_SCHEMA } from './documents.js'
import { MigrationDecisionError, MigrationUsageError } from './errors.js'
import { snapshotBehind } from './last-snapshot.js'
import type { Migration, Source, SqlSource } from './migration.js'
import { type MigrationFolder, readMigrations } from './migration-files.js'
import { newMigrationId } from './new-id.js'
import { NOWHERE } from './nowhere.js'
import { fileProblems, headsOf, inOrder, withAncestors } from './plan.js'
import { refuseProblems, unknownId } from './refusals.js'
import { partsOf, stepOf } from './steps.js'
import { writeHead, writeMigration } from './write-migration.js'

/** Which migrations become one. */
export interface SquashOptions {
  /** The folder of migrations, from the working directory. Default `migrations`. */
  readonly folder?: string
  /** All whose SQL is in the folder. */
  readonly engines: readonly Engine[]
  /** The first of them. */
  readonly from: string
  /** The last of them; what branches have brought in between is among them. */
  readonly to: string
  /** The end of the new id. Default `squashed`. */
  readonly name?: string
  /** Leave data modules where they are, and squash what is before and behind each. Default: one is refused. */
  readonly keepData?: boolean
}

/** Of `squash`. */
export interface SquashDocument {
  readonly schema: typeof DOCUMENT_SCHEMA
  readonly command: 'squash'
  readonly ok: true
  readonly exitCode: 0
  readonly error: null
  /** What was written; more than one where data modules stay between them. */
  readonly ids: readonly string[]
  /** What it replaces; their folders are gone. */
  readonly replaced: readonly string[]
  /** Data modules that stay. */
  readonly kept: readonly string[]
  readonly files: readonly string[]
  readonly next: readonly string[]
  readonly warnings: readonly string[]
}

/**
 * Replaces migrations by one that runs their steps one after the other. A database that has applied all of them takes it for applied,
 * one that has none of them runs it, one in between is refused by `up`.
 *
 * Writes the new folder, names it in those that follow, and removes the old ones: version control has them.
 *
 * @throws {MigrationHistoryError} the files contradict each other
 * @throws {MigrationDecisionError} there is a data module among them, and not `keepData`
 * @throws {MigrationUsageError} an id is unknown, a branch leaves the range, or SQL of another engine would be lost
 */
export async function squashMigrations(options: SquashOptions): Promise<SquashDocument> {
  const { folder = 'migrations', engines, from, to, name = 'squashed', keepData = false } = options
  const path = resolve(folder)
  const folders = await Promise.all(engines.map((engine) => readMigrations(path, engine)))
  const { migrations, head } = folders[0]!
  refuseProblems(fileProblems(migrations, head))
  const chosen = chosenOf(inOrder(migrations), from, to)
  await refuseOtherEngines(chosen, engines)
  const units = unitsOf(chosen, keepData)
  if (units.every(({ length }) => length === 1))
    throw new MigrationUsageError('there is nothing to squash: it takes two migrations of SQL; nothing was written')
  const slug = newMigrationId(name, new Date(0), []).slice('19700101T000000Z_'.length)
  const ids = units.map((unit) => (unit.length === 1 ? unit[0]!.id : `${unit.at(-1)!.id.slice(0, '19700101T000000Z'.length)}_${slug}`))
  const clash = ids.find((id, at) => units[at]!.length > 1 && migrations.some((each) => each.id === id))
  if (clash !== undefined) throw new MigrationUsageError(`there is a migration ${clash} already; give it another name; nothing was written`)

  const inside = new Set(chosen.map(({ id }) => id))
  const outside = [...new Set(chosen.flatMap(({ parents }) => parents))].filter((id) => !inside.has(id))
  const files: string[] = []
  for (const [at, unit] of units.entries()) {
    const parents = at === 0 ? outside : [ids[at - 1]!]
    if (unit.length === 1) await reparent(unit[0]!, parents)
    else files.push(...(await write(path, ids[at]!, parents, unit, folders, engines)))
  }
  const last = ids.at(-1)!
  for (const child of migrations.filter((each) => !inside.has(each.id) && each.parents.includes(to)))
    await reparent(
      child,
      child.parents.map((parent) => (parent === to ? last : parent)),
    )
  const replaced = units.filter(({ length }) => length > 1).flat()
  for (const migration of replaced) await rm(migration.folder, { recursive: true })
  const [tip] = headsOf(migrations)
  await writeHead(path, tip === undefined || tip === to ? last : tip)
  return {
    schema: DOCUMENT_SCHEMA,
    command: 'squash',
    ok: true,
    exitCode: 0,
    error: null,
    ids: ids.filter((_, at) => units[at]!.length > 1),
    replaced: replaced.map(({ id }) => id),
    kept: chosen.filter(({ up }) => up.kind === 'data').map(({ id }) => id),
    files,
    next: ['latchwork migrate verify', 'latchwork migrate up'],
    warnings: [],
  }
}

/** What is between the two, themselves included, in order. */
function chosenOf(ordered: readonly Migration[], from: string, to: string): readonly Migration[] {
  for (const id of [from, to]) if (!ordered.some((each) => each.id === id)) throw unknownId(id, ordered)
  const wanted = withAncestors(ordered, to)
  if (!wanted.has(from)) throw new MigrationUsageError(`${to} does not follow ${from}; nothing was written`)
  const before = withAncestors(ordered, from)
  const chosen = ordered.filter(({ id }) => wanted.has(id) && (id === from || !before.has(id)))
  const inside = new Set(chosen.map(({ id }) => id))
  const leaving = ordered.find(({ id, parents }) => !inside.has(id) && parents.some((parent) => parent !== to && inside.has(parent)))
  if (leaving === undefined) return chosen
  const parent = leaving.parents.find((each) => inside.has(each))
  throw new MigrationUsageError(
    `${leaving.id} follows ${parent}, which is between ${from} and ${to}: end where its branch is joined again; nothing was written`,
  )
}

async function refuseOtherEngines(chosen: readonly Migration[], engines: readonly Engine[]): Promise<void> {
  for (const { folder } of chosen) {
    const other = (await readdir(folder))
      .map((name) => /^(?:up|down)\.(\w+)\.sql$/.exec(name)?.[1])
      .find((engine) => engine !== undefined && !engines.includes(engine as Engine))
    if (other !== undefined)
      throw new MigrationUsageError(`has SQL for ${other} too, which would be lost: name all engines by --dialect; nothing was written`, {
        file: folder,
      })
  }
}

/** Those that become one, together; a data module alone. */
function unitsOf(chosen: readonly Migration[], keepData: boolean): readonly (readonly Migration[])[] {
  const data = chosen.find(({ up }) => up.kind === 'data')
  if (data !== undefined && !keepData) {
    throw new MigrationDecisionError(
      `${data.id} is a data module, which cannot be in a file of SQL: end before it, or say --keep-data to leave it where it is and squash what is around it; nothing was written`,
      [`latchwork migrate squash … --keep-data`],
    )
  }
  const units: Migration[][] = []
  for (const migration of chosen) {
    const last = units.at(-1)
    if (migration.up.kind === 'sql' && last?.at(-1)?.up.kind === 'sql') last.push(migration)
    else units.push([migration])
  }
  return units
}

async function reparent({ folder }: Migration, parents: readonly string[]): Promise<void> {
  const described = await readDescription(folder)
  await writeFile(join(folder, 'migration.json'), descriptionText({ ...described, parents }))
}

async function write(
  path: string,
  id: string,
  parents: readonly string[],
  unit: readonly Migration[],
  folders: readonly MigrationFolder[],
  engines: readonly Engine[],
): Promise<readonly string[]> {
  const described = await Promise.all(unit.map(({ folder }) => readDescription(folder)))
  const snapshot = await snapshotBehind(unit.at(-1)!.id, folders[0]!.migrations)
  const texts = engines.flatMap((engine, at) => {
    const members = unit.map((each) => folders[at]!.migrations.find((one) => one.id === each.id)!)
    const downs = members.map(({ down }) => down)
    const up = joined(
      members.map(({ up }, position) => [members[position]!.id, up]),
      engine,
    )
    const isRevertible = downs.every((down) => down?.kind === 'sql')
    const down = isRevertible ? joined(members.map((each) => [each.id, each.down!] as const).reverse(), engine) : undefined
    return [[`up.${engine}.sql`, up], ...(down === undefined ? [] : [[`down.${engine}.sql`, down]])]
  })
  const files: Record<string, string> = {
    'migration.json': descriptionText(together(id, parents, described)),
    ...(snapshot === undefined ? {} : { 'snapshot.json': `${JSON.stringify(snapshot, null, 2)}\n` }),
    ...(Object.fromEntries(texts) as Record<string, string>),
  }
  await writeMigration(path, { id, files })
  return Object.keys(files).map((name) => relative(process.cwd(), join(path, id, name)))
}

function together(id: string, parents: readonly string[], members: readonly Description[]): Description {
  const losses = members.map(({ lossyDown }) => lossyDown)
  return {
    id,
    parents,
    operations: members.flatMap(({ operations }) => operations),
    lossyDown: losses.some((loss) => loss === true) ? true : losses.flatMap((loss) => (typeof loss === 'boolean' ? [] : loss)),
    replaces: members.map((member) => (member.replaces === undefined ? member.id : { id: member.id, replaces: member.replaces })),
  }
}

function joined(sources: readonly (readonly [id: string, source: Source])[], engine: Engine): string {
  const texts = sources.map(([id, source]) => `-- of ${id}\n${withOwnTransactions(source as SqlSource, engine).trim()}\n`)
  return texts.join('\n-- latchwork:step\n')
}

/** A value that one migration adds to an enum and the next uses: in one transaction PostgreSQL lets nobody use it. */
function withOwnTransactions(source: SqlSource, engine: Engine): string {
  const dialect = createMigrationDialect(NOWHERE[engine])
  const lines = source.text.split('\n')
  for (const part of [...partsOf(source, dialect)].reverse()) {
    const step = stepOf(part, source.file, dialect)
    if (step === undefined || !step.isTransactional || !/^alter type\b.*\badd value\b/i.test(leadingWords(step.statements[0]!, 8))) continue
    lines.splice(part.firstLine === 1 ? 0 : part.firstLine, 0, '-- latchwork:tx none')
  }
  return lines.join('\n')
}
