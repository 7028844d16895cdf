import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

const MODELS = 100

/** What is called on every model, and the type instantiations that one model may cost with it. */
const BUDGETS = [
  { what: 'calls on its rows', callsOf: rowCalls, most: 3_000 },
  { what: 'calls on its rows, with relations, and on groups of them', callsOf: allCalls, most: 4_500 },
] as const

interface Cost {
  readonly instantiations: number
  readonly checkMs: number
}

describe.each(BUDGETS)('the compiler, on a model of 12 fields and 3 relations and $what,', ({ callsOf, most }) => {
  let folder: string

  beforeAll(async () => {
    // inside the project, so that the compiler finds its dependencies
    folder = await mkdtemp(join(ROOT, 'spec/types/.budget-'))
    await Promise.all([writeModels(1), writeModels(MODELS)])
  })

  afterAll(async () => {
    await rm(folder, { recursive: true, force: true })
  })

  it('stays within a budget that grows with their number alone', async () => {
    const one = await costOf(1)
    const all = await costOf(MODELS)
    const each = Math.round((all.instantiations - one.instantiations) / (MODELS - 1))
    console.info(
      `${MODELS} models: ${all.instantiations} instantiations, ${each} a model; checked in ${all.checkMs} ms (1 model: ${one.checkMs} ms)`,
    )
    expect(each).toBeGreaterThan(0)
    expect(each).toBeLessThanOrEqual(most)
  }, 120_000)

  async function writeModels(count: number): Promise<void> {
    const models = Array.from({ length: count }, (_, at) => modelSource(at, count, callsOf(at)))
    await writeFile(join(folder, `models-${count}.ts`), [HEADER, ...models].join('\n'))
    await writeFile(
      join(folder, `models-${count}.json`),
      JSON.stringify({
        extends: join(ROOT, 'tsconfig.json'),
        compilerOptions: { rootDir: ROOT, noEmit: true, declaration: false, sourceMap: false, inlineSources: false },
        include: [],
        files: [`models-${count}.ts`],
      }),
    )
  }

  async function costOf(count: number): Promise<Cost> {
    const tsc = join(ROOT, 'node_modules/.bin/tsc')
    // one thread, so that the count is the same in every run
    const parameters = ['-p', join(folder, `models-${count}.json`), '--extendedDiagnostics', '--singleThreaded']
    const { stdout } = await promisify(execFile)(tsc, parameters, { cwd: ROOT }).catch((error: Error & { stdout?: string }) => {
      throw new Error(`the generated models do not compile:\n${error.stdout}`)
    })
    return { instantiations: measured(stdout, 'Instantiations'), checkMs: Math.round(measured(stdout, 'Check time') * 1000) }
  }
})

function measured(diagnostics: string, name: string): number {
  const figure = new RegExp(`^${name}:\\s+([\\d.]+)`, 'm').exec(diagnostics)?.[1]
  if (figure === undefined) throw new Error(`the compiler tells no "${name}":\n${diagnostics}`)
  return Number(figure)
}

const HEADER = `
import type { Generated } from 'kysely'
import { belongsTo, createdAt, field, hasMany, id, model, version } from '../../../decorators/index.js'
import type { Json, Many, One } from '../../../lib/model/row-types.js'
import type { ModelNodes } from '../../../lib/nodes/model-nodes.js'
`

/** A model of 12 fields and 3 relations, and calls on its nodes. */
function modelSource(at: number, count: number, calls: string): string {
  const [self, next, previous, far] = [at, at + 1, at + count - 1, at + 7].map((number) => `Model${number % count}`)
  return `
@model({ indexes: [{ on: ['country', 'createdAt'] }] })
class ${self} {
  @id() id!: Generated<number>
  @field.text({ unique: true, maxLength: 320 }) email!: string
  @field.text({ nullable: true }) name!: string | null
  @field.text({ maxLength: 2 }) country!: string
  @field.integer({ nullable: true, check: { $gte: 0 } }) age!: number | null
  @field.bigint() points${at}!: bigint
  @field.decimal({ precision: 12, scale: 2 }) balance!: string
  @field.enum(['draft', 'live'], { default: 'draft' }) state!: Generated<'draft' | 'live'>
  @field.json() settings!: Json<{ theme: string }>
  @field.integer() ownerId!: number
  @createdAt() createdAt!: Generated<Date>
  @version() version!: Generated<number>
  @belongsTo(() => ${next}, 'ownerId') owner!: One<${next}>
  @hasMany(() => ${previous}, 'ownerId') owned!: Many<${previous}>
  @hasMany(() => ${far}, 'ownerId') others!: Many<${far}>
}
export async function use${self}(nodes: ModelNodes<${self}>) {
  const values = { email: 'a@b.c', country: 'FR', points${at}: 1n, balance: '1', settings: { theme: 'dark' }, ownerId: 1 }
  const where = { email: 'a@b.c' }
  ${calls}
}
`
}

function rowCalls(at: number): string {
  return `
  const created = await nodes.create(values)
  const read = await nodes.read({ where: { id: created.id } })
  const narrow = await nodes.readOrThrow({ where }, { select: ['id', 'state'] })
  const updated = await nodes.update({ where, set: { age: { $increment: 1 }, state: 'live' }, version: created.version })
  const deleted = await nodes.delete({ where: { id: updated.id } })
  const { rows } = await nodes.list({ where: { age: { $gte: 18 }, $or: [{ state: 'live' }, { name: { $contains: 'x' } }] }, orderBy: { createdAt: 'desc' }, limit: 50 })
  const count = await nodes.count({ where: { country: { $in: ['FR', 'DE'] } } })
  const { row } = await nodes.upsert({ on: ['email'], values, update: { age: 36 } })
  const made = await nodes.bulkCreate({ rows: [values], onConflict: 'skip' })
  const changed = await nodes.bulkUpdate({ where: { points${at}: { $lt: 3n } }, set: { name: null } })
  const gone = await nodes.bulkDelete({ where: { createdAt: { $lt: new Date() } } })
  const merged = await nodes.bulkUpsert({ on: ['email'], rows: [values] })
  const used = [read?.age, narrow.state, deleted.settings.theme, rows[0]?.points${at}, count, row.balance, made.count, changed.count, gone.count, merged.created]
`
}

function allCalls(at: number): string {
  return `${rowCalls(at)}
  const related = await nodes.list({ where: { owned: { $some: { owner: { email: 'x' } } } }, include: { owner: true, owned: { limit: 3, include: { owner: { select: ['name'] } } } } })
  const many = await nodes.readMany({ keys: [{ id: 1 }] }, { include: { others: true } })
  const groups = await nodes.aggregate({ groupBy: ['country'], values: { rows: '$count', oldest: { $max: 'age' } }, having: { rows: { $gt: 1 } } })
  const claimed = await nodes.claim({ where: { state: 'draft' }, set: { state: 'live' } })
  const isThere = await nodes.exists({ where })
  const more = [related.rows[0]?.owned[0]?.owner.name, many[0]?.others[0]?.country, groups[0]?.oldest, claimed[0]?.state, isThere]
`
}
