import { createMigrator } from 'latchwork/migrations'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { type FreshDatabase, forEachEngine } from '../support/engines.js'
import { ROUNDS, roundsTimeoutMs } from '../support/rounds.js'
import { FIVE, folderOf, idOf } from './draft.js'
import { MigratingProcess } from './worker.js'

const PROCESSES = 8
const ids = FIVE.map(({ slug }) => idOf(FIVE, slug))

forEachEngine((engine) => {
  let processes: MigratingProcess[]

  beforeAll(() => {
    // as far from UTC as it goes
    processes = Array.from(
      { length: PROCESSES },
      (_, at) => new MigratingProcess({ TZ: at % 2 === 0 ? 'Pacific/Kiritimati' : 'Pacific/Niue' }),
    )
  })

  afterAll(async () => {
    await Promise.all(processes.map((each) => each.end()))
  })

  it(
    'applies each migration once, whatever number of processes begins at the same time, and all of them are content',
    async () => {
      for (let round = 0; round < ROUNDS; round++) await inOneDatabase(await engine.freshDatabase(), round)
    },
    roundsTimeoutMs(15_000),
  )

  async function inOneDatabase(database: FreshDatabase, round: number): Promise<void> {
    const folder = await folderOf(FIVE)
    for (const each of processes) each.tell({ url: database.url, folder })
    const documents = await Promise.all(processes.map((each) => each.document()))
    expect([round, documents.map(({ exitCode }) => exitCode)]).toEqual([round, documents.map(() => 0)])
    expect(documents.flatMap(({ applied }) => applied.map(({ id }) => id))).toEqual(ids)
    expect(await engine.admin(database.url, 'select id from marks order by id')).toEqual([2, 3, 4, 5].map((id) => ({ id })))
    const status = await createMigrator({ url: database.url, folder }).status()
    for (const { finishedAt } of status.migrations) expect(Math.abs(Date.parse(finishedAt!) - Date.now())).toBeLessThan(60_000)
    expect((await createMigrator({ url: database.url, folder }).lock()).holder).toBeNull()
    await database.drop()
  }
})
