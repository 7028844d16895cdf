import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from '../../index.js'
import type { Engine } from '../../lib/dialect/dialect.js'
import type { SoakDatabase } from './load.js'
import type { Sample } from './verdict.js'

const MIB = 1024 * 1024

/** Looks at the process and its server. No call may be under way. */
export async function takeSample(engine: Engine, db: SoakDatabase, connections: number, atMinute: number): Promise<Sample> {
  const statements = await preparedStatements(engine, db, connections)
  // what was closed last may still be going
  await sleep(200)
  // what the first collection finds to finish, the second one frees
  for (let round = 0; round < 2; round++) globalThis.gc!()
  const { heapUsed, rss } = process.memoryUsage()
  return { atMinute, heapMiB: heapUsed / MIB, rssMiB: rss / MIB, descriptors: openDescriptors(), statements }
}

function openDescriptors(): number | undefined {
  return process.platform === 'linux' ? readdirSync('/proc/self/fd').length : undefined
}

/** All that the server keeps: of the whole server on MySQL, which does not tell whose they are. */
async function preparedStatements(engine: Engine, db: SoakDatabase, connections: number): Promise<number | undefined> {
  if (engine === 'sqlite') return undefined
  if (engine === 'mysql') {
    const { rows } = await sql<{ Value: string }>`show global status like 'Prepared_stmt_count'`.execute(db.kysely)
    return Number(rows[0]!.Value)
  }
  // a session of PostgreSQL sees its own only: so all of them are asked, each while the others are taken
  let asked = 0
  let allAsked = () => {}
  const everyone = new Promise<void>((resolve) => {
    allAsked = resolve
  })
  const ofOne = () =>
    db.transaction(async () => {
      const { rows } = await sql<{ n: string }>`select count(*) as n from pg_prepared_statements`.execute(db.kysely)
      if (++asked === connections) allAsked()
      await everyone
      return Number(rows[0]!.n)
    })
  const counts = await Promise.all(Array.from({ length: connections }, ofOne))
  return counts.reduce((sum, count) => sum + count, 0)
}
